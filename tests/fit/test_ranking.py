"""The questions the other way round put first what a person would want."""

from __future__ import annotations

import pytest
from facts_for_tests import A100_80, CARDS, GPT_OSS, L4, LLAMA_8B, M1, T4, models

from llmops_catalog.errors import FitInputError
from llmops_catalog.fit import RUNTIMES, fit_quantizations, quantizations, rank_gpus, rank_models
from llmops_catalog.fit.verdict import VERDICTS


def test_one_answer_per_quantization_best_quality_first():
    results = fit_quantizations(LLAMA_8B, L4)
    assert [result.quantization for result in results] == [
        "bf16", "q8_0", "q6_k", "q5_k_m", "q4_k_m", "q4_0", "q3_k_m", "q2_k",
    ]  # fmt: skip
    totals = [result.memory.total_bytes for result in results]
    assert totals == sorted(totals, reverse=True)


def test_models_that_ship_quantized_come_as_they_ship():
    assert quantizations(GPT_OSS, "llama.cpp")[0] == "native"
    assert quantizations(GPT_OSS, "vllm") == ("native",)
    assert "native" in quantizations(models()["deepseek-ai/deepseek-r1"], "vllm")


def test_a_card_without_bf16_is_offered_f16():
    results = {result.quantization: result.verdict for result in fit_quantizations(LLAMA_8B, T4, runtime="vllm")}
    assert (results["bf16"], results["f16"]) == ("unsupported", "does-not-fit")


def test_smallest_fitting_card_first_largest_failing_card_next():
    ranked = rank_gpus(LLAMA_8B, CARDS.values())
    assert [result.gpu.id for result in ranked] == [M1.id, T4.id, L4.id, A100_80.id]
    mixtral = rank_gpus(models()["mistralai/mixtral-8x7b-instruct-v0.1"], CARDS.values(), quantization="q4_k_m")
    assert [(result.gpu.id, result.verdict) for result in mixtral] == [
        (A100_80.id, "fits"), (L4.id, "does-not-fit"), (T4.id, "does-not-fit"), (M1.id, "does-not-fit"),
    ]  # fmt: skip


def test_the_cheaper_of_two_cards_of_a_size_first():
    dear, cheap = (T4._replace(id=f"nvidia/{price}", rental=None, launch_price_usd=price) for price in (2000.0, 500.0))
    assert [result.gpu.id for result in rank_gpus(LLAMA_8B, [dear, cheap])] == [cheap.id, dear.id]
    rented = T4._replace(id="nvidia/rented", rental=T4.rental._replace(amount=0.9))
    assert [result.gpu.id for result in rank_gpus(LLAMA_8B, [rented, T4, cheap])] == [cheap.id, T4.id, rented.id]


def test_models_for_a_card_tuned_current_and_recent_first():
    base = LLAMA_8B._replace(id="base", tuning="base", released="2024-07")
    new = LLAMA_8B._replace(id="new", tuning="instruct", released="2025-01")
    replaced = LLAMA_8B._replace(id="replaced", tuning="instruct", released="2024-07", replaced_by="new")
    code = LLAMA_8B._replace(id="code", tuning="code", released="2025-01")
    guard = LLAMA_8B._replace(id="guard", tuning="guard", released="2025-01")
    huge = models()["deepseek-ai/deepseek-r1"]._replace(tuning="reasoning", released="2025-01")
    ranked = rank_models(T4, [huge, guard, replaced, base, code, new])
    assert [result.model.id for result in ranked] == ["new", "replaced", "code", "guard", "base", huge.id]
    assert ranked[0].quantization == "q4_k_m"


def test_lines_of_models_take_turns():
    sizes = [LLAMA_8B._replace(id=f"line-{number}", tuning="instruct", released="2025-06", family="line") for number in range(3)]
    other = LLAMA_8B._replace(id="other", tuning="instruct", released="2025-01", family="other")
    assert [result.model.id for result in rank_models(L4, [*sizes, other])] == ["line-0", "other", "line-1", "line-2"]


def test_among_models_of_a_day_the_known_one_and_the_one_that_uses_the_card():
    small = models()["meta-llama/llama-3.2-1b-instruct"]._replace(id="small", tuning="instruct", released="2025-01", family="a")
    large = LLAMA_8B._replace(id="large", tuning="instruct", released="2025-01", family="b")
    known = LLAMA_8B._replace(id="well-known", tuning="instruct", released="2025-01", family="c", mentions=20)
    assert [result.model.id for result in rank_models(T4, [small, large, known])] == ["well-known", "large", "small"]


def test_cards_nobody_sells_or_rents_come_after_those_one_can_get():
    def card(name, year, **more):
        return L4._replace(id=name, released=year, segment="consumer", **more)

    cards = [card("old", "2016", sold_gb=8), card("old-but-rented", "2016", rental=T4.rental), card("new", "2025", sold_gb=32),
             card("notebook", "2025", sold_gb=8)._replace(segment="laptop")]  # fmt: skip
    assert [result.gpu.id for result in rank_gpus(LLAMA_8B, cards)] == ["old-but-rented", "new", "notebook", "old"]


def test_every_golden_model_is_ranked_in_every_runtime():
    for runtime in RUNTIMES:
        ranked = rank_models(L4, models().values(), runtime=runtime)
        assert len(ranked) == len(models())
        order = [VERDICTS.index(result.verdict) for result in ranked]
        assert order == sorted(order)
        assert len(rank_models(L4, models().values(), runtime=runtime, limit=3)) == 3


def test_an_absurd_question_about_many_models_is_still_refused():
    for asked in ({"quantization": "q9"}, {"context_tokens": 0}, {"reserve_bytes": -1}):
        with pytest.raises(FitInputError):
            rank_models(L4, models().values(), **asked)
        with pytest.raises(FitInputError):
            rank_gpus(LLAMA_8B, CARDS.values(), **asked)


def test_a_long_prompt_is_beyond_some_models_not_an_error():
    ranked = rank_models(L4, models().values(), prompt_tokens=16384)
    verdicts = {result.model.id: result.verdict for result in ranked}
    assert verdicts["openai-community/gpt2"] == "unsupported"
    assert verdicts[LLAMA_8B.id] == "fits"


def test_encoders_are_offered_unquantized():
    assert quantizations(models()["baai/bge-m3"], "transformers") == ("f32", "f16", "bf16")

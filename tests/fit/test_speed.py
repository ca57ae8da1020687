"""Tokens per second: intervals that published readings lie in, that never rise with the context, and are absent where nothing is known."""

from __future__ import annotations

import pytest
from facts_for_tests import A100_80, L4, LLAMA_8B, M1, T4, models, vectors
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_catalog.fit import Engine, GpuFacts, fit, memory_card
from llmops_catalog.fit.hardware import hardware_class
from llmops_catalog.fit.prefill import arithmetic_rate, fall, multiplied_parameters, prefill_speed
from llmops_catalog.fit.question import ask
from llmops_catalog.fit.speed import decode_speed, kept_bytes_read, weight_bytes_read
from llmops_catalog.fit.weights import weigh

CARDS = {name: GpuFacts(id=name, name=name, sold_gb=999, **facts) for name, facts in vectors("speeds")["cards"].items()}
RTX_4090, A100 = CARDS["nvidia/rtx-4090"], CARDS["nvidia/a100-80gb-sxm"]
MIXTURE = models()["qwen/qwen3-30b-a3b"]


def decode(model, gpu, quantization="q4_k_m", runtime="llama.cpp", **asked):
    return decode_speed(model, gpu, ask(model, quantization=quantization, runtime=runtime, **asked))


@pytest.mark.parametrize("row", vectors("speeds")["decode"], ids=lambda row: f"{row['model']}-{row['gpu']}-{row['quantization']}")
def test_published_speeds_lie_inside(row):
    asked = {key: row[key] for key in ("quantization", "runtime", "context_tokens", "gpu_count") if key in row}
    interval = decode(models()[row["model"]], CARDS[row["gpu"]], **asked)
    assert interval.low <= row["tokens_per_second"] <= interval.high


@pytest.mark.parametrize("row", vectors("speeds")["prefill"], ids=lambda row: f"{row['model']}-{row['gpu']}-{row['quantization']}")
def test_published_prompts_lie_inside(row):
    question = ask(models()[row["model"]], quantization=row["quantization"], context_tokens=row["prompt_tokens"])
    interval = prefill_speed(models()[row["model"]], CARDS[row["gpu"]], question)
    assert interval.low <= row["tokens_per_second"] <= interval.high
    assert interval.rough


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    st.sampled_from(sorted(models())), st.sampled_from(sorted(CARDS)), st.sampled_from(["llama.cpp", "vllm", "transformers"]),
    st.integers(1, 200_000), st.integers(1, 100_000), st.integers(1, 8), st.integers(1, 8),
)  # fmt: skip
def test_more_context_is_never_faster(model_id, card, runtime, context, more, concurrency, cards):
    model = models()[model_id]
    asked = {"quantization": "bf16", "runtime": runtime, "concurrency": concurrency, "gpu_count": cards}
    short, long = (decode(model, CARDS[card], context_tokens=tokens, **asked) for tokens in (context, context + more))
    assert (short is None) == (long is None)
    if short and long:
        assert 0 < long.low <= short.low
        assert short.low < short.high
        assert long.high <= short.high


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.sampled_from(sorted(models())), st.sampled_from(sorted(CARDS)), st.integers(1, 7))
def test_more_sequences_slow_each_of_them_and_speed_up_all(model_id, card, concurrency):
    few, more = (decode(models()[model_id], CARDS[card], concurrency=number) for number in (concurrency, concurrency + 1))
    if few and more:
        assert more.low <= few.low
        assert (concurrency + 1) * more.high >= concurrency * few.high


@given(st.integers(1, 500_000), st.integers(1, 100_000))
def test_a_longer_prompt_is_never_read_faster(prompt, more):
    assert all(later <= earlier for earlier, later in zip(fall(prompt), fall(prompt + more), strict=True))


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.sampled_from(sorted(models())), st.sampled_from(sorted(CARDS)), st.sampled_from(["llama.cpp", "vllm", "transformers"]))
def test_no_token_comes_faster_than_its_bytes(model_id, card, runtime):
    model, gpu = models()[model_id], CARDS[card]
    interval = decode(model, gpu, "f16", runtime, context_tokens=512)
    if interval:
        question = ask(model, quantization="f16", runtime=runtime, context_tokens=512)
        read = weight_bytes_read(model, weigh(model, "f16", runtime)) + kept_bytes_read(model, question)
        assert interval.high <= gpu.bandwidth_gb_s * 1e9 / read * 1.000001


def test_a_token_reads_the_experts_it_uses_and_no_input_table():
    weights = weigh(MIXTURE, "bf16", "llama.cpp")
    one = weight_bytes_read(MIXTURE, weights)
    assert one == pytest.approx(2 * (MIXTURE.active_parameters - MIXTURE.vocab_size * MIXTURE.hidden_size), rel=0.006)
    assert one < weight_bytes_read(MIXTURE, weights, 4) < 4 * one
    dense = weigh(LLAMA_8B, "bf16", "llama.cpp")
    assert weight_bytes_read(LLAMA_8B, dense) == weight_bytes_read(LLAMA_8B, dense, 8) == dense.resident_bytes - dense.input_bytes
    tied = models()["meta-llama/llama-3.2-1b-instruct"]
    assert weight_bytes_read(tied, weigh(tied, "bf16", "llama.cpp")) == pytest.approx(2 * tied.total_parameters, rel=0.001)


def test_sliding_layers_read_their_window_only():
    gemma = models()["google/gemma-3-12b-it"]
    read = [kept_bytes_read(gemma, ask(gemma, quantization="bf16", context_tokens=tokens)) for tokens in (1024, 2048)]
    full_layers = sum(group.layers for group in gemma.layer_groups if group.type == "full_attention")
    assert read[1] - read[0] == 1024 * full_layers * 2 * gemma.num_key_value_heads * gemma.head_dim * 2


@pytest.mark.parametrize(
    ("card", "kind"),
    [
        ("nvidia/rtx-4090", "nvidia"), ("nvidia/t4", "nvidia"), ("nvidia/dgx-spark-gb10", "nvidia"), ("nvidia/a100-80gb-sxm", "nvidia-hbm"),
        ("nvidia/v100-pcie-32gb", "nvidia-hbm"), ("nvidia/p40", "nvidia-old"), ("nvidia/p100-pcie-16gb", "nvidia-old"),
        ("amd/rx-7900-xtx", "radeon"), ("amd/ryzen-ai-max-395-128gb", "radeon"), ("amd/mi300x", "instinct"),
        ("amd/radeon-vii", "instinct"), ("apple/m4-max-40-128gb", "apple"), ("intel/arc-b580", "intel"),
        ("nvidia/jetson-agx-orin-64gb", None), ("google/tpu-v5e", None), ("intel/gaudi2", None),
    ],
)  # fmt: skip
def test_the_class_follows_from_facts(card, kind):
    assert hardware_class(CARDS[card]) == kind


def test_no_interval_where_nothing_is_known():
    assert decode(LLAMA_8B, L4) is None, "no bandwidth and no memory type among these facts"
    assert decode(LLAMA_8B, memory_card(24 * 2**30)) is None
    assert decode(LLAMA_8B, CARDS["nvidia/jetson-agx-orin-64gb"]) is None
    assert decode(LLAMA_8B, CARDS["apple/m4-max-40-128gb"], "bf16", "vllm") is None
    assert decode(LLAMA_8B, RTX_4090, concurrency=9) is None
    assert decode(LLAMA_8B, RTX_4090, engine=Engine(gpu_layers=20)) is None
    assert decode(LLAMA_8B, RTX_4090, engine=Engine(gpu_layers=33)) is not None
    assert decode(MIXTURE, RTX_4090, engine=Engine(cpu_expert_layers=8)) is None
    assert decode(models()["baai/bge-m3"], RTX_4090, "f16") is None
    assert decode(LLAMA_8B, RTX_4090, "bf16", "transformers", task="lora") is None
    assert decode(models()["deepseek-ai/deepseek-r1"], RTX_4090._replace(sold_gb=24)) is None, "its weights do not go in"


def test_thin_evidence_is_called_rough():
    assert decode(LLAMA_8B, CARDS["nvidia/p40"]).rough
    assert decode(LLAMA_8B, RTX_4090, "bf16", "transformers").rough
    assert not decode(LLAMA_8B, RTX_4090).rough
    assert decode(LLAMA_8B, RTX_4090).basis == "llama.cpp on NVIDIA cards with GDDR or LPDDR memory, Turing and newer"


def test_layers_split_over_cards_gain_nothing_and_tensor_parallel_does():
    one, two = (decode(LLAMA_8B, RTX_4090, gpu_count=cards) for cards in (1, 2))
    assert (one.low, one.high) == (two.low, two.high)
    alone, four = (decode(LLAMA_8B, A100, "bf16", "vllm", gpu_count=cards) for cards in (1, 4))
    assert alone.low < four.low < 4 * alone.low
    staged = decode(LLAMA_8B, A100, "bf16", "vllm", gpu_count=4, engine=Engine(pipeline_parallel=4))
    assert staged == alone
    linked, bus = (decode(LLAMA_8B, A100._replace(nvlink=nvlink), "bf16", "vllm", gpu_count=4) for nvlink in (True, False))
    assert bus.low < linked.low


def test_geforce_rates_are_doubled_and_those_of_workstations_are_not():
    assert arithmetic_rate(RTX_4090) == pytest.approx(2 * RTX_4090.fp16_tflops * 1e12)
    assert arithmetic_rate(A100) == pytest.approx(A100.fp16_tflops * 1e12)
    assert arithmetic_rate(GpuFacts(id="x/y", name="Y", vendor="nvidia", segment="consumer")) is None


def test_a_prompt_token_is_multiplied_with_the_active_weights():
    assert multiplied_parameters(MIXTURE) == pytest.approx(
        MIXTURE.active_parameters - 2 * MIXTURE.vocab_size * MIXTURE.hidden_size, rel=0.001
    )


def test_the_answer_carries_its_speed_unless_it_cannot_run():
    answer = fit(LLAMA_8B, RTX_4090, quantization="q4_k_m")
    data = answer.as_json()["decode_tokens_per_second"]
    assert list(data) == ["low", "high", "rough", "basis"]
    assert data["low"] == answer.decode_tokens_per_second.low < 90 < data["high"]
    assert answer.as_json()["prefill_tokens_per_second"]["low"] > 1000
    refused = fit(LLAMA_8B, T4, quantization="bf16", runtime="vllm").as_json()
    assert refused["decode_tokens_per_second"] is refused["prefill_tokens_per_second"] is None
    assert fit(LLAMA_8B, M1, quantization="q4_k_m").decode_tokens_per_second is None
    assert A100_80.bandwidth_gb_s is None

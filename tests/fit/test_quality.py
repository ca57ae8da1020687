"""What a quantization costs: the nearest published figure, said whose it is, or nothing."""

from __future__ import annotations

import pytest
from facts_for_tests import L4, LLAMA_8B, models

from llmops_catalog.catalog.published import quality_facts
from llmops_catalog.fit import fit
from llmops_catalog.fit.quality import QualityFacts, quality_cost
from llmops_catalog.fit.support import Support

OTHER = models()["microsoft/phi-4"]


def facts(model, parameters, difference=0.02, quantization="q4_k_m", family="", released="2024", measure="perplexity"):
    return QualityFacts(model, model, family, released, parameters, quantization, measure, measure, difference, "https://example.org/table")


def test_its_own_figure_comes_before_all_others():
    published = [facts("near", LLAMA_8B.total_parameters, 0.5, family=LLAMA_8B.family), facts(LLAMA_8B.id, LLAMA_8B.total_parameters, 0.03)]
    cost = quality_cost(LLAMA_8B, "q4_k_m", published)
    assert cost.exact
    assert cost.as_json() == {
        "measure": "perplexity", "difference": 0.03, "unit": "relative", "of_model": LLAMA_8B.id, "exact": True,
        "metric": "perplexity", "source": "https://example.org/table",
    }  # fmt: skip


def test_then_the_nearest_size_of_its_family_and_then_the_newest_of_its_size():
    sibling = facts("sibling", LLAMA_8B.total_parameters // 2, family=LLAMA_8B.family)
    newer, older = facts("newer", 7 * 10**9, released="2025-01"), facts("older", 8 * 10**9, released="2023")
    assert quality_cost(LLAMA_8B, "q4_k_m", [older, newer, sibling]).facts == sibling
    assert quality_cost(LLAMA_8B, "q4_k_m", [older, newer]).facts == newer
    assert not quality_cost(LLAMA_8B, "q4_k_m", [older]).exact


@pytest.mark.parametrize(
    "published",
    [
        facts("too-large", 70 * 10**9), facts("too-small", 4 * 10**9), facts("other-format", 8 * 10**9, quantization="q8_0"),
        facts("family-but-far", 70 * 10**9, family=LLAMA_8B.family),
    ],
)  # fmt: skip
def test_figures_of_other_sizes_and_formats_say_nothing(published):
    assert quality_cost(LLAMA_8B, "q4_k_m", [published]) is None


@pytest.mark.parametrize("quantization", ["f32", "f16", "bf16", "native"])
def test_what_is_not_quantized_costs_nothing_worth_a_figure(quantization):
    assert quality_cost(LLAMA_8B, quantization, [facts(LLAMA_8B.id, 8 * 10**9, quantization=quantization)]) is None


def test_the_answer_carries_it():
    support = Support({}, (), [facts("llama-3-8b", 8 * 10**9)])
    answer = fit(LLAMA_8B._replace(support=support), L4, quantization="q4_k_m")
    assert answer.as_json()["quality"]["of_model"] == "llama-3-8b"
    assert fit(LLAMA_8B._replace(support=None), L4, quantization="q4_k_m").as_json()["quality"] is None


TABLE = {"kind": "quality", "url": "https://example.org/t", "model": "a/b", "readings": []}
MODELS = {"a/b": {"name": "B", "family": "b", "released": "2024-05-01", "parameters": {"total": 8 * 10**9}}}


def boiled(*readings, **record):
    return quality_facts([TABLE | {"readings": list(readings)} | record], MODELS)


def reading(measure, value, baseline=None, unit="perplexity", metric="perplexity wikitext-2 (ctx 512)", **more):
    said = {"quantization": "q4_k_m", "measure": measure, "metric": metric, "value": value, "unit": unit}
    return said | ({} if baseline is None else {"baseline": baseline}) | more


def test_one_figure_of_a_table_the_one_that_says_most():
    plain = reading("perplexity", 6.4, 6.0)
    weighted = reading("perplexity", 6.2, 6.0, metric="perplexity wikitext-2 (ctx 512), imatrix WT 10m")
    task = reading("task-score", 70, 71, unit="percent", metric="MMLU")
    (one,) = boiled(weighted, task, plain)
    assert one.difference == pytest.approx(6.4 / 6.0 - 1)
    assert (one.model, one.family, one.parameters, one.source) == ("a/b", "b", 8 * 10**9, "https://example.org/t")


def test_scores_are_compared_in_points_and_averages_before_single_tests():
    mmlu, average = reading("task-score", 0.70, 0.75, "share", "MMLU"), reading("task-score", 0.68, 0.69, "share", "average of 11 tasks")
    (one,) = boiled(mmlu, average)
    assert (one.metric, one.difference) == ("average of 11 tasks", pytest.approx(-1.0))


def test_no_figure_without_the_unquantized_model_of_the_same_table():
    assert boiled(reading("perplexity", 6.4)) == []
    assert boiled(reading("perplexity", 6.4, 6.0), kind="speed") == []


def test_a_model_without_a_record_counts_where_its_name_states_its_size():
    def named(name):
        return boiled(reading("perplexity", 3.4, 3.3), model=None, model_name=name)

    assert [(one.model, one.parameters) for one in named("Llama 2 70B")] == [("Llama 2 70B", 70 * 10**9)]
    assert named("some model") == []
    assert OTHER.total_parameters < 70 * 10**9

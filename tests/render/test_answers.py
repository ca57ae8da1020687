"""The answers on pages are the estimator's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmops_catalog import fit, load_catalog
from llmops_catalog.accuracy import PARTS, Comparison, comparisons, part_of
from llmops_catalog.errors import FitInputError
from llmops_catalog.fit import estimate
from llmops_catalog.render.views.matrix import LADDER, WAYS, Matrix, Way

CATALOG = Path(__file__).parents[2] / "catalog"
MODELS = ("meta-llama/llama-3.1-8b-instruct", "google/gemma-2-9b-it", "mistralai/mixtral-8x7b-instruct-v0.1", "baai/bge-m3")


@pytest.mark.parametrize("name", MODELS)
def test_cards_asked_about_together_get_the_answer_each_would_get_alone(name: str) -> None:
    catalog, matrix = load_catalog(CATALOG), Matrix()
    model = catalog.model(name)
    for gpu in catalog.gpus():
        for way in WAYS:
            found = matrix.answer(model, gpu, way)
            asked = way if not found.instead else Way(found.instead, way.runtime, way.title)
            alone = fit(model, gpu, quantization=asked.quantization, runtime=asked.runtime, context_tokens=matrix.context(model))
            assert found.verdict == alone.verdict, (gpu.id, way)
            assert found.code == (alone.reasons[0].code if alone.reasons else ""), (gpu.id, way)


def test_the_reach_is_a_context_that_fits_and_the_next_one_does_not() -> None:
    catalog, matrix = load_catalog(CATALOG), Matrix()
    model, gpu, way = catalog.model(MODELS[0]), catalog.gpu("T4"), WAYS[1]
    reach = matrix.answer(model, gpu, way).reach_tokens
    assert reach in LADDER
    assert fit(model, gpu, quantization=way.quantization, runtime=way.runtime, context_tokens=reach).verdict == "fits"
    assert fit(model, gpu, quantization=way.quantization, runtime=way.runtime, context_tokens=2 * reach).verdict != "fits"


def test_a_card_without_bf16_is_asked_about_f16_and_the_cell_says_so() -> None:
    catalog, matrix = load_catalog(CATALOG), Matrix()
    small, t4 = catalog.model("qwen/qwen2.5-0.5b-instruct"), catalog.gpu("T4")
    answer = matrix.answer(small, t4, next(way for way in WAYS if way.runtime == "vllm"))
    assert (answer.verdict, answer.instead) == ("fits", "f16")


def test_each_kind_of_reading_is_compared_with_the_part_of_the_estimate_it_shows() -> None:
    memory = estimate(load_catalog(CATALOG).model(MODELS[0]), quantization="q4_k_m", context_tokens=8192).memory
    for measure in PARTS:
        low, middle, high = part_of(memory, measure) or (1, 0, 0)
        assert low <= middle <= high
    assert part_of(memory, "driver-used-after-run") == (memory.low_bytes, memory.total_bytes, memory.high_bytes)
    assert part_of(memory, "file") == (memory.file_bytes,) * 3
    assert part_of(memory, "decode-speed") is None


def test_readings_in_any_unit_become_bytes_and_odd_ones_are_left_out() -> None:
    memory = estimate(load_catalog(CATALOG).model(MODELS[0]), quantization="q4_k_m").memory
    readings = [
        {"measure": "file", "value": 4.92, "unit": "GB"},
        {"measure": "file", "value": 0, "unit": "GiB"},
        {"measure": "decode-speed", "value": 20, "unit": "tokens/s"},
    ]
    found = list(comparisons(readings, memory))
    assert len(found) == 1
    assert abs(found[0].error) < 0.01


def test_an_error_is_a_share_of_what_was_measured() -> None:
    comparison = Comparison("file", 100.0, 90, 110, 120)
    assert (round(comparison.error, 3), comparison.within) == (0.1, True)


def test_a_model_with_a_missing_fact_is_unknown_not_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    from llmops_catalog.render.views import matrix as module

    def missing(*_: object, **__: object) -> None:
        raise FitInputError("nobody has said")

    catalog = load_catalog(CATALOG)
    monkeypatch.setattr(module, "estimate", missing)
    monkeypatch.setattr(module, "judge", missing)
    matrix = Matrix()
    assert matrix.answer(catalog.model(MODELS[0]), catalog.gpu("T4"), WAYS[0]).verdict == "unknown"
    assert matrix.memory(catalog.model(MODELS[0]), WAYS[0]) is None

"""Estimates beside measurements: the figures are what they say, and nothing usable is dropped."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from llmops_catalog import load_catalog
from llmops_catalog.accuracy import Checked, accuracy_json, check, figures, naive_figures, verdict_errors
from llmops_catalog.accuracy.check import Checks
from llmops_catalog.accuracy.figures import ninth_of_ten
from llmops_catalog.catalog import Catalog
from llmops_catalog.report.accuracy import accuracy_text

CATALOG = Path(__file__).parents[2] / "catalog"


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(CATALOG)


@pytest.fixture(scope="module")
def checks(catalog: Catalog) -> Checks:
    return check(catalog)


def off_by(one: Checked, factor: float) -> Checked:
    """The same comparison, had the reading been the estimate divided by `factor`."""
    return replace(one, comparison=replace(one.comparison, measured_bytes=one.comparison.estimated_bytes / factor))


def a_total(checks: Checks) -> Checked:
    totals = (one for one in checks.compared if one.comparison.term == "total" and one.comparison.has_range)
    return next(one for one in totals if one.estimate.question.task == "inference")


def test_figures_are_the_middle_the_ninth_of_ten_and_the_share_inside(checks: Checks) -> None:
    one = a_total(checks)
    errors = [0.0, 0.01, -0.02, 0.03, -0.04, 0.05, 0.06, 0.07, 0.08, 0.8]
    found = figures([off_by(one, 1 + error) for error in errors])
    assert found.median_error == pytest.approx(0.045)
    assert found.p90_error == pytest.approx(0.08)
    assert found.worst_error == pytest.approx(0.8)
    assert found.readings == found.ranged == 10
    assert 0 < found.inside < 10


@pytest.mark.parametrize(("count", "rank"), [(1, 0), (2, 1), (9, 8), (10, 8), (11, 9), (100, 89)])
def test_the_ninth_of_ten_is_a_reading_and_not_between_two(count: int, rank: int) -> None:
    assert ninth_of_ten([float(number) for number in range(count)]) == rank


def test_the_rule_of_thumb_is_parameters_times_bytes_and_a_fifth(checks: Checks) -> None:
    one = a_total(checks)
    bits = {one.estimate.quantization: 16.0}
    exact = replace(one, comparison=replace(one.comparison, measured_bytes=one.model.total_parameters * 2 * 1.2))
    found = naive_figures([exact], bits)
    assert found is not None
    assert found.worst_error == pytest.approx(0)
    assert naive_figures([exact], {}) is None


def test_a_reading_far_above_the_estimate_makes_wrong_fits_and_one_far_below_wrong_refusals(catalog: Catalog, checks: Checks) -> None:
    gpus = {gpu.id: gpu for gpu in catalog.gpus()}
    totals = [one for one in checks.compared if one.comparison.term == "total" and one.estimate.question.gpu_count == 1]
    answering = (one for one in totals if one.estimate.question.task == "inference")
    one = next(one for one in answering if one.estimate.memory.total_bytes > 8 * 2**30)
    doubled, halved = verdict_errors([off_by(one, 0.4)], gpus), verdict_errors([off_by(one, 2.5)], gpus)
    assert doubled.fits_wrongly > 0
    assert doubled.refused_wrongly == 0
    assert doubled.wrong == (off_by(one, 0.4),)
    assert halved.fits_wrongly == 0
    assert halved.refused_wrongly > 0


def test_every_reading_of_memory_is_compared_or_left_out_for_a_reason(catalog: Catalog, checks: Checks) -> None:
    from llmops_catalog.accuracy import PARTS, UNITS, readings

    memory = [
        reading
        for record in catalog.records("measurements")
        if record.data["kind"] in ("memory", "training")
        for reading in readings(record)
        if reading["measure"] in (*PARTS, "bound") and reading["unit"] in UNITS
    ]
    assert len(checks.compared) + len(checks.bounds) + sum(checks.left_out.values()) == len(memory)
    assert all(checks.left_out)


def test_the_json_is_plain_and_says_everything(catalog: Catalog) -> None:
    found = json.loads(json.dumps(accuracy_json(catalog)))
    assert found["schema"] == "llmops-catalog/accuracy/1"
    assert set(found) == {"schema", "summary", "by", "naive", "verdicts", "worst", "bounds", "left_out", "speed", "rows"}
    assert set(found["summary"]) == {"weights", "cache", "compute", "loaded", "total"}
    assert sum(group["readings"] for group in found["summary"].values()) == len(found["rows"])
    for side in ("runtime", "family", "quantization"):
        assert sum(group["readings"] for group in found["by"][side]) == len(found["rows"])
    assert len(found["worst"]) == 10
    assert [abs(row["error"]) for row in found["worst"]] == sorted((abs(row["error"]) for row in found["worst"]), reverse=True)


def test_the_text_names_the_rule_of_thumb_and_the_worst(catalog: Catalog) -> None:
    text = accuracy_text(accuracy_json(catalog))
    assert "total, by parameters x bytes x 1.2" in text
    assert "the worst ten" in text
    assert "times 'fits' where it would not" in text


def test_the_question_is_asked_with_the_settings_of_the_engine_a_reading_names(checks: Checks) -> None:
    engines = {
        (one.model_id, one.reading["measure"]): one.estimate.question.engine
        for one in checks.compared
        if one.record.id.startswith("llama-cpp/") and one.record.id.endswith("-logs")
    }
    assert engines["qwen/qwen3-30b-a3b", "weights"].gpu_layers == 30
    assert engines["qwen/qwen3-235b-a22b", "compute-buffer"].cpu_expert_layers in (80, 81)
    llama = engines["meta-llama/llama-3.1-8b-instruct", "total"]
    assert (llama.micro_batch_tokens, llama.runtime_version, llama.flash_attention) == (1024, "b5781", True)
    assert engines["qwen/qwen3-32b", "kv-cache"].flash_attention is False

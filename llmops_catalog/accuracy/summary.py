"""Everything the accuracy page and the command say, as one JSON object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from llmops_catalog.accuracy.check import Bound, Checked, check
from llmops_catalog.accuracy.figures import BREAKDOWNS, TERMS, breakdown, figures, naive_figures
from llmops_catalog.accuracy.speed import SpeedCoverage, speed_coverage
from llmops_catalog.accuracy.verdicts import verdict_errors
from llmops_catalog.catalog import Catalog

ACCURACY_SCHEMA = "llmops-catalog/accuracy/1"
WORST_SHOWN = 10


def accuracy_json(catalog: Catalog) -> dict[str, Any]:
    """`llmops-catalog/accuracy/1`: figures by term and from every side, verdict errors, the worst ten, and every row."""
    checks = check(catalog)
    compared = checks.compared
    by_term = {term: [one for one in compared if one.comparison.term == term] for term in TERMS}
    naive = naive_figures(compared, nominal_bits(catalog))
    return {
        "schema": ACCURACY_SCHEMA,
        "summary": {term: figures(group).as_json() for term, group in by_term.items() if group},
        "by": {side: _by_side(compared, side) for side in BREAKDOWNS if side != "term"},
        "naive": naive.as_json() if naive else None,
        "verdicts": verdict_errors(compared, {gpu.id: gpu for gpu in catalog.gpus()}).as_json(),
        "worst": [_row(one) | {"why": why(one)} for one in worst(compared)],
        "bounds": [_bound(bound) for bound in checks.bounds],
        "left_out": dict(checks.left_out),
        "speed": [_coverage(group) for group in speed_coverage(catalog)],
        "rows": [_row(one) for one in compared],
    }


def _by_side(compared: Sequence[Checked], side: str) -> list[dict[str, Any]]:
    """Figures per group of one side, each term for itself: an exact file must not hide a bad total."""
    key = BREAKDOWNS[side]
    found = []
    for term in TERMS:
        groups = breakdown((one for one in compared if one.comparison.term == term), key)
        found += [{side: name, "term": term, **group.as_json()} for name, group in groups.items()]
    return found


def worst(compared: Sequence[Checked], number: int = WORST_SHOWN) -> list[Checked]:
    """The comparisons that are furthest off, one per record and kind of reading so that one table does not fill the list."""
    found: dict[tuple[str, str, str], Checked] = {}
    for one in sorted(compared, key=lambda one: -abs(one.comparison.error)):
        found.setdefault((one.record.id, one.comparison.measure, one.model_id), one)
    return list(found.values())[:number]


def why(one: Checked) -> str:
    """Why an estimate is off, as far as the record says; empty where nobody knows."""
    return str(one.reading.get("off_because") or "")


def nominal_bits(catalog: Catalog) -> dict[str, float]:
    """The bits per weight people multiply with: those in a format's name, whatever the file really holds."""
    return {record.id: float(int(record.data["bits_per_weight"])) for record in catalog.records("quantizations")}


def _row(one: Checked) -> dict[str, Any]:
    question, found = one.estimate.question, one.comparison
    return {
        "measurement": one.record.id,
        "model": one.model_id,
        "quantization": question.quantization,
        "runtime": question.runtime,
        "context_tokens": question.context_tokens if one.context_stated else None,
        "gpu": one.reading.get("gpu"),
        "gpu_count": question.gpu_count,
        "measure": found.measure,
        "term": found.term,
        "measured_bytes": round(found.measured_bytes),
        "estimated_bytes": found.estimated_bytes,
        "low_bytes": found.low_bytes,
        "high_bytes": found.high_bytes,
        "error": found.error,
        "inside": found.within if found.has_range else None,
    }


def _coverage(group: SpeedCoverage) -> dict[str, Any]:
    return {
        "measure": group.measure,
        "runtime": group.runtime,
        "hardware": group.hardware,
        "rough": group.rough,
        "readings": group.readings,
        "inside_share": group.share,
        "cards": group.cards,
        "cards_inside_share": group.cards_inside / group.cards,
    }


def _bound(bound: Bound) -> Mapping[str, Any]:
    return {
        "measurement": bound.record.id,
        "model": bound.model.id,
        "bound_bytes": round(bound.bound_bytes),
        "low_bytes": bound.estimate.memory.low_bytes,
        "respected": bound.respected,
    }

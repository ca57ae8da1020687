"""Published speeds beside our intervals: which readings lie inside, by class of hardware and by card."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from llmops_catalog.accuracy.readings import readings
from llmops_catalog.catalog import Catalog
from llmops_catalog.errors import FitInputError
from llmops_catalog.fit import GpuFacts, ModelFacts
from llmops_catalog.fit.hardware import hardware_class
from llmops_catalog.fit.prefill import prefill_speed
from llmops_catalog.fit.question import Question, ask
from llmops_catalog.fit.speed import Speed, decode_speed

MEASURES = {"decode-speed": decode_speed, "prefill-speed": prefill_speed}
"""Readings we have an interval for. Whole-run averages and saturated servers measure something else."""


@dataclass(frozen=True, slots=True)
class SpeedComparison:
    """One published speed beside the interval for the same configuration."""

    record_id: str
    measure: str
    model_id: str
    gpu_id: str
    runtime: str
    quantization: str
    hardware: str
    measured: float
    expected: Speed

    @property
    def within(self) -> bool:
        """Whether the interval holds the reading."""
        return self.expected.low <= self.measured <= self.expected.high


@dataclass(frozen=True, slots=True)
class SpeedCoverage:
    """How many readings of one group lie inside their intervals."""

    measure: str
    runtime: str
    hardware: str
    rough: bool
    readings: int
    inside: int
    cards: int
    cards_inside: float
    """The same with every card counting once: the sum over cards of its share inside."""

    @property
    def share(self) -> float:
        """Share of the readings inside."""
        return self.inside / self.readings


def speed_comparisons(catalog: Catalog) -> list[SpeedComparison]:
    """Every published speed of a model, quantization, runtime and card of the catalog for which an interval exists."""
    models = {model.id: model for model in catalog.models()}
    gpus = {gpu.id: gpu for gpu in catalog.gpus()}
    found: list[SpeedComparison] = []
    for record in catalog.records("measurements"):
        if record.data["kind"] == "speed":
            for reading in readings(record):
                found += _compared(record.id, reading, models.get(reading.get("model") or ""), gpus.get(reading.get("gpu") or ""))
    return found


def _compared(record_id: str, reading: Mapping[str, Any], model: ModelFacts | None, gpu: GpuFacts | None) -> Iterator[SpeedComparison]:
    """The comparison of one reading; nothing where the reading does not say its whole setup, or no interval exists."""
    known = reading.get("quantization") and reading.get("runtime")
    if reading["measure"] not in MEASURES or reading["unit"] != "tokens/s" or model is None or gpu is None or not known:
        return
    try:
        question = _question(model, reading)
    except FitInputError:
        return
    expected = MEASURES[reading["measure"]](model, gpu, question)
    if expected is not None:
        yield SpeedComparison(
            record_id, reading["measure"], model.id, gpu.id, question.runtime, question.quantization,
            hardware_class(gpu) or "", reading["value"], expected,
        )  # fmt: skip


def _question(model: ModelFacts, reading: Mapping[str, Any]) -> Question:
    """What was run. A prefill is asked about by its prompt, behind whatever context the reading says was there."""
    prompt, context = reading.get("prompt_tokens"), reading.get("context_tokens")
    if reading["measure"] == "prefill-speed":
        context = (context or 0) + (prompt or 0) or None
    return ask(
        model,
        quantization=reading["quantization"],
        runtime=reading["runtime"],
        context_tokens=context or None,
        concurrency=reading.get("concurrency") or 1,
        kv_cache_type=reading.get("cache_type"),
        gpu_count=reading.get("gpus") or 1,
    )


def speed_coverage(catalog: Catalog) -> list[SpeedCoverage]:
    """Share of published speeds inside our intervals, by what was read, runtime and class of hardware."""
    groups: dict[tuple[str, str, str], list[SpeedComparison]] = {}
    for one in speed_comparisons(catalog):
        groups.setdefault((one.measure, one.runtime, one.hardware), []).append(one)
    return [_coverage(*key, groups[key]) for key in sorted(groups)]


def _coverage(measure: str, runtime: str, hardware: str, found: list[SpeedComparison]) -> SpeedCoverage:
    by_card: dict[str, list[bool]] = {}
    for one in found:
        by_card.setdefault(one.gpu_id, []).append(one.within)
    return SpeedCoverage(
        measure,
        runtime,
        hardware,
        any(one.expected.rough for one in found),
        len(found),
        sum(one.within for one in found),
        len(by_card),
        sum(sum(inside) / len(inside) for inside in by_card.values()),
    )

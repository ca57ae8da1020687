"""What many differences add up to: the middle one, the ninth of ten, and how many our interval holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median
from typing import Any

from llmops_catalog.accuracy.check import Checked
from llmops_catalog.fit import ModelFacts

TERMS = {
    "weights": "Weights and files",
    "cache": "Key/value cache",
    "compute": "Compute buffers",
    "loaded": "Loaded, nothing asked yet",
    "total": "All together",
}
"""What is compared, from the exact parts to the whole."""
BREAKDOWNS: Mapping[str, Callable[[Checked], str]] = {
    "term": lambda one: one.comparison.term,
    "runtime": lambda one: one.estimate.question.runtime,
    "family": lambda one: one.model.family or one.model.model_type,
    "quantization": lambda one: one.estimate.question.quantization,
}
"""The sides from which the same differences are looked at."""
NAIVE_FACTOR = 1.2
"""The rule of thumb: parameters times the nominal bytes of a format, and a fifth more."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Absolute errors as shares of the reading; `ranged` of the readings have an interval, `inside` of those lie in it."""

    readings: int
    median_error: float
    p90_error: float
    worst_error: float
    ranged: int
    inside: int

    @property
    def inside_share(self) -> float | None:
        """Share of the readings with an interval that lie in it; None where none has one."""
        return self.inside / self.ranged if self.ranged else None

    def as_json(self) -> dict[str, Any]:
        """The object of `accuracy --format json`."""
        return {
            "readings": self.readings,
            "median_error": self.median_error,
            "p90_error": self.p90_error,
            "worst_error": self.worst_error,
            "inside_share": self.inside_share,
        }


def ninth_of_ten(errors: Sequence[float]) -> float:
    """The smallest error that nine of ten do not exceed (nearest rank). `errors` is sorted and not empty."""
    return errors[ceil(0.9 * len(errors)) - 1]


def figures(compared: Sequence[Checked]) -> Figures:
    """The figures of some comparisons, of which there is at least one."""
    errors = sorted(abs(one.comparison.error) for one in compared)
    ranged = [one.comparison.within for one in compared if one.comparison.has_range]
    return Figures(len(errors), median(errors), ninth_of_ten(errors), errors[-1], len(ranged), sum(ranged))


def breakdown(compared: Iterable[Checked], key: Callable[[Checked], str]) -> dict[str, Figures]:
    """Figures by what `key` says of a comparison, most readings first."""
    groups: dict[str, list[Checked]] = {}
    for one in compared:
        groups.setdefault(key(one), []).append(one)
    return {name: figures(group) for name, group in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))}


def naive_bytes(model: ModelFacts, bits: float) -> float:
    """Parameters times bytes times 1.2: what most calculators answer, at any context."""
    return model.total_parameters * bits / 8 * NAIVE_FACTOR


def naive_figures(compared: Iterable[Checked], nominal_bits: Mapping[str, float]) -> Figures | None:
    """The errors the rule of thumb makes on the same totals, those of inference; None where there are none."""
    errors = sorted(
        abs(naive_bytes(one.model, nominal_bits[one.estimate.quantization]) / one.comparison.measured_bytes - 1)
        for one in compared
        if one.comparison.term == "total" and one.estimate.question.task == "inference" and one.estimate.quantization in nominal_bits
    )
    if not errors:
        return None
    return Figures(len(errors), median(errors), ninth_of_ten(errors), errors[-1], 0, 0)

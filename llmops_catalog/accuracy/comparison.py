"""One reading beside the part of an estimate that answers to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from llmops_catalog.accuracy.readings import Reading
from llmops_catalog.fit import Memory

UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "MB": 10**6, "GB": 10**9}
AFTER_RUN, AFTER_TRAINING = "driver-used-after-run", "driver-used-after-training"
WEIGHTS_PART = "weights-part"
PER_CARD = "per card"
"""In the note of a reading: one card's share, where several work together."""


class Part(NamedTuple):
    """What a kind of reading is compared with: the term it counts under, the part of the estimate in words, and in short."""

    term: str
    words: str
    short: str


PARTS: dict[str, Part] = {
    "file": Part("weights", "file", "file"),
    "weights": Part("weights", "weights", "weights"),
    WEIGHTS_PART: Part("weights", "weights of one card", "one card's weights"),
    "kv-cache": Part("cache", "key/value cache", "key/value cache"),
    "compute-buffer": Part("compute", "compute buffers", "compute buffer"),
    "activations": Part("compute", "compute buffers", "activations"),
    "driver-used-loaded": Part("loaded", "weights and overhead", "loaded"),
    "allocated-loaded": Part("loaded", "weights", "allocated once loaded"),
    AFTER_RUN: Part("total", "everything", "after a run"),
    AFTER_TRAINING: Part("total", "everything", "after training"),
    "allocated-peak": Part("total", "everything but overhead", "allocated at most"),
    "reserved-peak": Part("total", "everything but overhead", "reserved at most"),
    "total": Part("total", "everything but overhead", "in all"),
}
"""For each kind of reading: what of an estimate answers to it. A `total` that names no counter is that of the allocator."""
DRIVER_READINGS = ("driver-used-loaded", AFTER_RUN, AFTER_TRAINING)
"""Read from the driver, so with what the allocator never sees."""


def part_of(memory: Memory, measure: str) -> tuple[int, int, int] | None:
    """Low, middle and high of the part of an estimate that a reading shows; None for a kind we have no figure for.

    Files, weights and caches are computed exactly and have one value.
    """
    exact = {
        "weights": memory.weights_bytes,
        WEIGHTS_PART: memory.weights_bytes,
        "file": memory.file_bytes,
        "kv-cache": memory.kv_cache_bytes + memory.state_bytes,
    }
    if measure in exact:
        return (exact[measure],) * 3
    if measure not in PARTS:
        return None
    middle = {
        "driver-used-loaded": memory.weights_bytes + memory.overhead_bytes,
        "allocated-loaded": memory.weights_bytes,
        AFTER_RUN: memory.total_bytes,
        AFTER_TRAINING: memory.total_bytes,
        "compute-buffer": memory.compute_bytes,
        "activations": memory.compute_bytes,
    }.get(measure, memory.total_bytes - memory.overhead_bytes)
    below, above = memory.total_bytes - memory.low_bytes, memory.high_bytes - memory.total_bytes
    return max(0, middle - below), middle, middle + above


@dataclass(frozen=True, slots=True)
class Comparison:
    """One reading beside the estimate of the same thing. `within` says whether the reading lies in the estimated range."""

    measure: str
    measured_bytes: float
    low_bytes: int
    estimated_bytes: int
    high_bytes: int

    @property
    def error(self) -> float:
        """How far the estimate is off, as a share of the reading."""
        return (self.estimated_bytes - self.measured_bytes) / self.measured_bytes

    @property
    def has_range(self) -> bool:
        """False for what is computed exactly."""
        return self.low_bytes < self.high_bytes

    @property
    def within(self) -> bool:
        """Whether the range holds the reading."""
        return self.low_bytes <= self.measured_bytes <= self.high_bytes

    @property
    def term(self) -> str:
        """Weights, cache, compute, loaded or total."""
        return PARTS[self.measure].term


def size_bytes(reading: Reading) -> float:
    """The reading in bytes; 0 where it is no size."""
    return float(reading["value"] * UNITS.get(reading["unit"], 0))


def comparisons(readings: Iterable[Reading], memory: Memory) -> Iterator[Comparison]:
    """Every reading the estimator has a figure for."""
    for reading in readings:
        measured, part = size_bytes(reading), part_of(memory, reading["measure"])
        if part is not None and measured > 0:
            cards = len(memory.per_gpu_bytes) if PER_CARD in reading.get("note", "") else 1
            low, middle, high = (size // cards for size in part)
            yield Comparison(reading["measure"], measured, low, middle, high)

"""The laws on every model of the catalog, not on a sample: more never needs less, and no interval is inside out."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from llmops_catalog import load_catalog
from llmops_catalog.fit import RUNTIMES, Memory, MissingFact, ModelFacts, estimate

CATALOG = Path(__file__).parents[2] / "catalog"
CONTEXTS = (1, 255, 256, 257, 1000, 4095, 4096, 8192, 33_333, 131_072, 1_000_003)
SEQUENCES = (1, 2, 3, 8, 9, 64)


@cache
def every_model() -> tuple[ModelFacts, ...]:
    return tuple(load_catalog(CATALOG).models())


def answered(model: ModelFacts, **asked: object) -> Memory | None:
    try:
        return estimate(model, **asked).memory  # type: ignore[arg-type]  # the settings of one question
    except MissingFact:
        return None


def ladders(runtime: str, name: str, steps: tuple[int, ...], **asked: object) -> Iterator[tuple[str, list[Memory]]]:
    """For each model the memory at every step of one setting."""
    for model in every_model():
        found = [answered(model, quantization="f16", runtime=runtime, **{name: step}, **asked) for step in steps]
        known = [memory for memory in found if memory]
        assert len(known) in (0, len(found)), f"{model.id} is known at some sizes only"
        if known:
            yield model.id, known


def rises(memories: list[Memory]) -> bool:
    """Whether neither the total nor the fullest card's high bound ever falls."""
    sizes = [(memory.total_bytes, max(memory.per_gpu_high_bytes), max(memory.per_gpu_low_bytes)) for memory in memories]
    return all(less[part] <= more[part] for less, more in pairwise(sizes) for part in range(3))


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_longer_context_never_needs_less(runtime: str) -> None:
    assert [name for name, memories in ladders(runtime, "context_tokens", CONTEXTS) if not rises(memories)] == []


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_more_sequences_never_need_less(runtime: str) -> None:
    assert [name for name, memories in ladders(runtime, "concurrency", SEQUENCES, context_tokens=2048) if not rises(memories)] == []


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("cards", [1, 2, 8])
def test_every_interval_holds_its_middle_and_the_parts_add_up(runtime: str, cards: int) -> None:
    for name, (memory,) in ladders(runtime, "gpu_count", (cards,)):
        assert 0 < memory.low_bytes <= memory.total_bytes <= memory.high_bytes, name
        parts = (memory.weights_bytes, memory.kv_cache_bytes, memory.state_bytes, memory.compute_bytes, memory.overhead_bytes)
        assert sum(parts) == memory.total_bytes == sum(memory.per_gpu_bytes), name
        assert min(*parts, *memory.per_gpu_bytes, memory.host_bytes) >= 0, name

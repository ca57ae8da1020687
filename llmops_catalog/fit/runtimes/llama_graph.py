"""The compute buffer of llama.cpp: which tensors of its worst-case graph are alive together, and where its allocator puts them.

llama.cpp builds the graph of one micro-batch once, walks through it and gives every result the smallest free block that
holds it, or the end of the buffer; a result nobody reads any more is free again
(https://github.com/ggml-org/ggml/blob/master/src/ggml-alloc.c). Holes that are too small stay holes, so the buffer is larger
than the sum of what is alive: it can only be known by walking.

Sizes are 32-bit numbers per token of the micro-batch: all results grow with it, so one walk serves every size. What grows
with the cache as well (attention mask, scores) is not placed but added, because it lies below the other results for as long
as the layers run.
"""

from collections.abc import Sequence
from typing import NamedTuple

from llmops_catalog.fit.facts import ModelFacts

ENDLESS = float("inf")


class Cells(NamedTuple):
    """What does not grow with the tokens alone.

    32-bit numbers per token for every cell of the full and of the sliding cache, 16-bit numbers per cell alone, and 32-bit
    numbers per sequence.
    """

    full: float = 0.0
    sliding: float = 0.0
    unpacked_full: float = 0.0
    unpacked_sliding: float = 0.0
    states: float = 0.0


NO_CELLS = Cells()


class Peak(NamedTuple):
    """The end of the buffer (numbers per token) while results that grow with the cache are alive beside it."""

    numbers: float
    cells: Cells


class Step(NamedTuple):
    """One operation: the size of its result, whose results it reads, whether it may write over one, what it adds by cache."""

    size: float
    reads: tuple[int, ...]
    in_place: bool
    cells: Cells


class Tape:
    """Operations in the order llama.cpp computes them."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def new(self, size: float, *reads: int, cells: Cells = NO_CELLS) -> int:
        """A result of its own."""
        self.steps.append(Step(size, reads, False, cells))
        return len(self.steps) - 1

    def over(self, *reads: int) -> int:
        """A result that takes the place of the first input of its size which nobody else reads (norms, sums, activations)."""
        self.steps.append(Step(self.steps[reads[0]].size, reads, True, NO_CELLS))
        return len(self.steps) - 1

    def read(self, *reads: int) -> None:
        """Reads without a result in the buffer: writing into the cache."""
        self.steps.append(Step(0.0, reads, False, NO_CELLS))


class Ways(NamedTuple):
    """How the graph is computed: on a card, with a cache, in a build.

    `unpacks`: the cache is quantized, so that flash attention turns it into 16 bit first. `fed_from_outside`: the card's
    inputs stand outside this buffer (a pipeline keeps copies). `gates_in_place`: older builds activate and multiply the gate
    where it lies, newer ones do both in one operation. `wide_masks`: older builds hand masks over in 32 bit and turn them into
    16 bit where they are first used. `keeps_experts`: newer builds weigh and add what experts return in one operation, and keep
    it until then.
    """

    flash_attention: bool = True
    unpacks: bool = False
    fed_from_outside: bool = False
    gates_in_place: bool = False
    wide_masks: bool = False
    keeps_experts: bool = False


class Walk(NamedTuple):
    """A tape, the model on it, and how it is computed.

    `masks` are those attention reads (True: of the sliding layers), `handed` those handed over in 32 bit until then.
    """

    tape: Tape
    model: ModelFacts
    ways: Ways
    masks: dict[bool, int]
    handed: dict[bool, int]


def walk(steps: Sequence[Step]) -> tuple[tuple[Peak, ...], float]:
    """The ends the buffer reaches before its last step, and where the result of that step ends.

    One end for every mixture of cache-bound results alive at the time; those another exceeds in every respect are left out.
    """
    waiting = [0] * len(steps)
    for step in steps:
        for read in step.reads:
            waiting[read] += 1
    free: list[tuple[float, float]] = [(0.0, ENDLESS)]
    places: list[tuple[float, float] | None] = [None] * len(steps)
    alive = NO_CELLS
    peaks: dict[Cells, float] = {}
    end, last = 0.0, len(steps) - 1
    for index, step in enumerate(steps):
        place = _taken_over(step, steps, waiting, places) if step.in_place else None
        if place is None and step.size:
            place = _take(free, step.size)
        places[index] = place
        if step.cells is not NO_CELLS:
            alive = _sum(alive, step.cells, 1)
            peaks[alive] = max(peaks.get(alive, 0.0), free[-1][0])  # it takes the end of the buffer, whatever holes there are
        if place is not None:
            end = place[0] + place[1]
            if index < last and end > peaks.get(alive, 0.0):
                peaks[alive] = end
        for read in step.reads:
            waiting[read] -= 1
            if waiting[read]:
                continue
            gone, places[read] = places[read], None
            if gone is not None:
                _give(free, gone)
            if steps[read].cells is not NO_CELLS:
                alive = _sum(alive, steps[read].cells, -1)
    return _highest([Peak(numbers, cells) for cells, numbers in peaks.items()]), end


def _sum(one: Cells, other: Cells, sign: int) -> Cells:
    return Cells(*(a + sign * b for a, b in zip(one, other, strict=True)))


def _highest(peaks: list[Peak]) -> tuple[Peak, ...]:
    """Without those another one exceeds in every respect."""
    return tuple(
        peak
        for peak in peaks
        if not any(
            other != peak and other.numbers >= peak.numbers and all(a >= b for a, b in zip(other.cells, peak.cells, strict=True))
            for other in peaks
        )
    )


def _taken_over(
    step: Step, steps: Sequence[Step], waiting: Sequence[int], places: list[tuple[float, float] | None]
) -> tuple[float, float] | None:
    """The place of an input that only this step still reads."""
    for read in step.reads:
        if waiting[read] == 1 and steps[read].size == step.size and places[read] is not None:
            place, places[read] = places[read], None
            return place
    return None


def _take(free: list[tuple[float, float]], size: float) -> tuple[float, float]:
    """The smallest hole that holds `size`, of equal ones the last; else the end of the buffer."""
    best, smallest = len(free) - 1, ENDLESS
    for index in range(len(free) - 1):
        room = free[index][1]
        if size <= room <= smallest:
            best, smallest = index, room
    start, room = free[best]
    if room == size:
        del free[best]
    else:
        free[best] = (start + size, room - size)
    return start, size


def _give(free: list[tuple[float, float]], gone: tuple[float, float]) -> None:
    """Puts a place back, joined with free neighbours; blocks stay in the order of their start."""
    start, size = gone
    at = 0
    while at < len(free) and free[at][0] < start:
        at += 1
    if at < len(free) and start + size == free[at][0]:
        size += free[at][1]
        del free[at]
    if at and free[at - 1][0] + free[at - 1][1] == start:
        start, before = free[at - 1]
        size += before
        del free[at - 1]
        at -= 1
    free.insert(at, (start, size))

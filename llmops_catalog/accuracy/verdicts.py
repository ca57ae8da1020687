"""The errors that cost somebody an evening: 'fits' where it would not, and 'does not fit' where it would."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from llmops_catalog.accuracy.check import Checked
from llmops_catalog.accuracy.comparison import DRIVER_READINGS
from llmops_catalog.fit import RUNTIMES, GpuFacts, available_per_card
from llmops_catalog.fit.verdict import compare


@dataclass(frozen=True, slots=True)
class VerdictErrors:
    """How our verdicts on totals stand against what was measured.

    `ran` readings name their card: it held them, so a verdict 'does-not-fit' there is wrong (`said_no`). `questions` puts every
    reading on one card against every size of card in the catalog: `fits_wrongly` of them say 'fits' where the measured
    need is larger (`wrong` are the readings behind those), `refused_wrongly` say 'does-not-fit' where it is smaller.
    """

    ran: int
    said_no: tuple[Checked, ...]
    questions: int
    fits_wrongly: int
    refused_wrongly: int
    tight: int
    wrong: tuple[Checked, ...]

    def as_json(self) -> dict[str, Any]:
        """The object of `verdicts`."""
        return {
            "ran_on_named_card": self.ran,
            "said_no_but_ran": [one.record.id for one in self.said_no],
            "questions": self.questions,
            "said_fits_but_would_not": self.fits_wrongly,
            "said_fits_but_would_not_of": [one.record.id for one in self.wrong],
            "said_no_but_would_fit": self.refused_wrongly,
            "said_tight": self.tight,
        }


def needed_bytes(one: Checked) -> float:
    """What the measured process needed of its cards: the reading, and beside an allocator's what it never sees."""
    beside = 0 if one.comparison.measure in DRIVER_READINGS else one.estimate.memory.overhead_bytes
    return one.comparison.measured_bytes + beside


def verdict_errors(compared: Iterable[Checked], gpus: Mapping[str, GpuFacts]) -> VerdictErrors:
    """Judges every measured total; the other terms prove nothing about a card."""
    totals = [one for one in compared if one.comparison.term == "total" and one.estimate.question.task == "inference"]
    cards = {name: gpu for name, gpu in gpus.items() if gpu.has_memory}
    rooms = {runtime: {name: available_per_card(gpu, runtime)[0] for name, gpu in cards.items()} for runtime in RUNTIMES}
    named = [one for one in totals if one.reading.get("gpu") in cards]
    said_no = tuple(one for one in named if _verdict(one, rooms[one.estimate.question.runtime][one.reading["gpu"]]) == "does-not-fit")
    outcomes: Counter[str] = Counter()
    wrong: list[Checked] = []
    for one in totals:
        if one.estimate.question.gpu_count > 1:
            continue  # how the need was spread over the cards was not read
        found = Counter(_outcome(one, size) for size in set(rooms[one.estimate.question.runtime].values()))
        outcomes += found
        if found["fits wrongly"]:
            wrong.append(one)
    return VerdictErrors(
        ran=len(named),
        said_no=said_no,
        questions=outcomes.total(),
        fits_wrongly=outcomes["fits wrongly"],
        refused_wrongly=outcomes["refused wrongly"],
        tight=outcomes["tight"],
        wrong=tuple(wrong),
    )


def _outcome(one: Checked, available: int) -> str:
    """What our verdict on a card of this size is worth, given what was measured."""
    verdict, needed = _verdict(one, available), needed_bytes(one)
    if verdict == "fits":
        return "right" if needed <= available else "fits wrongly"
    if verdict == "does-not-fit":
        return "right" if needed > available else "refused wrongly"
    return "tight"


def _verdict(one: Checked, available: int) -> str:
    """As the estimator judges, for cards of this much memory each, whatever their number formats."""
    return compare(one.estimate.memory, available, one.estimate.question.gpu_count)[0]

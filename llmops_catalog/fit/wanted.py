"""In which order a person wants to see answers: models worth running on a card, cards worth getting for a model."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, log2
from typing import Any

from llmops_catalog.fit.available import card_bytes
from llmops_catalog.fit.facts import GpuFacts
from llmops_catalog.fit.sizes import GIB
from llmops_catalog.fit.verdict import VERDICTS, FitResult

LOSSY = ("q4_0", "q3_k_m", "q2_k")
"""Models that fit only like this come after those that fit well."""
TUNINGS = {"instruct": 0, "reasoning": 0, "code": 1, "guard": 3, "embedding": 3, "base": 4, "other": 4}
UNDATED_YEARS = 4.0
"""Of age, where no release is recorded: the models of most lists are from 2023 and before."""
WELL_USED = 0.5
"""Share of the memory from which a model counts as using the card well."""
SECOND_OF_A_LINE = 0.6
"""What every further model of a line loses: the first of other lines comes before the third size of one."""
OBTAINABLE_YEARS = 6.0
"""Cards that came out this long before the newest are still sold; older ones are where somebody rents them."""
PEOPLES_SEGMENTS = ("consumer", "workstation", "datacenter", "system-on-chip")
"""What one buys or rents by itself; laptops, boards and accelerators of one maker come after."""


def best_models_first(results: Sequence[FitResult]) -> list[FitResult]:
    """Those that run, tuned for people, current, in a good quantization; among them recent, well known, using the card.

    Lines of models take turns: every further size of a line comes later than it would by itself.
    """
    newest = max((_years(result.model.released) for result in results), default=0.0)
    scored = sorted(results, key=lambda result: (*_group(result), -_score(result, newest), result.model.id))
    seen: dict[tuple[Any, ...], int] = {}
    placed = []
    for result in scored:
        line = (*_group(result), result.model.family or result.model.id)
        earlier = seen[line] = seen.get(line, -1) + 1
        placed.append((*_group(result), SECOND_OF_A_LINE * earlier - _score(result, newest), result.model.id, result))
    placed.sort(key=lambda entry: entry[:-1])
    return [entry[-1] for entry in placed]


def _group(result: FitResult) -> tuple[int, int, bool, bool]:
    model = result.model
    return (
        VERDICTS.index(result.verdict),
        TUNINGS.get(model.tuning or "other", 4),
        model.replaced_by is not None,
        result.quantization in LOSSY,
    )


def _score(result: FitResult, newest: float) -> float:
    """Years of age against it; being well known and using the card for it, each worth about a year at most."""
    age = newest - _years(result.model.released)
    return log2(1 + result.model.mentions) / 5 + 1.5 * _use(result) - age


def _use(result: FitResult) -> float:
    """1 where the model takes `WELL_USED` of the card or more, 0 at about a sixth of that, and less for a toy."""
    if result.memory is None or not result.available_bytes:
        return 0.0
    share = result.memory.total_bytes / result.available_bytes / WELL_USED
    return max(-1.0, 1 + log2(min(share, 1.0)) / 2.5)


def _years(released: str | None) -> float:
    """A date as a number of years; `UNDATED_YEARS` before 2026 where there is none."""
    if not released:
        return 2026 - UNDATED_YEARS
    year, _, rest = released.partition("-")
    return int(year) + (int(rest[:2] or 7) - 1) / 12


def best_cards_first(results: Sequence[FitResult]) -> list[FitResult]:
    """Those it fits on, such as one can get, the smallest and then the cheapest in front; of those it does not, the largest."""
    newest = max((_years(result.gpu.released) for result in results), default=0.0)
    return sorted(results, key=lambda result: _card_key(result, newest))


def _card_key(result: FitResult, newest: float) -> tuple[Any, ...]:
    gpu, runs = result.gpu, result.verdict in ("fits", "tight")
    size = gpu.system_limit_low_gib or gpu.sold_gb or card_bytes(gpu)[0] / GIB
    return (
        VERDICTS.index(result.verdict),
        result.quantization in LOSSY,
        not _obtainable(gpu, newest),
        size if runs else -size,
        gpu.launch_price_usd or inf,
        gpu.rental.amount if gpu.rental else inf,
        -_years(gpu.released),
        gpu.id,
    )


def _obtainable(gpu: GpuFacts, newest: float) -> bool:
    current = gpu.rental is not None or gpu.released is None or newest - _years(gpu.released) <= OBTAINABLE_YEARS
    return current and gpu.segment in (None, *PEOPLES_SEGMENTS)

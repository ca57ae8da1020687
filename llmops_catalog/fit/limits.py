"""How far one can go on a card: longest context, most sequences, fewest cards, by search over a monotone total."""

from __future__ import annotations

from collections.abc import Callable

from llmops_catalog.fit.estimation import spent
from llmops_catalog.fit.facts import ModelFacts
from llmops_catalog.fit.question import LARGEST_CONCURRENCY, LARGEST_CONTEXT_TOKENS, Question

MOST_GPUS = 64
"""More cards than this is another question."""


def goes_in(model: ModelFacts, question: Question, available_per_card: int) -> bool:
    """True where the high estimate of every card is within what it offers."""
    needed = spent(model, question)
    return max(needed.per_gpu_bytes) + needed.above_bytes <= available_per_card


def largest(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """The largest number from `low` to `high` that `holds`, which once false stays false; `low - 1` where none does."""
    if not holds(low):
        return low - 1
    step, best = 1, low
    while best < high and holds(min(high, best + step)):
        best = min(high, best + step)
        step *= 2
    bound = min(high, best + step)
    while bound - best > 1:
        middle = (best + bound) // 2
        best, bound = (middle, bound) if holds(middle) else (best, middle)
    return best


def max_context_tokens(model: ModelFacts, question: Question, available_per_card: int) -> int | None:
    """Longest context that fits, within the model's own maximum; 0 where none does, None where nothing bounds it."""
    most = model.max_context_tokens or LARGEST_CONTEXT_TOKENS
    found = largest(1, most, lambda tokens: goes_in(model, question.at(context_tokens=tokens), available_per_card))
    return None if found == LARGEST_CONTEXT_TOKENS else found


def max_concurrency(model: ModelFacts, question: Question, available_per_card: int) -> int:
    """Most sequences of this context that fit at once; 0 where not even one does."""
    return largest(1, LARGEST_CONCURRENCY, lambda number: goes_in(model, question.at(concurrency=number), available_per_card))


def min_gpus(model: ModelFacts, question: Question, available_per_card: int, allowed: Callable[[Question], bool]) -> int | None:
    """Fewest cards of this kind that hold it, of the numbers the runtime can use; None where `MOST_GPUS` do not."""
    for number in range(1, MOST_GPUS + 1):
        asked = question.at(gpu_count=number)
        if allowed(asked) and goes_in(model, asked, available_per_card):
            return number
    return None

"""The questions the other way round: which quantizations, which cards, which models; what a person wants first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from llmops_catalog.errors import FitInputError
from llmops_catalog.fit.available import DEFAULT_UTILIZATION, available_per_card
from llmops_catalog.fit.choices import offered, open_question, preferred
from llmops_catalog.fit.facts import GpuFacts, ModelFacts
from llmops_catalog.fit.question import ask
from llmops_catalog.fit.verdict import VERDICTS, FitResult, judge, with_searches
from llmops_catalog.fit.wanted import best_cards_first, best_models_first

Options = dict[str, Any]


def fit_quantizations(model: ModelFacts, gpu: GpuFacts, *, runtime: str | None = None, **options: Any) -> list[FitResult]:
    """One answer per quantization worth showing, best quality first. Options are those of `fit`."""
    question_options, room = _split(options)
    question = open_question(model, runtime, question_options)
    return [judge(model, gpu, question.quantized(model, name), **room) for name in offered(model, gpu, question)]


def best_quantization(
    model: ModelFacts, gpu: GpuFacts, *, runtime: str | None = None, quantization: str | None = None, **options: Any
) -> FitResult:
    """The answer for the quantization asked for, or for the preferred one that fits best, without the searches."""
    question_options, room = _split(options)
    if quantization is not None:
        return judge(
            model,
            gpu,
            ask(model, quantization=quantization, runtime=runtime, **question_options),
            with_limits=False,
            **room,
        )
    question = open_question(model, runtime, question_options)
    known = offered(model, gpu, question)
    names = preferred(known, question)
    best: FitResult | None = None
    too_large = -1  # `known` is best quality first: what stands before one that does not fit is larger still
    for name in names:
        if known.index(name) < too_large:
            continue
        result = judge(model, gpu, question.quantized(model, name), with_limits=False, **room)
        if result.verdict == "fits":
            return result
        if best is None or _order(result) < _order(best):
            best = result
        if result.verdict == "does-not-fit":
            too_large = known.index(name)
    if best is None:
        raise FitInputError(f"nothing is known that {question.runtime} could load of {model.name}", "name a quantization")
    return best


def rank_gpus(model: ModelFacts, gpus: Iterable[GpuFacts], *, limit: int | None = None, **options: Any) -> list[FitResult]:
    """Cards for a model, best first: those it fits, such as one can get, the smallest and then the cheapest in front."""
    results = [best_quantization(model, gpu, **options) for gpu in gpus]
    return _searched(best_cards_first(results)[:limit], options)


def rank_models(gpu: GpuFacts, models: Iterable[ModelFacts], *, limit: int | None = None, **options: Any) -> list[FitResult]:
    """Models for a card, best first: those that fit, tuned for talking, current, recent, well known, using the card."""
    results = [best_quantization(model, gpu, **options) for model in models]
    return _searched(best_models_first(results)[:limit], options)


def _searched(results: list[FitResult], options: Options) -> list[FitResult]:
    _, room = _split(options)
    return [
        with_searches(result, available_per_card(result.gpu, result.question.runtime, **room)[0]) if result.memory else result
        for result in results
    ]


def _split(options: Options) -> tuple[Options, Options]:
    """Options about the question, and options about the room on the card."""
    room = {"reserve_bytes": options.get("reserve_bytes", 0),
            "gpu_memory_utilization": options.get("gpu_memory_utilization", DEFAULT_UTILIZATION)}  # fmt: skip
    question = {key: value for key, value in options.items() if key not in (*room, "runtime", "quantization")}
    return question, room


def _order(result: FitResult) -> tuple[int, int]:
    return VERDICTS.index(result.verdict), result.memory.total_bytes if result.memory else 0

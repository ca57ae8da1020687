"""One file per runtime: the same question has a different answer in each, because the engines allocate differently."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

from llmops_catalog.fit.facts import GpuFacts, ModelFacts

if TYPE_CHECKING:
    from llmops_catalog.fit.question import Question
    from llmops_catalog.fit.runtimes.footprint import Footprint
    from llmops_catalog.fit.weights import Weights

    Footprints = Callable[[ModelFacts, Weights, Question], Footprint]

_MODULES = {"llama.cpp": "llama_cpp", "vllm": "vllm", "transformers": "transformers"}


class _OnDemand(dict[str, "Footprints"]):
    """How each runtime spends memory; a runtime is loaded when it is first asked about."""

    def __missing__(self, runtime: str) -> Footprints:
        found: Footprints = import_module(f"{__name__}.{_MODULES[runtime]}").footprint
        self[runtime] = found
        return found


FOOTPRINTS = _OnDemand()


def settled(question: Question, gpu: GpuFacts) -> Question:
    """The question with what the runtime itself decides by the card, where the asker left it open; often the same question."""
    if question.runtime != "vllm" or question.task != "inference":
        return question
    from llmops_catalog.fit.runtimes.vllm_batch import settled as settled_by_vllm

    return settled_by_vllm(question, gpu)


def cache_tokens_left(model: ModelFacts, question: Question, available_bytes: int) -> int | None:
    """Tokens of cache for all sequences together that cards of `available_bytes` each have room for; None where none is kept so."""
    if question.runtime != "vllm" or question.task != "inference" or not model.is_decoder:
        return None
    from llmops_catalog.fit.runtimes.vllm import cache_tokens_left as left_by_vllm

    return left_by_vllm(model, question, available_bytes)

"""One file per runtime: the same question has a different answer in each, because the engines allocate differently."""

from __future__ import annotations

from collections.abc import Callable

from llmops_catalog.fit.facts import GpuFacts, ModelFacts
from llmops_catalog.fit.question import Question
from llmops_catalog.fit.runtimes import llama_cpp, transformers, vllm
from llmops_catalog.fit.runtimes.footprint import Footprint
from llmops_catalog.fit.runtimes.vllm_batch import settled as settled_by_vllm
from llmops_catalog.fit.weights import Weights

FOOTPRINTS: dict[str, Callable[[ModelFacts, Weights, Question], Footprint]] = {
    "llama.cpp": llama_cpp.footprint,
    "vllm": vllm.footprint,
    "transformers": transformers.footprint,
}
"""How each runtime spends memory."""


def settled(question: Question, gpu: GpuFacts) -> Question:
    """The question with what the runtime itself decides by the card, where the asker left it open; often the same question."""
    return settled_by_vllm(question, gpu) if question.runtime == "vllm" and question.task == "inference" else question


def cache_tokens_left(model: ModelFacts, question: Question, available_bytes: int) -> int | None:
    """Tokens of cache for all sequences together that cards of `available_bytes` each have room for; None where none is kept so."""
    if question.runtime != "vllm" or question.task != "inference" or not model.is_decoder:
        return None
    return vllm.cache_tokens_left(model, question, available_bytes)

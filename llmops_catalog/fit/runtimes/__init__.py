"""One file per runtime: the same question has a different answer in each, because the engines allocate differently."""

from __future__ import annotations

from collections.abc import Callable

from llmops_catalog.fit.facts import ModelFacts
from llmops_catalog.fit.question import Question
from llmops_catalog.fit.runtimes import llama_cpp, transformers, vllm
from llmops_catalog.fit.runtimes.footprint import Footprint
from llmops_catalog.fit.weights import Weights

FOOTPRINTS: dict[str, Callable[[ModelFacts, Weights, Question], Footprint]] = {
    "llama.cpp": llama_cpp.footprint,
    "vllm": vllm.footprint,
    "transformers": transformers.footprint,
}
"""How each runtime spends memory."""

"""Every model on every card, asked of the estimator once: verdicts and how far the context reaches. No arithmetic of its own."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from llmops_catalog.errors import FitInputError
from llmops_catalog.fit import Estimate, GpuFacts, Memory, ModelFacts, available_per_card, estimate
from llmops_catalog.fit.matrix import kind_of
from llmops_catalog.fit.question import ask
from llmops_catalog.fit.support import refusals
from llmops_catalog.fit.verdict import compare, judge
from llmops_catalog.render import text

CONTEXT_TOKENS = 8192
LADDER = tuple(1024 << step for step in range(11))
"""Contexts tried: 1k, 2k, 4k ... 1M; coarse on purpose, an estimate does not tell 9,000 tokens from 9,100."""


class Way(NamedTuple):
    """A way to run a model: a quantization in a runtime. A tuple, because it is half of the key of a million answers."""

    quantization: str
    runtime: str
    title: str


WAYS = (
    Way("q4_k_m", "llama.cpp", "Q4_K_M"),
    Way("q8_0", "llama.cpp", "Q8_0"),
    Way("f16", "llama.cpp", "F16"),
    Way("native", "vllm", "As shipped"),
    Way("native", "transformers", "As shipped"),
)
"""One table column each: three GGUF files in llama.cpp (also Ollama, LM Studio), the developer's own weights in the other two."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One model, one card, one way. `reach_tokens` is the longest context of the ladder that fits, 0 where none does.

    `code` is the first reason's; `instead` the quantization asked about where the card cannot run the way's own.
    """

    verdict: str
    reach_tokens: int
    code: str
    instead: str = ""


class Matrix:
    """The answers, computed when asked for and kept. Cards that differ in nothing a verdict rests on are asked about once."""

    def __init__(self) -> None:
        self._kinds: dict[str, int] = {}
        self._kind_numbers: dict[tuple[GpuFacts, int], int] = {}
        self._room: dict[tuple[str, str], int] = {}
        self._estimates: dict[tuple[str, Way], Estimate | None] = {}
        self._needs: dict[tuple[str, Way], tuple[tuple[int, ...], tuple[int, ...]]] = {}
        self._answers: dict[tuple[str, int, Way], Answer] = {}

    def context(self, model: ModelFacts) -> int:
        """The context asked about: 8k, or all a smaller model has."""
        return min(CONTEXT_TOKENS, model.max_context_tokens or CONTEXT_TOKENS)

    def memory(self, model: ModelFacts, way: Way) -> Memory | None:
        """What the model needs in that way; None where a fact is missing."""
        found = self._estimate(model, way)
        return found.memory if found else None

    def _estimate(self, model: ModelFacts, way: Way) -> Estimate | None:
        key = (model.id, way)
        if key not in self._estimates:
            try:
                found = estimate(model, quantization=way.quantization, runtime=way.runtime, context_tokens=self.context(model))
            except FitInputError:
                found = None
            self._estimates[key] = found
        return self._estimates[key]

    def answer(self, model: ModelFacts, gpu: GpuFacts, way: Way) -> Answer:
        """Whether and how far it runs. A card without bf16 is asked about f16 where the developer's own format is bf16."""
        if gpu.id not in self._kinds:
            kind = (kind_of(gpu), card_bytes(gpu))
            self._kinds[gpu.id] = self._kind_numbers.setdefault(kind, len(self._kind_numbers))
        key = (model.id, self._kinds[gpu.id], way)
        if key not in self._answers:
            found = self._ask(model, gpu, way)
            if found.code == "no-bf16":
                half = Way("f16", way.runtime, way.title)
                answered = self._ask(model, gpu, half)
                found = Answer(answered.verdict, answered.reach_tokens, answered.code, "f16")
            self._answers[key] = found
        return self._answers[key]

    def _ask(self, model: ModelFacts, gpu: GpuFacts, way: Way) -> Answer:
        """As `judge` answers, without the sentences: half a million cells are asked about."""
        estimated = self._estimate(model, way)
        if estimated is None or not gpu.has_memory:
            try:
                question = ask(model, quantization=way.quantization, runtime=way.runtime, context_tokens=self.context(model))
                result = judge(model, gpu, question, with_limits=False, estimated=estimated)
            except FitInputError:
                return Answer("unknown", 0, "unknown")
            return Answer(result.verdict, 0, result.reasons[0].code if result.reasons else "")
        if refused := refusals(model, gpu, estimated.question):
            return Answer("unsupported", 0, refused[0].code)
        available = self._available(gpu, way.runtime)
        verdict, reasons = compare(estimated.memory, available, 1)
        return Answer(verdict, self._reach(model, way, available), reasons[0].code if reasons else "")

    def _available(self, gpu: GpuFacts, runtime: str) -> int:
        key = (gpu.id, runtime)
        if key not in self._room:
            self._room[key] = available_per_card(gpu, runtime)[0]
        return self._room[key]

    def _reach(self, model: ModelFacts, way: Way, available: int) -> int:
        """The longest context of the ladder whose high estimate is within what the card offers."""
        if (model.id, way) not in self._needs:
            most = model.max_context_tokens or LADDER[-1]
            steps = (*(step for step in LADDER if step < most), most)
            needs = [
                max(estimate(model, quantization=way.quantization, runtime=way.runtime, context_tokens=step).memory.per_gpu_high_bytes)
                for step in steps
            ]
            self._needs[model.id, way] = (steps, tuple(needs))
        tried, needed = self._needs[model.id, way]
        place = bisect_right(needed, available)
        return tried[place - 1] if place else 0


@dataclass(frozen=True, slots=True)
class Best:
    """The best way among some to run a model on a card."""

    way: Way
    answer: Answer
    memory: Memory | None


class Chooser:
    """Picks the best way: the most bits that fit, else the fewest bits and what became of them."""

    def __init__(self, matrix: Matrix) -> None:
        self.matrix = matrix

    @cached_property
    def ways(self) -> tuple[Way, ...]:
        """llama.cpp's, most bits first: the files every card from a laptop up can try."""
        return tuple(way for way in reversed(WAYS) if way.runtime == "llama.cpp")

    def best(self, model: ModelFacts, gpu: GpuFacts) -> Best:
        """The most bits that fit; where none do, tight before too large."""
        answers = [(way, self.matrix.answer(model, gpu, way)) for way in self.ways]
        for wanted in ("fits", "tight"):
            for way, answer in answers:
                if answer.verdict == wanted:
                    return Best(way, answer, self.matrix.memory(model, way))
        way, answer = answers[-1]
        return Best(way, answer, self.matrix.memory(model, way))


def card_bytes(gpu: GpuFacts) -> int:
    """What a process can allocate on the card."""
    return available_per_card(gpu, "llama.cpp")[0]


REFUSALS = {
    "compute-capability": "card too old",
    "no-bf16": "no bf16 on it",
    "no-fp8": "no fp8 on it",
    "no-fp4": "no fp4 on it",
    "runtime-hardware": "not on this make",
    "runtime-quantization": "not loaded by it",
    "runtime-architecture": "not this kind of model",
    "context-beyond-model": "context too long",
    "runtime-kv-cache": "not with this cache",
}
"""Why something is unsupported, in a cell's few words; the whole sentence is `llmops-catalog fit`'s."""


def small_print(answer: Answer) -> str:
    """What stands under a verdict: how far the context reaches, in which format, or why not at all."""
    if answer.verdict == "unsupported":
        return REFUSALS.get(answer.code, "")
    return " ".join(
        filter(
            None,
            [
                f"as {answer.instead}," if answer.instead else "",
                f"to {text.short_tokens(answer.reach_tokens)}" if answer.reach_tokens else "",
            ],
        )
    ).rstrip(",")

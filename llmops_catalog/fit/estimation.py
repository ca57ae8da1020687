"""The memory of one configuration, broken down: no card needed."""

from functools import lru_cache
from typing import Any, NamedTuple

from llmops_catalog.fit.assumptions import Assumption, once
from llmops_catalog.fit.facts import GpuFacts, ModelFacts
from llmops_catalog.fit.question import Question, ask
from llmops_catalog.fit.runtimes import FOOTPRINTS
from llmops_catalog.fit.runtimes.footprint import Footprint, Parts
from llmops_catalog.fit.settings import DEFAULT_ENGINE, DEFAULT_TRAINING, Engine, Training, chosen
from llmops_catalog.fit.support import refusals
from llmops_catalog.fit.weights import weigh

ESTIMATE_SCHEMA = "llmops-catalog/estimate/1"
MEMORY_KEYS = (
    "file_bytes", "weights_bytes", "host_bytes", "kv_cache_bytes", "state_bytes", "compute_bytes", "overhead_bytes",
    "total_bytes", "low_bytes", "high_bytes", "per_gpu_bytes",
)  # fmt: skip

ANY_CARD = GpuFacts(id="", name="any card", vendor="")
"""Of which nothing is known that could be missing: what is refused on it is refused everywhere."""


class Memory(NamedTuple):
    """Bytes, summed over the cards; `low_bytes` and `high_bytes` bound `total_bytes`, and so per card for each card."""

    file_bytes: int
    weights_bytes: int
    host_bytes: int
    kv_cache_bytes: int
    state_bytes: int
    compute_bytes: int
    overhead_bytes: int
    total_bytes: int
    low_bytes: int
    high_bytes: int
    per_gpu_bytes: tuple[int, ...]
    per_gpu_low_bytes: tuple[int, ...]
    per_gpu_high_bytes: tuple[int, ...]
    parts: Parts | None = None
    """Of training only: adapters, gradients, optimizer states, activations."""

    def as_json(self) -> dict[str, Any]:
        """The object of `memory`."""
        return {key: list(self.per_gpu_bytes) if key == "per_gpu_bytes" else getattr(self, key) for key in MEMORY_KEYS}


class Estimate(NamedTuple):
    """One configuration of one model and what it needs."""

    model: ModelFacts
    question: Question
    memory: Memory
    assumptions: tuple[Assumption, ...]

    @property
    def quantization(self) -> str:
        """Id of the quantization asked about."""
        return self.question.quantization

    def as_json(self) -> dict[str, Any]:
        """`llmops-catalog/estimate/1`."""
        shown = described(self.model, self.question, self.memory, self.assumptions)
        return {"schema": ESTIMATE_SCHEMA, **shown, **asked_beyond(self.question, self.memory)}


def described(model: ModelFacts, question: Question, memory: Memory | None, assumptions: tuple[Assumption, ...]) -> dict[str, Any]:
    """What estimate and fit say alike; every figure of `memory` is null where a fact is missing."""
    return {
        "model": model.id,
        "hub_id": model.hub_id,
        "quantization": question.quantization,
        "runtime": question.runtime,
        "context_tokens": question.context_tokens,
        "prompt_tokens": question.prompt_tokens,
        "concurrency": question.concurrency,
        "kv_cache_type": question.kv_cache_type,
        "gpu_count": question.gpu_count,
        "memory": memory.as_json() if memory else dict.fromkeys(MEMORY_KEYS),
        "assumptions": [assumption.as_json() for assumption in assumptions],
    }


def asked_beyond(question: Question, memory: Memory | None) -> dict[str, Any]:
    """What is done with the model, the settings that are not the defaults, and what training adds to memory."""
    settings = question.engine if question.task == "inference" else question.training
    parts = {"training": memory.parts._asdict()} if memory and memory.parts else {}
    return {"task": question.task, "settings": chosen(settings), **parts}


def estimate(
    model: ModelFacts,
    *,
    quantization: str | None = None,
    runtime: str | None = None,
    context_tokens: int | None = None,
    prompt_tokens: int | None = None,
    concurrency: int = 1,
    kv_cache_type: str | None = None,
    gpu_count: int = 1,
    task: str = "inference",
    engine: Engine = DEFAULT_ENGINE,
    training: Training = DEFAULT_TRAINING,
) -> Estimate:
    """The memory of one configuration, in bytes.

    `context_tokens` are kept per sequence (default 8192, or what the model can), `concurrency` sequences at once;
    `prompt_tokens` of them are prefilled at once where a runtime does not chunk (default: all). `task` may be training
    (full, lora, qlora): the context is then the length of a sequence and the concurrency the micro-batch; see `Training`.
    `runtime` is llama.cpp where none is named, of training transformers, which also has a usual `quantization`.
    Raises `FitInputError` for an absurd question, and `MissingFact` (one of them) where a fact or a rule is missing.
    """
    question = ask(
        model,
        quantization=quantization,
        runtime=runtime,
        context_tokens=context_tokens,
        prompt_tokens=prompt_tokens,
        concurrency=concurrency,
        kv_cache_type=kv_cache_type,
        gpu_count=gpu_count,
        task=task,
        engine=engine,
        training=training,
    )
    found = answer(model, question)
    return found._replace(assumptions=once([*_impossible(model, question), *found.assumptions]))


def _impossible(model: ModelFacts, question: Question) -> list[Assumption]:
    """Why nobody runs it so, whatever the card: memory is counted all the same. A context beyond the model is said anyway."""
    reasons = refusals(model, ANY_CARD, question)
    return [Assumption(reason.message) for reason in reasons if reason.code != "context-beyond-model"]


@lru_cache(maxsize=4096)
def answer(model: ModelFacts, question: Question) -> Estimate:
    """The estimate for a checked question: the same for every card, so it is kept. Raises `MissingFact`."""
    needed = spent(model, question)
    file_bytes = weigh(model, question.quantization, question.runtime).file_bytes
    return Estimate(model, question, _memory(file_bytes, needed), _said(model, question, needed))


def spent(model: ModelFacts, question: Question) -> Footprint:
    """The bare figures, for searches that ask many questions. Raises `MissingFact`."""
    if question.task != "inference":
        from llmops_catalog.fit.training import footprint  # questions about inference need not load it

        return footprint(model, question)
    return FOOTPRINTS[question.runtime](model, weigh(model, question.quantization, question.runtime), question)


def _memory(file_bytes: int, needed: Footprint) -> Memory:
    cards = len(needed.per_gpu_bytes)
    low = tuple(max(0, size - needed.below_bytes) for size in needed.per_gpu_bytes)
    return Memory(
        file_bytes=file_bytes,
        weights_bytes=needed.weights_bytes,
        host_bytes=needed.host_bytes,
        kv_cache_bytes=needed.kv_cache_bytes,
        state_bytes=needed.state_bytes,
        compute_bytes=needed.compute_bytes,
        overhead_bytes=needed.overhead_bytes,
        total_bytes=needed.total_bytes,
        low_bytes=max(0, needed.total_bytes - cards * needed.below_bytes),
        high_bytes=needed.total_bytes + cards * needed.above_bytes,
        per_gpu_bytes=needed.per_gpu_bytes,
        per_gpu_low_bytes=low,
        per_gpu_high_bytes=tuple(size + needed.above_bytes for size in needed.per_gpu_bytes),
        parts=needed.parts,
    )


def _said(model: ModelFacts, question: Question, needed: Footprint) -> tuple[Assumption, ...]:
    said = list(needed.assumptions)
    source = model.sources[0] if model.sources else None
    if model.max_context_tokens and question.context_tokens > model.max_context_tokens:
        beyond = f"{question.context_tokens:,} tokens are more than the {model.max_context_tokens:,} the model was made for"
        said.insert(0, Assumption(beyond, source))
    said += [Assumption(note, source) for note in model.notes]
    if (question.engine, question.training) != (DEFAULT_ENGINE, DEFAULT_TRAINING):
        from llmops_catalog.fit.idle import idle_settings  # most questions change no setting

        said += idle_settings(model, question)
    if model.confidence == "thin":
        said.append(Assumption("the facts about this model are recalled or inferred, not read from its developer", source))
    return once(said)

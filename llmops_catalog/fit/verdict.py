"""Does it fit: one model, one kind of card, one configuration. Five answers, each with its reasons; never a guess."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from llmops_catalog.fit import choices, limits
from llmops_catalog.fit.assumptions import Assumption, MissingFact, Reason, once
from llmops_catalog.fit.available import DEFAULT_UTILIZATION, available_per_card
from llmops_catalog.fit.estimation import Estimate, Memory, answer, asked_beyond, described
from llmops_catalog.fit.facts import GpuFacts, ModelFacts
from llmops_catalog.fit.prefill import prefill_speed
from llmops_catalog.fit.quality import QualityCost, quality_cost
from llmops_catalog.fit.question import Question, ask, of_kind
from llmops_catalog.fit.runtimes import cache_tokens_left, settled
from llmops_catalog.fit.settings import DEFAULT_ENGINE, DEFAULT_TRAINING, Engine, Training
from llmops_catalog.fit.sizes import shown
from llmops_catalog.fit.speed import Speed, decode_speed
from llmops_catalog.fit.support import refusals, remarks

VERDICTS = ("fits", "tight", "does-not-fit", "unsupported", "unknown")
"""Best first."""


class FitResult(NamedTuple):
    """The estimate for a question and how it compares with a card.

    `memory` is None only where a fact is missing. `available_bytes` is summed over the cards. `max_context_tokens` is
    None where nothing bounds it or nothing is known.
    """

    model: ModelFacts
    gpu: GpuFacts
    question: Question
    memory: Memory | None
    assumptions: tuple[Assumption, ...]
    available_bytes: int
    verdict: str
    reasons: tuple[Reason, ...]
    max_context_tokens: int | None = None
    max_concurrency: int | None = None
    min_gpus: int | None = None
    largest_quantization: str | None = None
    """Of those worth showing, the best that fits on these cards with this context; None where none does or nobody searched."""
    cache_tokens: int | None = None
    """Tokens of cache left for all sequences together, where a runtime fills its budget with cache (vLLM)."""

    @property
    def quantization(self) -> str:
        """Id of the quantization asked about."""
        return self.question.quantization

    @property
    def usd_per_hour(self) -> dict[str, Any] | None:
        """Lowest known price of these cards together, with its provider and date; None where none is known."""
        rental = self.gpu.rental
        return None if rental is None else {**rental.as_json(), "amount": rental.amount * self.question.gpu_count}

    @property
    def decode_tokens_per_second(self) -> Speed | None:
        """How fast one sequence grows with its context full; None where it does not run or nothing is published."""
        return self._speed(decode_speed)

    @property
    def prefill_tokens_per_second(self) -> Speed | None:
        """How fast a prompt is read; None as above."""
        return self._speed(prefill_speed)

    def _speed(self, of: Callable[[ModelFacts, GpuFacts, Question], Speed | None]) -> Speed | None:
        runs = self.verdict not in ("unsupported", "unknown")
        return of(self.model, self.gpu, self.question) if runs else None

    @property
    def quality(self) -> QualityCost | None:
        """What the quantization costs, where published for this model or one of its size."""
        support = self.model.support
        return quality_cost(self.model, self.quantization, support.quality) if support else None

    def as_json(self) -> dict[str, Any]:
        """One element of `results` in `llmops-catalog/fit/1`."""
        return {
            **described(self.model, self.question, self.memory, self.assumptions),
            "gpu": self.gpu.id,
            "available_bytes": self.available_bytes,
            "verdict": self.verdict,
            "reasons": [reason.as_json() for reason in self.reasons],
            "max_context_tokens": self.max_context_tokens,
            "max_concurrency": self.max_concurrency,
            "min_gpus": self.min_gpus,
            "decode_tokens_per_second": _json(self.decode_tokens_per_second),
            "usd_per_hour": self.usd_per_hour,
            **asked_beyond(self.question, self.memory),
            "prefill_tokens_per_second": _json(self.prefill_tokens_per_second),
            "quality": _json(self.quality),
            "largest_quantization": self.largest_quantization,
            "cache_tokens": self.cache_tokens,
        }


def _json(value: Speed | QualityCost | None) -> Mapping[str, object] | None:
    return None if value is None else value.as_json()


def fit(
    model: ModelFacts,
    gpu: GpuFacts,
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
    reserve_bytes: int = 0,
    gpu_memory_utilization: float = DEFAULT_UTILIZATION,
) -> FitResult:
    """Whether `gpu_count` cards of this kind run the model so; see `estimate` for the other arguments.

    `reserve_bytes` of each card are used by something else (a desktop); vLLM takes `gpu_memory_utilization` of it.
    Raises `FitInputError` for an absurd question; a missing fact is the verdict `unknown`, and is named.
    """
    of_kind("gpu", gpu, GpuFacts)
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
    return judge(model, gpu, question, reserve_bytes, gpu_memory_utilization)


def judge(
    model: ModelFacts,
    gpu: GpuFacts,
    question: Question,
    reserve_bytes: int = 0,
    gpu_memory_utilization: float = DEFAULT_UTILIZATION,
    with_limits: bool = True,
    estimated: Estimate | None = None,
) -> FitResult:
    """The answer to a checked question; `with_limits=False` leaves the searches out, for long lists.

    `estimated` is the estimate for this very question, where the caller has it from another card: memory is the same on all.
    """
    available, said = available_per_card(gpu, question.runtime, reserve_bytes, gpu_memory_utilization)
    total = available * question.gpu_count
    refused: tuple[Reason, ...] = ()
    try:
        refused = tuple(refusals(model, gpu, question))
        if not gpu.has_memory:
            raise MissingFact("gpu-memory-missing", f"no memory size of the {gpu.name} is recorded (memory.sold_gb): ask with --memory")
        estimated, verdict, reasons, noted = _settled_answer(model, gpu, question, available, estimated)
        tokens = cache_tokens_left(model, estimated.question, available) if with_limits and not refused else None
    except MissingFact as missing:  # a known refusal answers even where the bytes are not known
        verdict, reasons = ("unsupported", refused) if refused else ("unknown", (missing.reason,))
        return FitResult(model, gpu, question, None, (), total, verdict, reasons)
    if refused:
        verdict, reasons = "unsupported", refused
    notes = once([*noted, *estimated.assumptions, *said, *remarks(model, gpu, question)])
    result = FitResult(model, gpu, question, estimated.memory, notes, total, verdict, reasons, cache_tokens=tokens)
    return with_searches(result, available) if with_limits else result


def _settled_answer(
    model: ModelFacts, gpu: GpuFacts, question: Question, available: int, estimated: Estimate | None
) -> tuple[Estimate, str, tuple[Reason, ...], tuple[Assumption, ...]]:
    """The estimate with what the runtime decides by the card, and its verdict; with the smaller defaults where only those go in."""
    asked = settled(question, gpu)
    if estimated is None or estimated.question != asked:
        estimated = answer(model, asked)
    verdict, reasons = compare(estimated.memory, available, question.gpu_count)
    if verdict == "fits" or asked == question:
        return estimated, verdict, reasons, ()
    smaller = answer(model, question)
    other, why = compare(smaller.memory, available, question.gpu_count)
    if VERDICTS.index(other) >= VERDICTS.index(verdict):
        return estimated, verdict, reasons, ()
    from llmops_catalog.fit.runtimes.vllm_batch import smaller_batch

    return smaller, other, why, (smaller_batch(question, gpu),)


def compare(memory: Memory, available: int, cards: int) -> tuple[str, tuple[Reason, ...]]:
    """The verdict of bytes against bytes `available` on each card; each must hold its part, so the fullest one decides."""
    low, high = max(memory.per_gpu_low_bytes), max(memory.per_gpu_high_bytes)
    on_each = " on each card" if cards > 1 else ""
    if high <= available:
        return "fits", ()
    if low <= available:
        text = f"needs {shown(low)} to {shown(high)}{on_each}, {shown(available)} can be allocated"
        return "tight", (Reason("little-room", f"{text}: it may or may not start"),)
    text = f"needs at least {shown(low)}{on_each}, {shown(available)} can be allocated"
    return "does-not-fit", (Reason("too-large", text),)


def with_searches(result: FitResult, available: int) -> FitResult:
    """The result with its longest context, most sequences, fewest cards, best quantization; 0 or None where it cannot run at all."""
    model, question = result.model, result.question
    fundamental = [reason for reason in result.reasons if reason.code not in ("context-beyond-model", "tensor-parallel")]
    if result.verdict == "unsupported" and fundamental:
        found = result._replace(max_context_tokens=0, max_concurrency=0)
        return found._replace(largest_quantization=choices.largest_quantization(model, result.gpu, question, available))
    runs = result.verdict != "unsupported"

    def allowed(asked: Question) -> bool:
        return not any(reason.code == "tensor-parallel" for reason in refusals(model, result.gpu, asked))

    return result._replace(
        max_context_tokens=limits.max_context_tokens(model, question, available),
        max_concurrency=limits.max_concurrency(model, question, available) if runs else 0,
        min_gpus=limits.min_gpus(model, question, available, allowed),
        largest_quantization=choices.largest_quantization(model, result.gpu, question, available),
    )

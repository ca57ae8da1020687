"""The questions the other way round: which quantizations, which cards, which models; what a person wants first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from llmops_catalog.errors import FitInputError
from llmops_catalog.fit.available import DEFAULT_UTILIZATION, available_per_card, card_bytes
from llmops_catalog.fit.facts import GpuFacts, ModelFacts
from llmops_catalog.fit.question import RUNTIME_SPELLINGS, RUNTIMES, Question, ask, known
from llmops_catalog.fit.support import lacks_bf16
from llmops_catalog.fit.verdict import VERDICTS, FitResult, judge, with_searches

SHOWN = {
    "llama.cpp": ("bf16", "q8_0", "q6_k", "q5_k_m", "q4_k_m", "q4_0", "q3_k_m", "q2_k"),
    "vllm": ("bf16", "fp8", "gptq-int8", "awq-int4", "gptq-int4"),
    "transformers": ("bf16", "bnb-int8", "bnb-nf4", "bnb-nf4-dq", "awq-int4", "gptq-int4"),
}
"""Quantizations worth a row, best quality first."""
SHOWN_OF_ENCODERS = {
    "llama.cpp": ("f32", "f16", "q8_0"),
    "vllm": ("f32", "f16", "bf16"),
    "transformers": ("f32", "f16", "bf16"),
}
"""Models that return vectors are small: few people quantize them."""
PREFERRED = {
    "llama.cpp": ("native", "q4_k_m", "q5_k_m", "q6_k", "q8_0", "bf16", "f16", "f32", "q4_0", "q3_k_m", "q2_k"),
    "vllm": ("native", "bf16", "f16", "fp8", "awq-int4", "gptq-int4", "gptq-int8", "f32"),
    "transformers": ("native", "bf16", "f16", "bnb-int8", "bnb-nf4", "bnb-nf4-dq", "awq-int4", "gptq-int4", "f32"),
}
"""What people run where they have the choice: in llama.cpp four good bits first, elsewhere the least loss."""
LOSSY = ("q4_0", "q3_k_m", "q2_k")
"""Models that fit only like this come after those that fit well."""
TUNINGS = {"instruct": 0, "reasoning": 0, "code": 1, "guard": 3, "embedding": 3, "base": 4, "other": 4}

Options = dict[str, Any]


def quantizations(model: ModelFacts, runtime: str) -> tuple[str, ...]:
    """Those worth showing for a model: its own first where it ships quantized, 16 bit in the format it was made in."""
    if model.file is not None:
        return (model.file.quantization,)
    if not model.is_decoder:
        return SHOWN_OF_ENCODERS[runtime]
    native, shown = model.native_dtype, SHOWN[runtime]
    if native == "mxfp4":
        return ("native", *shown[1:]) if runtime == "llama.cpp" else ("native",)
    if native == "fp8" and runtime != "llama.cpp":
        return ("native", *(name for name in shown if name != "fp8"))
    return tuple("f16" if name == "bf16" and native == "fp16" else name for name in shown)


def usual_quantization(model: ModelFacts, runtime: str) -> str:
    """What people run of this model in this runtime, for a question that names none: of facts from a file, the file's own."""
    if model.file is not None:
        return model.file.quantization
    name = known("runtime", runtime, RUNTIMES, RUNTIME_SPELLINGS)
    worth_showing = quantizations(model, name)
    return next((one for one in PREFERRED[name] if one in worth_showing), worth_showing[0])


def fit_quantizations(model: ModelFacts, gpu: GpuFacts, *, runtime: str = "llama.cpp", **options: Any) -> list[FitResult]:
    """One answer per quantization worth showing, best quality first. Options are those of `fit`."""
    question_options, room = _split(options)
    question = ask(model, quantization=usual_quantization(model, runtime), runtime=runtime, **question_options)
    return [judge(model, gpu, question._replace(quantization=name), **room) for name in _offered(model, gpu, question)]


def _offered(model: ModelFacts, gpu: GpuFacts, question: Question) -> list[str]:
    """The quantizations worth showing, with f16 beside bf16 where the card lacks bf16."""
    names = list(quantizations(model, question.runtime))
    if "bf16" in names and "f16" not in names and lacks_bf16(model, gpu, question):
        names.insert(names.index("bf16") + 1, "f16")
    return names


def best_quantization(
    model: ModelFacts, gpu: GpuFacts, *, runtime: str = "llama.cpp", quantization: str | None = None, **options: Any
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
    question = ask(model, quantization=usual_quantization(model, runtime), runtime=runtime, **question_options)
    known = _offered(model, gpu, question)
    names = [name for name in PREFERRED[question.runtime] if name in known] or known
    best: FitResult | None = None
    for name in names:
        result = judge(model, gpu, question._replace(quantization=name), with_limits=False, **room)
        if result.verdict == "fits":
            return result
        if best is None or _order(result) < _order(best):
            best = result
    if best is None:
        raise FitInputError(f"nothing is known that {question.runtime} could load of {model.name}", "name a quantization")
    return best


def rank_gpus(model: ModelFacts, gpus: Iterable[GpuFacts], *, limit: int | None = None, **options: Any) -> list[FitResult]:
    """Cards for a model, best first: those it fits, the smallest and then the cheapest in front."""
    results = [best_quantization(model, gpu, **options) for gpu in gpus]
    results.sort(
        key=lambda result: (
            VERDICTS.index(result.verdict),
            result.quantization in LOSSY,
            _size_key(result),
            _price(result.gpu),
            result.gpu.id,
        )
    )
    return _searched(results[:limit], options)


def rank_models(gpu: GpuFacts, models: Iterable[ModelFacts], *, limit: int | None = None, **options: Any) -> list[FitResult]:
    """Models for a card, best first: those that fit, tuned for talking, in a good quantization, recent, large."""
    results = [best_quantization(model, gpu, **options) for model in models]
    results.sort(key=_wanted)
    return _searched(results[:limit], options)


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


def _size_key(result: FitResult) -> int:
    """Smallest first among cards that hold it, largest first among those that do not."""
    size = card_bytes(result.gpu)[0]
    return size if result.verdict in ("fits", "tight") else -size


def _price(gpu: GpuFacts) -> float:
    if gpu.rental is not None:
        return gpu.rental.amount
    return gpu.launch_price_usd or float("inf")


def _wanted(result: FitResult) -> tuple[Any, ...]:
    """Sort key of a model on a card; newer years first, then more parameters, so that a person finds what to try."""
    model = result.model
    return (
        VERDICTS.index(result.verdict),
        TUNINGS.get(model.tuning or "other", 4),
        model.replaced_by is not None,
        result.quantization in LOSSY,
        -int((model.released or "0")[:4]),
        -model.total_parameters,
        model.id,
    )

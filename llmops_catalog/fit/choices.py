"""Which quantizations are worth a row for a model, in which order people want them, and the largest that goes in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmops_catalog.fit.assumptions import MissingFact
from llmops_catalog.fit.facts import GpuFacts, ModelFacts
from llmops_catalog.fit.limits import goes_in
from llmops_catalog.fit.question import RUNTIME_SPELLINGS, RUNTIMES, Question, ask, known, trains
from llmops_catalog.fit.support import lacks_bf16, refusals

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
    loader = known("runtime", runtime, RUNTIMES, RUNTIME_SPELLINGS)
    worth_showing = quantizations(model, loader)
    return next((name for name in PREFERRED[loader] if name in worth_showing), worth_showing[0])


def offered(model: ModelFacts, gpu: GpuFacts, question: Question) -> list[str]:
    """The quantizations worth showing, with f16 beside bf16 where the card lacks bf16."""
    if question.task == "inference":
        names = list(quantizations(model, question.runtime))
    else:
        from llmops_catalog.fit.trainable import formats  # questions about inference need not load it

        names = list(formats(model, question.task))
    if "bf16" in names and not {"f16", "f32"} & set(names) and lacks_bf16(model, gpu, question):
        names.insert(names.index("bf16") + 1, "f16")
    return names


def preferred(names: list[str], question: Question) -> list[str]:
    """Those offered, in the order people try them where they have the choice."""
    if question.task != "inference":
        return names
    return [name for name in PREFERRED[question.runtime] if name in names] or names


def open_question(model: ModelFacts, runtime: str | None, options: Mapping[str, Any]) -> Question:
    """A question whose quantization is left open: the task's usual one, or one every model has, until each is tried."""
    usual = None if model.file or trains(options.get("task", "inference")) else "q8_0"
    return ask(model, quantization=usual, runtime=runtime, **options)


def largest_quantization(model: ModelFacts, gpu: GpuFacts, question: Question, available_per_card: int) -> str | None:
    """The best of the quantizations worth showing that runs on these cards with this context; None where none does."""
    for name in offered(model, gpu, question):
        asked = question.quantized(model, name)
        try:
            if not refusals(model, gpu, asked) and goes_in(model, asked, available_per_card):
                return name
        except MissingFact:
            continue
    return None

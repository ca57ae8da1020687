"""What can be trained with what: the runtime, the formats a training starts from, and one sentence for what cannot be."""

from __future__ import annotations

from llmops_catalog.errors import FitInputError
from llmops_catalog.fit.checkpoint_formats import native_format
from llmops_catalog.fit.facts import ModelFacts
from llmops_catalog.fit.formats import GGUF_ONLY, SIXTEEN_BIT

TRAINING_RUNTIME = "transformers"
FOUR_BIT = ("bnb-nf4-dq", "bnb-nf4")
FROZEN = ("bnb-int8", "gptq-int4", "gptq-int8", "awq-int4", "hqq-int4", "int8wo")
"""Other quantized models PEFT puts adapters on (https://huggingface.co/docs/peft/developer_guides/quantization)."""
UNQUANTIZED = (*SIXTEEN_BIT, "f32")


def formats(model: ModelFacts, task: str) -> tuple[str, ...]:
    """Those worth showing for a task, the usual one first: all weights are also trained in 32 bit."""
    if task == "qlora":
        return FOUR_BIT
    return usual_format(model, task), "bnb-int8" if task == "lora" else "f32"


def usual_format(model: ModelFacts, task: str) -> str:
    """What a training starts from: NF4 with double quantization for QLoRA, else the 16-bit format the model was made in."""
    if task == "qlora":
        return FOUR_BIT[0]
    return "f16" if model.native_dtype == "fp16" else "bf16"


def check(model: ModelFacts, task: str, runtime: str, quantization: str, precision: str) -> None:
    """Raises `FitInputError` where nobody trains like this."""
    if runtime != TRAINING_RUNTIME:
        raise FitInputError(f"{runtime} does not train: it only answers", f"leave --runtime out, or ask with {TRAINING_RUNTIME}")
    meant = native_format(model) if quantization == "native" else quantization
    if meant in GGUF_ONLY:
        raise FitInputError(f"{meant} is a GGUF type, which only llama.cpp loads: nothing trains on it", _instead(model, task))
    if task == "full" and meant not in UNQUANTIZED:
        raise FitInputError(f"the weights of a model in {meant} cannot be trained: they are quantized", _instead(model, task))
    if task == "qlora" and meant in UNQUANTIZED:
        raise FitInputError(f"qlora trains adapters on a quantized model, {meant} is none", "ask for --task lora, or for bnb-nf4-dq")
    if task != "full" and meant not in (*UNQUANTIZED, *FOUR_BIT, *FROZEN):
        raise FitInputError(f"adapters on a model in {meant} are not supported by PEFT", _instead(model, task))
    if task != "full" and precision == "fp32" and meant != "f32":
        raise FitInputError(f"adapters on a model in {meant} are computed in 16 bit, not in fp32", "ask for --quantization f32")


def _instead(model: ModelFacts, task: str) -> str:
    usual = usual_format(model, task)
    return f"use {usual}" if task == "qlora" else f"use {usual}, or --task qlora with {FOUR_BIT[0]}"

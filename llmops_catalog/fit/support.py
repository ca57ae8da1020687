"""Will it run at all: runtimes against quantizations, cards and models. Each refusal says what to use instead."""

from __future__ import annotations

from collections.abc import Iterator

from llmops_catalog.fit.assumptions import Reason
from llmops_catalog.fit.checkpoint_formats import native_format
from llmops_catalog.fit.facts import GpuFacts, ModelFacts
from llmops_catalog.fit.formats import GGUF_ONLY
from llmops_catalog.fit.question import Question

LLAMA_CPP_REFUSES = (
    "bnb-int8", "bnb-nf4", "bnb-nf4-dq", "gptq-int8", "gptq-int4", "awq-int4", "fp8", "exl2-4.0", "exl3-4.0",
    "hqq-int4", "hqq-attn4-moe2", "int8wo", "int4wo", "aqlm-2bit", "mlx-4bit", "mlx-8bit",
)  # fmt: skip
TORCH_REFUSES = (*GGUF_ONLY, "mlx-4bit", "mlx-8bit", "exl2-4.0", "exl3-4.0", "iq3_k", "iq4_k", "tq1_0", "tq2_0")
CACHE_TYPES = {
    "llama.cpp": ("f32", "f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl"),
    "vllm": ("f16", "bf16", "fp8"),
    "transformers": ("f32", "f16", "bf16"),
}
VENDORS = {
    # docs/build.md of llama.cpp; docs.vllm.ai installation pages; pytorch.org builds
    "llama.cpp": ("nvidia", "amd", "intel", "apple", "qualcomm", "huawei"),
    "vllm": ("nvidia", "amd", "intel", "google", "aws", "huawei"),
    "transformers": ("nvidia", "amd", "intel", "apple"),
}
FLOORS = {"llama.cpp": (5, 0), "vllm": (7, 0), "transformers": (5, 0)}
"""Least compute capability: vLLM's from docs.vllm.ai (GPU installation), the others' from their CUDA builds."""
FORMAT_FLOORS = {
    # https://docs.vllm.ai/en/latest/features/quantization/ and https://huggingface.co/docs/bitsandbytes/main/en/installation
    "vllm": {"awq-int4": (7, 5), "gptq-int4": (6, 0), "gptq-int8": (6, 0), "fp8": (7, 5), "mxfp4": (8, 0)},
    "transformers": {"bnb-int8": (7, 5), "bnb-nf4": (6, 0), "bnb-nf4-dq": (6, 0), "fp8": (8, 9), "awq-int4": (7, 5)},
}
BF16_FLOOR = (8, 0)


def refusals(model: ModelFacts, gpu: GpuFacts, question: Question) -> list[Reason]:
    """Known reasons why this cannot run, most fundamental first; empty where none is known."""
    return [*_model(model, question), *_file(model, question), *_card(model, gpu, question)]


def _model(model: ModelFacts, question: Question) -> Iterator[Reason]:
    limit = model.max_context_tokens
    if limit and question.context_tokens > limit:
        text = f"{question.context_tokens:,} tokens are beyond the {limit:,} {model.name} was made for"
        yield Reason("context-beyond-model", f"{text}: ask for {limit:,} or less")
    if question.runtime == "vllm" and model.kind == "encoder-decoder":
        yield Reason("runtime-architecture", "vLLM does not run encoder-decoder models: use transformers or llama.cpp")
    if question.runtime == "vllm" and question.gpu_count > 1 and model.num_attention_heads % question.gpu_count:
        yield Reason("tensor-parallel", f"vLLM cannot divide {model.num_attention_heads} attention heads among "
                     f"{question.gpu_count} cards: use a number that divides them")  # fmt: skip


def _file(model: ModelFacts, question: Question) -> Iterator[Reason]:
    name, runtime = question.quantization, question.runtime
    if runtime == "llama.cpp" and name in LLAMA_CPP_REFUSES:
        yield Reason("runtime-quantization", f"llama.cpp does not load {name}: use a GGUF file, such as q4_k_m or q8_0")
    if runtime != "llama.cpp" and name in TORCH_REFUSES:
        if name in GGUF_ONLY:
            yield Reason(
                "runtime-quantization",
                f"{name} is a GGUF type: use llama.cpp, or {runtime} with awq-int4, gptq-int4 or bnb-nf4",
            )
        else:
            yield Reason("runtime-quantization", f"{runtime} does not load {name}: use awq-int4, gptq-int4 or bnb-nf4")
    if question.kv_cache_type not in CACHE_TYPES[runtime]:
        yield Reason(
            "runtime-kv-cache",
            f"{runtime} keeps no {question.kv_cache_type} cache: use {' or '.join(CACHE_TYPES[runtime][:3])}",
        )


def _card(model: ModelFacts, gpu: GpuFacts, question: Question) -> Iterator[Reason]:
    if not gpu.vendor:
        return
    runtime = question.runtime
    if gpu.vendor not in VENDORS[runtime]:
        others = [name for name in VENDORS if gpu.vendor in VENDORS[name]]
        instead = f": use {' or '.join(others)}" if others else ""
        yield Reason("runtime-hardware", f"{runtime} does not run on {gpu.name}{instead}")
        return
    name = _number_format(model, question.quantization)
    if name.startswith("bnb") and gpu.vendor not in ("nvidia", "amd", "intel"):
        yield Reason("runtime-hardware", f"bitsandbytes has no kernels for {gpu.name}: use llama.cpp with q4_k_m or q8_0")
    capability = gpu.capability
    if runtime != "llama.cpp" and name == "bf16" and (gpu.bf16 == "none" or (capability and capability < BF16_FLOOR)):
        yield Reason("no-bf16", f"{gpu.name} has no bf16: use f16")
    if capability is None:
        return
    floor = max(FLOORS[runtime], FORMAT_FLOORS.get(runtime, {}).get(name, (0, 0)))
    if capability < floor:
        yield Reason("compute-capability", f"{name} in {runtime} needs compute capability {floor[0]}.{floor[1]}, "
                     f"{gpu.name} has {gpu.compute_capability}")  # fmt: skip


def _number_format(model: ModelFacts, quantization: str) -> str:
    return native_format(model) if quantization == "native" else quantization

"""Quantization formats, and the software that loads, serves and trains models."""

from __future__ import annotations

from typing import ClassVar, Literal

from llmops_catalog.schema.base import (
    Amount,
    ConceptRef,
    Count,
    Date,
    FrameworkRef,
    License,
    Line,
    Many,
    Prose,
    QuantizationRef,
    Record,
    StrictModel,
    Url,
    described,
    optional,
    several,
)  # fmt: skip
from llmops_catalog.schema.hardware import ComputeCapability

RuntimeName = Literal["llama.cpp", "vllm", "transformers"]


class Block(StrictModel):
    """Weights quantized together share one scale: this many weights take this many bytes."""

    weights: Count = described("Weights in a block", 256)
    bytes: Count = described("Bytes of the block, scales included", 144)


class Quantization(Record):
    """A way of storing weights."""

    collection: ClassVar[str] = "quantizations"
    name: Line = described("As people write it", "Q4_K_M")
    method: Literal[
        "none", "gguf", "bitsandbytes", "awq", "gptq", "fp8", "mx", "nvfp4", "exl2", "exl3", "hqq", "aqlm", "mlx", "torchao"
    ] = described("Family of formats it belongs to", "gguf")
    summary: Prose = described("What it does and when to take it", "The usual first choice for llama.cpp.")
    bits_per_weight: Amount = described("Bits per quantized weight, scales included; for a mix, over a whole published file", 4.89)
    bits_basis: Line | None = optional("What the bits were taken over", "the Llama 3.1 8B file of llama.cpp's own table")
    block: Block | None = optional("Weights that share a scale", {"weights": 256, "bytes": 144})
    keeps_16_bit: Many[Line] = several("Tensors it leaves in 16 bit", ["embeddings", "output layer", "norms"])
    runtimes: Many[RuntimeName] = several("Runtimes of the estimator that load it", ["llama.cpp"])
    min_compute_capability: ComputeCapability | None = optional("Lowest CUDA compute capability its kernels run on", "7.5")
    native_compute_capability: ComputeCapability | None = optional("From where the card computes in the format itself", "8.9")
    choose_when: Many[Line] = several("When it is the right one", ["the model just misses 8 bit on your card"])
    specification: Url | None = optional("Where the format is defined", "https://github.com/ggml-org/llama.cpp/tree/master/tools/quantize")


Category = Literal[
    "training", "fine-tuning", "quantization", "merging", "orchestration", "vector-database",
    "structured-output", "evaluation", "guardrails", "serving", "local-runner", "edge", "demo-ui", "deployment",
    "library", "observability", "data", "agents", "other",
]  # fmt: skip


class Status(StrictModel):
    """Whether somebody still looks after it, and how one can tell."""

    state: Literal["active", "maintenance", "archived", "superseded", "ended", "unknown"] = described(
        "What can be expected of it", "active"
    )
    evidence: Line | None = optional("What shows it", "release 0.31 in October 2026")
    as_of: Date | None = optional("When that was seen", "2026-11")


class Framework(Record):
    """A library, server, tool or application."""

    collection: ClassVar[str] = "frameworks"
    url_fields: ClassVar[tuple[str, ...]] = ("repository", "docs")
    name: Line = described("As its makers write it", "vLLM")
    categories: Many[Category] = described("What it is used for, main use first", ["serving"], min_length=1)
    summary: Prose = described("What it is for, in one or two honest sentences", "Serves one model to many users at once.")
    repository: Url | None = optional("Its repository, under the owner it has now", "https://github.com/vllm-project/vllm")
    renamed_from: Many[Line] = several("Names and owners it had before", ["ggerganov/llama.cpp"])
    docs: Url | None = optional("Its documentation", "https://docs.vllm.ai/")
    license: License | None = optional("Licence of the code", {"id": "Apache-2.0"})
    status: Status = described("Whether it is looked after", {"state": "active"})
    superseded_by: FrameworkRef | None = optional("What to use instead", "vllm")
    languages: Many[Line] = several("Languages it is written in", ["Python", "CUDA"])
    first_released: Date | None = optional("When it was first published", "2023-06")
    hardware: Many[Line] = several("Hardware it runs on, in its own words", ["cuda", "rocm", "cpu"])
    formats: Many[Line] = several("File and weight formats it reads, in its own words", ["safetensors", "awq"])
    loads: Many[QuantizationRef] = several("Quantizations of this catalog it loads", ["awq-int4"])
    implements: Many[ConceptRef] = several("Concepts it implements", ["lora"])
    alternatives: Many[FrameworkRef] = several("What else does the job", ["sglang"])

"""Quantization formats, and the software that loads, serves and trains models."""

from __future__ import annotations

from typing import ClassVar, Literal

from llmops_catalog.schema.base import (
    Amount,
    ArchitectureRef,
    ConceptRef,
    Count,
    Date,
    FrameworkRef,
    License,
    Line,
    Many,
    Prose,
    QuantizationRef,
    Quote,
    Record,
    StrictModel,
    Url,
    described,
    optional,
    several,
)  # fmt: skip
from llmops_catalog.schema.hardware import ComputeCapability, Vendor
from llmops_catalog.schema.model import Kind

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
        "none",
        "gguf",
        "bitsandbytes",
        "awq",
        "gptq",
        "fp8",
        "mx",
        "nvfp4",
        "exl2",
        "exl3",
        "hqq",
        "aqlm",
        "mlx",
        "torchao",
        "compressed-tensors",
        "auto-round",
        "quark",
        "vptq",
        "eetq",
        "quanto",
        "higgs",
        "block-int8",
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


Platform = Literal[
    "nvidia", "amd", "intel-gpu", "apple", "cpu", "x86-cpu", "arm-cpu", "tpu", "gaudi", "neuron", "ascend", "vulkan", "any",
]  # fmt: skip
"""Hardware as support tables divide it."""


class FormatSupport(StrictModel):
    """One cell of a runtime's support table: a format on a kind of hardware, in one version of the table."""

    format: Line = described("The format in the table's own words", "AWQ")
    quantizations: Many[QuantizationRef] = several("Quantizations of this catalog that it means", ["awq-int4"])
    platform: Platform = described("Kind of hardware", "nvidia")
    architectures: Many[Line] = several("Generations the cell is about, in the table's words; all where left out", ["turing", "ampere"])
    state: Literal["native", "emulated", "unsupported", "unknown"] = described(
        "native: kernels for it; emulated: loads, but computes through another precision; unsupported: marked no", "native"
    )
    min_compute_capability: ComputeCapability | None = optional("Lowest CUDA compute capability the table marks", "7.5")
    version: Line = described("Version of the table, or when it was read", "v0.14.0")
    note: Line | None = optional("What the cell leaves unsaid", "weights only: computes in 16 bit")
    source: Url = described("The table", "https://docs.vllm.ai/en/v0.14.0/features/quantization/")


class Floor(StrictModel):
    """The least hardware a runtime asks for, in one version."""

    platform: Platform = described("Kind of hardware", "nvidia")
    requirement: Line = described("What is asked for, in plain words", "compute capability 7.5")
    min_compute_capability: ComputeCapability | None = optional("The same as a number, for NVIDIA", "7.5")
    version: Line = described("Version, or when it was read", "v0.21.0")
    note: Line | None = optional("What it rules out, or the way around it", "V100 needs an older release")
    source: Url = described("Where it is written", "https://docs.vllm.ai/en/v0.14.0/getting_started/installation/gpu/")


class CacheSupport(StrictModel):
    """A type of key/value cache a runtime can keep, and what it asks for."""

    cache_type: Line = described("The type in the runtime's own words", "fp8_e4m3")
    platform: Platform = described("Kind of hardware", "nvidia")
    requirement: Line | None = optional("What it needs", "CUDA 11.8")
    version: Line = described("Version, or when it was read", "2026")
    note: Line | None = optional("What to know", "scales of 1.0 unless calibrated")
    source: Url = described(
        "Where it is written", "https://github.com/vllm-project/vllm/blob/main/docs/features/quantization/quantized_kvcache.md"
    )


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
    floors: Many[Floor] = several(
        "Least hardware, newest version first",
        [{"platform": "nvidia", "requirement": "compute capability 7.5", "version": "v0.21.0", "source": "https://docs.vllm.ai/"}],
    )
    format_support: Many[FormatSupport] = several(
        "Which format on which hardware, the newest reliable table each",
        [{"format": "AWQ", "platform": "nvidia", "state": "native", "version": "v0.14.0", "source": "https://docs.vllm.ai/"}],
    )
    cache_support: Many[CacheSupport] = several(
        "Types of key/value cache", [{"cache_type": "fp8", "platform": "nvidia", "version": "2026", "source": "https://docs.vllm.ai/"}]
    )
    implements: Many[ConceptRef] = several("Concepts it implements", ["lora"])
    alternatives: Many[FrameworkRef] = several("What else does the job", ["sglang"])


class Scope(StrictModel):
    """Which questions a rule is about; what is left out matches everything, what is given must match."""

    runtimes: Many[RuntimeName] = several("Runtimes of the estimator", ["vllm"])
    quantizations: Many[QuantizationRef] = several("Quantizations", ["bf16"])
    cache_types: Many[Line] = several("Types of key/value cache, as the estimator names them", ["q8_0"])
    vendors: Many[Vendor] = several("Makers of the card", ["nvidia"])
    model_kinds: Many[Kind] = several("Kinds of model", ["encoder-decoder"])


class Need(StrictModel):
    """What must hold where a rule applies; every field given must hold."""

    min_compute_capability: ComputeCapability | None = optional(
        "Lowest CUDA compute capability; says nothing about other makers' cards", "8.0"
    )
    vendors: Many[Vendor] = several("The card is from one of these makers", ["nvidia", "amd"])
    cache_types: Many[Line] = several("The key/value cache has one of these types", ["f16", "fp8"])
    architectures: Many[ArchitectureRef] = several("The card is of one of these generations", ["rdna3", "rdna4"])
    flash_attention: bool | None = optional("Flash attention is on, as it is unless somebody switches it off", True)
    number_formats: Many[Literal["bf16", "fp8", "fp4"]] = several(
        "The card's record does not call any of these number formats `none`; says nothing where the record is silent", ["bf16"]
    )


class Rule(Record):
    """A condition of hardware or software under which something runs, runs emulated or does not run. The estimator reads these."""

    collection: ClassVar[str] = "rules"
    label_field: ClassVar[str] = "statement"
    statement: Line = described("The rule in one sentence", "vLLM computes in bf16 from compute capability 8.0")
    kind: Literal["number-format", "quantization-kernel", "attention-kernel", "cache-type", "runtime-floor", "toolkit"] = described(
        "What it is about", "number-format"
    )
    summary: Prose = described("Why it is so, and what one meets without knowing it", "Tensor cores before Ampere have no bf16.")
    applies_to: Scope = described("Which questions it is about", {"runtimes": ["vllm"], "quantizations": ["bf16"]})
    needs: Need | None = optional("What must hold; left out where it never runs", {"min_compute_capability": "8.0"})
    otherwise: Literal["refused", "emulated", "slower", "advice"] = described(
        "What happens where the need is not met: refused decides the estimator's verdict, the others are said beside it", "refused"
    )
    instead: Line | None = optional("What to do then, as it completes a sentence", "use f16")
    says: Quote | None = optional("The message the software prints, exactly", "Bfloat16 is only supported on GPUs with ...")
    version: Line | None = optional("Version it was read for, or when", "2025-10")
    frameworks: Many[FrameworkRef] = several("Software it is about", ["vllm"])

"""Words of the site: what collections and fields are called, in which groups they stand, how their values read. No logic."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from llmops_catalog.render import text
from llmops_catalog.render.views.architecture_words import ARCHITECTURE_LABELS

TITLES = {
    "models": "Models",
    "families": "Model families",
    "gpus": "GPUs",
    "architectures": "GPU architectures",
    "quantizations": "Quantizations",
    "frameworks": "Frameworks and tools",
    "rules": "Rules of hardware and software",
    "providers": "Providers",
    "courses": "Courses",
    "notebooks": "Notebooks",
    "resources": "Articles, papers, videos, books",
    "concepts": "Concepts",
    "paths": "Learning paths",
    "datasets": "Datasets",
    "benchmarks": "Benchmarks",
    "claims": "Claims",
    "measurements": "Measurements",
    "lists": "Source lists",
    "prerequisites": "Prerequisites",
}

INTROS = {
    "models": "Open-weight models with the numbers that decide memory. "
    "Open one to see which cards run it, at which quantization and with how much context.",
    "families": "Lines of models that were announced together: what each is for, its sizes, where it comes from and what came of it.",
    "gpus": "Cards with their three memory sizes: as sold, as the driver reports it, as a program sees it. "
    "Open one to see what runs on it.",
    "architectures": "Generations of chips and what each brought for people who run models.",
    "quantizations": "Ways to store weights in fewer bits: what each costs in memory and who can load it.",
    "frameworks": "Libraries, servers and tools, under the name and owner they have now, with whether somebody still looks after them.",
    "rules": "Conditions under which something runs, runs emulated or does not run. The answers of this site follow them.",
    "providers": "Where cards are rented and models served. Prices are what was seen on the day given, never today's.",
    "courses": "Things to follow over hours or weeks.",
    "notebooks": "Things to run, each pinned to one commit, with the models and cards it names and whether they go together.",
    "resources": "Things to read or watch once.",
    "concepts": "Ideas one meets again and again, each explained in one place.",
    "paths": "Orders in which to learn, step by step.",
    "datasets": "Data to train or test on.",
    "benchmarks": "Tests and rankings of models, and how far to trust them.",
    "claims": "Things sources assert, and what the evidence says.",
    "measurements": "Memory, speed and quality that somebody measured and published, figure by figure.",
    "lists": "The published lists this catalog grew out of, item by item, with what was corrected.",
    "prerequisites": "Accounts, tokens and permissions to get before a notebook runs.",
}

HIDDEN = frozenset(
    {"aliases", "tags", "confidence", "doubts", "not_known", "sources", "summary", "name", "title", "statement", "watch_out"}
)
"""Fields that have their own place on every page."""

SHOWN_ELSEWHERE: dict[str, frozenset[str]] = {
    "notebooks": frozenset({"uses"}),
    "paths": frozenset({"steps"}),
    "lists": frozenset({"items"}),
    "measurements": frozenset({"readings"}),
    "families": frozenset({"read_more"}),
    "frameworks": frozenset({"floors", "format_support", "cache_support"}),
    "rules": frozenset({"applies_to", "needs", "otherwise", "instead"}),
    "providers": frozenset({"rents"}),
    "concepts": frozenset({"comparison", "matters_because", "read_more"}),
    "courses": frozenset({"parts"}),
    "claims": frozenset({"because", "evidence", "status"}),
}
"""Fields a section of their own shows."""

GROUPS: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "models": (
        ("Identity", ("hub_id", "developer", "family", "base_model", "replaced_by", "tuning", "modalities", "released")),
        ("Licence and access", ("license", "gated")),
        ("Size", ("parameters", "native_dtype")),
        ("Context", ("context",)),
        ("Architecture", ("architecture",)),
        ("Links", ("paper", "announcement", "repository")),
    ),
    "gpus": (
        ("Memory", ("memory", "bandwidth_gb_s")),
        ("Compute", ("architecture", "compute_capability", "rates", "formats")),
        ("Card", ("vendor", "segment", "released", "tdp_w", "interconnect", "launch_price")),
        ("Where to meet it", ("colab", "rented_at")),
    ),
    "quantizations": (
        ("Size", ("bits_per_weight", "bits_basis", "block", "keeps_16_bit")),
        ("Where it runs", ("runtimes", "min_compute_capability", "native_compute_capability")),
        ("Use", ("method", "choose_when", "specification")),
    ),
    "frameworks": (
        ("Status", ("status", "superseded_by", "first_released", "license")),
        ("What it does", ("categories", "implements", "alternatives")),
        ("What it runs", ("hardware", "formats", "loads", "languages")),
        ("Links", ("repository", "docs", "renamed_from")),
    ),
    "measurements": (
        (
            "What was measured",
            (
                "kind",
                "model",
                "model_name",
                "quantization",
                "quantization_name",
                "runtime",
                "runtime_version",
                "gpu",
                "gpu_name",
                "concurrency",
                "gpus",
                "flash_attention",
                "micro_batch_tokens",
                "gpu_layers",
                "cpu_expert_layers",
            ),
        ),
        ("How", ("method", "grade", "measured", "url")),
    ),
    "families": (
        ("Identity", ("developer", "released", "successor_of", "built_on", "trained_on")),
        ("Links", ("announcement", "paper", "repository")),
    ),
}

LABELS = {
    **ARCHITECTURE_LABELS,
    "model_name": "Model",
    "quantization_name": "Quantization",
    "gpu_name": "Hardware",
    "grade": "How it reached print",
    "says": "What it prints",
    "successor_of": "Continues",
    "built_on": "Built on",
    "hub_id": "Hugging Face id",
    "native_dtype": "Shipped as",
    "parameters.total": "Parameters",
    "parameters.active": "Active per token",
    "parameters.embedding": "Embeddings and output layer",
    "parameters.other_modalities": "Vision and audio towers",
    "parameters.checkpoint": "In the published checkpoint",
    "parameters.difference": "Why they differ",
    "parameters.beside": "Held besides the parameters",
    "context.maximum": "Maximum context",
    "context.configured": "In config.json",
    "context.extended": "With rescaling",
    "context.note": "Note on context",
    "license": "Licence",
    "gated": "Download",
    "memory.sold_gb": "As sold",
    "memory.driver_mib": "As the driver reports it",
    "memory.cuda_gib": "As a program sees it",
    "memory.system_limit": "What the system lets a program use",
    "memory.type": "Technology",
    "memory.note": "Note on memory",
    "bandwidth_gb_s": "Bandwidth",
    "rates.fp16_tflops": "fp16 matrix rate",
    "rates.fp16_vector_tflops": "fp16 rate of ordinary cores",
    "rates.fp32_tflops": "fp32 rate",
    "rates.int8_tops": "int8 matrix rate",
    "rates.basis": "Basis of the rates",
    "formats.bf16": "bf16",
    "formats.fp8": "fp8",
    "formats.fp4": "fp4",
    "tdp_w": "Board power",
    "interconnect.nvlink": "NVLink",
    "interconnect.nvlink_gb_s": "NVLink speed",
    "interconnect.mig_instances": "Can be split into",
    "colab": "In Google Colab",
    "rented_at": "Rented by",
    "url": "Address",
    "alt_urls": "Also at",
    "bits_per_weight": "Bits per weight",
    "bits_basis": "Taken over",
    "keeps_16_bit": "Kept in 16 bit",
    "min_compute_capability": "Needs compute capability",
    "native_compute_capability": "Computes in it from",
    "status.state": "State",
    "pricing_url": "Prices",
    "language": "Language",
    "status.evidence": "What shows it",
    "status.as_of": "Seen",
    "isbn": "ISBN",
    "source": "File",
    "run.colab": "Open in Colab",
    "run.kaggle": "Open on Kaggle",
    "as_of": "Said in",
    "state": "State",
    "because": "Why",
    "minutes": "A run takes",
    "docs": "Documentation",
    "renamed_from": "Formerly",
    "superseded_by": "Superseded by",
    "gpus": "Cards",
    "gpu": "Card",
    "readings.measure": "What was read",
    "readings.value": "Value",
    "readings.of": "Out of",
    "readings.context_tokens": "Context",
    "readings.concurrency": "Sequences",
    "readings.quote": "As logged",
    "readings.note": "Note",
    "readings.unit": "Unit",
    "rents.gpu": "Card",
    "rents.gpus": "Cards",
    "rents.kind": "Kind",
    "rents.price": "Price per hour",
    "items.item_id": "Item",
    "items.text": "In the list",
    "items.record": "Record",
    "items.why_none": "Why no record",
    "items.correction": "Correction",
    "items.correction_source": "Shown by",
}


def label(path: str) -> str:
    """What a field is called on a page."""
    return LABELS.get(path) or text.words(path.rpartition(".")[2])


FORMATS: dict[str, Callable[[Any], str]] = {
    "total": lambda n: f"{text.billions(n)} ({n:,})",
    "active": lambda n: f"{text.billions(n)} ({n:,})",
    "embedding": lambda n: f"{text.billions(n)} ({n:,})",
    "other_modalities": lambda n: f"{text.billions(n)} ({n:,})",
    "checkpoint": lambda n: f"{text.billions(n)} ({n:,})",
    "routed_parameters": lambda n: f"{text.billions(n)} ({n:,})",
    "maximum": text.tokens,
    "configured": text.tokens,
    "extended": text.tokens,
    "sliding_window": text.tokens,
    "context_tokens": text.tokens,
    "sold_gb": lambda n: f"{text.number(n)} GB",
    "driver_mib": lambda n: f"{n:,} MiB ({n / 1024:,.2f} GiB)",
    "cuda_gib": lambda n: f"{n:,.2f} GiB",
    "low_gib": lambda n: f"{n:,.2f} GiB",
    "high_gib": lambda n: f"{n:,.2f} GiB",
    "bandwidth_gb_s": lambda n: f"{text.number(n)} GB/s",
    "nvlink_gb_s": lambda n: f"{text.number(n)} GB/s",
    "fp16_tflops": lambda n: f"{text.number(n)} TFLOP/s",
    "fp16_vector_tflops": lambda n: f"{text.number(n)} TFLOP/s",
    "fp32_tflops": lambda n: f"{text.number(n)} TFLOP/s",
    "int8_tops": lambda n: f"{text.number(n)} TOP/s",
    "tdp_w": lambda n: f"{n} W",
    "mig_instances": lambda n: f"{n} instances",
    "minutes": lambda n: "about a minute" if n == 1 else f"about {n} minutes",
    "released": text.day,
    "published": text.day,
    "measured": text.day,
    "first_released": text.day,
    "as_of": text.day,
    "measure": lambda s: text.words(s).replace("Driver used", "Driver:").replace("Kv cache", "Key/value cache"),
}
"""By a field's own name."""

_NAMES = {
    "nvidia": "NVIDIA", "amd": "AMD", "intel": "Intel", "apple": "Apple", "google": "Google", "aws": "AWS",
    "qualcomm": "Qualcomm", "huawei": "Huawei", "vllm": "vLLM", "gguf": "GGUF", "mlx": "MLX", "awq": "AWQ", "gptq": "GPTQ",
    "hqq": "HQQ", "exl2": "EXL2", "exl3": "EXL3", "aqlm": "AQLM", "cuda": "CUDA", "rocm": "ROCm", "metal": "Metal",
    "cpu": "CPU", "tpu": "TPU", "xpu": "XPU", "hpu": "HPU", "ascend": "Ascend", "vulkan": "Vulkan", "gpu-cloud": "GPU cloud",
    "notebook-host": "notebook host", "model-api": "model API", "model-hub": "model hub", "account-issuer": "accounts",
    "system-on-chip": "system on chip", "pay-as-you-go": "pay as you go", "en": "English", "de": "German", "onnx": "ONNX",
}  # fmt: skip
_NAMED = frozenset(
    (
        *("vendor", "segment", "colab", "runtime", "runtimes", "method", "kinds", "hardware"),
        *("formats", "categories", "language", "layer_pattern"),
    )
)


def named(field: str, value: object) -> str:
    """A value as people write it, where the field's values are ids: ``vllm`` -> ``vLLM``."""
    plain = str(value)
    return _NAMES.get(plain, plain.replace("_", " ") if field == "layer_pattern" else plain) if field in _NAMED else plain


_PLATFORMS = {
    "nvidia": "NVIDIA", "amd": "AMD", "intel-gpu": "Intel GPU", "apple": "Apple", "cpu": "CPU", "x86-cpu": "CPU (x86)",
    "arm-cpu": "CPU (Arm)",
    "tpu": "Google TPU", "gaudi": "Intel Gaudi", "neuron": "AWS Neuron", "ascend": "Huawei Ascend", "vulkan": "Vulkan", "any": "any",
}  # fmt: skip


def platform(name: str) -> str:
    """Hardware as support tables divide it."""
    return _PLATFORMS.get(name, name)


SPELLED_OUT = frozenset({"colab", "segment", "kind", "tuning", "free", "level"})

COMMERCIAL = {"yes": "yes", "restricted": "with conditions", "no": "no"}
CONFIDENCE = {
    "high": "compared with primary sources",
    "medium": "from one good secondary source",
    "thin": "recalled or inferred: check before you rely on it",
}
REFERRERS = TITLES | {"gpus": "Cards", "architectures": "Architectures", "frameworks": "Frameworks", "resources": "Resources"}
"""Titles short enough for a list of references."""

_KINDS = {"families": "family", "gpus": "card"}


def kind_of(collection: str, data: Mapping[str, Any]) -> str:
    """What kind of thing a record is, in lower case: a resource says so itself."""
    if collection == "resources":
        return str(data["kind"])
    return _KINDS.get(collection) or REFERRERS[collection].removesuffix("s").lower()

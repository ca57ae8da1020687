"""How fast: tokens per second as an interval, from the bytes a token reads and the bandwidth of the card. Never a point.

    seconds per token = layers x overhead + (expert factor x weight bytes + cache bytes) / (share x bandwidth)

Every layer costs the engine a moment whatever it reads; the weights and the cache a token needs are read once; no engine
gets the whole of the bandwidth. The three constants of a class of hardware and the width of its interval are from published
readings (`catalog/measurements`, kind speed): `llmops-catalog accuracy` shows how many of them lie inside.
"""

from collections.abc import Mapping
from typing import NamedTuple

from llmops_catalog.fit.assumptions import MissingFact
from llmops_catalog.fit.facts import GpuFacts, ModelFacts
from llmops_catalog.fit.hardware import (
    APPLE,
    CLASSES,
    INSTINCT,
    INTEL,
    NVIDIA,
    NVIDIA_HBM,
    NVIDIA_OLD,
    RADEON,
    hardware_class,
)
from llmops_catalog.fit.kv_cache import CachedLayers, cache_bytes
from llmops_catalog.fit.question import Question
from llmops_catalog.fit.sizes import GIB
from llmops_catalog.fit.state import state_bytes
from llmops_catalog.fit.weights import Weights, weigh

MICROSECOND = 1e-6
BATCH_MOST = 8
"""Sequences up to which a step still waits for the weights and not for arithmetic: 8 at once give 7.6 times the tokens of
one (https://github.com/casper-hansen/AutoAWQ, Mistral 7B on an RTX 4090), 6.6 times in vLLM on an A100."""
OLD_MIXTURE_LOW = 0.03
"""Transformers runs experts one after another in releases before its grouped kernels: 0.44 to 1.89 tokens/s for Qwen3 30B-A3B on
an H20 (https://github.com/QwenLM/Qwen3/blob/7a2f61ff/docs/source/getting_started/speed_benchmark.md)."""
LINKED_SECONDS = (20 * MICROSECOND, 40 * MICROSECOND)
"""What tensor parallelism adds per layer over NVLink: 20 to 40 microseconds (gpt-fast on 2, 4 and 8 A100; vLLM 25 to 28)."""
BUS_SECONDS = (30 * MICROSECOND, 140 * MICROSECOND)
"""The same over PCIe (MLC-LLM on 2 to 8 cards)."""


EXPERT_FACTOR_LEAST = 1.1
"""Of weight bytes, where experts are mixed as well as newer builds do: gpt-oss-20b went from 62.7 to 83.4 tokens/s on one
machine within a year (https://github.com/ggml-org/llama.cpp/discussions/16578)."""
SLOW_HOST = 2
"""Times the overhead per layer, at the low end: small models on a slow processor wait for it longer than for the card."""


WHOLE_GRAPHS = 0.5
"""Of vLLM's overhead per layer, where whole steps are captured as one graph: 235 to 295 tokens/s of a 35B-A3B mixture on
RTX 3090 and 5090 cards in releases of 2026 (`catalog/measurements/localmaxxing`) are out of reach with that of 2024."""


class Pace(NamedTuple):
    """How an engine works on a class of hardware: seconds per layer, share of the bandwidth, extra reading of experts.

    The true speed is expected between `low` and `high` times what they give; `rough` where few or contradicting readings exist.
    `newest` is what is left of the seconds per layer in the newest releases, for the high end.
    """

    layer_seconds: float
    bandwidth_share: float
    expert_factor: float
    low: float
    high: float
    rough: bool = False
    newest: float = 1.0


PACES: Mapping[tuple[str, str], Pace] = {
    ("llama.cpp", NVIDIA): Pace(25 * MICROSECOND, 0.75, 1.5, 0.6, 1.3),
    ("llama.cpp", NVIDIA_HBM): Pace(60 * MICROSECOND, 0.50, 1.5, 0.5, 1.4),
    ("llama.cpp", NVIDIA_OLD): Pace(60 * MICROSECOND, 0.40, 1.5, 0.3, 1.8, rough=True),
    ("llama.cpp", RADEON): Pace(80 * MICROSECOND, 0.80, 1.4, 0.5, 1.4),
    ("llama.cpp", INSTINCT): Pace(80 * MICROSECOND, 0.55, 1.4, 0.3, 1.5, rough=True),
    ("llama.cpp", APPLE): Pace(120 * MICROSECOND, 0.85, 1.4, 0.55, 1.3),
    ("llama.cpp", INTEL): Pace(60 * MICROSECOND, 0.55, 2.5, 0.25, 1.7, rough=True),
    ("vllm", NVIDIA): Pace(120 * MICROSECOND, 0.85, 1.4, 0.5, 1.5, newest=WHOLE_GRAPHS),
    ("vllm", NVIDIA_HBM): Pace(120 * MICROSECOND, 0.85, 1.4, 0.5, 1.5, newest=WHOLE_GRAPHS),
    ("vllm", RADEON): Pace(120 * MICROSECOND, 0.85, 1.4, 0.3, 1.5, rough=True),
    ("vllm", INSTINCT): Pace(120 * MICROSECOND, 0.85, 1.4, 0.3, 1.5, rough=True),
    ("transformers", NVIDIA): Pace(600 * MICROSECOND, 0.90, 1.0, 0.4, 2.0, rough=True),
    ("transformers", NVIDIA_HBM): Pace(600 * MICROSECOND, 0.90, 1.0, 0.4, 2.0, rough=True),
}  # fmt: skip
"""From 1,483 published readings of one sequence on 86 cards and chips."""


class Speed(NamedTuple):
    """Tokens per second of one sequence, and what the interval rests on."""

    low: float
    high: float
    rough: bool
    basis: str

    def as_json(self) -> Mapping[str, object]:
        """The object of `decode_tokens_per_second` and `prefill_tokens_per_second`."""
        return self._asdict()


def decode_speed(model: ModelFacts, gpu: GpuFacts, question: Question) -> Speed | None:
    """Tokens per second that one of the sequences gains once its context is full; None where it cannot be said.

    It cannot for the processor's part of a divided model, for more sequences than `BATCH_MOST`, for hardware without
    published readings, and where the bandwidth or a fact of the model is missing.
    """
    kind = hardware_class(gpu)
    pace = PACES.get((question.runtime, kind or ""))
    if kind is None or pace is None or gpu.bandwidth_gb_s is None or not _asks_for_decoding(model, question):
        return None
    try:
        weights = weigh(model, question.quantization, question.runtime)
        read = weight_bytes_read(model, weights, question.concurrency)
        kept = question.concurrency * kept_bytes_read(model, question)
    except MissingFact:
        return None
    if read is None or not could_hold(gpu, weights.resident_bytes - weights.input_bytes, question.gpu_count):
        return None
    parallel = _parallel_cards(question)
    bytes_per_second = parallel * pace.bandwidth_share * gpu.bandwidth_gb_s * 1e9
    talk_least, talk_most = _talk(gpu) if parallel > 1 else (0.0, 0.0)
    most, least = (pace.expert_factor, min(EXPERT_FACTOR_LEAST, pace.expert_factor)) if model.experts else (1.0, 1.0)
    slowest = model.num_hidden_layers * (SLOW_HOST * pace.layer_seconds + talk_most) + (most * read + kept) / bytes_per_second
    quickest = model.num_hidden_layers * (pace.newest * pace.layer_seconds + talk_least) + (least * read + kept) / bytes_per_second
    # whatever the engine does, what a token reads must come through the memory bus
    mixture = model.experts is not None
    looped = mixture and question.runtime == "transformers"
    return Speed(
        low=(OLD_MIXTURE_LOW if looped else pace.low) / slowest,
        high=min(pace.high / quickest, parallel * gpu.bandwidth_gb_s * 1e9 / (read + kept)),
        rough=pace.rough or (mixture and question.runtime != "llama.cpp"),  # few readings of mixtures elsewhere
        basis=f"{question.runtime} on {CLASSES[kind]}",
    )


def could_hold(gpu: GpuFacts, weights_bytes: int, cards: int) -> bool:
    """False where the weights alone are more than all the memory there is: what is left outside sets the pace then."""
    return gpu.sold_gb is None or weights_bytes <= cards * gpu.sold_gb * GIB


def _asks_for_decoding(model: ModelFacts, question: Question) -> bool:
    engine = question.engine
    divided = bool(engine.cpu_expert_layers) or (engine.gpu_layers is not None and engine.gpu_layers <= model.num_hidden_layers)
    decodes = model.kind not in ("encoder", "encoder-decoder") and question.task == "inference"
    return decodes and not divided and question.concurrency <= BATCH_MOST


def weight_bytes_read(model: ModelFacts, weights: Weights, sequences: int = 1) -> int | None:
    """Bytes of weights one step reads: every matrix but the input tables, of the routed experts those that are used.

    Several sequences seldom agree on their experts: of E, each using k, n sequences read E x (1 - (1 - k/E)^n). None where
    neither the experts' tensors nor the active parameters are known. A tied output layer is read as one.
    """
    tied = weights.table_bytes if model.tie_word_embeddings else 0
    whole = weights.resident_bytes - weights.input_bytes - weights.tower_bytes + tied
    if model.experts is None:
        return whole
    used = model.experts.used_per_token / model.experts.count
    if not weights.expert_bytes:  # the family is not described tensor by tensor
        if model.active_parameters is None:
            return None
        return int(whole * min(1.0, 1 - (1 - model.active_parameters / model.total_parameters) ** sequences))
    return whole - weights.expert_bytes + int(weights.expert_bytes * (1 - (1 - used) ** sequences))


def kept_bytes_read(model: ModelFacts, question: Question) -> int:
    """Bytes of cache and state of one sequence that a step reads, its context full. Raises `MissingFact`."""

    def remembered(group: CachedLayers) -> int:
        return question.context_tokens if group.window is None else min(question.context_tokens, group.window)

    return cache_bytes(model, question.kv_cache_type, remembered) + 2 * state_bytes(model, convolution_bytes=4)


def _parallel_cards(question: Question) -> int:
    """Cards that read at the same time: those of a tensor-parallel stage; layers split over cards take turns."""
    if question.runtime != "vllm":
        return 1
    return max(1, question.gpu_count // max(1, question.engine.pipeline_parallel))


def _talk(gpu: GpuFacts) -> tuple[float, float]:
    """Seconds per layer that cards spend telling each other their halves: least and most."""
    if gpu.nvlink is None:
        return LINKED_SECONDS[0], BUS_SECONDS[1]
    return LINKED_SECONDS if gpu.nvlink else BUS_SECONDS

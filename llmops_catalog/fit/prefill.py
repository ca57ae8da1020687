"""How fast a prompt is read: tokens per second as an interval, from arithmetic rates and active parameters. Always rough."""

from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

from llmops_catalog.fit.assumptions import MissingFact
from llmops_catalog.fit.facts import GpuFacts, ModelFacts
from llmops_catalog.fit.hardware import APPLE, CLASSES, INSTINCT, INTEL, NVIDIA, NVIDIA_HBM, RADEON, hardware_class
from llmops_catalog.fit.question import Question
from llmops_catalog.fit.shapes import known_tensors
from llmops_catalog.fit.speed import Speed, could_hold
from llmops_catalog.fit.weights import weigh

OUTSIDE = ("token_embd", "position", "per_layer_token_embd", "output", "tower")
"""Tensors a prompt token is not multiplied with; the output layer is, but for the last token only."""


class Share(NamedTuple):
    """Of the card's rate that a prompt gets: least and most, for dense models and for mixtures of experts."""

    dense: tuple[float, float]
    mixture: tuple[float, float]


SHARES: Mapping[str, Share] = {
    NVIDIA: Share((0.15, 0.62), (0.08, 0.32)),
    NVIDIA_HBM: Share((0.12, 0.42), (0.05, 0.25)),
    RADEON: Share((0.10, 0.75), (0.05, 0.40)),
    INSTINCT: Share((0.10, 0.60), (0.05, 0.30)),
    INTEL: Share((0.20, 1.10), (0.02, 0.40)),
    APPLE: Share((0.38, 0.95), (0.20, 0.90)),
}
"""llama.cpp, prompts of 256 to 2,048 tokens: of the dense fp16 rate (`arithmetic_rate`), on Apple of the fp32 rate of the cores."""
APPLE_MATRIX_UNITS = "2025"
APPLE_MATRIX_HIGH = 1.7
"""From the M5 (October 2025) the cores have matrix units: 820 GFLOP/s a core against 250 to 300 before. Records name the
year only, and 2025 saw chips of both kinds, so that their interval spans both."""
FALL = ((1, 1.0, 1.0), (2048, 1.0, 1.0), (8192, 0.6, 0.95), (16384, 0.45, 0.8), (32768, 0.33, 0.65), (65536, 0.25, 0.5), (10**9, 0.02, 0.4))
"""What is left of the speed where the prompt is so long: least and most. 8,192 tokens against 512: 0.46 to 0.90; behind
32,768 tokens 0.24 to 0.55, behind 65,536 0.32 to 0.35 (medians on Radeon, Arc and Ryzen AI Max)."""
SEVERAL_CARDS = 2
"""The most that a split by layers gains: 1.0 to 1.5 times on short prompts, more on those of many micro-batches."""


def prefill_speed(model: ModelFacts, gpu: GpuFacts, question: Question) -> Speed | None:
    """Prompt tokens per second of llama.cpp with the whole context as prompt; None where it cannot be said."""
    kind = hardware_class(gpu)
    if kind is None or kind not in SHARES or question.runtime != "llama.cpp" or not _all_on_cards(model, question):
        return None
    rate = arithmetic_rate(gpu)
    try:
        parameters = multiplied_parameters(model)
        weights = weigh(model, question.quantization, question.runtime)
    except MissingFact:
        return None
    if rate is None or not parameters or not could_hold(gpu, weights.resident_bytes - weights.input_bytes, question.gpu_count):
        return None
    low, high = SHARES[kind].mixture if model.experts else SHARES[kind].dense
    if kind == APPLE and (gpu.released or "") >= APPLE_MATRIX_UNITS:
        high = APPLE_MATRIX_HIGH
    fall_low, fall_high = fall(question.prompt_tokens)
    each = rate / (2 * parameters)
    cards = SEVERAL_CARDS if question.gpu_count > 1 else 1
    return Speed(low * fall_low * each, high * fall_high * each * cards, True, f"llama.cpp on {CLASSES[kind]}")


def _all_on_cards(model: ModelFacts, question: Question) -> bool:
    engine = question.engine
    layers = engine.gpu_layers is None or engine.gpu_layers > model.num_hidden_layers
    return layers and not engine.cpu_expert_layers and model.is_decoder and question.task == "inference"


def arithmetic_rate(gpu: GpuFacts) -> float | None:
    """Operations per second the shares refer to.

    Records give the fp16 matrix rate with fp32 accumulation, which GeForce cards do at half rate; llama.cpp accumulates
    in fp16 there, so theirs is doubled. Of Radeon and Arc cards only the rate of the ordinary cores is published, and what
    they reach was taken as a share of that.
    """
    if gpu.vendor == "apple":
        return None if gpu.fp32_tflops is None else gpu.fp32_tflops * 1e12
    if gpu.vendor != "nvidia":
        published = gpu.fp16_tflops or gpu.fp16_vector_tflops
        return None if published is None else published * 1e12
    if gpu.fp16_tflops is None:
        return None
    geforce = gpu.vendor == "nvidia" and gpu.segment in ("consumer", "laptop")
    return gpu.fp16_tflops * 1e12 * (2 if geforce else 1)


def multiplied_parameters(model: ModelFacts) -> float:
    """Weights one prompt token is multiplied with: of the routed experts those it uses."""
    tensors, guessed, _ = known_tensors(model)
    if guessed and model.experts:
        return float(model.active_parameters or 0)
    used = model.experts.used_per_token / model.experts.count if model.experts else 1.0
    return sum(tensor.parameters * (used if tensor.role.startswith("expert_") else 1.0) for tensor in tensors if tensor.role not in OUTSIDE)


def fall(tokens: int) -> tuple[float, float]:
    """Least and most of the speed that is left with a prompt of so many tokens; never rises with it."""
    for (start, low, high), (end, next_low, next_high) in pairwise(FALL):
        if tokens <= end:
            way = (tokens - start) / (end - start)
            return low + (next_low - low) * way, high + (next_high - high) * way
    return FALL[-1][1], FALL[-1][2]

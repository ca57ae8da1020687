"""Hugging Face Transformers: `generate` in one process, the prompt prefilled at once, layers spread by `device_map`."""

from __future__ import annotations

from llmops_catalog.fit.architectures import expert_parameter_count
from llmops_catalog.fit.assumptions import Assumption
from llmops_catalog.fit.facts import ModelFacts
from llmops_catalog.fit.question import Question
from llmops_catalog.fit.runtimes.footprint import Footprint, shares
from llmops_catalog.fit.runtimes.transformers.allocator import (
    CUDA_CONTEXT,
    CUDA_CONTEXT_HIGH,
    CUDA_CONTEXT_LOW,
    GROWTH,
    HOPPER_WORKSPACE,
    WORKSPACE,
    left_in_weight_blocks,
)
from llmops_catalog.fit.runtimes.transformers.families import CACHE_IN_PLACE, GROUPED_EXPERTS, LATEST, release
from llmops_catalog.fit.runtimes.transformers.prefill import Prompt
from llmops_catalog.fit.runtimes.transformers.unquantized import SPEED_PAGE, Unquantized, unquantized
from llmops_catalog.fit.weights import Weights

UNPACKED = (("bnb-nf4", 2), ("bnb-fp4", 2), ("awq-", 1024), ("gptq-int8", 129), ("hqq-", 1))
"""Beginnings of formats' names, and the tokens from which their kernels unpack a whole matrix to 16 bit:
bitsandbytes/autograd/_functions.py (`matmul_4bit`), awq/modules/linear/gemm.py, `kernel_switch_threshold` of AutoGPTQ,
hqq/core/quantize.py."""
TIED_LATE = ("awq-int4",)
"""Formats whose checkpoints of tied models load both tables: Qwen2.5-1.5B in AWQ peaks at 1.51 GiB with a prompt of one token
and at 1.63 with 6,144 (https://qwen.readthedocs.io/en/v2.5/benchmark/speed_benchmark.html); releases 4.46 only are known to."""
KEPT_UNPACKED = "gptq-int4"
"""ExLlama keeps a buffer for the largest matrix in 16 bit (`temp_dq`, auto_gptq/modeling/_utils.py); Marlin has none."""

FUSED_EXPERTS = "https://github.com/bitsandbytes-foundation/bitsandbytes/issues/1849"
SPREAD = Assumption("layers are spread evenly; the activation peak repeats on every card", SPEED_PAGE)


def footprint(model: ModelFacts, weights: Weights, question: Question) -> Footprint:
    """Memory of one process: weights, and the larger of the cache at the end and cache plus activations at prefill."""
    cards, prompt = question.gpu_count, _prompt(model, question)
    weights = _as_loaded(model, weights, question, prompt)
    needs = unquantized(model, prompt, question.context_tokens, question.kv_cache_type)
    cache, state = needs.cache, needs.state
    buffers, unsure = _buffers(model, weights, question, prompt, needs)
    loading = weights.table_bytes if _loads_a_second_table(model, question, prompt) else 0
    running = _running(needs, _peaks(needs, weights, question, prompt), loading)
    compute = sum(running) + cache.unused + buffers
    layered = shares(weights.layer_bytes + cache.at_end + state, cards, max(cards, model.num_hidden_layers))
    even = (cache.unused + buffers) // cards
    per_gpu = [size + peak + even + CUDA_CONTEXT for size, peak in zip(layered, running, strict=True)]
    total = weights.resident_bytes + cache.at_end + state + compute + CUDA_CONTEXT * cards
    per_gpu[0] += total - sum(per_gpu)  # what stands outside the layers
    growth = int((sum(running) + cache.at_end) * GROWTH) // cards + weights.uncertainty_bytes // cards
    spread = (cache.unused + unsure) // cards
    fewer, copies = _exchanged(needs, sum(running), cards)
    fresh = _experts_in_16_bit(model, weights, question, prompt)
    return Footprint(
        weights_bytes=weights.resident_bytes,
        host_bytes=weights.host_bytes,
        kv_cache_bytes=cache.at_end,
        state_bytes=state,
        compute_bytes=compute,
        overhead_bytes=CUDA_CONTEXT * cards,
        per_gpu_bytes=tuple(per_gpu),
        below_bytes=min(growth + spread + fewer // cards + CUDA_CONTEXT - CUDA_CONTEXT_LOW, CUDA_CONTEXT + compute // cards),
        above_bytes=growth + spread + (copies + fresh) // cards + CUDA_CONTEXT_HIGH - CUDA_CONTEXT,
        assumptions=(*weights.assumptions, *needs.notes, *((SPREAD,) if cards > 1 else ())),
    )


def _exchanged(needs: Unquantized, running: int, cards: int) -> tuple[int, int]:
    """How much less or more several cards may need that exchange the logits of a whole prompt: half of what these add, or one
    copy more. So far the published readings of Qwen2-72B lie apart.
    """
    if cards == 1 or not needs.all_logits:
        return 0, 0
    without = needs._replace(all_logits=0, copied_logits=0)
    layers = [needs.peak.widest, *[needs.peak.widest - needs.embeddings] * (cards - 1)]
    return max(0, running - sum(_running(without, layers, 0))) // 2, needs.copied_logits


def _prompt(model: ModelFacts, question: Question) -> Prompt:
    """What runs at once; formats that compute alike give the same."""
    kernel = "bnb-int8" if question.quantization == "bnb-int8" else ""
    if question.quantization == "mxfp4" or (question.quantization == "native" and model.native_dtype == "mxfp4"):
        kernel = "mxfp4"
    return Prompt(
        tokens=question.prompt_tokens,
        sequences=question.concurrency,
        octets=4 if question.quantization == "f32" else 2,
        version=release(question.engine.runtime_version),
        fused=question.engine.flash_attention,
        kernel=kernel,
    )


def _loads_a_second_table(model: ModelFacts, question: Question, prompt: Prompt) -> bool:
    """Whether an output layer that is the token table is loaded all the same and only tied afterwards."""
    return model.tie_word_embeddings and question.quantization in TIED_LATE and CACHE_IN_PLACE <= prompt.version < GROUPED_EXPERTS


def _peaks(needs: Unquantized, weights: Weights, question: Question, prompt: Prompt) -> list[int]:
    """Bytes at the peak of prefill on each card: the first holds the embeddings, the last computes the logits."""
    unpacks = any(question.quantization.startswith(name) and prompt.positions >= tokens for name, tokens in UNPACKED)
    layers = needs.peak.widest
    if unpacks:
        layers = max(layers, needs.peak.unpacking + prompt.octets * weights.largest_matrix)
    if question.gpu_count == 1:
        return [max(layers, needs.all_logits)]
    later = layers - needs.embeddings
    return [max(layers, needs.copied_logits), *[later] * (question.gpu_count - 2), max(later, needs.all_logits)]


def _running(needs: Unquantized, peaks: list[int], loading: int) -> list[int]:
    """Bytes beside weights and cache at the highest moment of each card, which holds an even share of the cache.

    What of the cache is not there yet at prefill makes room for the activations.
    """
    cards, cache = len(peaks), needs.cache
    step = cards * (cache.layer_copied + needs.last_logits) + cache.all_copied + cache.at_end
    used = [max(cards * peak + cache.at_prefill, step) for peak in peaks]
    moments = [max(most, cards * loading * (card == 0)) - cache.at_end for card, most in enumerate(used)]
    floors = [moment // cards for moment in moments]
    floors[0] += sum(moments) // cards - sum(floors)
    return floors


def _as_loaded(model: ModelFacts, weights: Weights, question: Question, prompt: Prompt) -> Weights:
    """The weights as a named release loads them: bitsandbytes skips experts that are one tensor for all."""
    if prompt.version == LATEST:
        return weights
    more = _left_in_16_bit(model, weights, question, prompt)
    if not more:
        return weights
    said = [note for note in weights.assumptions if note.source != FUSED_EXPERTS]
    return weights._replace(
        resident_bytes=weights.resident_bytes + more,
        layer_bytes=weights.layer_bytes + more,
        expert_bytes=weights.expert_bytes + more,
        assumptions=(*said, Assumption("experts stay in 16 bit: bitsandbytes quantizes linear layers only", FUSED_EXPERTS)),
    )


def _left_in_16_bit(model: ModelFacts, weights: Weights, question: Question, prompt: Prompt) -> int:
    """What experts take beyond their quantized form where bitsandbytes does not touch them: it replaces linear layers only."""
    if not model.experts or prompt.version < GROUPED_EXPERTS or not question.quantization.startswith("bnb"):
        return 0
    return 2 * expert_parameter_count(model) - weights.expert_bytes


def _experts_in_16_bit(model: ModelFacts, weights: Weights, question: Question, prompt: Prompt) -> int:
    """The same where no release is named: quantized as published readings have them is the middle, a fresh install the high end."""
    return _left_in_16_bit(model, weights, question, prompt) if prompt.version == LATEST else 0


def _buffers(model: ModelFacts, weights: Weights, question: Question, prompt: Prompt, needs: Unquantized) -> tuple[int, int]:
    """Bytes that are there all the time beside weights and cache, and how much of that may be missing or more.

    The scratch of cuBLAS depends on the card: the middle is taken.
    """
    cards = question.gpu_count
    kept = 2 * weights.largest_matrix if question.quantization.startswith(KEPT_UNPACKED) else 0
    scratch, either = (WORKSPACE + HOPPER_WORKSPACE) // 2, (HOPPER_WORKSPACE - WORKSPACE) // 2
    left = left_in_weight_blocks(model, question.quantization, prompt.version)
    return cards * (scratch + kept) + left + needs.tables, cards * (either + kept) + left

"""Hugging Face Transformers: `generate` in one process, the prompt prefilled at once, layers spread by `device_map`."""

from __future__ import annotations

from llmops_catalog.fit.assumptions import Assumption, once
from llmops_catalog.fit.facts import ModelFacts
from llmops_catalog.fit.kv_cache import BLOCK, BYTES_OF_32, CachedLayers, cache_bytes, cached_layers
from llmops_catalog.fit.question import Question
from llmops_catalog.fit.runtimes.footprint import Footprint, feed_forward_width, shares
from llmops_catalog.fit.sizes import MIB
from llmops_catalog.fit.state import state_bytes
from llmops_catalog.fit.weights import Weights

CUDA_CONTEXT = 256 * MIB
"""Beyond the tensors after loading: 194 to 321 MiB in nvidia-smi readings saved in
https://github.com/DJCordhose/llm-ops (Llama 3.1 8B, Llama 3.2 1B and 3B on an L4)."""
CUDA_CONTEXT_LOW, CUDA_CONTEXT_HIGH = 150 * MIB, 512 * MIB
PREFILL_FEED_FORWARD, PREFILL_HIDDEN = 3, 4
"""Numbers per prompt token alive at the peak of prefill: 3 x feed-forward + 4 x hidden, in 16 bit. Fitted to 75 rows of
https://qwen.readthedocs.io/en/v2.5/benchmark/speed_benchmark.html with a mean error of 0.24 %."""
GROWTH = 0.05
"""Blocks the caching allocator holds but does not use, as a share of what grows and shrinks."""
UNPACKED = ("bnb-int8", "bnb-nf4", "bnb-nf4-dq", "gptq-int8", "gptq-int4", "awq-int4", "hqq-attn4-moe2")
"""Formats whose kernels unpack a whole matrix to 16 bit when many tokens are computed at once."""

SPEED_PAGE = "https://qwen.readthedocs.io/en/v2.5/benchmark/speed_benchmark.html"
READINGS = "https://github.com/DJCordhose/llm-ops"
CACHE_SOURCE = "https://github.com/huggingface/transformers/blob/main/src/transformers/cache_utils.py"
DEEPSEEK_SOURCE = "https://github.com/huggingface/transformers/blob/main/src/transformers/models/deepseek_v3/modeling_deepseek_v3.py"


def footprint(model: ModelFacts, weights: Weights, question: Question) -> Footprint:
    """Memory of one process: weights, and the larger of the cache at the end and cache plus activations at prefill."""
    cards, sequences = question.gpu_count, question.concurrency
    cache = sequences * sequence_cache_bytes(model, question, question.context_tokens)
    at_prefill = sequences * sequence_cache_bytes(model, question, question.prompt_tokens)
    state = sequences * state_bytes(model, convolution_bytes=2)
    activations = sequences * activation_bytes(model, question) + _unpacked(weights, question)
    # every card repeats the activation peak for its own layers; cache not there yet at prefill makes room for it
    compute = max(cards * activations - (cache - at_prefill), 0) + logits_bytes(model, question)
    layered = shares(weights.layer_bytes + cache + state, cards, max(cards, model.num_hidden_layers))
    outside = weights.resident_bytes - weights.layer_bytes + weights.layer_bytes + cache + state - sum(layered)
    per_gpu = [size + compute // cards + CUDA_CONTEXT for size in layered]
    per_gpu[0] += outside + compute % cards
    growth = int((compute + cache) * GROWTH) // cards + weights.uncertainty_bytes // cards
    return Footprint(
        weights_bytes=weights.resident_bytes,
        host_bytes=weights.host_bytes,
        kv_cache_bytes=cache,
        state_bytes=state,
        compute_bytes=compute,
        overhead_bytes=CUDA_CONTEXT * cards,
        per_gpu_bytes=tuple(per_gpu),
        below_bytes=min(growth + CUDA_CONTEXT - CUDA_CONTEXT_LOW, CUDA_CONTEXT + compute // cards),
        above_bytes=growth + CUDA_CONTEXT_HIGH - CUDA_CONTEXT,
        assumptions=_assumptions(model, weights, question),
    )


def sequence_cache_bytes(model: ModelFacts, question: Question, tokens: int) -> int:
    """Cache of one sequence of `tokens`. Latent attention is cached decompressed: keys and values of every head."""
    if model.latent:
        latent = model.latent
        head = latent.qk_nope_head_dim + latent.qk_rope_head_dim + latent.v_head_dim
        layers = sum(group.layers for group in cached_layers(model))
        return layers * tokens * model.num_attention_heads * head * BYTES_OF_32[question.kv_cache_type] // BLOCK
    return cache_bytes(model, question.kv_cache_type, lambda group: _remembered(group, tokens))


def _remembered(group: CachedLayers, tokens: int) -> int:
    """A sliding layer keeps one token less than its window (`DynamicSlidingWindowLayer`)."""
    return tokens if group.window is None else min(tokens, max(1, group.window - 1))


def activation_bytes(model: ModelFacts, question: Question) -> int:
    """Activations of one prompt at the peak of prefill, on one card."""
    width = PREFILL_FEED_FORWARD * feed_forward_width(model) + PREFILL_HIDDEN * model.hidden_size
    return question.prompt_tokens * width * (4 if question.quantization == "f32" else 2)


def logits_bytes(model: ModelFacts, question: Question) -> int:
    """Logits of the last token, in 16 bit and again in fp32."""
    return question.concurrency * model.vocab_size * 6 if model.is_decoder else 0


def _unpacked(weights: Weights, question: Question) -> int:
    return 2 * weights.largest_matrix if question.quantization in UNPACKED else 0


def _assumptions(model: ModelFacts, weights: Weights, question: Question) -> tuple[Assumption, ...]:
    said = [*weights.assumptions]
    said.append(Assumption("the whole prompt is prefilled at once, with flash attention and logits of the last token only", SPEED_PAGE))
    said.append(Assumption("CUDA context and libraries take 0.25 GiB a card", READINGS))
    if model.latent:
        said.append(Assumption("latent attention is cached decompressed, full keys and values of every head", DEEPSEEK_SOURCE))
    if any(group.type == "sliding_attention" for group in model.layer_groups):
        said.append(Assumption("sliding-window layers cache no more than their window", CACHE_SOURCE))
    if question.gpu_count > 1:
        said.append(Assumption("layers are spread evenly; the activation peak repeats on every card", SPEED_PAGE))
    return once(said)

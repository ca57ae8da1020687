"""vLLM: a budget (memory times gpu_memory_utilization) that weights, activation peak, graphs and cache must share."""

from __future__ import annotations

from llmops_catalog.fit.assumptions import Assumption, once
from llmops_catalog.fit.facts import ModelFacts
from llmops_catalog.fit.kv_cache import CachedLayers, cached_layers, elements_bytes
from llmops_catalog.fit.question import Question
from llmops_catalog.fit.runtimes.footprint import Footprint, feed_forward_width
from llmops_catalog.fit.sizes import MIB, padded
from llmops_catalog.fit.state import state_bytes
from llmops_catalog.fit.weights import Weights

BLOCK_TOKENS = 16
"""Tokens of a cache page on CUDA (vllm/config/cache.py)."""
BATCHED_TOKENS, BATCHED_TOKENS_LARGE = 2048, 8192
"""Default max_num_batched_tokens of the API server: 2048; 8192 on cards of 70 GiB and more (engine/arg_utils.py)."""
SEQUENCES = 256
"""Sequences sampled in the profiling run (max_num_seqs on cards below 70 GiB)."""
LOGIT_BYTES = 10
"""fp32 logits, their softmax and a 16-bit copy, per vocabulary entry of a sampled sequence."""
GRAPHS, GRAPHS_LOW, GRAPHS_HIGH = 512 * MIB, 200 * MIB, 800 * MIB
"""Captured CUDA graphs: 0.30 to 0.73 GiB in published logs."""
NON_TORCH, NON_TORCH_LOW, NON_TORCH_HIGH = 256 * MIB, 10 * MIB, 400 * MIB
"""What the allocator never sees, one card: 0.01 to 0.35 GiB in logs of vLLM issues (0.35 on an RTX 3090)."""
NON_TORCH_PARALLEL, NON_TORCH_PARALLEL_HIGH = 512 * MIB, 1100 * MIB
"""With NCCL between two to four cards: 0.20 to 0.74 GiB; one older log shows more."""
ACTIVATION_LOW, ACTIVATION_HIGH = 0.5, 1.5

WORKER_SOURCE = "https://github.com/vllm-project/vllm/blob/main/vllm/v1/worker/gpu_worker.py"
CACHE_SOURCE = "https://github.com/vllm-project/vllm/blob/main/vllm/v1/core/kv_cache_utils.py"
ARGUMENTS_SOURCE = "https://github.com/vllm-project/vllm/blob/main/vllm/engine/arg_utils.py"


def footprint(model: ModelFacts, weights: Weights, question: Question) -> Footprint:
    """Memory of a server that keeps `concurrency` sequences of `context_tokens`, tensor-parallel over the cards."""
    cards = question.gpu_count
    per_card_weights = -(-weights.resident_bytes // cards)
    per_card_cache = question.concurrency * cache_bytes_per_card(model, question)
    per_card_state = -(-question.concurrency * state_bytes(model, convolution_bytes=2) // cards)
    activations = activation_bytes(model, question, BATCHED_TOKENS)
    most = activation_bytes(model, question, BATCHED_TOKENS_LARGE)
    non_torch = NON_TORCH if cards == 1 else NON_TORCH_PARALLEL
    non_torch_high = NON_TORCH_HIGH if cards == 1 else NON_TORCH_PARALLEL_HIGH
    spread = weights.uncertainty_bytes // cards
    each = per_card_weights + per_card_cache + per_card_state + activations + GRAPHS + non_torch
    return Footprint(
        weights_bytes=per_card_weights * cards,
        host_bytes=0,
        kv_cache_bytes=per_card_cache * cards,
        state_bytes=per_card_state * cards,
        compute_bytes=(activations + GRAPHS) * cards,
        overhead_bytes=non_torch * cards,
        per_gpu_bytes=(each,) * cards,
        below_bytes=spread + int(activations * (1 - ACTIVATION_LOW)) + GRAPHS - GRAPHS_LOW + non_torch - NON_TORCH_LOW,
        above_bytes=spread
        + max(most, int(activations * ACTIVATION_HIGH))
        - activations
        + GRAPHS_HIGH
        - GRAPHS
        + non_torch_high
        - non_torch,
        assumptions=_assumptions(model, weights, question),
    )


def cache_bytes_per_card(model: ModelFacts, question: Question) -> int:
    """Cache of one sequence on one card, in whole pages.

    Layer kinds share one pool in groups of equal size: the last group of a kind is filled up with unused layers
    (`_get_kv_cache_groups_uniform_page_size`). Key/value heads are divided among the cards, at least one each; the
    latent vector of MLA is repeated on every card.
    """
    groups = cached_layers(model)
    size = _pool_group(groups)
    total = 0
    for group in groups:
        tokens = padded(_remembered(group, question.context_tokens), BLOCK_TOKENS)
        total += padded(group.layers, size) * tokens * elements_bytes(_per_card(model, group, question.gpu_count), question.kv_cache_type)
    return total


def _pool_group(groups: tuple[CachedLayers, ...]) -> int:
    """Layers of one pool group: those of the rarest kind, or of the most frequent where they are nearly as many."""
    counts = [group.layers for group in groups]
    if len({group.window for group in groups}) < 2:
        return 1
    return max(counts) if max(counts) < 1.25 * min(counts) else min(counts)


def _remembered(group: CachedLayers, context: int) -> int:
    """Tokens a layer needs pages for; a sliding one, its window and a batch (`max_memory_usage_bytes` of its spec)."""
    if group.window is None:
        return context
    return min(context, group.window - 1 + BATCHED_TOKENS) + BLOCK_TOKENS


def _per_card(model: ModelFacts, group: CachedLayers, cards: int) -> int:
    if not group.per_head or cards == 1:
        return group.elements
    heads = max(1, model.num_key_value_heads)
    return group.elements * max(1, -(-heads // cards)) // heads


def activation_bytes(model: ModelFacts, question: Question, batched_tokens: int) -> int:
    """Peak of the profiling run on one card: feed forward and residuals of a batch in 16 bit, logits of a step."""
    tokens = min(batched_tokens, question.context_tokens * question.concurrency)
    width = 3 * -(-feed_forward_width(model) // question.gpu_count) + 4 * model.hidden_size
    logits = min(SEQUENCES, max(question.concurrency, tokens)) * model.vocab_size * LOGIT_BYTES if model.is_decoder else 0
    return tokens * width * 2 + logits


def _assumptions(model: ModelFacts, weights: Weights, question: Question) -> tuple[Assumption, ...]:
    said = [*weights.assumptions]
    said.append(
        Assumption(
            "room is kept for every sequence at its full length; vLLM refuses to start without room for one",
            CACHE_SOURCE,
        )
    )
    peak = "the activation peak is that of 2,048 batched tokens and 256 sequences, the high bound that of 8,192 tokens"
    said.append(Assumption(peak, ARGUMENTS_SOURCE))
    said.append(Assumption("captured CUDA graphs take 0.5 GiB a card", WORKER_SOURCE))
    if model.latent and question.gpu_count > 1:
        said.append(Assumption("the latent cache is repeated on every card: tensor parallelism cannot divide it", CACHE_SOURCE))
    return once(said)

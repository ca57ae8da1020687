"""What the layers keep alive beside weights and cache while a prompt runs through them, on one card.

A layer has a few wide moments: the feed forward, the experts, attention, a scan. They come one after another, so the
largest of them is the peak; each is counted in bytes. Traces that these forms meet: see `families`.
"""

from __future__ import annotations

from typing import NamedTuple

from llmops_catalog.fit.facts import ExpertFacts, LatentFacts, ModelFacts, StateFacts
from llmops_catalog.fit.runtimes.footprint import query_width
from llmops_catalog.fit.runtimes.transformers.families import CHUNK, GROUPED_EXPERTS, UNROTATED, Live, Version, live

DELTA_CHUNK = 64
"""`chunk_size` of `torch_chunk_gated_delta_rule` in models/qwen3_next/modeling_qwen3_next.py."""
EXPERT_IMBALANCE = 2
"""Tokens of the busiest expert, as a multiple of an even share; a guess, and a small term."""


class Prompt(NamedTuple):
    """What runs through the layers at once: `sequences` of `tokens` each, in numbers of `octets` bytes."""

    tokens: int
    sequences: int
    octets: int
    version: Version
    fused: bool
    """False where the question asks for attention without a fused kernel."""
    kernel: str = ""
    """'bnb-int8' or 'mxfp4', whose kernels keep other things alive; any other format computes in 16 bit."""

    @property
    def positions(self) -> int:
        """Tokens of all sequences."""
        return self.tokens * self.sequences

    @property
    def pairs(self) -> int:
        """Scores of one head of one sequence."""
        return self.tokens * self.tokens


class Peak(NamedTuple):
    """Bytes without weights and cache: at the widest moment of a layer, and while a matrix is unpacked, without the matrix."""

    widest: int
    unpacking: int


def prefill_peak(model: ModelFacts, prompt: Prompt) -> Peak:
    """The peak of a prefill on the card that holds the embeddings."""
    family = live(model.model_type)
    moments = [
        _feed_forward(model, family, prompt),
        _attention(model, family, prompt),
        _scan(model, prompt),
        family.norm * model.hidden_size * prompt.octets * prompt.positions,
    ]
    if model.experts:
        moments.append(_experts(model, model.experts, family, prompt))
    kept = _throughout(model, family, prompt)
    unpacking = family.stream * model.hidden_size + min(2, family.wide) * dense_width(model)
    return Peak(int(max(moments)) + kept, int(prompt.octets * prompt.positions * unpacking) + kept)


def embeddings_bytes(model: ModelFacts, prompt: Prompt) -> int:
    """The embeddings of the prompt: alive all the time, on the first card only."""
    return model.hidden_size * prompt.octets * prompt.positions


def all_logits_bytes(model: ModelFacts, prompt: Prompt) -> int:
    """Logits of the whole prompt, which older releases compute to use the last row; 0 where only that is computed."""
    family = live(model.model_type)
    if not model.is_decoder or model.kind == "encoder-decoder" or prompt.version >= family.last_logits_since:
        return 0
    each = prompt.octets + (4 if family.wide_logits else 0)
    return prompt.positions * (model.vocab_size * each + model.hidden_size * prompt.octets)


def copied_logits_bytes(model: ModelFacts, prompt: Prompt) -> int:
    """What of them the first of several cards gets: outputs return to where the input was (`io_same_device` of accelerate)."""
    if not all_logits_bytes(model, prompt):
        return 0
    return prompt.positions * model.vocab_size * (4 if live(model.model_type).wide_logits else prompt.octets)


def rotary_tables_bytes(model: ModelFacts, prompt: Prompt) -> int:
    """Sines and cosines of every position the config allows, once for each layer; 0 where they are computed when needed."""
    if prompt.version >= live(model.model_type).rotary_tables_until:
        return 0
    return 2 * (model.position_tokens or 0) * model.head_dim * prompt.octets * model.num_hidden_layers


def scored(model: ModelFacts, prompt: Prompt) -> bool:
    """Whether attention is computed step by step, so that every score of every head is kept."""
    return _attends(model) and (not prompt.fused or prompt.version < live(model.model_type).fused_since)


def masked(model: ModelFacts, prompt: Prompt) -> bool:
    """Whether fused attention gets a mask of prompt x prompt: where a layer looks back less far than the prompt goes.

    `_ignore_causal_mask_sdpa` in masking_utils.py.
    """
    if not _attends(model) or scored(model, prompt):
        return False
    windows = [group.sliding_window for group in model.layer_groups if group.sliding_window and group.type != "full_attention"]
    return live(model.model_type).always_masked or any(prompt.tokens >= window for window in windows)


def _attends(model: ModelFacts) -> bool:
    return model.num_attention_heads > 0 and (not model.layer_groups or any("attention" in group.type for group in model.layer_groups))


def _throughout(model: ModelFacts, family: Live, prompt: Prompt) -> int:
    """Alive in every layer: sines and cosines, what per-layer embeddings looked up, the mask, scores of the layer before."""
    turned = 2 * model.head_dim if _attends(model) and family.rotated > UNROTATED else 0
    looked_up = (model.per_layer_embedding_size or 0) * model.num_hidden_layers
    kept = prompt.octets * (prompt.positions * looked_up + prompt.tokens * turned)
    if masked(model, prompt):
        return kept + prompt.pairs
    if not scored(model, prompt):
        return kept
    masks = 2 if any(group.type == "sliding_attention" for group in model.layer_groups) else 1
    scores = family.kept_scores * model.num_attention_heads * prompt.sequences
    return kept + prompt.pairs * (scores + masks * prompt.octets)


def _feed_forward(model: ModelFacts, family: Live, prompt: Prompt) -> int:
    width = dense_width(model)
    if not width:
        return 0
    stream = family.stream * model.hidden_size
    at_product = prompt.octets * (stream + family.wide * width)
    if prompt.kernel == "bnb-int8":  # up comes as int32 and in 16 bit while the gate waits
        at_product = max(at_product, prompt.octets * (stream + 2 * width) + 4 * width)
    return int(prompt.positions * at_product)


def dense_width(model: ModelFacts) -> int:
    """Width of the widest feed forward that every token takes; 0 where all are experts."""
    experts = model.experts
    dense = max([group.intermediate_size or 0 for group in model.layer_groups] + [model.intermediate_size or 0])
    if experts is None:
        return dense or 4 * model.hidden_size
    shared = experts.shared_intermediate_size or (experts.shared_count or 0) * experts.intermediate_size
    return max(shared, dense if experts.first_dense_layers or model.model_type == "llama4" else 0)


def _attention(model: ModelFacts, family: Live, prompt: Prompt) -> int:
    if not _attends(model):
        return 0
    heads, queries = model.num_attention_heads, query_width(model)
    if model.latent:
        numbers = 4 * model.hidden_size + _latent(model.latent, heads)
    else:
        keys = model.num_key_value_heads * model.head_dim
        numbers = int(family.attention * model.hidden_size + family.rotated * queries + family.fresh * keys)
    if scored(model, prompt):
        # keys and values are repeated for every head; the scores in several copies. What is kept is counted throughout
        scores = (family.scores - family.kept_scores) * heads * prompt.sequences * prompt.pairs
        return prompt.octets * prompt.positions * (3 * model.hidden_size + 3 * queries) + scores
    if masked(model, prompt):
        repeated = prompt.octets * prompt.positions * (3 * model.hidden_size + 4 * queries)
        return max(prompt.octets * prompt.positions * numbers, repeated + prompt.octets * prompt.pairs)
    # T5 adds a learned bias to every score: looked up, and laid out anew for the kernel
    bias = 2 * heads * prompt.octets * prompt.pairs if model.kind == "encoder-decoder" else 0
    return prompt.octets * prompt.positions * numbers + bias


def _latent(latent: LatentFacts, heads: int) -> int:
    """Queries twice, keys and values expanded from the latents, keys again with their rotary part, the output."""
    query = latent.qk_nope_head_dim + latent.qk_rope_head_dim
    return heads * (3 * query + latent.qk_nope_head_dim + 2 * latent.v_head_dim)


def _experts(model: ModelFacts, experts: ExpertFacts, family: Live, prompt: Prompt) -> int:
    hidden, width, used = model.hidden_size, experts.intermediate_size, experts.used_per_token
    stream = (family.stream + family.shared_first) * hidden
    if model.model_type == "llama4":  # every expert computes every token (Llama4TextMoe)
        return prompt.octets * prompt.positions * int(stream + hidden + experts.count * (4 * width + hidden))
    if prompt.version < GROUPED_EXPERTS:  # one expert after another; the choices are one-hot, in 64 bit
        share = min(1.0, EXPERT_IMBALANCE * used / experts.count)
        numbers = stream + 2 * hidden + share * (3 * width + 2 * hidden)
        return int(prompt.positions * (prompt.octets * numbers + 8 * used * experts.count))
    at_product = hidden + (9 if model.model_type == "gpt_oss" else 4) * width
    if model.model_type == "gpt_oss" and prompt.kernel == "mxfp4":
        at_product = 2 * hidden + width  # the MXFP4 kernel applies the activation itself (integrations/mxfp4.py)
    at_sum = (6 if family.wide_routing else 4) * hidden
    return prompt.octets * prompt.positions * int(stream + used * max(at_product, at_sum))


def _scan(model: ModelFacts, prompt: Prompt) -> int:
    """Recurrent layers as PyTorch computes them where no kernel package is installed, in 32 bit."""
    if model.state is None:
        return 0
    each = {"gated-delta-net": _delta_rule, "mamba": _mamba, "mamba2": _mamba2}.get(model.state.kind)
    return each(model, model.state, prompt) * prompt.positions if each else 0


def _delta_rule(model: ModelFacts, state: StateFacts, prompt: Prompt) -> int:
    """Ten copies of the values, three of the chunk's scores (`torch_chunk_gated_delta_rule`), and the projections."""
    heads = state.num_value_heads or 0
    values, keys = heads * (state.value_head_dim or 0), (state.num_key_heads or 0) * (state.key_head_dim or 0)
    projected = 2 * keys + 3 * values if model.model_type == "qwen3_next" else values  # one matrix, and the gate copied out of it
    numbers = projected + 2 * keys + values + 3 * model.hidden_size
    return 4 * (10 * values + 3 * DELTA_CHUNK * heads) + prompt.octets * numbers


def _mamba(model: ModelFacts, state: StateFacts, prompt: Prompt) -> int:
    """Three copies of the states of every token (`slow_forward` in models/mamba/modeling_mamba.py)."""
    inner = state.inner_size or 0
    return 12 * inner * (state.state_size or 0) + 11 * prompt.octets * inner + 8 * model.hidden_size


def _mamba2(model: ModelFacts, state: StateFacts, prompt: Prompt) -> int:
    """`torch_forward` of models/granitemoehybrid and models/nemotron_h: chunk scores, states and values of every head."""
    inner, size, heads = state.inner_size or 0, state.state_size or 0, state.num_value_heads or 0
    groups, chunk = (state.num_groups or 1) * size, CHUNK.get(model.model_type, 256)
    in_32_bit = 3 * heads * chunk + 3 * heads * size + 7 * inner + inner * size // chunk
    return 4 * in_32_bit + prompt.octets * (3 * inner + 4 * groups + heads + 3 * model.hidden_size)

"""The parts decoder layers are made of, as tensors: attention, latent attention, feed forward, experts, norms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from llmops_catalog.fit.architectures.families import Traits
from llmops_catalog.fit.facts import LatentFacts, LayerGroupFacts, ModelFacts, SparseFacts
from llmops_catalog.fit.tensors import Tensor, vector

Layers = Sequence[int]


def placed_groups(model: ModelFacts) -> list[tuple[LayerGroupFacts, Layers]]:
    """Every layer group with the indices of its layers; in the order written where nobody recorded the true order."""
    waiting: dict[str, list[int]] = {}
    for index, kind in enumerate(model.layer_types):
        waiting.setdefault(kind, []).append(index)
    placed: list[tuple[LayerGroupFacts, Layers]] = []
    start = 0
    for group in model.layer_groups:
        if len(model.layer_groups) == 1 or not model.layer_types:
            placed.append((group, range(start, start + group.layers)))
            start += group.layers
            continue
        mine = waiting.get(group.type, [])
        placed.append((group, mine[: group.layers]))
        waiting[group.type] = mine[group.layers :]
    return placed


def attention(model: ModelFacts, traits: Traits, group: LayerGroupFacts, layers: Layers) -> Iterator[Tensor]:
    """Query, key, value and output projections with their biases and norms."""
    head_dim, heads = group.head_dim or model.head_dim, group.num_attention_heads or model.num_attention_heads
    key_heads = group.num_key_value_heads or model.num_key_value_heads
    value_head_dim = model.value_head_dim or head_dim
    queries, keys, values = heads * head_dim, key_heads * head_dim, key_heads * value_head_dim
    hidden = model.hidden_size
    if traits.fused_qkv:
        yield Tensor("attn_qkv", queries + keys + values, hidden, layers)
    else:
        yield Tensor("attn_q", queries, hidden, layers)
        yield Tensor("attn_k", keys, hidden, layers)
        yield Tensor("attn_v", values, hidden, layers)
    yield Tensor("attn_output", hidden, heads * value_head_dim, layers)
    if traits.qkv_bias:
        yield vector(queries + keys + values, layers)
    if traits.output_bias:
        yield vector(hidden, layers)
    if traits.sinks or (traits.sliding_sinks and group.sliding_window):
        yield vector(heads, layers)
    if traits.attention_gate:
        yield Tensor("linear", heads * value_head_dim if traits.attention_gate == "full" else heads, hidden, layers)
    if traits.qk_norm:
        yield vector({"head": 2 * head_dim}.get(traits.qk_norm, queries + keys), layers)
    if model.sparse and group.type == "sparse_attention":
        yield from block_indexer(model, model.sparse, layers)


def queries_only(model: ModelFacts, traits: Traits, group: LayerGroupFacts, layers: Layers) -> Iterator[Tensor]:
    """Attention of layers that reuse the cache of an earlier one, with a norm over each query."""
    yield from (tensor for tensor in attention(model, traits, group, layers) if tensor.role in ("attn_q", "attn_output"))
    yield vector(group.head_dim or model.head_dim, layers)


def block_indexer(model: ModelFacts, sparse: SparseFacts, layers: Layers) -> Iterator[Tensor]:
    """What picks blocks of tokens beside attention in MiniMax M3 (llama.cpp keeps its two projections in 32 bit)."""
    yield Tensor("kept", sparse.index_n_heads * sparse.index_head_dim, model.hidden_size, layers)
    yield Tensor("kept", sparse.index_head_dim, model.hidden_size, layers)
    yield vector(2 * sparse.index_head_dim, layers)


def latent_attention(model: ModelFacts, latent: LatentFacts, layers: Layers, gated: bool = False) -> Iterator[Tensor]:
    """Multi-head latent attention (arXiv:2405.04434): queries and keys/values pass through low ranks.

    The up-projection of keys and values is counted as the two matrices GGUF splits it into (`attn_k_b` transposed).
    `gated` adds the gate on what attention returns (Kimi K3).
    """
    heads, hidden = model.num_attention_heads, model.hidden_size
    query_head = latent.qk_nope_head_dim + latent.qk_rope_head_dim
    if latent.q_lora_rank:
        yield Tensor("linear", latent.q_lora_rank, hidden, layers)
        yield vector(latent.q_lora_rank, layers)
        yield Tensor("linear", heads * query_head, latent.q_lora_rank, layers)
    else:
        yield Tensor("attn_q", heads * query_head, hidden, layers)
    yield Tensor("linear", latent.kv_lora_rank + latent.qk_rope_head_dim, hidden, layers)
    yield vector(latent.kv_lora_rank, layers)
    yield Tensor("attn_k_b", latent.kv_lora_rank, latent.qk_nope_head_dim, layers, heads)
    yield Tensor("linear", latent.v_head_dim, latent.kv_lora_rank, layers, heads)
    yield Tensor("attn_output", hidden, heads * latent.v_head_dim, layers)
    if gated:
        yield Tensor("linear", heads * latent.v_head_dim, hidden, layers)
    if latent.index_n_heads and latent.index_head_dim and latent.q_lora_rank:
        layers = [index for index in layers if index in latent.index_layers] if latent.index_layers else layers
        yield Tensor("linear", latent.index_n_heads * latent.index_head_dim, latent.q_lora_rank, layers)
        yield Tensor("kept", latent.index_head_dim, hidden, layers)
        yield vector(2 * latent.index_head_dim, layers)
        yield Tensor("linear", latent.index_n_heads, hidden, layers)


def feed_forwards(model: ModelFacts, traits: Traits, layers: Layers, dense_size: int | None) -> Iterator[Tensor]:
    """Experts in the layers that have them, one feed-forward of `dense_size` in the others."""
    sparse = [index for index in layers if model.experts and model.experts.has_layer(index)]
    dense = [index for index in layers if not (model.experts and model.experts.has_layer(index))]
    if dense and dense_size:
        yield from feed_forward(model.hidden_size, dense_size, traits, dense)
    yield from mixture(model, traits, sparse)


def feed_forward(hidden: int, size: int, traits: Traits, layers: Layers, prefix: str = "", copies: int = 1) -> Iterator[Tensor]:
    """The two or three matrices of a feed-forward block; `prefix` is 'expert_' or 'shared_'."""
    if traits.gated and not traits.fused_gate:
        yield Tensor(f"{prefix}ffn_gate", size, hidden, layers, copies)
    yield Tensor(f"{prefix}ffn_up", size * (2 if traits.gated and traits.fused_gate else 1), hidden, layers, copies)
    yield Tensor(f"{prefix}ffn_down", hidden, size, layers, copies)
    if traits.mlp_bias or (prefix == "expert_" and traits.expert_bias):
        yield vector(size * (2 if traits.gated else 1) + hidden, layers, copies)


def mixture(model: ModelFacts, traits: Traits, layers: Layers) -> Iterator[Tensor]:
    """Router, routed experts and the experts every token uses."""
    experts = model.experts
    if experts is None or not layers:
        return
    hidden = model.hidden_size
    yield Tensor("router", experts.count, hidden, layers)
    if traits.router_bias:
        yield vector(experts.count, layers)  # also where it is called a score correction
    yield from feed_forward(experts.latent_size or hidden, experts.intermediate_size, traits, layers, "expert_", experts.count)
    if experts.latent_size:
        yield Tensor("linear", experts.latent_size, hidden, layers)
        yield Tensor("linear", hidden, experts.latent_size, layers)
        if traits.latent_norm:
            yield vector(experts.latent_size, layers)
    number = experts.shared_count or (1 if traits.always_shared else 0)
    shared = experts.shared_intermediate_size or number * experts.intermediate_size
    if shared:
        yield from feed_forward(hidden, shared, traits, layers, "shared_")
        if traits.shared_gate:
            yield Tensor("router", 1, hidden, layers)


def norms(model: ModelFacts, traits: Traits, layers: Layers, number: int | None = None) -> Iterator[Tensor]:
    """Norms over the residual stream: `number` of them, or as many as the family has in a layer."""
    each = (1 if traits.norm_weight else 0) + (1 if traits.norm_bias else 0)
    how_many = traits.norms if number is None else number
    if each * how_many:
        yield vector(model.hidden_size * each * how_many, layers)


def around(model: ModelFacts, traits: Traits) -> Iterator[Tensor]:
    """What stands outside the layers: embeddings, positions, final norm, output layer."""
    hidden = model.hidden_size
    width = traits.projections or hidden
    yield Tensor("token_embd", model.vocab_size + traits.extra_token_rows, width)
    if traits.projections:
        yield Tensor("linear", hidden, width)
        yield Tensor("linear", width, hidden)
    if traits.positions is not None:
        yield Tensor("position", (model.position_tokens or 0) + traits.positions, hidden)
    if traits.embedding_norm:
        yield from norms(model, traits, (0,), 1)
    if traits.final_norm:
        yield from norms(model, traits, (0,), 1)
    if not model.tie_word_embeddings:
        yield Tensor("output", model.vocab_size, width)
    if traits.output_head_bias:
        yield vector(model.vocab_size)
    if model.other_modality_parameters:
        yield Tensor("tower", 1, model.other_modality_parameters)

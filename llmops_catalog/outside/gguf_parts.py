"""Layers, heads, ranks, experts and states of a GGUF model, by the keys of its header."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from llmops_catalog.fit.facts import CompressedFacts, ExpertFacts, LatentFacts, LayerGroupFacts, SparseFacts, StateFacts
from llmops_catalog.outside import gguf_keys
from llmops_catalog.outside.gguf_keys import Keys

WINDOWED = ("sliding_attention", "chunked_attention", "compressed_sparse_attention", "heavily_compressed_attention")


def head_sizes(keys: Keys, hidden: int) -> tuple[int, int]:
    """Sizes of a key and of a value head; they differ in MiMo V2."""
    heads = max(keys.each("attention.head_count", 0))
    usual = hidden // heads if heads else 0
    return keys.size("attention.key_length", usual), keys.size("attention.value_length", usual)


def key_size(keys: Keys, hidden: int, kind: str) -> int:
    """Size of a key head in layers of this kind, whose values have the size that those of the model have."""
    key, value = head_sizes(keys, hidden)
    uneven = key != value
    if kind == "sliding_attention":
        usual = value if uneven else 0
        key, value = keys.size("attention.key_length_swa", key), keys.size("attention.value_length_swa", value)
        return key + value - usual if uneven else (key + value) // 2
    return key


def layer_groups(keys: Keys, types: Sequence[str], hidden: int) -> tuple[LayerGroupFacts, ...]:
    """Layers alike in what they cache, in order of their first appearance."""
    heads = keys.each("attention.head_count", 0)
    key_heads = keys.each("attention.head_count_kv", max(heads))
    forward = keys.each("feed_forward_length", 0)
    window = gguf_keys.window_tokens(keys)
    alike = Counter((kind, key_heads[layer], forward[layer], heads[layer]) for layer, kind in enumerate(types))
    groups = []
    for (kind, number, size, query), layers in alike.items():
        head_dim = key_size(keys, hidden, kind)
        shown = window if kind in WINDOWED else None
        groups.append(LayerGroupFacts(layers, kind, shown, number or None, head_dim or None, size or None, query or None))
    if keys.architecture == "falcon-h1":  # every layer has both: attention beside a state space
        groups.append(LayerGroupFacts(keys.layers, "full_attention", None, max(key_heads), key_size(keys, hidden, "full_attention")))
    return tuple(groups)


def shared_layers(keys: Keys) -> int:
    """Last layers that reuse an earlier cache: all but 20 in Gemma 3n, as the file says in Gemma 4."""
    if keys.architecture == "gemma3n":
        return max(0, keys.layers - 20)
    return min(keys.size("attention.shared_kv_layers", 0), keys.layers - 1)


def latent(keys: Keys, indexed: Sequence[int]) -> LatentFacts | None:
    """Latent attention, where the file keeps the two halves apart; older files cache it decompressed."""
    key, value = keys.optional("attention.key_length_mla"), keys.optional("attention.value_length_mla")
    rank = keys.optional("attention.kv_lora_rank")
    if not (key and value and rank):
        return None
    rope = keys.size("rope.dimension_count")
    if rope > key:
        raise keys.refuse(f"{keys.architecture}.rope.dimension_count is {rope}, more than the {key} of a key")
    return LatentFacts(
        kv_lora_rank=rank,
        qk_rope_head_dim=rope,
        qk_nope_head_dim=key - rope,
        v_head_dim=value,
        q_lora_rank=keys.optional("attention.q_lora_rank"),
        index_head_dim=keys.optional("attention.indexer.key_length"),
        index_n_heads=keys.optional("attention.indexer.head_count"),
        index_topk=keys.optional("attention.indexer.top_k"),
        index_layers=tuple(layer for layer in indexed if layer < keys.layers) if 0 < len(indexed) < keys.layers else (),
    )


def compressed(keys: Keys) -> CompressedFacts | None:
    """Attention over compressed tokens, in DeepSeek V4."""
    if keys.architecture != "deepseek4":
        return None
    return CompressedFacts(
        q_lora_rank=keys.size("attention.q_lora_rank"),
        o_lora_rank=keys.size("attention.output_lora_rank"),
        o_groups=keys.size("attention.output_group_count"),
        qk_rope_head_dim=keys.size("rope.dimension_count"),
        index_head_dim=keys.size("attention.indexer.key_length"),
        index_n_heads=keys.size("attention.indexer.head_count"),
        index_topk=keys.size("attention.indexer.top_k"),
        sparse_ratio=4,
        heavy_ratio=128,
    )


def sparse(keys: Keys) -> SparseFacts | None:
    """The indexer beside ordinary attention, in MiniMax M3."""
    if keys.architecture != "minimax-m3":
        return None
    names = ("head_count", "key_length", "block_size", "top_k")
    return SparseFacts(*(keys.size(f"attention.indexer.{name}") for name in names))


def experts(keys: Keys) -> ExpertFacts | None:
    count = keys.size("expert_count", 0)
    if count < 2:
        return None
    size = keys.largest("expert_feed_forward_length") or keys.largest("feed_forward_length")
    return ExpertFacts(
        count=count,
        used_per_token=min(count, keys.largest("expert_used_count", count)) or count,
        intermediate_size=size,
        shared_count=keys.optional("expert_shared_count"),
        shared_intermediate_size=keys.optional("expert_shared_feed_forward_length"),
        first_dense_layers=min(keys.size("leading_dense_block_count", 0), keys.layers),
    )


def state(keys: Keys, heads: int) -> StateFacts | None:
    """What recurrent layers keep (`n_embd_r`, `n_embd_s` in llama-hparams.cpp)."""
    if keys.architecture not in gguf_keys.RECURRENT:
        return None
    kind = gguf_keys.RECURRENT[keys.architecture][1]
    inner, size, kernel = keys.optional("ssm.inner_size"), keys.optional("ssm.state_size"), keys.optional("ssm.conv_kernel")
    groups, rank = keys.optional("ssm.group_count"), keys.optional("ssm.time_step_rank")
    if kind == "gated-delta-net":
        each = inner // rank if inner and rank else None
        return StateFacts(kind, groups, rank, size, each, conv_kernel=kernel)
    if kind == "kimi-delta":
        width = keys.size("kda.head_dim")
        return StateFacts(kind, heads, heads, width, width, conv_kernel=kernel or 4)
    if kind == "short-convolution":
        return StateFacts(kind, conv_kernel=keys.size("shortconv.l_cache"))
    if kind == "wkv":
        return StateFacts(kind, value_head_dim=keys.size("wkv.head_size"), conv_kernel=keys.size("token_shift_count", 2) + 1)
    return StateFacts(kind, num_value_heads=rank, state_size=size, inner_size=inner, num_groups=groups or 1, conv_kernel=kernel)

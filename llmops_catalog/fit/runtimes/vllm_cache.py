"""vLLM's cache: pages of equal size in one pool, which kinds of layers share in groups (v1/core/kv_cache_planning.py).

A page holds a block of tokens of one layer, or the whole state of one recurrent layer. Layers of one kind are cut into
groups of equal size; a group draws blocks for its sequence from the pool, and a block has one page for each layer of the
largest group. So what a sequence needs is the sum of its groups' blocks, times the bytes of a block.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from llmops_catalog.fit.architectures.layers import placed_groups
from llmops_catalog.fit.assumptions import MissingFact
from llmops_catalog.fit.facts import CACHING_LAYERS, RECURRENT_LAYERS, LayerGroupFacts, ModelFacts, StateFacts
from llmops_catalog.fit.kv_cache import cached_layers, elements_bytes
from llmops_catalog.fit.runtimes.vllm_batch import Batch
from llmops_catalog.fit.runtimes.vllm_weights import stages
from llmops_catalog.fit.sizes import padded

BLOCK_TOKENS = 16
"""Tokens of a page on CUDA (CacheConfig.DEFAULT_BLOCK_SIZE)."""
LATENT_BLOCK_TOKENS = 64
"""Tokens of a page of latent attention, as its kernels want them (FlashMLA, v1/attention/backends/mla)."""
LATENT_HYBRID_TOKENS = 128
"""Step of the page where latent attention stands beside recurrent layers (`_align_hybrid_block_size`)."""
PACKED_LATENT_BYTES = 656
"""One token of sparse latent attention in fp8: 512 in fp8, 4 scales in fp32, 64 rotary numbers in 16 bit (fp8_ds_mla)."""
INDEX_SCALE_ELEMENTS = 128
"""The indexer's key is kept in fp8 with one fp32 scale for each 128 numbers: 132 bytes a token in DeepSeek V3.2."""
STATES_ALIGNED, STATES_PLAIN = 2, 1
"""States a sequence keeps in each recurrent layer: two where prefixes are cached ('align'), as for hybrids by default."""
BALANCED = 1.5
"""Kinds nearly as frequent as the rarest one make groups of the largest kind's size instead."""
STATE_IN_32_BIT = ("qwen3_5", "qwen3_5_moe", "nemotron_h")
"""Families whose recurrent state vLLM keeps in fp32 (mamba_ssm_dtype of their config); other states are in 16 bit."""

PLANNING_SOURCE = "https://github.com/vllm-project/vllm/blob/main/vllm/v1/core/kv_cache_planning.py"


class Kind(NamedTuple):
    """Layers that are kept alike: `name` is full, window, chunk or state; `page_bytes` of one layer on one rank."""

    name: str
    block_tokens: int
    page_bytes: int
    window: int
    layers: tuple[int, ...]


class Group(NamedTuple):
    """Layers that draw their blocks together, with the bytes of all their pages of one block on each pipeline stage."""

    kind: Kind
    stage_bytes: tuple[int, ...]


class Pool(NamedTuple):
    """The groups, and what a block takes on each stage: the pages of its largest group."""

    groups: tuple[Group, ...]
    block_bytes: tuple[int, ...]


@lru_cache(maxsize=65536)
def pool(model: ModelFacts, cache_type: str, tensor_parallel: int, pipeline_parallel: int) -> Pool:
    """How the layers of the model share the pool. Raises `MissingFact` where a size is not recorded."""
    spans = stages(model.num_hidden_layers, pipeline_parallel)
    kinds = _kinds(model, cache_type, tensor_parallel)
    if not kinds:
        return Pool((), (0,) * pipeline_parallel)
    if _one_group(kinds):
        merged = Group(kinds[0], tuple(sum(_pages(kind, span) * kind.page_bytes for kind in kinds) for span in spans))
        return Pool((merged,), merged.stage_bytes)
    kinds = _unified(kinds)
    counts = [len(kind.layers) for kind in kinds]
    size = max(counts) if max(counts) < BALANCED * min(counts) else min(counts)
    groups = []
    for kind in kinds:
        number = -(-len(kind.layers) // size)
        for first in range(number):
            part = kind._replace(layers=kind.layers[first::number])
            groups.append(Group(part, tuple(_pages(part, span) * part.page_bytes for span in spans)))
    return Pool(tuple(groups), tuple(max(group.stage_bytes[stage] for group in groups) for stage in range(pipeline_parallel)))


def request_blocks(kind: Kind, context: int, batch: Batch, prefixes: bool) -> int:
    """Blocks one sequence of `context` tokens draws for a group (`max_memory_usage_bytes` of each spec)."""
    if kind.name == "state":
        return STATES_ALIGNED if prefixes else STATES_PLAIN
    if kind.name == "window":  # the window may begin within a block, hence one more
        return -(-min(kind.window - 1 + batch.in_flight_tokens, context) // kind.block_tokens) + 1
    if kind.name == "chunk":
        return -(-min(kind.window + batch.in_flight_tokens, context) // kind.block_tokens)
    return -(-context // kind.block_tokens)


def sequence_blocks(shared: Pool, context: int, batch: Batch, prefixes: bool) -> tuple[int, int]:
    """Blocks one sequence draws in all: for keys and values, and for states."""
    blocks = [(group.kind.name == "state", request_blocks(group.kind, context, batch, prefixes)) for group in shared.groups]
    return sum(number for state, number in blocks if not state), sum(number for state, number in blocks if state)


def tokens_in(shared: Pool, room_bytes: tuple[int, ...], context: int, batch: Batch, prefixes: bool) -> int:
    """What the log calls the size of the cache: sequences of `context` tokens that go into the room of each stage, times `context`.

    The stage with the fewest blocks decides (`get_kv_cache_capacity`).
    """
    per_request = sum(sequence_blocks(shared, context, batch, prefixes))
    blocks = [max(0, room) // size for room, size in zip(room_bytes, shared.block_bytes, strict=True) if size]
    return int(min(blocks) / per_request * context) if blocks and per_request else 0


def _pages(kind: Kind, span: range) -> int:
    return sum(layer in span for layer in kind.layers)


def _one_group(kinds: list[Kind]) -> bool:
    """True where all layers need the same blocks, whatever their heads: one group then holds them all."""
    first = kinds[0]
    same = all((kind.name, kind.window, kind.block_tokens) == (first.name, first.window, first.block_tokens) for kind in kinds)
    return same and (first.name != "state" or len({kind.page_bytes for kind in kinds}) == 1)


def _unified(kinds: list[Kind]) -> list[Kind]:
    """All pages as large as the largest: by more tokens where they divide it, else filled up."""
    most = max(kind.page_bytes for kind in kinds)
    return [
        kind._replace(
            block_tokens=kind.block_tokens * (most // kind.page_bytes if kind.name != "state" and most % kind.page_bytes == 0 else 1),
            page_bytes=most,
        )
        for kind in kinds
    ]


def _kinds(model: ModelFacts, cache_type: str, tensor_parallel: int) -> list[Kind]:
    """The kinds of layers that keep something, with the pages one rank has of each, before they are made equal."""
    cached_layers(model)  # names what is missing
    if model.compressed:
        raise MissingFact("layer-type-not-modelled", "how vLLM shares out the cache of compressed attention is not modelled yet")
    if not model.is_decoder:
        return []
    kinds: dict[tuple[str, int, int], list[int]] = {}
    for group, layers in _ordered(model):
        if group.type in CACHING_LAYERS:
            name = {"sliding_attention": "window", "chunked_attention": "chunk"}.get(group.type, "full")
            window = (group.sliding_window or 0) if name != "full" else 0
            key = (name, _token_bytes(model, group, cache_type, tensor_parallel), window)
        elif group.type in RECURRENT_LAYERS:
            key = ("state", _state_bytes(model, tensor_parallel), 0)
        else:
            continue
        kinds.setdefault(key, []).extend(layers)
    tokens = _block_tokens(model, kinds)
    return [
        Kind(name, tokens, size if name == "state" else tokens * size, window, tuple(sorted(layers)))
        for (name, size, window), layers in kinds.items()
        if layers
    ]


def _block_tokens(model: ModelFacts, kinds: dict[tuple[str, int, int], list[int]]) -> int:
    """Tokens of a page: grown beside recurrent layers until a page holds a whole state (`_align_hybrid_block_size`)."""
    usual = LATENT_BLOCK_TOKENS if model.latent else BLOCK_TOKENS
    states = [size for name, size, _ in kinds if name == "state"]
    tokens = [size for name, size, _ in kinds if name != "state"]
    if not states or not tokens:
        return usual
    step = LATENT_HYBRID_TOKENS if model.latent else usual
    return max(usual, padded(-(-max(states) // max(tokens)), step))


def _ordered(model: ModelFacts) -> list[tuple[LayerGroupFacts, list[int]]]:
    """Every layer group with its layers, without those that reuse an earlier cache; spread evenly where no order is recorded."""
    if model.kind == "encoder-decoder":
        group = model.layer_groups[0]._replace(type="full_attention")
        return [(group, list(range(model.num_decoder_layers or model.num_hidden_layers)) * 2)]
    own = model.num_hidden_layers - model.kv_shared_layers
    if model.layer_types or len(model.layer_groups) == 1:
        return [(group, [layer for layer in layers if layer < own]) for group, layers in placed_groups(model)]
    places = sorted(
        ((index + 0.5) / group.layers, number) for number, group in enumerate(model.layer_groups) for index in range(group.layers)
    )
    return [(group, [layer for layer, (_, of) in enumerate(places) if of == number]) for number, group in enumerate(model.layer_groups)]


def _token_bytes(model: ModelFacts, group: LayerGroupFacts, cache_type: str, tensor_parallel: int) -> int:
    """Bytes of one token in one layer on one rank: at least one key/value head, and the latent vector whole."""
    latent = model.latent
    if latent is None:
        heads = group.num_key_value_heads or model.num_key_value_heads
        head_dim = group.head_dim or model.head_dim
        return elements_bytes(max(1, -(-heads // tensor_parallel)) * (head_dim + (model.value_head_dim or head_dim)), cache_type)
    vector = elements_bytes(latent.kv_lora_rank + latent.qk_rope_head_dim, cache_type)
    if latent.index_head_dim is None:
        return vector
    index = latent.index_head_dim + 4 * -(-latent.index_head_dim // INDEX_SCALE_ELEMENTS)
    return index + (PACKED_LATENT_BYTES if cache_type == "fp8" else vector)


def _state_bytes(model: ModelFacts, tensor_parallel: int) -> int:
    """The state of one recurrent layer on one rank (v1 `MambaStateShapeCalculator`): convolution inputs in 16 bit beside it."""
    state = model.state
    if state is None:
        raise MissingFact("recurrent-state-missing", f"the size of the recurrent state of {model.name} is not recorded")
    octets = 4 if model.model_type in STATE_IN_32_BIT or state.kind == "kimi-delta" else 2
    inputs, held = _state_shape(model, state, tensor_parallel)
    return 2 * inputs + octets * held


def _state_shape(model: ModelFacts, state: StateFacts, tensor_parallel: int) -> tuple[int, int]:
    """Numbers of the convolution's inputs and of the state, on one rank."""
    past = (state.conv_kernel or 1) - 1
    values = (state.num_value_heads or 0) * (state.value_head_dim or 0)
    if state.kind == "gated-delta-net":
        keys = (state.num_key_heads or 0) * (state.key_head_dim or 0)
        return -(-(2 * keys + values) // tensor_parallel) * past, -(-values // tensor_parallel) * (state.key_head_dim or 0)
    if state.kind == "kimi-delta":
        return -(-3 * values // tensor_parallel) * past, -(-values // tensor_parallel) * (state.key_head_dim or state.value_head_dim or 0)
    inner, size = state.inner_size or 0, state.state_size or 0
    if state.kind == "mamba":
        return -(-inner // tensor_parallel) * past, -(-inner // tensor_parallel) * size
    if state.kind == "mamba2":  # groups that cannot be divided are repeated for each rank's heads
        groups = state.num_groups or 0
        groups += 0 if groups % tensor_parallel == 0 else tensor_parallel - groups
        return -(-(inner + 2 * groups * size) // tensor_parallel) * past, -(-inner // tensor_parallel) * size
    if state.kind == "short-convolution":
        return -(-model.hidden_size // tensor_parallel) * past, 0
    if state.kind == "rwkv":
        return 0, 5 * -(-model.hidden_size // tensor_parallel)
    raise MissingFact("recurrence-not-modelled", f"what {state.kind} keeps per sequence is not modelled yet")

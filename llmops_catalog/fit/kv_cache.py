"""Bytes one token leaves in the cache, layer group by layer group. How much a layer remembers, the runtime decides."""

from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from llmops_catalog.fit.architectures.layers import placed_groups
from llmops_catalog.fit.assumptions import MissingFact
from llmops_catalog.fit.facts import CACHING_LAYERS, RECURRENT_LAYERS, CompressedFacts, LatentFacts, LayerGroupFacts, ModelFacts

BLOCK = 32
BYTES_OF_32 = {
    "f32": 128,
    "f16": 64,
    "bf16": 64,
    "q8_0": 34,
    "q5_1": 24,
    "q5_0": 22,
    "q4_1": 20,
    "q4_0": 18,
    "iq4_nl": 18,
    "fp8": 32,
}
"""Bytes of 32 cached elements: quantized types carry their scales (`kv_cache_types` in llama.cpp's common/arg.cpp)."""


class CachedLayers(NamedTuple):
    """`layers` layers that each keep `elements` numbers for every token they remember: all, or the last `window`.

    `per_head` is False for latent attention, whose cache tensor parallelism cannot divide.
    """

    layers: int
    elements: int
    window: int | None = None
    per_head: bool = True


@lru_cache(maxsize=4096)
def cached_layers(model: ModelFacts) -> tuple[CachedLayers, ...]:
    """The layers that keep keys and values. Raises `MissingFact` for a layer type or window nobody recorded."""
    if not model.is_decoder:
        return ()
    if model.kind == "encoder-decoder":
        return _decoder_stack(model)
    counted = Counter(one for layer in cache_by_layer(model) for one in layer)
    return tuple(one._replace(layers=layers) for one, layers in counted.items())


@lru_cache(maxsize=4096)
def cache_by_layer(model: ModelFacts) -> tuple[tuple[CachedLayers, ...], ...]:
    """What each layer of a decoder keeps, in the order of the layers; nothing where it is empty. Raises `MissingFact`."""
    own = _caching_until(model)
    kept: list[tuple[CachedLayers, ...]] = [()] * model.num_hidden_layers
    for group, layers in placed_groups(model):
        for layer in layers:
            if layer < own:
                kept[layer] = _one_layer(model, group, layer)
    return tuple(kept)


def _decoder_stack(model: ModelFacts) -> tuple[CachedLayers, ...]:
    """Self-attention and cross-attention of each decoder layer; the latter remembers the encoder's input."""
    layers = model.num_decoder_layers or model.num_hidden_layers
    elements = 2 * model.num_key_value_heads * model.head_dim
    return (CachedLayers(layers, elements), CachedLayers(layers, elements))


def _one_layer(model: ModelFacts, group: LayerGroupFacts, layer: int) -> tuple[CachedLayers, ...]:
    if group.type in (*RECURRENT_LAYERS, "feed_forward", "cross_attention"):
        return ()  # cross attention remembers a picture, not the text
    if model.compressed:
        return _compressed(model, model.compressed, group)
    if group.type not in CACHING_LAYERS:
        raise MissingFact("layer-type-not-modelled", f"what {group.type.replace('_', ' ')} keeps per token is not modelled yet")
    limited = group.type in ("sliding_attention", "chunked_attention")
    if limited and not group.sliding_window:
        raise MissingFact(
            "sliding-window-missing",
            f"the window of the {group.type.split('_')[0]} layers of {model.name} is not recorded",
        )
    window = group.sliding_window if limited else None
    if model.latent:
        return (_latent(model.latent, layer, window),)
    heads, head_dim = group.num_key_value_heads or model.num_key_value_heads, group.head_dim or model.head_dim
    if not heads or not head_dim:
        raise MissingFact("attention-missing", f"the key/value heads or the head size of {model.name} are not recorded")
    index = model.sparse.index_head_dim if model.sparse and group.type == "sparse_attention" else 0
    return (CachedLayers(1, heads * (head_dim + (model.value_head_dim or head_dim)) + index, window),)


def _latent(latent: LatentFacts, layer: int, window: int | None) -> CachedLayers:
    """The compressed vector, and one more key where the layer has an indexer of its own (DeepSeek V3.2, GLM-5.2)."""
    has_index = not latent.index_layers or layer in latent.index_layers
    index = (latent.index_head_dim or 0) if has_index else 0
    return CachedLayers(1, latent.kv_lora_rank + latent.qk_rope_head_dim + index, window, per_head=False)


def _compressed(model: ModelFacts, ranks: CompressedFacts, group: LayerGroupFacts) -> tuple[CachedLayers, ...]:
    """DeepSeek V4: one vector for key and value, for each of the last tokens and for each block of earlier ones.

    Layers with an indexer keep its compressed keys too (`DeepseekV4HCACache` and `DeepseekV4CSACache` in
    https://github.com/huggingface/transformers/blob/v5.24.0/src/transformers/models/deepseek_v4/modeling_deepseek_v4.py;
    llama.cpp's llama-kv-cache-dsv4.cpp holds the same rows).
    """
    last = CachedLayers(1, model.head_dim, group.sliding_window, per_head=False)
    if group.type == "compressed_sparse_attention":
        return last, CachedLayers(1, (model.head_dim + ranks.index_head_dim) // ranks.sparse_ratio, per_head=False)
    if group.type == "heavily_compressed_attention":
        return last, CachedLayers(1, model.head_dim // ranks.heavy_ratio, per_head=False)
    return (last,)


def _caching_until(model: ModelFacts) -> int:
    """The first layer that reuses the cache of an earlier one, as all after it do (Gemma 3n); the layer after the last if none."""
    if model.kv_shared_layers and not model.layer_types:
        raise MissingFact(
            "layer-order-missing",
            f"the order of the layers of {model.name} is not recorded, and its last ones share a cache",
        )
    return model.num_hidden_layers - model.kv_shared_layers


def elements_bytes(elements: int, cache_type: str) -> int:
    """Bytes of one token's elements in one layer."""
    return -(-elements * BYTES_OF_32[cache_type] // BLOCK)


def cache_bytes(model: ModelFacts, cache_type: str, remembered: Callable[[CachedLayers], int]) -> int:
    """Bytes of one sequence; `remembered` says how many tokens a layer has room for."""
    return sum(group.layers * remembered(group) * elements_bytes(group.elements, cache_type) for group in cached_layers(model))

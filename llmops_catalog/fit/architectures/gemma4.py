"""Gemma 4: two kinds of attention with different heads, experts beside a dense feed forward, embeddings for each layer.

Read in https://github.com/huggingface/transformers/tree/main/src/transformers/models/gemma4 and checked by counting.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from llmops_catalog.fit.architectures import layers as parts
from llmops_catalog.fit.architectures.families import LLAMA
from llmops_catalog.fit.facts import LayerGroupFacts, ModelFacts
from llmops_catalog.fit.tensors import Tensor, vector

TRAITS = LLAMA._replace(norms=4, qk_norm="head")
EXTRA_NORMS_WITH_EXPERTS = 4
"""Three norms around the experts, and the router's own scale of the residual stream."""


def gemma4(model: ModelFacts, keys_are_values: bool, double_wide: bool) -> Iterator[Tensor]:
    """`keys_are_values`: full-attention layers have no value projection (attention_k_eq_v, in the larger models).

    `double_wide`: layers that reuse an earlier cache have a feed forward of twice the size (use_double_wide_mlp).
    """
    yield from parts.around(model, TRAITS)
    yield from per_layer_inputs(model)
    reusing_from = model.num_hidden_layers - model.kv_shared_layers
    for group, layers in parts.placed_groups(model):
        own = [index for index in layers if index < reusing_from]
        reusing = [index for index in layers if index >= reusing_from]
        yield from parts.norms(model, TRAITS, layers)
        yield from _attention(model, group, own, reusing, keys_are_values and group.type == "full_attention")
        yield from _feed_forward(model, group, own, 1)
        yield from _feed_forward(model, group, reusing, 2 if double_wide else 1)


def _attention(
    model: ModelFacts, group: LayerGroupFacts, own: Sequence[int], reusing: Sequence[int], keys_are_values: bool
) -> Iterator[Tensor]:
    """Layers that reuse a cache project queries only."""
    for tensor in parts.attention(model, TRAITS, group, own):
        if not (tensor.role == "attn_v" and keys_are_values):
            yield tensor
    yield from parts.queries_only(model, TRAITS, group, reusing)


def _feed_forward(model: ModelFacts, group: LayerGroupFacts, layers: Sequence[int], times: int) -> Iterator[Tensor]:
    size = times * (group.intermediate_size or model.intermediate_size or 0)
    yield from parts.feed_forward(model.hidden_size, size, TRAITS, layers)
    if model.experts:
        yield from parts.mixture(model, TRAITS, layers)
        yield vector(EXTRA_NORMS_WITH_EXPERTS * model.hidden_size + model.experts.count, layers)


def per_layer_inputs(model: ModelFacts) -> Iterator[Tensor]:
    """The second embedding table of Gemma 3n and the E models: a small vector per token and layer, gated into the stream."""
    width = model.per_layer_embedding_size
    if not width:
        return
    layers, hidden = range(model.num_hidden_layers), model.hidden_size
    yield Tensor("per_layer_token_embd", model.per_layer_embedding_rows or model.vocab_size, len(layers) * width)
    yield Tensor("half", len(layers) * width, hidden)
    yield vector(width)
    yield Tensor("linear", width, hidden, layers)
    yield Tensor("linear", hidden, width, layers)
    yield vector(hidden, layers)

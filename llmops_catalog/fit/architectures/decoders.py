"""Plain decoders: the same two halves in every layer, told apart by the traits of their family."""

from __future__ import annotations

from collections.abc import Iterator

from llmops_catalog.fit.architectures import layers as parts
from llmops_catalog.fit.architectures.families import Traits
from llmops_catalog.fit.facts import ModelFacts
from llmops_catalog.fit.tensors import Tensor


def decoder(model: ModelFacts, traits: Traits) -> Iterator[Tensor]:
    """A stack of attention and feed forward, or experts, built as the family's traits say."""
    yield from parts.around(model, traits)
    for group, layers in parts.placed_groups(model):
        yield from parts.norms(model, traits, layers)
        if model.latent:
            yield from parts.latent_attention(model, model.latent, layers)
        else:
            yield from parts.attention(model, traits, group, layers)
        if group.type == "cross_attention":  # Llama 3.2 Vision: norms of queries and keys, a gate on each half
            yield Tensor("vector", 1, 2 * model.head_dim + 2, layers)
        if traits.layer_scalars:
            yield Tensor("vector", 1, traits.layer_scalars, layers)
        yield from parts.feed_forwards(model, traits, layers, group.intermediate_size or model.intermediate_size)

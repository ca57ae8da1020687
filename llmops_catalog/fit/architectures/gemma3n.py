"""Gemma 3n: four copies of the stream (AltUp), a low-rank path beside attention (Laurel), embeddings for each layer.

Read in https://github.com/huggingface/transformers/tree/main/src/transformers/models/gemma3n and checked by counting.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from llmops_catalog.fit.architectures import layers as parts
from llmops_catalog.fit.architectures.families import LLAMA
from llmops_catalog.fit.architectures.gemma4 import per_layer_inputs
from llmops_catalog.fit.facts import LayerGroupFacts, ModelFacts
from llmops_catalog.fit.tensors import Tensor, vector

TRAITS = LLAMA._replace(norms=4, qk_norm="head")
STREAMS = 4
"""altup_num_inputs of both published sizes."""
LAUREL_RANK = 64
"""laurel_rank of both published sizes."""


def gemma3n(model: ModelFacts) -> Iterator[Tensor]:
    """The last `kv_shared_layers` layers project queries only; llama.cpp keeps AltUp and Laurel in 32 bit."""
    hidden, every = model.hidden_size, range(model.num_hidden_layers)
    yield from parts.around(model, TRAITS)
    yield from per_layer_inputs(model)
    yield Tensor("kept", hidden, hidden, copies=2 * (STREAMS - 1))
    for group, layers in parts.placed_groups(model):
        yield from parts.norms(model, TRAITS, layers)
        yield from _attention(model, group, layers)
        yield from parts.feed_forward(hidden, group.intermediate_size or model.intermediate_size or 0, TRAITS, layers)
    yield Tensor("kept", STREAMS, STREAMS, every)
    yield Tensor("kept", STREAMS * STREAMS, STREAMS, every)
    yield Tensor("kept", STREAMS, hidden, every)
    yield vector(2 * hidden, every)
    yield Tensor("kept", LAUREL_RANK, hidden, every)
    yield Tensor("kept", hidden, LAUREL_RANK, every)
    yield vector(hidden, every)


def _attention(model: ModelFacts, group: LayerGroupFacts, layers: Sequence[int]) -> Iterator[Tensor]:
    reusing_from = model.num_hidden_layers - model.kv_shared_layers
    reusing = [index for index in layers if index >= reusing_from]
    yield from parts.attention(model, TRAITS, group, [index for index in layers if index < reusing_from])
    yield from parts.queries_only(model, TRAITS, group, reusing)

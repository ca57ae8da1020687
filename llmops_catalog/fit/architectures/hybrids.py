"""Models that mix attention with recurrent layers, and state-space models without any attention."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from llmops_catalog.fit.architectures import layers as parts
from llmops_catalog.fit.architectures.families import LAYER_NORM, LLAMA, Traits
from llmops_catalog.fit.architectures.recurrent import output_gate, recurrent_layer
from llmops_catalog.fit.facts import RECURRENT_LAYERS, LayerGroupFacts, ModelFacts
from llmops_catalog.fit.sizes import padded
from llmops_catalog.fit.tensors import Tensor, vector


class HybridTraits(NamedTuple):
    """How a hybrid arranges its layers."""

    traits: Traits = LLAMA
    gated_queries: bool = False
    """The query projection also yields a gate of the same size."""
    norms_of_recurrent: int = 2
    feed_forward_after_recurrent: bool = True
    separate_feed_forward: bool = False
    """Feed forwards are layers of their own (Nemotron-H): every layer has one norm and one part."""
    adjusted: bool = False
    """The feed forward is two thirds of the recorded size, rounded up to 256 (block_auto_adjust_ff_dim of LFM2)."""
    residual_attention: bool = False
    """Each half of a layer, and the output, attends to earlier residuals: a norm and a score of one row (Kimi K3)."""
    inner_norms: bool = False
    """Norms on the time step, B and C of Mamba (Jamba)."""


HYBRIDS: dict[str, HybridTraits] = {
    "qwen3_next": HybridTraits(LLAMA._replace(qk_norm="head", shared_gate=True), gated_queries=True),
    "qwen3_5": HybridTraits(LLAMA._replace(qk_norm="head"), gated_queries=True),
    "qwen3_5_moe": HybridTraits(LLAMA._replace(qk_norm="head", shared_gate=True), gated_queries=True),
    "granitemoehybrid": HybridTraits(),
    "lfm2": HybridTraits(LLAMA._replace(qk_norm="head"), adjusted=True),
    "nemotron_h": HybridTraits(LLAMA._replace(norms=1, gated=False), separate_feed_forward=True),
    "mamba": HybridTraits(norms_of_recurrent=1, feed_forward_after_recurrent=False),
    "falcon_mamba": HybridTraits(norms_of_recurrent=1, feed_forward_after_recurrent=False),
    "rwkv": HybridTraits(LAYER_NORM._replace(embedding_norm=True), feed_forward_after_recurrent=False),
    "jamba": HybridTraits(inner_norms=True),
    "kimi_linear": HybridTraits(),
    "kimi_k3": HybridTraits(LLAMA._replace(attention_gate="full", latent_norm=True), residual_attention=True),
}


def hybrid(model: ModelFacts, how: HybridTraits) -> Iterator[Tensor]:
    """All tensors of a hybrid or state-space model; raises `LookupError` for a recurrence that is not described."""
    yield from parts.around(model, how.traits)
    if how.residual_attention:
        yield vector(2 * model.hidden_size, range(model.num_hidden_layers), 2)
        yield vector(2 * model.hidden_size)
    for group, layers in parts.placed_groups(model):
        if group.type == "feed_forward":
            yield from parts.norms(model, how.traits, layers, 1)
            yield from _feed_forward(model, how, group, layers)
            continue
        recurrent = group.type in RECURRENT_LAYERS
        yield from parts.norms(model, how.traits, layers, _norms(how, recurrent))
        yield from _recurrence(model, how, layers) if recurrent else _attention(model, how, group, layers)
        if not how.separate_feed_forward and (not recurrent or how.feed_forward_after_recurrent):
            yield from _feed_forward(model, how, group, layers)


def _norms(how: HybridTraits, recurrent: bool) -> int:
    if how.separate_feed_forward:
        return 1
    return how.norms_of_recurrent if recurrent else how.traits.norms


def _attention(model: ModelFacts, how: HybridTraits, group: LayerGroupFacts, layers: Sequence[int]) -> Iterator[Tensor]:
    if model.latent:
        yield from parts.latent_attention(model, model.latent, layers, gated=bool(how.traits.attention_gate))
        return
    for tensor in parts.attention(model, how.traits, group, layers):
        twice = how.gated_queries and tensor.role == "attn_q"
        yield tensor._replace(rows=2 * tensor.rows) if twice else tensor


def _recurrence(model: ModelFacts, how: HybridTraits, layers: Sequence[int]) -> Iterator[Tensor]:
    tensors = recurrent_layer(model, model.state, layers) if model.state else None
    if tensors is None or model.state is None:
        raise LookupError(model.model_type)
    yield from tensors
    if model.state.kind == "kimi-delta":
        yield from output_gate(model, model.state, layers, full_rank=bool(how.traits.attention_gate))
    if how.inner_norms:
        yield vector(-(-model.hidden_size // 16) + 2 * (model.state.state_size or 0), layers)


def _feed_forward(model: ModelFacts, how: HybridTraits, group: LayerGroupFacts, layers: Sequence[int]) -> Iterator[Tensor]:
    size = group.intermediate_size or model.intermediate_size
    if size and how.adjusted:
        size = padded(2 * size // 3, 256)
    yield from parts.feed_forwards(model, how.traits, layers, size)

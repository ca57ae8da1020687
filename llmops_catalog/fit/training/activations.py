"""Activations autograd keeps for one token of one layer, in bytes: what each operation saves for its backward pass.

Read in the modelling files of transformers and checked by counting live storages of a training step
(`benchmarks/count_training_memory.py`). Attention is FlashAttention: it keeps its inputs, its output and one number per head.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from llmops_catalog.fit.architectures.layers import placed_groups
from llmops_catalog.fit.facts import RECURRENT_LAYERS, LayerGroupFacts, ModelFacts
from llmops_catalog.fit.training.modes import (
    CLAMPED,
    COMPOSED_GELU,
    RELU,
    Mode,
    adapts_dense,
    adapts_experts,
    dense_width,
    drops_out,
    feeds_forward,
    gates_attention,
    norm_style,
    norms_of,
    traits_of,
)

LOG_SUM = 4
"""FlashAttention keeps the logarithm of the sum of each head in 32 bit."""
STATISTICS = 4
"""A norm keeps one 32-bit number for each token."""
DROPOUT_MASKS = 2
"""Two dropouts in a layer, whose masks take one byte for each value."""
RECURRENT_WIDTHS = 6
"""Values kept for each inner number of a short convolution: three of its projection, its output, and two products."""
DELTA_CHUNK = 64
"""Tokens of a chunk of a delta net, whose products with each other are kept for each head."""


class Layers(NamedTuple):
    """`count` layers that are alike, in bytes for each token.

    `saved` is what a layer keeps where nothing is recomputed, `working` what backward has besides at its peak in one such
    layer. `merged` bytes are kept whatever the tokens: weights of experts with their adapters added (gate, up and down,
    whose gradients come one third at a time). `squared` bytes are for each token and each token of its sequence.
    """

    count: int  # type: ignore[assignment]  # nobody counts in this tuple
    saved: int
    working: int
    merged: int = 0
    squared: int = 0


@lru_cache(maxsize=1024)
def layers_of(model: ModelFacts, mode: Mode) -> tuple[Layers, ...]:
    """Every kind of layer the model has."""
    return tuple(_layers(model, mode))


def _layers(model: ModelFacts, mode: Mode) -> Iterator[Layers]:
    for group, places in placed_groups(model):
        sparse = sum(1 for index in places if model.experts and model.experts.has_layer(index))
        for number, routed in ((len(places) - sparse, False), (sparse, True)):
            if number:
                yield _layer(model, mode, group, number, routed)
    if model.kind == "encoder-decoder":
        one = _layer(model, mode, model.layer_groups[0], 1, False)
        crossed = one.saved + attention_bytes(model, mode, model.layer_groups[0]) + norm_bytes(model, mode, model.hidden_size)
        number = model.num_decoder_layers or model.num_hidden_layers
        yield one._replace(count=number, saved=crossed, squared=2 * one.squared)


def _layer(model: ModelFacts, mode: Mode, group: LayerGroupFacts, number: int, routed: bool) -> Layers:
    """Layers of one kind: norms, what mixes tokens (attention or recurrence), and a feed forward, dense or of experts."""
    hidden, recurrent, norms = model.hidden_size, group.type in RECURRENT_LAYERS, norms_of(model, group)
    mixes, feeds = group.type != "feed_forward", feeds_forward(model, group)
    saved = norms * norm_bytes(model, mode, hidden) + input_bytes(model, mode, mixes, feeds, norms, recurrent)
    if mixes:
        saved += recurrence_bytes(model, mode) if recurrent else attention_bytes(model, mode, group)
    width = (_shared_width(model) if routed else dense_width(model, group)) if feeds else 0
    saved += feed_forward_bytes(model, mode, width)
    widest = width
    if routed and model.experts:
        saved += routed_bytes(model, mode)
        widest += model.experts.used_per_token * model.experts.intermediate_size
    if drops_out(model):
        saved += DROPOUT_MASKS * hidden
    squared = model.num_attention_heads * score_bytes(model, mode) if mixes and not recurrent and mode.eager else 0
    return Layers(number, saved, _working(model, mode, widest), _merged(model, mode) if routed else 0, squared)


def score_bytes(model: ModelFacts, mode: Mode) -> int:
    """An attention score that is written out: its softmax in 32 bit and in that of the product, and what is dropped of it."""
    dropped = 1 + 4 if drops_out(model) else 0
    return 4 + (2 if mode.compute == 2 else 0) + dropped


def _shared_width(model: ModelFacts) -> int:
    """Width of the experts every token uses, together."""
    experts = model.experts
    if experts is None:
        return 0
    number = experts.shared_count or (1 if traits_of(model).always_shared else 0)
    return experts.shared_intermediate_size or number * experts.intermediate_size


def norm_bytes(model: ModelFacts, mode: Mode, width: int) -> int:
    """A norm over `width` values keeps its input in 32 bit, and where its weight is trained the normalized values."""
    trained = {"rms": mode.stream, "upcast": 4, "layer": 0}[norm_style(model)] if mode.trains_all else 0
    return (4 + trained) * width + STATISTICS


def input_bytes(model: ModelFacts, mode: Mode, mixes: bool, feeds: bool, norms: int, recurrent: bool = False) -> int:
    """Inputs of the matrices that read a norm's output: shared, or one 16-bit copy for each reader where it is cast."""
    hidden, traits = model.hidden_size, traits_of(model)
    of_attention = (1 if traits.fused_qkv or recurrent else 2 if model.latent else 3) if mixes else 0
    of_feed_forward = (2 if traits.gated and not traits.fused_gate and not model.experts else 1) if feeds else 0
    outputs = 1 if norms == 1 else 2
    if mode.trains_all:
        if mode.casts or (norm_style(model) == "layer" and mode.compute == 2):
            return 2 * hidden * (of_attention + of_feed_forward)
        return mode.compute * hidden * outputs
    adapted = min(of_attention, 2) if mode.targets == "query-value" else of_attention
    adapted += of_feed_forward if adapts_dense(model, mode) and not model.experts else 0
    adapters = 2 * mode.rank * adapted
    return adapters + (4 * hidden * min(outputs, adapted) if mode.compute == 4 else 2 * hidden * adapted)


def attention_bytes(model: ModelFacts, mode: Mode, group: LayerGroupFacts) -> int:
    """Queries, keys and values as the kernel takes them, its output, and the norms and projections on the way."""
    if not model.num_attention_heads:
        return 0
    octets, traits, heads = mode.compute, traits_of(model), group.num_attention_heads or model.num_attention_heads
    copy = 2 * heads if mode.compute == 2 and mode.stream == 2 and mode.adapts("attention") else 0
    if model.latent:
        latent = model.latent
        query = latent.qk_nope_head_dim + latent.qk_rope_head_dim
        unpacked = latent.qk_nope_head_dim + latent.v_head_dim
        kept = octets * heads * (2 * query + unpacked + latent.v_head_dim) + copy * latent.v_head_dim + LOG_SUM * heads
        return kept + norm_bytes(model, mode, latent.kv_lora_rank) + norm_bytes(model, mode, latent.q_lora_rank or 0)
    head_dim = group.head_dim or model.head_dim
    queries, keys = heads * head_dim, (group.num_key_value_heads or model.num_key_value_heads) * head_dim
    kept = octets * 2 * (queries + keys) + copy * head_dim + LOG_SUM * heads + 2 * mode.rank * mode.adapts("attention")
    if traits.fused_qkv and traits.positions is None and not mode.upcast:
        kept += octets * (queries + keys)  # values are a view that keeps all of the fused projection alive
    if gates_attention(model):
        kept += 3 * octets * queries  # the gate, its sigmoid and the product
    if traits.qk_norm:
        kept += norm_bytes(model, mode._replace(stream=mode.compute), queries + keys)
    return kept


def feed_forward_bytes(model: ModelFacts, mode: Mode, width: int) -> int:
    """A dense block of `width`: projections, activation, product; the input of the last matrix where that one is trained."""
    if not width:
        return 0
    traits, octets = traits_of(model), 4 if mode.upcast else mode.compute
    before = (3 if traits.gated else 1) * octets
    if model.model_type in COMPOSED_GELU:
        before = (14 if mode.compute == 2 else 16) + (2 * octets if traits.gated else 0)
    if model.model_type in RELU:
        before = 0 if mode.trains_all else octets
    last = mode.compute if mode.trains_all or adapts_dense(model, mode) else 0
    return width * (before + last) + 2 * mode.rank * adapts_dense(model, mode)


def routed_bytes(model: ModelFacts, mode: Mode) -> int:
    """Tokens sorted by expert, computed in one grouped product, and put back; each expert a token uses counts.

    https://github.com/huggingface/transformers/blob/main/src/transformers/integrations/moe.py
    """
    experts = model.experts
    if experts is None:
        return 0
    gated = 3 if traits_of(model).gated else 1
    clamped = 3 if model.model_type in CLAMPED else 0  # clamp, sigmoid and sum of gpt-oss' own activation
    trained = mode.trains_all or adapts_experts(model, mode)
    inner, outer = experts.intermediate_size * (gated + clamped + (1 if trained else 0)), experts.latent_size or model.hidden_size
    inputs = 2 if trained else 1
    return mode.compute * experts.used_per_token * (inner + inputs * outer) + 8 * experts.count


def recurrence_bytes(model: ModelFacts, mode: Mode) -> int:
    """Layers that remember in a state: what their projections, convolution, kernel and gate keep.

    A short convolution was counted; of delta nets and Mamba it is what their fused kernels save
    (https://github.com/fla-org/flash-linear-attention, https://github.com/state-spaces/mamba).
    """
    state = model.state
    if state is None:
        return mode.compute * RECURRENT_WIDTHS * model.hidden_size
    values = (state.num_value_heads or 0) * (state.value_head_dim or 0)
    keys = (state.num_key_heads or 0) * (state.key_head_dim or 0)
    copy = 2 * (values or state.inner_size or model.hidden_size) if mode.stream == 2 and mode.adapts("feed-forward") else 0
    if keys:
        return mode.compute * (6 * keys + 7 * values + DELTA_CHUNK * (state.num_value_heads or 0)) + copy
    return mode.compute * RECURRENT_WIDTHS * (state.inner_size or values or model.hidden_size) + copy


def _merged(model: ModelFacts, mode: Mode) -> int:
    """Adapters on experts are added to a 16-bit copy of all of a layer's experts (`ParamWrapper`, peft/tuners/lora/layer.py).

    The adapters themselves stand beside it in 16 bit, the narrow half of them twice.
    """
    experts = model.experts
    if experts is None or not adapts_experts(model, mode):
        return 0
    inner, outer = experts.intermediate_size, experts.latent_size or model.hidden_size
    return experts.count * (mode.compute * 3 * inner * outer + 3 * mode.rank * (5 * inner + 3 * outer))


def _working(model: ModelFacts, mode: Mode, width: int) -> int:
    """What the backward pass of a layer has at its peak beyond what is kept: gradients of feed forward and stream.

    With adapters the peak is where the product of the feed forward is turned into 32 bit for its adapter.
    """
    hidden = model.hidden_size
    if mode.trains_all:
        return 2 * mode.compute * width + (2 * hidden if mode.stream == 2 else 0)
    if mode.stream == 4:
        return 8 * width + 4 * hidden
    return 6 * width + 10 * hidden if mode.adapts("feed-forward") else 4 * width + 10 * hidden

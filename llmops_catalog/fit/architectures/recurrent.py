"""Layers that remember in a state of fixed size: gated delta nets, Mamba, Mamba 2, short convolutions, RWKV 4."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from llmops_catalog.fit.facts import ModelFacts, StateFacts
from llmops_catalog.fit.tensors import Tensor, vector

Layers = Sequence[int]


def recurrent_layer(model: ModelFacts, state: StateFacts, layers: Layers) -> Iterator[Tensor] | None:
    """Tensors of the layers' recurrence, without norms over the residual stream; None for a kind not described."""
    describe = {
        "gated-delta-net": gated_delta_net, "kimi-delta": kimi_delta, "mamba": mamba, "mamba2": mamba2,
        "short-convolution": short_convolution, "rwkv": rwkv,
    }.get(state.kind)  # fmt: skip
    return describe(model, state, layers) if describe else None


def gated_delta_net(model: ModelFacts, state: StateFacts, layers: Layers) -> Iterator[Tensor]:
    """Qwen3-Next and Qwen3.5: one projection to queries, keys, values and gate, one to the two rates of each head."""
    keys = (state.num_key_heads or 0) * (state.key_head_dim or 0)
    heads = state.num_value_heads or 0
    values = heads * (state.value_head_dim or 0)
    yield Tensor("attn_qkv", 2 * keys + values, model.hidden_size, layers)
    yield Tensor("attn_gate", values, model.hidden_size, layers)
    yield Tensor("linear", 2 * heads, model.hidden_size, layers)
    yield Tensor("kept", 2 * keys + values, state.conv_kernel or 0, layers)
    yield vector(2 * heads + (state.value_head_dim or 0), layers)
    yield Tensor("linear", model.hidden_size, values, layers)


def kimi_delta(model: ModelFacts, state: StateFacts, layers: Layers) -> Iterator[Tensor]:
    """Kimi Delta Attention (arXiv:2510.26692): a rate of forgetting for every channel, through a rank of one head."""
    heads, head_dim, hidden = state.num_value_heads or 0, state.value_head_dim or 0, model.hidden_size
    inner = heads * head_dim
    for role in ("attn_q", "attn_k", "attn_v"):
        yield Tensor(role, inner, hidden, layers)
    yield Tensor("kept", inner, state.conv_kernel or 0, layers, 3)
    yield Tensor("linear", head_dim, hidden, layers)
    yield Tensor("linear", inner, head_dim, layers)
    yield Tensor("linear", heads, hidden, layers)
    yield vector(inner + heads + head_dim, layers)
    yield Tensor("attn_output", hidden, inner, layers)


def output_gate(model: ModelFacts, state: StateFacts, layers: Layers, full_rank: bool) -> Iterator[Tensor]:
    """The gate on what a Kimi Delta layer returns: through a rank of one head, or one matrix (Kimi K3)."""
    head_dim, hidden = state.value_head_dim or 0, model.hidden_size
    inner = (state.num_value_heads or 0) * head_dim
    if full_rank:
        yield Tensor("linear", inner, hidden, layers)
        return
    yield Tensor("linear", head_dim, hidden, layers)
    yield Tensor("linear", inner, head_dim, layers)


def mamba(model: ModelFacts, state: StateFacts, layers: Layers) -> Iterator[Tensor]:
    """arXiv:2312.00752; the rank of the time step is hidden_size / 16, rounded up."""
    inner, size, hidden = state.inner_size or 0, state.state_size or 0, model.hidden_size
    rank = -(-hidden // 16)
    yield Tensor("linear", 2 * inner, hidden, layers)
    yield Tensor("kept", inner, state.conv_kernel or 0, layers)
    yield Tensor("linear", rank + 2 * size, inner, layers)
    yield Tensor("linear", inner, rank, layers)
    yield Tensor("kept", inner, size, layers)
    yield vector(3 * inner, layers)
    yield Tensor("linear", hidden, inner, layers)


def mamba2(model: ModelFacts, state: StateFacts, layers: Layers) -> Iterator[Tensor]:
    """arXiv:2405.21060, with the convolution's bias."""
    inner, heads = state.inner_size or 0, state.num_value_heads or 0
    shared = 2 * (state.num_groups or 0) * (state.state_size or 0)
    yield Tensor("linear", 2 * inner + shared + heads, model.hidden_size, layers)
    yield Tensor("kept", inner + shared, state.conv_kernel or 0, layers)
    yield vector(inner + shared + 3 * heads + inner, layers)
    yield Tensor("linear", model.hidden_size, inner, layers)


def short_convolution(model: ModelFacts, state: StateFacts, layers: Layers) -> Iterator[Tensor]:
    """LFM2: a gated convolution over three tokens."""
    hidden = model.hidden_size
    yield Tensor("linear", 3 * hidden, hidden, layers)
    yield Tensor("kept", hidden, state.conv_kernel or 0, layers)
    yield Tensor("linear", hidden, hidden, layers)


def rwkv(model: ModelFacts, state: StateFacts, layers: Layers) -> Iterator[Tensor]:
    """RWKV 4 (arXiv:2305.13048): time mixing and channel mixing, which replaces the feed forward."""
    hidden, inner, size = model.hidden_size, state.inner_size or model.hidden_size, model.intermediate_size or 0
    yield Tensor("linear", inner, hidden, layers, 3)
    yield Tensor("linear", hidden, inner, layers)
    yield vector(2 * inner + 3 * hidden, layers)
    yield Tensor("ffn_up", size, hidden, layers)
    yield Tensor("ffn_down", hidden, size, layers)
    yield Tensor("linear", hidden, hidden, layers)
    yield vector(2 * hidden, layers)

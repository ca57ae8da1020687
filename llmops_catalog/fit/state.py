"""Bytes that layers without a key/value cache keep per sequence, however long it is."""

from __future__ import annotations

from functools import lru_cache

from llmops_catalog.fit.assumptions import MissingFact
from llmops_catalog.fit.facts import RECURRENT_LAYERS, ModelFacts, StateFacts

STATE_BYTES = 4
"""llama.cpp keeps the recurrent state in fp32, and so do transformers and vLLM for the models of this kind."""


@lru_cache(maxsize=4096)
def state_elements(model: ModelFacts) -> tuple[int, int]:
    """Numbers kept per sequence by all recurrent layers: (recurrent state, inputs of the short convolution).

    Raises `MissingFact` where the model has such layers and a size is not recorded.
    """
    layers = sum(group.layers for group in model.layer_groups if group.type in RECURRENT_LAYERS)
    if not layers:
        return 0, 0
    if model.state is None:
        raise MissingFact("recurrent-state-missing", f"the size of the recurrent state of {model.name} is not recorded")
    state, convolution = _of_one_layer(model, model.state)
    return layers * state, layers * convolution


def state_bytes(model: ModelFacts, convolution_bytes: int) -> int:
    """Bytes of one sequence; `convolution_bytes` is the size of a convolution input in this runtime."""
    state, convolution = state_elements(model)
    return state * STATE_BYTES + convolution * convolution_bytes


def _of_one_layer(model: ModelFacts, state: StateFacts) -> tuple[int, int]:
    """State and convolution inputs of one layer, by the kind of recurrence."""
    if state.kind == "gated-delta-net":  # arXiv:2412.06464, as in Qwen3-Next
        keys = _size(state, "num_key_heads") * _size(state, "key_head_dim")
        values = _size(state, "num_value_heads") * _size(state, "value_head_dim")
        return values * _size(state, "key_head_dim"), (2 * keys + values) * (_size(state, "conv_kernel") - 1)
    if state.kind == "kimi-delta":  # arXiv:2510.26692: one decay per channel, three short convolutions
        width = _size(state, "num_value_heads") * _size(state, "value_head_dim")
        return width * _size(state, "key_head_dim"), 3 * width * (_size(state, "conv_kernel") - 1)
    if state.kind == "mamba":  # arXiv:2312.00752
        inner = _size(state, "inner_size")
        return inner * _size(state, "state_size"), inner * (_size(state, "conv_kernel") - 1)
    if state.kind == "mamba2":  # arXiv:2405.21060
        inner, size = _size(state, "inner_size"), _size(state, "state_size")
        return inner * size, (inner + 2 * _size(state, "num_groups") * size) * (_size(state, "conv_kernel") - 1)
    if state.kind == "short-convolution":  # LFM2
        return 0, model.hidden_size * (_size(state, "conv_kernel") - 1)
    if state.kind == "rwkv":  # arXiv:2305.13048: two token shifts, and numerator, denominator, maximum
        return 5 * model.hidden_size, 0
    if state.kind == "wkv":  # arXiv:2404.05892: RWKV 5 to 7 keep a matrix for each head, and the tokens before
        return model.hidden_size * _size(state, "value_head_dim"), model.hidden_size * (_size(state, "conv_kernel") - 1)
    raise MissingFact("recurrence-not-modelled", f"what {state.kind} keeps per sequence is not modelled yet")


def _size(state: StateFacts, field: str) -> int:
    value: int | None = getattr(state, field)
    if value is None:
        raise MissingFact("recurrent-state-missing", f"recurrent_state.{field} is not recorded")
    return value

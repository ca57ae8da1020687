"""What recurrent layers compute in llama.cpp, operation by operation, as far as the compute buffer shows it.

Read in https://github.com/ggml-org/llama.cpp/tree/master/src/models: delta-net-base.cpp, mamba-base.cpp, lfm2.cpp.
"""

from __future__ import annotations

from llmops_catalog.fit.facts import StateFacts
from llmops_catalog.fit.runtimes.llama_graph import Cells, Walk


def recurrence(walk_: Walk, normed: int) -> int:
    """What a recurrent layer returns per token, before its output projection."""
    state = walk_.model.state
    if state is None or state.kind not in ("gated-delta-net", "kimi-delta", "mamba", "mamba2", "short-convolution"):
        return normed
    if state.kind in ("gated-delta-net", "kimi-delta"):
        return _delta_net(walk_, normed, state)
    if state.kind == "short-convolution":
        return _short_convolution(walk_, normed)
    return _state_space(walk_, normed, state)


def _delta_net(walk_: Walk, normed: int, state: StateFacts) -> int:
    """Gated delta net: convolution over queries, keys and values, the recurrence, a gate on what it returns."""
    tape = walk_.tape
    heads = state.num_value_heads or 0
    values = heads * (state.value_head_dim or 0)
    key_heads = state.num_key_heads or heads
    keys = key_heads * (state.key_head_dim or state.value_head_dim or 0)
    carried = Cells(states=values * (state.key_head_dim or 0))
    mixed = tape.new(2 * keys + values, tape.new(2 * keys + values, normed))
    old = tape.new(0, cells=carried)
    convolved = tape.over(tape.new(2 * keys + values, mixed))
    query = tape.over(tape.new(keys, convolved))
    query = tape.new(values, query) if keys != values else query
    key = tape.over(tape.new(keys, convolved))
    key = tape.new(values, key) if keys != values else key
    result = tape.new(values, query, key, convolved, old, cells=carried)
    result = tape.over(tape.new(values, result))
    return tape.over(result, tape.over(tape.new(values, normed)))


def _short_convolution(walk_: Walk, normed: int) -> int:
    """LFM2: three parts of one projection, the convolution between two products."""
    tape, hidden = walk_.tape, walk_.model.hidden_size
    parts = tape.new(3 * hidden, normed)
    convolved = tape.new(hidden, tape.new(hidden, tape.new(hidden, parts)))
    return tape.over(convolved, parts)


def _state_space(walk_: Walk, normed: int, state: StateFacts) -> int:
    """Mamba and Mamba 2: projection, convolution, scan, gate."""
    tape = walk_.tape
    inner, size = state.inner_size or 0, state.state_size or 0
    second = state.kind == "mamba2"
    width = inner + 2 * (state.num_groups or 1) * size if second else inner
    projected = tape.new(_projection_width(state), normed)
    convolved = tape.over(tape.new(width, tape.new(width, projected)))
    step = tape.new(state.num_value_heads or 0, projected) if second else tape.over(tape.new(inner, convolved))
    scanned = tape.new(inner, convolved, step, cells=Cells(states=inner * size))
    gate = tape.new(inner, projected)
    skipped = tape.new(inner, convolved)
    summed = tape.over(skipped, scanned)
    return tape.new(inner, gate, summed)


def _projection_width(state: StateFacts) -> int:
    """Gate, what is convolved (with B and C in Mamba 2) and time steps."""
    inner = state.inner_size or 0
    if state.kind == "mamba":
        return 2 * inner
    return 2 * inner + 2 * (state.num_groups or 1) * (state.state_size or 0) + (state.num_value_heads or 0)

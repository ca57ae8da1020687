"""What the layers of a model compute in llama.cpp, operation by operation, as far as the compute buffer shows it.

One function per kind of layer, in the order of https://github.com/ggml-org/llama.cpp/blob/master/src/llama-graph.cpp and
https://github.com/ggml-org/llama.cpp/tree/master/src/models. Operations that only look at a result differently (reshape, view,
permute) take no memory and are left out.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from llmops_catalog.fit.architectures.encoders import ENCODERS
from llmops_catalog.fit.architectures.families import FAMILIES
from llmops_catalog.fit.architectures.hybrids import HYBRIDS
from llmops_catalog.fit.facts import RECURRENT_LAYERS, LatentFacts, LayerGroupFacts, ModelFacts, StateFacts
from llmops_catalog.fit.runtimes.llama_graph import Cells, Peak, Tape, walk

BESIDE = ("falcon", "phi", "gptj", "gpt_neox", "cohere", "cohere2")
"""Attention and feed forward read the same residual stream side by side: attention's result waits for the other."""
KEEPS_ITS_NORM = ("phi", "gptj", "cohere", "cohere2")
"""Of those, families with one norm for both."""
FEED_FORWARD_FIRST = ("falcon",)
NORMS_AFTER = ("gemma2", "gemma3", "gemma3_text", "gemma4", "gemma4_unified", "glm4", "olmo2", "olmo3", "exaone4")
"""Families that normalise what attention and feed forward return before they add it."""
NO_NORM_BEFORE = ("olmo2", "olmo3", "exaone4", *ENCODERS)
PLAIN_ENCODERS = tuple(kind for kind in ENCODERS if kind != "nomic_bert")
"""Encoders whose feed forward has no gate."""
LAYER_NORM = ("mpt", "olmo", "cohere", "cohere2", "gpt2", "gpt_bigcode", "gpt_neox", "gptj", "phi", "phimoe", "bloom", "falcon",
              "starcoder2", "stablelm", "nemotron")  # fmt: skip
"""Families that subtract the mean as well: unlike RMSNorm, that operation never writes over its input."""
WEIGHTED_BEFORE = ("llama4",)
"""Experts see the tokens already weighted, one copy per expert."""
HIGHEST_LAST_NORM = 3
"""In hidden states: how high above the start of the buffer the last norm lies at most, the logits above it. Where exactly, the
size of the masks decides; one to three in nine of ten models."""
LAYERS_OF_A_KIND = 2
"""Layers of one kind walked through: the second finds the holes of the first, the third those of the second."""


class Shape(NamedTuple):
    """Ends of the buffer: while layers run, and at the output layer; what feeds the first layer from main memory."""

    layers: tuple[Peak, ...]
    output: float
    inputs: float


class Walk(NamedTuple):
    """A tape, the model on it, and what one micro-batch costs beside its tokens."""

    tape: Tape
    model: ModelFacts
    flash_attention: bool
    unpacks: bool
    sequences_per_token: float


@lru_cache(maxsize=4096)
def graph_shape(
    model: ModelFacts, flash_attention: bool, unpacks: bool, sequences_per_token: float, fed_from_outside: bool = False
) -> Shape:
    """The shape of the model's graph, in 32-bit numbers per token of the micro-batch.

    `unpacks`: the cache is quantized, so that flash attention turns it into 16 bit first. `sequences_per_token`: recurrent
    states a token comes with. `fed_from_outside`: the card's inputs stand outside this buffer (a pipeline keeps copies).
    """
    walk_ = Walk(Tape(), model, flash_attention, unpacks, sequences_per_token)
    tape, hidden = walk_.tape, model.hidden_size
    stream = tape.new(0 if fed_from_outside else hidden)
    if model.per_layer_embedding_size:
        tape.new(model.per_layer_embedding_size * model.num_hidden_layers)
    kinds = _kinds(model)
    masks = {sliding: tape.new(0, cells=_mask(walk_, sliding)) for sliding in {_slides(group) for group, _ in kinds if _attends(group)}}
    for place, (group, sparse) in enumerate(kinds):
        last = place == len(kinds) - 1 and model.is_decoder
        stream = _layer(walk_, stream, group, sparse, masks.get(_slides(group)), last)
    for mask in masks.values():
        tape.read(mask)
    layers = walk(tape.steps)
    if not model.is_decoder:
        return Shape(layers, 0.0, hidden)
    end_norm = tape.over(tape.new(hidden, stream) if model.model_type in LAYER_NORM else tape.over(stream))
    tape.new(model.vocab_size, end_norm)
    end = max((peak.numbers for peak in walk(tape.steps) if peak.cells == Cells()), default=0.0)
    return Shape(layers, min(max(end, model.vocab_size + hidden), model.vocab_size + HIGHEST_LAST_NORM * hidden), hidden)


def boundary_width(model: ModelFacts) -> float:
    """Numbers per token that the next card of a pipeline reads of the last layer before it.

    The residual stream, and its norm, which is computed where the stream is. A state-space layer gates its result only after the
    next layer's state was fetched, so its projection travels.
    """
    state = model.state
    if state and not model.num_attention_heads:
        return 2 * _projection_width(state)
    width = model.hidden_size * (1 if model.model_type in NO_NORM_BEFORE else 2)
    return width + 2 * (model.per_layer_embedding_size or 0) * model.num_hidden_layers


def _kinds(model: ModelFacts) -> list[tuple[LayerGroupFacts, bool]]:
    """The kinds of layers in the order they first come, each as often as it takes to see how they follow one another."""
    order: dict[tuple[LayerGroupFacts, bool], int] = {}
    dense = model.experts.first_dense_layers if model.experts else 0
    place = 0
    groups = {group.type: group for group in model.layer_groups}
    for kind in model.layer_types or [group.type for group in model.layer_groups for _ in range(group.layers)]:
        key = (groups[kind], model.experts is not None and place >= dense)
        order[key] = order.get(key, 0) + 1
        place += 1
    once = list(order)
    return [kind for _ in range(LAYERS_OF_A_KIND) for kind in once] + once[-1:]


def _attends(group: LayerGroupFacts) -> bool:
    return group.type not in RECURRENT_LAYERS and group.type != "feed_forward"


def _slides(group: LayerGroupFacts) -> bool:
    return group.type in ("sliding_attention", "chunked_attention")


def _mask(walk_: Walk, sliding: bool) -> Cells:
    """One 16-bit number per token and cell for flash attention, else 32 bit."""
    size = 0.5 if walk_.flash_attention else 1.0
    return Cells(sliding=size) if sliding else Cells(full=size)


def _layer(walk_: Walk, stream: int, group: LayerGroupFacts, sparse: bool, mask: int | None, last: bool) -> int:
    model, tape = walk_.model, walk_.tape
    if group.type == "feed_forward":
        return tape.over(_feed_forward(walk_, _normed(walk_, stream), group, sparse), stream)
    normed = stream if model.model_type in NO_NORM_BEFORE else _normed(walk_, stream)
    if group.type in RECURRENT_LAYERS:
        part = _recurrence(walk_, normed)
    else:
        part = _attention(walk_, normed, group, mask)
    if model.model_type in BESIDE:
        return _beside(walk_, stream, normed, part, group, sparse)
    part = _projected(walk_, part)
    if last:  # only the tokens asked for go on: of a whole micro-batch, at worst
        part, stream = tape.new(model.hidden_size, part), tape.new(model.hidden_size, stream)
    stream = tape.over(part, stream)
    if not _has_feed_forward(model, group):
        return stream
    normed = stream if model.model_type in NO_NORM_BEFORE else _normed(walk_, stream)
    part = _feed_forward(walk_, normed, group, sparse)
    if model.model_type in NORMS_AFTER:
        part = tape.over(tape.over(part))
    stream = tape.over(part, stream)
    return _per_layer_input(walk_, stream) if model.per_layer_embedding_size else stream


def _has_feed_forward(model: ModelFacts, group: LayerGroupFacts) -> bool:
    how = HYBRIDS.get(model.model_type)
    if how is None:
        return True
    return not how.separate_feed_forward and (how.feed_forward_after_recurrent or group.type not in RECURRENT_LAYERS)


def _projected(walk_: Walk, part: int) -> int:
    part = walk_.tape.new(walk_.model.hidden_size, part)
    if walk_.model.model_type in NORMS_AFTER:
        part = walk_.tape.over(walk_.tape.over(part))
    return part


def _beside(walk_: Walk, stream: int, normed: int, part: int, group: LayerGroupFacts, sparse: bool) -> int:
    tape, model = walk_.tape, walk_.model
    if model.model_type in FEED_FORWARD_FIRST:
        other = _feed_forward(walk_, _normed(walk_, stream), group, sparse)
        return tape.over(tape.over(other, _projected(walk_, part)), stream)
    part = _projected(walk_, part)
    other = _feed_forward(walk_, normed if model.model_type in KEEPS_ITS_NORM else _normed(walk_, stream), group, sparse)
    return tape.over(tape.over(other, part), stream)


def _normed(walk_: Walk, stream: int) -> int:
    return walk_.tape.over(walk_.tape.new(walk_.model.hidden_size, stream))


def _per_layer_input(walk_: Walk, stream: int) -> int:
    """Gemma 3n and 4: every layer adds an embedding of its own (https://ai.google.dev/gemma/docs/gemma-3n)."""
    tape = walk_.tape
    gate = tape.over(tape.over(tape.new(walk_.model.per_layer_embedding_size or 0, stream)))
    return tape.over(stream, tape.over(tape.over(tape.new(walk_.model.hidden_size, gate))))


def _attention(walk_: Walk, normed: int, group: LayerGroupFacts, mask: int | None) -> int:
    """Queries, keys and values, the cache written, and what attention returns per token."""
    model, tape = walk_.model, walk_.tape
    if model.latent:
        return _latent_attention(walk_, normed, mask)
    head_dim = group.head_dim or model.head_dim
    queries = model.num_attention_heads * head_dim
    keys = (group.num_key_value_heads or model.num_key_value_heads) * head_dim
    how = HYBRIDS.get(model.model_type)
    gated = how is not None and how.gated_queries
    families = FAMILIES.get(model.model_type)
    whole = -1
    if families and families[0].fused_qkv:
        fused = tape.new(queries + 2 * keys, normed)
        query, key = tape.new(queries, fused), tape.new(keys, fused)
        tape.read(key)
        tape.read(fused)
    else:
        if gated:
            whole = tape.new(2 * queries, normed)
            query = tape.over(tape.over(tape.new(queries, whole)))
        else:
            query = tape.over(tape.over(tape.new(queries, normed)))
        value = tape.new(keys, normed)
        key = tape.over(tape.over(tape.new(keys, normed)))
        if model.is_decoder:
            tape.read(key)
            tape.read(value)
    reads = (query,)
    if not model.is_decoder:  # no cache to write: keys and values are turned into 16 bit and used at once
        reads = (query, tape.new(keys / 2, key), tape.new(keys / 2, value))
    result = _attended(walk_, reads, queries, 2 * keys, _slides(group), mask)
    return tape.over(result, tape.over(tape.new(queries, whole))) if gated else result


def _attended(walk_: Walk, reads: tuple[int, ...], size: int, cached: int, sliding: bool, mask: int | None) -> int:
    tape = walk_.tape
    reads = reads if mask is None else (*reads, mask)
    if walk_.flash_attention:
        unpacked = cached if walk_.unpacks else 0
        return tape.new(size, *reads, cells=Cells(0, 0, 0, unpacked) if sliding else Cells(0, 0, unpacked, 0))
    heads = walk_.model.num_attention_heads
    scores = tape.new(0, *reads, cells=Cells(sliding=heads) if sliding else Cells(full=heads))
    return tape.new(size, tape.new(size, scores))


def _latent_attention(walk_: Walk, normed: int, mask: int | None) -> int:
    """Multi-head latent attention: queries are multiplied into the latent space, where one key serves all heads."""
    model, tape = walk_.model, walk_.tape
    latent, heads = model.latent, model.num_attention_heads
    assert latent is not None
    rank, rope, nope = latent.kv_lora_rank, latent.qk_rope_head_dim, latent.qk_nope_head_dim
    low = tape.over(tape.over(tape.new(latent.q_lora_rank, normed))) if latent.q_lora_rank else normed
    query = tape.new(heads * (nope + rope), low)
    absorbed, turned = tape.new(heads * rank, query), tape.new(heads * rope, query)
    query = tape.new(heads * (rank + rope), absorbed, turned)
    both = tape.new(rank + rope, normed)
    compressed = tape.over(tape.new(rank, both))
    key = tape.new(rank + rope, compressed, tape.new(rope, both))
    tape.read(key)
    reads = (query,) if not latent.index_n_heads else (query, _indexed(walk_, latent, low, mask))
    result = _attended(walk_, reads, heads * rank, rank + rope, False, mask)
    value = tape.new(heads * latent.v_head_dim, result)
    return tape.new(heads * latent.v_head_dim, value)


def _indexed(walk_: Walk, latent: LatentFacts, low: int, mask: int | None) -> int:
    """Sparse attention of DeepSeek V3.2: an indexer scores every cell, the best ones make a mask of their own."""
    tape = walk_.tape
    size = (latent.index_n_heads or 0) * (latent.index_head_dim or 0)
    query = tape.new(size, tape.over(tape.new(size, low)))
    scores = tape.new(0, query, *(() if mask is None else (mask,)), cells=Cells(full=1.0))
    chosen = latent.index_topk or 0
    best = tape.new(chosen, tape.new(chosen, scores))
    return tape.new(0, best, cells=_mask(walk_, False))


def _feed_forward(walk_: Walk, normed: int, group: LayerGroupFacts, sparse: bool) -> int:
    model = walk_.model
    if sparse:
        return _mixture(walk_, normed)
    how = HYBRIDS.get(model.model_type)
    size = group.intermediate_size or model.intermediate_size or 4 * model.hidden_size
    if how is not None and how.adjusted:
        size = -(-(2 * size // 3) // 256) * 256
    return _perceptron(walk_, normed, size)


def _perceptron(walk_: Walk, normed: int, size: int) -> int:
    """Gate and up, their product, down; or up and its activation in place."""
    model, tape = walk_.model, walk_.tape
    gated, fused = True, False
    if model.model_type in PLAIN_ENCODERS:
        gated = False
    elif model.model_type in FAMILIES:
        gated, fused = FAMILIES[model.model_type][0].gated, FAMILIES[model.model_type][0].fused_gate
    elif model.model_type in HYBRIDS:
        gated = HYBRIDS[model.model_type].traits.gated
    if not gated:
        middle = tape.over(tape.new(size, normed))
    elif fused:
        middle = tape.new(size, tape.new(2 * size, normed))
    else:
        gate = tape.new(size, normed)
        middle = tape.new(size, gate, tape.new(size, normed))
    return tape.new(model.hidden_size, middle)


def _mixture(walk_: Walk, normed: int) -> int:
    """Router, the experts a token uses, their sum, and what every token uses beside them."""
    model, tape = walk_.model, walk_.tape
    experts, hidden = model.experts, model.hidden_size
    assert experts is not None
    used = experts.used_per_token
    scores = tape.over(tape.new(experts.count, normed))
    chosen = tape.new(experts.count, scores)
    weights = tape.over(tape.new(used, scores, chosen))
    tokens = normed
    if model.model_type in WEIGHTED_BEFORE:
        tokens = tape.over(tape.new(hidden * used, normed), weights)
    gated = not (model.model_type in HYBRIDS and not HYBRIDS[model.model_type].traits.gated)
    if gated:
        gate = tape.new(used * experts.intermediate_size, tokens, chosen)
        middle = tape.new(used * experts.intermediate_size, gate, tape.new(used * experts.intermediate_size, tokens, chosen))
    else:
        middle = tape.over(tape.new(used * experts.intermediate_size, tokens, chosen))
    result = tape.over(tape.new(used * hidden, middle, chosen), weights)
    if used > 1:
        total = tape.new(hidden, result, result)
        for _ in range(used - 2):
            total = tape.over(total, result)
        result = total
    shared = experts.shared_intermediate_size or (experts.shared_count or 0) * experts.intermediate_size
    return tape.over(result, _perceptron(walk_, normed, shared)) if shared else result


def _recurrence(walk_: Walk, normed: int) -> int:
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
    carried = values * (state.key_head_dim or 0) * walk_.sequences_per_token
    mixed = tape.new(2 * keys + values, tape.new(2 * keys + values, normed))
    old = tape.new(carried)
    convolved = tape.over(tape.new(2 * keys + values, mixed))
    query = tape.over(tape.new(keys, convolved))
    query = tape.new(values, query) if keys != values else query
    key = tape.over(tape.new(keys, convolved))
    key = tape.new(values, key) if keys != values else key
    result = tape.new(values + carried, query, key, convolved, old)
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
    scanned = tape.new(inner + inner * size * walk_.sequences_per_token, convolved, step)
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

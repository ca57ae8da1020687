"""What the layers of a model compute in llama.cpp, operation by operation, as far as the compute buffer shows it.

One function per kind of layer, in the order of https://github.com/ggml-org/llama.cpp/blob/master/src/llama-graph.cpp and
https://github.com/ggml-org/llama.cpp/tree/master/src/models. Operations that only look at a result differently (reshape, view,
permute) take no memory and are left out.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from llmops_catalog.fit.architectures.families import FAMILIES
from llmops_catalog.fit.architectures.layers import placed_groups
from llmops_catalog.fit.facts import RECURRENT_LAYERS, ExpertFacts, LatentFacts, LayerGroupFacts, ModelFacts
from llmops_catalog.fit.runtimes.llama_graph import NO_CELLS, Cells, Peak, Tape, Walk, Ways, walk

if TYPE_CHECKING:
    from llmops_catalog.fit.architectures.hybrids import HybridTraits

BESIDE = ("falcon", "phi", "gptj", "gpt_neox", "cohere", "cohere2")
"""Attention and feed forward read the same residual stream side by side: attention's result waits for the other."""
KEEPS_ITS_NORM = ("phi", "gptj", "cohere", "cohere2")
"""Of those, families with one norm for both."""
FEED_FORWARD_FIRST = ("falcon",)
NORMS_AFTER = ("gemma2", "gemma3", "gemma3_text", "gemma4", "gemma4_unified", "glm4", "olmo2", "olmo3", "exaone4")
"""Families that normalise what attention and feed forward return before they add it."""
NO_NORM_BEFORE = ("olmo2", "olmo3", "exaone4")
"""Of those, families that do not do so before; nor do BERT and its like."""
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
    """Ends of the buffer: while layers run, and at the output layer."""

    layers: tuple[Peak, ...]
    output: float


@lru_cache(maxsize=4096)
def graph_shape(model: ModelFacts, ways: Ways) -> Shape:
    """The shape of the model's graph, in 32-bit numbers per token of the micro-batch."""
    walk_ = Walk(Tape(), model, ways, {}, {})
    tape, hidden = walk_.tape, model.hidden_size
    stream = tape.new(0 if ways.fed_from_outside else hidden)
    if model.per_layer_embedding_size:
        tape.new(model.per_layer_embedding_size * model.num_hidden_layers)
    kinds = _kinds(model)
    for sliding in sorted({slides(group) for group, _ in kinds if attends(group)}):
        wide = ways.wide_masks or not ways.flash_attention
        handed = NO_CELLS if ways.fed_from_outside else _mask(1.0 if wide else 0.5, sliding)
        (walk_.handed if wide and ways.flash_attention else walk_.masks)[sliding] = tape.new(0, cells=handed)
    for place, (group, sparse) in enumerate(kinds):
        stream = _layer(walk_, stream, group, sparse, place == len(kinds) - 1 and model.is_decoder)
    tape.read(*walk_.masks.values())
    if not model.is_decoder:
        return Shape(walk(tape.steps)[0], 0.0)
    end_norm = tape.over(tape.new(hidden, stream) if model.model_type in LAYER_NORM else tape.over(stream))
    tape.new(model.vocab_size, end_norm)
    layers, end = walk(tape.steps)
    lowest, highest = model.vocab_size + hidden, model.vocab_size + HIGHEST_LAST_NORM * hidden
    return Shape(layers, min(max(end, lowest), highest))


def boundary_width(model: ModelFacts) -> float:
    """Numbers per token that the next card of a pipeline reads of the last layer before it.

    The residual stream, and the embeddings of its layers where they have some of their own.
    """
    return model.hidden_size + (model.per_layer_embedding_size or 0) * model.num_hidden_layers


def _kinds(model: ModelFacts) -> list[tuple[LayerGroupFacts, bool]]:
    """The kinds of layers in the order they first come, each as often as it takes to see how they follow one another."""
    experts = model.experts
    by_layer = {
        layer: (group, experts is not None and experts.has_layer(layer)) for group, layers in placed_groups(model) for layer in layers
    }
    once = list(dict.fromkeys(by_layer[layer] for layer in sorted(by_layer)))
    return once * LAYERS_OF_A_KIND + once[-1:]


def attends(group: LayerGroupFacts) -> bool:
    """True for layers with an attention mask."""
    return group.type not in RECURRENT_LAYERS and group.type != "feed_forward"


def slides(group: LayerGroupFacts) -> bool:
    """True for layers whose cache is limited."""
    return group.type in ("sliding_attention", "chunked_attention")


def _mask(size: float, sliding: bool) -> Cells:
    return Cells(sliding=size) if sliding else Cells(full=size)


def _mask_of(walk_: Walk, sliding: bool) -> int:
    """The mask attention reads, turned into 16 bit at its first use where it came in 32."""
    if sliding not in walk_.masks:
        walk_.masks[sliding] = walk_.tape.new(0, walk_.handed[sliding], cells=_mask(0.5, sliding))
    return walk_.masks[sliding]


def _layer(walk_: Walk, stream: int, group: LayerGroupFacts, sparse: bool, last: bool) -> int:
    model, tape = walk_.model, walk_.tape
    if group.type == "feed_forward":
        return tape.over(_feed_forward(walk_, _normed(walk_, stream), group, sparse), stream)
    normed = stream if model.model_type in NO_NORM_BEFORE or _is_bert(model) else _normed(walk_, stream)
    if group.type in RECURRENT_LAYERS:
        from llmops_catalog.fit.runtimes.llama_recurrent import recurrence

        part = recurrence(walk_, normed)
    else:
        part = _attention(walk_, normed, group)
    if model.model_type in BESIDE:
        return _beside(walk_, stream, normed, part, group, sparse)
    part = _projected(walk_, part)
    if last:  # only the tokens asked for go on: of a whole micro-batch, at worst
        part, stream = tape.new(model.hidden_size, part), tape.new(model.hidden_size, stream)
    stream = tape.over(part, stream)
    if not _has_feed_forward(model, group):
        return stream
    normed = stream if model.model_type in NO_NORM_BEFORE or _is_bert(model) else _normed(walk_, stream)
    part = _feed_forward(walk_, normed, group, sparse)
    if model.model_type in NORMS_AFTER:
        part = tape.over(tape.over(part))
    stream = tape.over(part, stream)
    return _per_layer_input(walk_, stream) if model.per_layer_embedding_size else stream


def _has_feed_forward(model: ModelFacts, group: LayerGroupFacts) -> bool:
    how = hybrid_of(model)
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


def _attention(walk_: Walk, normed: int, group: LayerGroupFacts) -> int:
    """Queries, keys and values, the cache written, and what attention returns per token."""
    model, tape = walk_.model, walk_.tape
    if model.latent:
        return _latent_attention(walk_, model.latent, normed)
    head_dim = group.head_dim or model.head_dim
    queries = model.num_attention_heads * head_dim
    key_heads = group.num_key_value_heads or model.num_key_value_heads
    value_dim = model.value_head_dim or head_dim
    keys, values = key_heads * head_dim, key_heads * value_dim
    how = hybrid_of(model)
    gated = how is not None and how.gated_queries
    families = FAMILIES.get(model.model_type)
    whole = -1
    if families and families[0].fused_qkv:
        fused = tape.new(queries + keys + values, normed)
        query, key = tape.new(queries, fused), tape.new(keys, fused)
        tape.read(key)
        tape.read(fused)
    else:
        if gated:
            whole = tape.new(2 * queries, normed)
            query = tape.over(tape.over(tape.new(queries, whole)))
        else:
            query = tape.over(tape.over(tape.new(queries, normed)))
        value = tape.new(values, normed)
        key = tape.over(tape.over(tape.new(keys, normed)))
        if model.is_decoder:
            tape.read(key)
            tape.read(value)
    reads: tuple[int, ...] = (query,)
    if not model.is_decoder:  # no cache to write: keys and values are turned into 16 bit and used at once
        reads = (query, tape.new(keys / 2, key), tape.new(values / 2, value))
    result = _attended(walk_, reads, model.num_attention_heads * value_dim, keys + values, slides(group))
    return tape.over(result, tape.over(tape.new(queries, whole))) if gated else result


def _attended(walk_: Walk, reads: tuple[int, ...], size: int, cached: int, sliding: bool) -> int:
    tape = walk_.tape
    reads = (*reads, _mask_of(walk_, sliding))
    if walk_.ways.flash_attention:
        unpacked = cached if walk_.ways.unpacks else 0
        return tape.new(size, *reads, cells=Cells(0, 0, 0, unpacked) if sliding else Cells(0, 0, unpacked, 0))
    heads = walk_.model.num_attention_heads
    if walk_.model.kind == "encoder-decoder":  # T5 adds a bias of the same size, which is turned round first
        heads *= 3
    scores = tape.new(0, *reads, cells=Cells(sliding=heads) if sliding else Cells(full=heads))
    return tape.new(size, tape.new(size, scores))


def _latent_attention(walk_: Walk, latent: LatentFacts, normed: int) -> int:
    """Multi-head latent attention: queries are multiplied into the latent space, where one key serves all heads."""
    model, tape = walk_.model, walk_.tape
    heads = model.num_attention_heads
    rank, rope, nope = latent.kv_lora_rank, latent.qk_rope_head_dim, latent.qk_nope_head_dim
    low = tape.over(tape.over(tape.new(latent.q_lora_rank, normed))) if latent.q_lora_rank else normed
    query = tape.new(heads * (nope + rope), low)
    absorbed, turned = tape.new(heads * rank, query), tape.new(heads * rope, query)
    query = tape.new(heads * (rank + rope), absorbed, turned)
    both = tape.new(rank + rope, normed)
    compressed = tape.over(tape.new(rank, both))
    key = tape.new(rank + rope, compressed, tape.new(rope, both))
    tape.read(key)
    reads = (query,) if not latent.index_n_heads else (query, _indexed(walk_, latent, low))
    result = _attended(walk_, reads, heads * rank, rank + rope, False)
    value = tape.new(heads * latent.v_head_dim, result)
    return tape.new(heads * latent.v_head_dim, value)


def _indexed(walk_: Walk, latent: LatentFacts, low: int) -> int:
    """Sparse attention of DeepSeek V3.2: an indexer scores every cell, the best ones make a mask of their own."""
    tape = walk_.tape
    size = (latent.index_n_heads or 0) * (latent.index_head_dim or 0)
    query = tape.new(size, tape.over(tape.new(size, low)))
    scores = tape.new(0, query, _mask_of(walk_, False), cells=Cells(full=1.0))
    chosen = latent.index_topk or 0
    best = tape.new(chosen, tape.new(chosen, scores))
    return tape.new(0, best, cells=_mask(0.5 if walk_.ways.flash_attention else 1.0, False))


def _feed_forward(walk_: Walk, normed: int, group: LayerGroupFacts, sparse: bool) -> int:
    model = walk_.model
    if sparse and model.experts:
        return _mixture(walk_, model.experts, normed)
    how = hybrid_of(model)
    size = group.intermediate_size or model.intermediate_size or 4 * model.hidden_size
    if how is not None and how.adjusted:
        size = -(-(2 * size // 3) // 256) * 256
    return _perceptron(walk_, normed, size)


def hybrid_of(model: ModelFacts) -> HybridTraits | None:
    """How a hybrid arranges its layers; None for plain decoders, which need not load that room."""
    if model.model_type in FAMILIES:
        return None
    from llmops_catalog.fit.architectures.hybrids import HYBRIDS

    return HYBRIDS.get(model.model_type)


def _is_bert(model: ModelFacts) -> bool:
    """BERT and its like, which normalise after each half of a layer only."""
    if model.kind != "encoder":
        return False
    from llmops_catalog.fit.architectures.encoders import ENCODERS

    return model.model_type in ENCODERS


def _perceptron(walk_: Walk, normed: int, size: int) -> int:
    """Gate and up, their product, down; or up and its activation in place."""
    model, tape = walk_.model, walk_.tape
    gated, fused = True, False
    if _is_bert(model) and model.model_type != "nomic_bert":  # feed forward without a gate
        gated = False
    elif model.model_type in FAMILIES:
        gated, fused = FAMILIES[model.model_type][0].gated, FAMILIES[model.model_type][0].fused_gate
    elif how := hybrid_of(model):
        gated = how.traits.gated
    if not gated:
        middle = tape.over(tape.new(size, normed))
    elif fused:
        middle = tape.new(size, tape.new(2 * size, normed))
    else:
        middle = _multiplied(walk_, size, (normed,))
    return tape.new(model.hidden_size, middle)


def _multiplied(walk_: Walk, size: int, reads: tuple[int, ...]) -> int:
    """Gate and up, the gate activated, their product."""
    tape = walk_.tape
    gate = tape.new(size, *reads)
    other = tape.new(size, *reads)
    return tape.over(gate, other) if walk_.ways.gates_in_place else tape.new(size, gate, other)


def _mixture(walk_: Walk, experts: ExpertFacts, normed: int) -> int:
    """Router, the experts a token uses, their sum, and what every token uses beside them."""
    model, tape = walk_.model, walk_.tape
    hidden, width = model.hidden_size, experts.latent_size or model.hidden_size
    used = experts.used_per_token
    scores = tape.over(tape.new(experts.count, normed))
    chosen = tape.new(experts.count, scores)
    weights = tape.over(tape.new(used, scores, chosen))
    tokens = normed if width == hidden else tape.new(width, normed)
    if model.model_type in WEIGHTED_BEFORE:
        tokens = tape.over(tape.new(hidden * used, normed), weights)
    how = hybrid_of(model)
    gated = how is None or how.traits.gated
    if gated:
        middle = _multiplied(walk_, used * experts.intermediate_size, (tokens, chosen))
    else:
        middle = tape.over(tape.new(used * experts.intermediate_size, tokens, chosen))
    unweighted = tape.new(used * width, middle, chosen)
    kept = walk_.ways.keeps_experts and used > 1
    result = tape.new(used * width, unweighted, weights) if kept else tape.over(unweighted, weights)
    if used > 1:
        total = tape.new(width, result, result)
        for _ in range(used - 2):
            total = tape.over(total, result)
        result = total
    if kept:
        tape.read(unweighted)
    if width != hidden:
        result = tape.new(hidden, result)
    shared = experts.shared_intermediate_size or (experts.shared_count or 0) * experts.intermediate_size
    return tape.over(result, _perceptron(walk_, normed, shared)) if shared else result

"""llama.cpp, and so Ollama and LM Studio: layers on cards and in main memory, one cache stream per sequence."""

from functools import lru_cache
from typing import NamedTuple

from llmops_catalog.fit.assumptions import Assumption, once
from llmops_catalog.fit.facts import RECURRENT_LAYERS, ModelFacts
from llmops_catalog.fit.kv_cache import CachedLayers, cache_by_layer, cache_bytes, cached_layers, elements_bytes
from llmops_catalog.fit.question import Question
from llmops_catalog.fit.runtimes import llama_compute as compute
from llmops_catalog.fit.runtimes.footprint import Footprint
from llmops_catalog.fit.runtimes.llama_compute import MICRO_BATCH, Batch, Build
from llmops_catalog.fit.runtimes.llama_placement import Placement, placed, weights_by_card
from llmops_catalog.fit.sizes import MIB, padded, shown
from llmops_catalog.fit.state import state_bytes
from llmops_catalog.fit.weights import LOADER, Weights, largest_tensors

CONTEXT_STEP = 256
"""n_ctx and the sliding cache are padded to it (https://github.com/ggml-org/llama.cpp/issues/17037)."""
CUDA_CONTEXT = 250 * MIB
"""Between what nvidia-smi shows beyond the buffers in published logs (133 to 153 MiB) and what stands unaccounted for beside
them after a run (451 to 456 MiB on an RTX 4090: https://github.com/ggml-org/llama.cpp/pull/15860)."""
CUDA_CONTEXT_LOW, CUDA_CONTEXT_HIGH = 120 * MIB, 500 * MIB
GRAPH_SHARE = 0.08
"""How far the buffer may lie from the walk through the graph: nine in ten of the sizes llama.cpp itself reports are nearer."""
INDEXED_SHARE = 0.6
"""The same for sparse attention: where its indexer leaves holes, the cache decides."""
PIPELINE_SHARE = 0.5
"""The same for layers that hand more than the residual stream to the next card: recurrent ones, embeddings of their own."""
VISITED_SHARE = 0.2
"""The same where layers or experts stay in main memory."""
SLIDING_FAMILIES = (
    "afmoe", "cohere2", "deepseek_v4", "exaone4", "gemma2", "gemma3", "gemma3_text", "gemma3n", "gemma4", "gemma4_unified", "gpt_oss",
    "llama4", "mimo_v2_flash", "modernbert", "olmo3", "step3p7",
)  # fmt: skip
"""Families whose window llama.cpp knows (https://github.com/ggml-org/llama.cpp/tree/master/src/models); of others, such as
Mistral 7B, Phi-3 and StarCoder2, every layer looks at the whole context and caches it."""
EXAONE_LAYERS = 64
"""EXAONE 4 slides its window in the model of this many layers only (src/models/exaone4.cpp)."""

SERVER_SLOTS = 4
"""Sequences llama-server keeps at once where nobody says how many, in one cache for all."""

SERVER_SOURCE = "https://github.com/ggml-org/llama.cpp/blob/master/tools/server/server.cpp"
KV_SOURCE = "https://github.com/ggml-org/llama.cpp/blob/master/src/llama-kv-cache-iswa.cpp"
MLA_SOURCE = "https://github.com/ggml-org/llama.cpp/blob/master/src/llama-kv-cache.cpp"
GRAPH_SOURCE = "https://github.com/ggml-org/llama.cpp/blob/master/src/llama-context.cpp"
LOGITS_SOURCE = "https://github.com/ggml-org/llama.cpp/pull/23861"
SPLIT_SOURCE = "https://github.com/ggml-org/llama.cpp/blob/master/src/llama-model.cpp"


class Plan(NamedTuple):
    """Everything but the weights, the same for every quantization: bytes card by card.

    `least` and `most` are the compute buffers in other builds, where the question names none.
    """

    placement: Placement
    caches: list[int]
    states: list[int]
    outside: int
    """Cache and state of layers in main memory."""
    copy_bytes: int
    """On every card, beside the buffers: the 16-bit copy of a quantized layer's cache in builds that do not reserve it."""
    graphs: list[int]
    least: list[int]
    most: list[int]
    assumptions: tuple[Assumption, ...]


def footprint(model: ModelFacts, weights: Weights, question: Question) -> Footprint:
    """Memory of one server with `question.concurrency` slots."""
    model, question = as_loaded(model), _with_experts(model, question)
    plan = planned(model, question._replace(quantization=""), *_visitors(model, weights, question))
    output_copy = weights.table_bytes if model.is_decoder and model.tie_word_embeddings else 0
    loaded = weights.resident_bytes - weights.input_bytes + output_copy
    on_cards = weights_by_card(model, weights, loaded, plan.placement, question)
    cards, graphs = question.gpu_count, plan.graphs
    share, unsure = _graph_share(model, plan.placement, question), weights.uncertainty_bytes // cards
    below = (sum(graphs) - sum(plan.least)) // cards + int(max(plan.least) * share)
    above = max(most - graph for most, graph in zip(plan.most, graphs, strict=True)) + int(max(graphs) * share)
    overhead = CUDA_CONTEXT + plan.copy_bytes
    return Footprint(
        weights_bytes=sum(on_cards),
        host_bytes=weights.input_bytes + loaded - sum(on_cards) + plan.outside,
        kv_cache_bytes=sum(plan.caches),
        state_bytes=sum(plan.states),
        compute_bytes=sum(graphs),
        overhead_bytes=overhead * cards,
        per_gpu_bytes=tuple(sum(parts) + overhead for parts in zip(on_cards, plan.caches, plan.states, graphs, strict=True)),
        below_bytes=below + unsure + CUDA_CONTEXT - CUDA_CONTEXT_LOW,
        above_bytes=above + unsure + CUDA_CONTEXT_HIGH - CUDA_CONTEXT,
        assumptions=once([*weights.assumptions, *plan.assumptions]),
    )


def _with_experts(model: ModelFacts, question: Question) -> Question:
    """The question without the experts kept in main memory, of a model that has none."""
    if model.experts is not None or not question.engine.cpu_expert_layers:
        return question
    return question._replace(engine=question.engine._replace(cpu_expert_layers=0))


@lru_cache(maxsize=8192)
def planned(model: ModelFacts, question: Question, visitor_bytes: int, output_bytes: int) -> Plan:
    """The plan for a question without its quantization.

    `visitor_bytes` is the largest tensor in main memory that visits a card, `output_bytes` the output layer if it does.
    """
    engine = question.engine
    build, batch = compute.build_of(engine.runtime_version, engine.flash_attention), batch_of(model, question)
    placement = placed(model.num_hidden_layers, question.gpu_count, engine.gpu_layers, build.output_last)
    caches, states = _cache_by_card(model, question, batch, placement)
    whole = _cache(model, question, batch) + question.concurrency * state_bytes(model, convolution_bytes=4)
    graphs, least, most = [
        _graphs(model, question, other, batch, placement, (visitor_bytes, output_bytes))
        for other in (build, build._replace(few_logits=True), build._replace(wide_masks=True, keeps_experts=True))
    ]
    if compute.build_number(engine.runtime_version) is not None:
        least = most = graphs
    else:  # once more the masks: where the last norm lies above them, so do the logits
        mask = compute.mask_bytes(model, build, batch)
        most = [max(wide, graph + mask) for wide, graph in zip(most, graphs, strict=True)]
    said = _assumptions(model, question, build, batch, placement)
    beside = compute.copies_cache(model, build, question.kv_cache_type) and not build.reserves_copies
    copy = _copy_bytes(model, batch) if beside else 0
    return Plan(placement, caches, states, whole - sum(caches) - sum(states), copy, graphs, least, most, said)


@lru_cache(maxsize=4096)
def as_loaded(model: ModelFacts) -> ModelFacts:
    """The model as llama.cpp reads it: without the windows it does not know. Facts from a GGUF file are so already."""
    if model.file is not None:
        return model
    slides = any(group.type in ("sliding_attention", "chunked_attention") for group in model.layer_groups)
    known = model.model_type in SLIDING_FAMILIES and (model.model_type != "exaone4" or model.num_hidden_layers == EXAONE_LAYERS)
    if known or not slides:
        return model
    whole = {"sliding_attention": "full_attention", "chunked_attention": "full_attention"}
    return model._replace(
        layer_types=tuple(whole.get(kind, kind) for kind in model.layer_types),
        layer_groups=tuple(group._replace(type=whole.get(group.type, group.type), sliding_window=None) for group in model.layer_groups),
    )


def batch_of(model: ModelFacts, question: Question) -> Batch:
    """Tokens and cells of the worst-case pass. An encoder computes its whole input at once."""
    context = padded(question.context_tokens, CONTEXT_STEP)
    ubatch = question.engine.micro_batch_tokens or MICRO_BATCH
    if not model.is_decoder:
        return Batch(padded(question.prompt_tokens, CONTEXT_STEP), padded(question.prompt_tokens, CONTEXT_STEP), 0)
    tokens = min(ubatch, context * question.concurrency)
    window = max((group.sliding_window or 0 for group in model.layer_groups), default=0)
    return Batch(tokens, context, sliding_cells(context, window, tokens), question.concurrency)


def sliding_cells(context: int, window: int, tokens: int) -> int:
    """Cells of a sliding layer's cache: its window and one micro-batch, padded (`size_swa`)."""
    return padded(min(context, window + tokens), CONTEXT_STEP)


def cells(group: CachedLayers, batch: Batch) -> int:
    """Cells of a layer's cache for one sequence."""
    return batch.cells if group.window is None else sliding_cells(batch.cells, group.window, batch.tokens)


def _cache(model: ModelFacts, question: Question, batch: Batch) -> int:
    if model.kind == "encoder-decoder":  # keys and values of the encoder's output are computed anew, not cached
        one = cached_layers(model)[0]
        return question.concurrency * one.layers * cells(one, batch) * elements_bytes(one.elements, question.kv_cache_type)
    return question.concurrency * cache_bytes(model, question.kv_cache_type, lambda group: cells(group, batch))


def _copy_bytes(model: ModelFacts, batch: Batch) -> int:
    """The cache of the layer that caches most, in 16 bit."""
    return 2 * batch.slots * max((kept.elements * cells(kept, batch) for kept in cached_layers(model)), default=0)


def _cache_by_card(model: ModelFacts, question: Question, batch: Batch, placement: Placement) -> tuple[list[int], list[int]]:
    """Key/value cache and recurrent state of each card: those of its layers."""
    cache, slots = _cache(model, question, batch), question.concurrency
    state = slots * state_bytes(model, convolution_bytes=4)
    if placement.whole and len(placement.cards) == 1:
        return [cache], [state]
    if model.kind == "encoder-decoder":
        return [cache * len(span) // model.num_hidden_layers for span in placement.cards], [0] * len(placement.cards)
    each = [
        slots * sum(cells(kept, batch) * elements_bytes(kept.elements, question.kv_cache_type) for kept in layer)
        for layer in (cache_by_layer(model) if model.is_decoder else ((),) * model.num_hidden_layers)
    ]
    recurrent = _recurrent_layers(model)
    states = [state * sum(recurrent[span.start : span.stop]) // max(1, sum(recurrent)) for span in placement.cards]
    return [sum(each[span.start : span.stop]) for span in placement.cards], states


@lru_cache(maxsize=4096)
def _recurrent_layers(model: ModelFacts) -> tuple[bool, ...]:
    kinds = model.layer_types or [group.type for group in model.layer_groups for _ in range(group.layers)]
    return tuple(kind in RECURRENT_LAYERS for kind in kinds)


def _graphs(
    model: ModelFacts, question: Question, build: Build, batch: Batch, placement: Placement, visitors: tuple[int, int]
) -> list[int]:
    """The compute buffer of each card.

    Weights in main memory are multiplied on the first card nevertheless (32 tokens and more), one tensor at a time.
    """
    pipelined = build.pipelines and placement.whole and question.gpu_count > 1 and not question.engine.cpu_expert_layers
    shape = compute.shape_of(model, build, question.kv_cache_type, pipelined)
    layers = compute.layers_bytes(shape, batch)
    output = 0 if build.few_logits else compute.output_bytes(shape, batch)
    sizes = []
    for card, span in enumerate(placement.cards):
        size = layers if span or not card else 0
        if card == (placement.output_card or 0):
            size = max(size, output)
        if pipelined and (span or card == placement.output_card):
            size += compute.pipeline_bytes(model, build, batch, card == 0)
        sizes.append(size)
    if not build.pipelines:
        sizes = [max(sizes), *[0] * (len(sizes) - 1)]
    visitor, output_layer = visitors
    if visitor:
        sizes[0] = max(sizes[0], layers + visitor + 4 * batch.tokens * model.hidden_size)
    if output_layer and output:
        sizes[0] = max(sizes[0], output + output_layer)
    return sizes


def _graph_share(model: ModelFacts, placement: Placement, question: Question) -> float:
    """How far a compute buffer may be off, as a share of it."""
    if model.latent and model.latent.index_n_heads:
        return INDEXED_SHARE
    if question.gpu_count > 1 and (model.state or model.per_layer_embedding_size):
        return PIPELINE_SHARE
    return GRAPH_SHARE if placement.whole and not question.engine.cpu_expert_layers else VISITED_SHARE


def _visitors(model: ModelFacts, weights: Weights, question: Question) -> tuple[int, int]:
    """The largest tensor that stays in main memory and visits a card to be multiplied there, and the output layer if it does."""
    engine, experts = question.engine, model.experts
    if engine.gpu_layers is not None and engine.gpu_layers <= model.num_hidden_layers:
        output = weights.table_bytes if model.tie_word_embeddings else weights.output_bytes
        every, _ = largest_tensors(model, question.quantization)
        outside = engine.gpu_layers == 0 or compute.build_of(engine.runtime_version, engine.flash_attention).output_last
        return every, output if outside and model.is_decoder else 0
    if experts is None or not any(experts.has_layer(layer) for layer in range(engine.cpu_expert_layers)):
        return 0, 0
    return largest_tensors(model, question.quantization)[1], 0


def _assumptions(model: ModelFacts, question: Question, build: Build, batch: Batch, placement: Placement) -> tuple[Assumption, ...]:
    flash = build.flash_attention and compute.flash_attention_runs(model)
    where = "all layers on the GPU" if placement.whole else f"{_on_cards(placement)} of {model.num_hidden_layers + 1} layers on the GPU"
    tokens = question.engine.micro_batch_tokens or MICRO_BATCH
    said = [Assumption(f"{where}, flash attention {'on' if flash else 'off'}, micro-batches of {tokens:,} tokens", GRAPH_SOURCE)]
    if model.is_decoder and compute.build_number(question.engine.runtime_version) is None:
        said.append(
            Assumption("logits are reserved for a whole micro-batch; llama-server has reserved fewer since June 2026", LOGITS_SOURCE)
        )
    if build.flash_attention and not flash and model.num_attention_heads:
        said.append(Assumption("no flash-attention kernel takes heads of this size", compute.FLASH_SOURCE))
    if model.is_decoder and model.tie_word_embeddings:
        said.append(Assumption("the embedding table stays in main memory and a copy serves as output layer on the GPU", LOADER))
    elif model.is_decoder:
        said.append(Assumption("the input embedding stays in main memory", LOADER))
    if any(group.type == "sliding_attention" for group in model.layer_groups):
        said.append(Assumption("sliding-window layers cache their window and one micro-batch, padded to 256 tokens", KV_SOURCE))
    for what, more in _unasked_slots(model, question, batch).items():
        text = f"one slot (-np 1); llama-server on its own reserves {SERVER_SLOTS}, whose {what} take {shown(more)} more"
        said.append(Assumption(text, SERVER_SOURCE))
    if model.latent:
        said.append(Assumption("latent attention caches the compressed vector only, no values beside it", MLA_SOURCE))
    if question.engine.cpu_expert_layers:
        said.append(Assumption(f"the experts of the first {question.engine.cpu_expert_layers} layers stay in main memory", SPLIT_SOURCE))
    if question.gpu_count > 1:
        said.append(Assumption("layers are split evenly; every GPU has its own compute buffer", GRAPH_SOURCE))
    return tuple(said)


def _unasked_slots(model: ModelFacts, question: Question, batch: Batch) -> dict[str, int]:
    """What the server takes more where it makes its own number of slots in one shared cache: for sliding layers and for states."""
    if question.concurrency > 1:
        return {}
    windows = 0
    for kept in cached_layers(model):
        if kept.window is not None:
            wider = sliding_cells(batch.cells, kept.window * SERVER_SLOTS, batch.tokens) - cells(kept, batch)
            windows += kept.layers * wider * elements_bytes(kept.elements, question.kv_cache_type)
    states = (SERVER_SLOTS - 1) * state_bytes(model, convolution_bytes=4) if model.is_decoder else 0
    return {what: more for what, more in (("windows", windows), ("recurrent states", states)) if more}


def _on_cards(placement: Placement) -> int:
    return sum(len(span) for span in placement.cards) + (placement.output_card is not None)

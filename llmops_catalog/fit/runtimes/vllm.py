"""vLLM: a budget (memory times gpu_memory_utilization) that weights, activation peak, graphs and cache must share."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from llmops_catalog.fit.assumptions import Assumption
from llmops_catalog.fit.facts import ModelFacts
from llmops_catalog.fit.question import Question
from llmops_catalog.fit.runtimes.footprint import Footprint
from llmops_catalog.fit.runtimes.vllm_batch import ARGUMENTS_SOURCE, Batch, batch, before, release
from llmops_catalog.fit.runtimes.vllm_cache import PLANNING_SOURCE, Pool, pool, sequence_blocks, tokens_in
from llmops_catalog.fit.runtimes.vllm_profile import (
    GRAPHS_IN_BUDGET_FROM,
    NON_TORCH_HIGH,
    NON_TORCH_LOW,
    SAMPLER_SOURCE,
    SORTS_BEFORE,
    WORKER_SOURCE,
    Peak,
    communication_bytes,
    non_torch_bytes,
    peak,
)
from llmops_catalog.fit.runtimes.vllm_weights import STAGES_SOURCE, rank_weights, stages
from llmops_catalog.fit.sizes import MIB, shown
from llmops_catalog.fit.weights import Weights

ACTIVATION_LOW_SHARE, ACTIVATION_HIGH_SHARE = 0.4, 0.15
"""How far the peak of the profiling run may lie from our closed form. Logs show up to a tenth more: what kernels of one format
keep beside it, or images. Releases on their way to the new model runner (0.26 to 0.29) sometimes log half."""
GRAPH_LOW_SHARE, GRAPH_HIGH_SHARE = 0.6, 1.0
"""How far graphs may: recurrent layers and kernels with workspaces of their own take twice what others do."""
ATTENTION_WORKSPACE = 394 * MIB
"""What FlashInfer's attention keeps ready, which some cards use (FLASHINFER_WORKSPACE_BUFFER_SIZE); in the high bound."""
PREFIXES_FROM = (0, 21)
"""Hybrids cache prefixes by default, and so keep two states for each sequence."""


class Rank(NamedTuple):
    """Bytes of one rank of one pipeline stage, without the cache. `above_bytes`: how much more communication may take."""

    weights_bytes: int
    peak: Peak
    non_torch_bytes: int
    above_bytes: int

    @property
    def fixed_bytes(self) -> int:
        """All that stands before the cache."""
        return self.weights_bytes + self.peak.activation_bytes + self.peak.buffer_bytes + self.peak.graph_bytes + self.non_torch_bytes


def footprint(model: ModelFacts, weights: Weights, question: Question) -> Footprint:
    """Memory of a server that keeps `concurrency` sequences of `context_tokens`, on its share of the cards of each stage."""
    most = batch(model, question)
    shared = _pool(model, question)
    keyed, states = sequence_blocks(shared, question.context_tokens, most, _prefixes(model, question))
    stage_ranks = ranks(model, question, most)
    parallel = question.gpu_count // question.engine.pipeline_parallel
    spare = [size if shared.groups else 0 for size in shared.block_bytes]  # the block no sequence gets (`null_block`)
    cache = [question.concurrency * keyed * size for size in shared.block_bytes]
    state = [question.concurrency * states * size for size in shared.block_bytes]
    each = [rank.fixed_bytes + kept + room + none for rank, kept, room, none in zip(stage_ranks, cache, state, spare, strict=True)]
    below, above = _spread(stage_ranks, weights, question)
    return Footprint(
        weights_bytes=parallel * sum(rank.weights_bytes for rank in stage_ranks),
        host_bytes=0,
        kv_cache_bytes=parallel * sum(cache),
        state_bytes=parallel * sum(state),
        compute_bytes=parallel * (sum(rank.fixed_bytes - rank.weights_bytes - rank.non_torch_bytes for rank in stage_ranks) + sum(spare)),
        overhead_bytes=parallel * sum(rank.non_torch_bytes for rank in stage_ranks),
        per_gpu_bytes=tuple(size for size in each for _ in range(parallel)),
        below_bytes=below,
        above_bytes=above,
        assumptions=_assumptions(model, weights, question, most, stage_ranks[-1].peak.sorting_bytes),
    )


def cache_tokens_left(model: ModelFacts, question: Question, available_bytes: int) -> int:
    """Tokens of cache that vLLM will log on cards that offer `available_bytes` each ("GPU KV cache size"); 0 where none fit.

    Divided by `context_tokens` it is what the log calls the maximum concurrency. Raises `MissingFact`.
    """
    most = batch(model, question)
    room = tuple(available_bytes - rank.fixed_bytes for rank in ranks(model, question, most))
    return tokens_in(_pool(model, question), room, question.context_tokens, most, _prefixes(model, question))


def ranks(model: ModelFacts, question: Question, most: Batch) -> tuple[Rank, ...]:
    """One rank of each pipeline stage; those of a stage are alike."""
    number = question.engine.pipeline_parallel
    parallel = question.gpu_count // number
    alone = non_torch_bytes(question)
    held = rank_weights(model, question.quantization, parallel, number)
    whole = rank_weights(model, question.quantization, 1, number)
    spans = stages(model.num_hidden_layers, number)
    found = []
    for stage, (size, span) in enumerate(zip(held, spans, strict=True)):
        shared, above = communication_bytes(question, max(0, whole[stage] - size))
        found.append(Rank(size, peak(model, question, most, parallel, len(span), stage == number - 1), alone + shared, above))
    return tuple(found)


def _pool(model: ModelFacts, question: Question) -> Pool:
    number = question.engine.pipeline_parallel
    return pool(model, question.kv_cache_type, question.gpu_count // number, number)


def _prefixes(model: ModelFacts, question: Question) -> bool:
    return model.num_attention_heads > 0 and not before(question, PREFIXES_FROM)


def _spread(stage_ranks: tuple[Rank, ...], weights: Weights, question: Question) -> tuple[int, int]:
    """How much less or more one card may need: the widest of all stages."""
    unsure = weights.uncertainty_bytes // question.gpu_count
    lower, higher = [], []
    for _, peak_, non_torch, communication in stage_ranks:
        lower.append(non_torch - NON_TORCH_LOW + int(peak_.activation_bytes * ACTIVATION_LOW_SHARE + peak_.graph_bytes * GRAPH_LOW_SHARE))
        higher.append(communication + int(peak_.activation_bytes * ACTIVATION_HIGH_SHARE + peak_.graph_bytes * GRAPH_HIGH_SHARE))
    workspace = 0 if before(question, GRAPHS_IN_BUDGET_FROM) else ATTENTION_WORKSPACE
    return unsure + max(lower), unsure + NON_TORCH_HIGH - non_torch_bytes(question) + max(higher) + workspace


@lru_cache(maxsize=4096)
def _batch_said(tokens: int, sequences: int, chosen: bool) -> Assumption:
    text = f"the activation peak is that of {tokens:,} batched tokens and {sequences:,} sequences"
    return Assumption(text if chosen else f"{text}, vLLM's own choice on cards below 70 GiB", ARGUMENTS_SOURCE)


@lru_cache(maxsize=4096)
def _sorting_said(more_bytes: int) -> Assumption:
    named = ".".join(map(str, SORTS_BEFORE))
    text = f"releases before {named} sort the vocabulary to sample and need {shown(more_bytes)} more: name yours"
    return Assumption(text, SAMPLER_SOURCE)


def _assumptions(model: ModelFacts, weights: Weights, question: Question, most: Batch, sorting_bytes: int) -> tuple[Assumption, ...]:
    said = [*weights.assumptions]
    said.append(
        Assumption(
            "room is kept for every sequence at its full length; vLLM refuses to start without room for one",
            PLANNING_SOURCE,
        )
    )
    said.append(_batch_said(most.tokens, most.sequences, question.engine.batched_tokens is not None))
    if before(question, GRAPHS_IN_BUDGET_FROM):
        said.append(Assumption("this release captures CUDA graphs outside its budget: they are not counted", WORKER_SOURCE))
    elif model.is_decoder:
        said.append(Assumption("CUDA graphs are taken off the budget, as they are since 0.21", WORKER_SOURCE))
    if release(question) is None and sorting_bytes:
        said.append(_sorting_said(sorting_bytes))
    if model.latent and question.gpu_count > question.engine.pipeline_parallel:
        said.append(Assumption("the latent cache is repeated on every card: tensor parallelism cannot divide it", PLANNING_SOURCE))
    if question.engine.pipeline_parallel > 1:
        said.append(Assumption(f"layers stand in {question.engine.pipeline_parallel} pipeline stages", STAGES_SOURCE))
    return tuple(said)

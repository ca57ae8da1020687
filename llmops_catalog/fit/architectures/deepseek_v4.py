"""DeepSeek V4: attention over compressed tokens, and several copies of the residual stream mixed before each half of a layer.

Read in https://github.com/huggingface/transformers/tree/main/src/transformers/models/deepseek_v4 and checked by counting.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from llmops_catalog.fit.architectures import layers as parts
from llmops_catalog.fit.architectures.families import LLAMA
from llmops_catalog.fit.facts import CompressedFacts, ModelFacts
from llmops_catalog.fit.tensors import Tensor, vector

SPARSE, HEAVY = "compressed_sparse_attention", "heavily_compressed_attention"


def deepseek_v4(model: ModelFacts) -> Iterator[Tensor]:
    """All tensors; raises `LookupError` where the ranks are not known."""
    ranks = model.compressed
    if ranks is None:
        raise LookupError(model.model_type)
    hidden, streams = model.hidden_size, model.residual_streams
    yield from parts.around(model, LLAMA)
    yield from _mixing(hidden, streams, streams, 1, (0,), 1)
    for group, layers in parts.placed_groups(model):
        yield from parts.norms(model, LLAMA, layers)
        yield from _attention(model, ranks, layers)
        if group.type == SPARSE:
            yield from _compressor(2 * model.head_dim, model.head_dim, hidden, ranks.sparse_ratio, layers)
            yield from _indexer(hidden, ranks, layers)
        elif group.type == HEAVY:
            yield from _compressor(model.head_dim, model.head_dim, hidden, ranks.heavy_ratio, layers)
        yield from _mixing(hidden, streams, (2 + streams) * streams, 3, layers, 2)
        yield from parts.mixture(model, LLAMA, layers)


def _attention(model: ModelFacts, ranks: CompressedFacts, layers: Sequence[int]) -> Iterator[Tensor]:
    """Queries and outputs through low ranks, one head that is key and value at once, a sink for each query head."""
    hidden, heads = model.hidden_size, model.num_attention_heads
    queries, grouped = heads * model.head_dim, ranks.o_groups * ranks.o_lora_rank
    yield Tensor("linear", ranks.q_lora_rank, hidden, layers)
    yield Tensor("linear", queries, ranks.q_lora_rank, layers)
    yield Tensor("linear", model.head_dim, hidden, layers)
    yield Tensor("linear", grouped, queries // ranks.o_groups, layers)
    yield Tensor("linear", hidden, grouped, layers)
    yield vector(heads + ranks.q_lora_rank + model.head_dim, layers)


def _compressor(rows: int, size: int, hidden: int, ratio: int, layers: Sequence[int]) -> Iterator[Tensor]:
    """Turns `ratio` tokens into one entry of `size` numbers: a projection, its gate, positions within the block, a norm."""
    yield Tensor("linear", rows, hidden, layers, 2)
    yield Tensor("linear", ratio, rows, layers)
    yield vector(size, layers)


def _indexer(hidden: int, ranks: CompressedFacts, layers: Sequence[int]) -> Iterator[Tensor]:
    """Picks compressed entries by keys of its own, which are compressed alike."""
    yield from _compressor(2 * ranks.index_head_dim, ranks.index_head_dim, hidden, ranks.sparse_ratio, layers)
    yield Tensor("linear", ranks.index_n_heads * ranks.index_head_dim, ranks.q_lora_rank, layers)
    yield Tensor("linear", ranks.index_n_heads, hidden, layers)


def _mixing(hidden: int, streams: int, outputs: int, scales: int, layers: Sequence[int], copies: int) -> Iterator[Tensor]:
    """Hyper-connections (arXiv:2409.19606): how much each copy of the stream gives and takes."""
    yield Tensor("linear", outputs, streams * hidden, layers, copies)
    yield vector(outputs + scales, layers, copies)

"""Encoders that return vectors: BERT and its relatives (arXiv:1810.04805), with the pooler transformers builds."""

from collections.abc import Iterator
from typing import NamedTuple

from llmops_catalog.fit.facts import ModelFacts
from llmops_catalog.fit.tensors import Tensor, vector


class EncoderTraits(NamedTuple):
    """What differs among BERT's relatives."""

    extra_positions: int = 0
    """Rows of the position table beyond the context length (RoBERTa counts from 2)."""
    token_types: int = 0
    pooler: bool = True
    relative_buckets: int = 0
    """Rows of one relative position table shared by all layers (MPNet)."""


ENCODERS: dict[str, EncoderTraits] = {
    "bert": EncoderTraits(token_types=2),
    "roberta": EncoderTraits(extra_positions=2, token_types=1),
    "xlm-roberta": EncoderTraits(extra_positions=2, token_types=1),
    "mpnet": EncoderTraits(extra_positions=2, relative_buckets=32),
    "distilbert": EncoderTraits(pooler=False),
}


def bert(model: ModelFacts, traits: EncoderTraits) -> Iterator[Tensor]:
    """Learned positions, biases everywhere, LayerNorm after each half of a layer."""
    hidden, size, layers = model.hidden_size, model.intermediate_size or 0, range(model.num_hidden_layers)
    yield Tensor("token_embd", model.vocab_size, hidden)
    yield Tensor("position", (model.position_tokens or 0) + traits.extra_positions, hidden)
    if traits.token_types:
        yield Tensor("position", traits.token_types, hidden)
    yield vector(2 * hidden)
    for role in ("attn_q", "attn_k", "attn_v", "attn_output"):
        yield Tensor(role, hidden, hidden, layers)
    yield Tensor("ffn_up", size, hidden, layers)
    yield Tensor("ffn_down", hidden, size, layers)
    yield vector(4 * hidden + size + hidden + 4 * hidden, layers)
    if traits.relative_buckets:
        yield Tensor("kept", traits.relative_buckets, model.num_attention_heads)
    if traits.pooler:
        yield Tensor("linear", hidden, hidden)
        yield vector(hidden)


def nomic_bert(model: ModelFacts) -> Iterator[Tensor]:
    """Rotary positions, gated feed forward, no biases but LayerNorm's, which stands behind each half of a layer (arXiv:2402.01613)."""
    hidden, size, layers = model.hidden_size, model.intermediate_size or 0, range(model.num_hidden_layers)
    yield Tensor("token_embd", model.vocab_size, hidden)
    yield Tensor("position", 2, hidden)
    yield Tensor("attn_qkv", 3 * hidden, hidden, layers)
    yield Tensor("attn_output", hidden, hidden, layers)
    for role in ("ffn_gate", "ffn_up"):
        yield Tensor(role, size, hidden, layers)
    yield Tensor("ffn_down", hidden, size, layers)
    yield vector(4 * hidden, layers)
    yield vector(2 * hidden)


def modernbert(model: ModelFacts) -> Iterator[Tensor]:
    """Rotary positions, gated feed forward, no biases (arXiv:2412.13663); the first layer starts without a norm."""
    hidden, size, layers = model.hidden_size, model.intermediate_size or 0, range(model.num_hidden_layers)
    yield Tensor("token_embd", model.vocab_size, hidden)
    yield Tensor("attn_qkv", 3 * hidden, hidden, layers)
    yield Tensor("attn_output", hidden, hidden, layers)
    yield Tensor("ffn_up", 2 * size, hidden, layers)
    yield Tensor("ffn_down", hidden, size, layers)
    yield vector(hidden, layers)
    yield vector(hidden, layers[1:])
    yield vector(2 * hidden)

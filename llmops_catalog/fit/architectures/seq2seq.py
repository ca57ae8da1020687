"""T5 and its relatives (arXiv:1910.10683): an encoder and a decoder over one embedding table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from llmops_catalog.fit.facts import ModelFacts
from llmops_catalog.fit.tensors import Tensor, vector

RELATIVE_BUCKETS = 32
"""relative_attention_num_buckets of every published T5."""


def t5(model: ModelFacts, gated: bool) -> Iterator[Tensor]:
    """`gated` tells T5 1.1, Flan-T5 and UL2 (three feed-forward matrices) from the first T5 (two)."""
    hidden = model.hidden_size
    encoder, decoder = range(model.num_hidden_layers), range(model.num_decoder_layers or model.num_hidden_layers)
    yield Tensor("token_embd", model.vocab_size, hidden)
    if not model.tie_word_embeddings:
        yield Tensor("output", model.vocab_size, hidden)
    yield from _stack(model, encoder, gated, attentions=1)
    yield from _stack(model, decoder, gated, attentions=2)


def _stack(model: ModelFacts, layers: Sequence[int], gated: bool, attentions: int) -> Iterator[Tensor]:
    hidden, size = model.hidden_size, model.intermediate_size or 0
    inner = model.num_attention_heads * model.head_dim
    for role in ("attn_q", "attn_k", "attn_v"):
        yield Tensor(role, inner, hidden, layers, attentions)
    yield Tensor("attn_output", hidden, inner, layers, attentions)
    yield Tensor("ffn_up", size, hidden, layers, 2 if gated else 1)
    yield Tensor("ffn_down", hidden, size, layers)
    yield vector(hidden * (attentions + 1), layers)
    yield Tensor("kept", RELATIVE_BUCKETS, model.num_attention_heads)
    yield vector(hidden)

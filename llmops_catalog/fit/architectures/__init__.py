"""From a model's facts to its list of weight tensors. A family nobody described yields None, never a guess.

`derive_tensors` is what the quantization rules work on; `parameter_count` is the proof that facts and family agree.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from llmops_catalog.fit.architectures import layers as parts
from llmops_catalog.fit.architectures.deepseek_v4 import deepseek_v4
from llmops_catalog.fit.architectures.encoders import ENCODERS, bert, modernbert, nomic_bert
from llmops_catalog.fit.architectures.families import FAMILIES, Traits
from llmops_catalog.fit.architectures.gemma3n import gemma3n
from llmops_catalog.fit.architectures.gemma4 import gemma4
from llmops_catalog.fit.architectures.hybrids import HYBRIDS, hybrid
from llmops_catalog.fit.architectures.seq2seq import t5
from llmops_catalog.fit.facts import ModelFacts
from llmops_catalog.fit.tensors import Tensor, count, together


@lru_cache(maxsize=4096)
def derive_tensors(model: ModelFacts) -> tuple[Tensor, ...] | None:
    """Every weight tensor of the model, or None where its family is not described.

    Where a family has flags that records do not carry, the variant whose sum is the recorded parameter count is taken;
    where none is, the first.
    """
    first: tuple[Tensor, ...] | None = None
    for variant in _variants(model):
        try:
            tensors = together(tensor for tensor in variant if tensor.parameters)
        except LookupError:
            continue
        first = first or tensors
        if count(tensors) == model.total_parameters:
            return tensors
    return first


def _variants(model: ModelFacts) -> Iterator[Iterator[Tensor]]:
    """The ways this model may be built, most likely first."""
    kind = model.model_type
    if kind in ENCODERS and model.intermediate_size:
        yield bert(model, ENCODERS[kind])
    elif kind == "modernbert" and model.intermediate_size:
        yield modernbert(model)
    elif kind == "nomic_bert" and model.intermediate_size:
        yield nomic_bert(model)
    elif kind == "t5" and model.intermediate_size:
        yield from (t5(model, gated) for gated in (True, False))
    elif kind in HYBRIDS:
        yield hybrid(model, HYBRIDS[kind])
    elif kind in ("gemma4", "gemma4_unified") and model.num_attention_heads:
        yield from (gemma4(model, *flags) for flags in ((True, False), (False, False), (False, True)))
    elif kind == "gemma3n" and model.num_attention_heads:
        yield gemma3n(model)
    elif kind == "deepseek_v4" and model.num_attention_heads:
        yield deepseek_v4(model)
    elif kind in FAMILIES and model.num_attention_heads and (model.intermediate_size or model.experts):
        yield from (_decoder(model, traits) for traits in FAMILIES[kind])


def parameter_count(model: ModelFacts) -> int | None:
    """Weights the architecture adds up to, or None where its family is not described."""
    tensors = derive_tensors(model)
    return None if tensors is None else count(tensors)


def expert_parameter_count(model: ModelFacts) -> int:
    """Weights of all routed experts among them; 0 where there are none, or the family is not described."""
    return count(tensor for tensor in derive_tensors(model) or () if tensor.role.startswith("expert_"))


def _decoder(model: ModelFacts, traits: Traits) -> Iterator[Tensor]:
    yield from parts.around(model, traits)
    for group, layers in parts.placed_groups(model):
        yield from parts.norms(model, traits, layers)
        if model.latent:
            yield from parts.latent_attention(model, model.latent, layers)
        else:
            yield from parts.attention(model, traits, group, layers)
        if group.type == "cross_attention":  # Llama 3.2 Vision: norms of queries and keys, a gate on each half
            yield Tensor("vector", 1, 2 * model.head_dim + 2, layers)
        if traits.layer_scalars:
            yield Tensor("vector", 1, traits.layer_scalars, layers)
        yield from parts.feed_forwards(model, traits, layers, group.intermediate_size or model.intermediate_size)

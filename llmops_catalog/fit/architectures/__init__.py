"""From a model's facts to its list of weight tensors. A family nobody described yields None, never a guess.

`derive_tensors` is what the quantization rules work on; `parameter_count` is the proof that facts and family agree. Both
need nothing but `ModelFacts`: the total tells the variants of a family apart. Where a config.json is all there is, `built_as`
counts the variant that its flags name, and that is the total.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache, lru_cache

from llmops_catalog.fit.architectures.decoders import decoder
from llmops_catalog.fit.architectures.families import FAMILIES
from llmops_catalog.fit.facts import ModelFacts
from llmops_catalog.fit.tensors import Tensor, count, together

__all__ = ["built_as", "derive_tensors", "described_model_types", "expert_parameter_count", "parameter_count"]

Variants = Iterator[Iterator[Tensor]]
"""The ways a model may be built, most likely first."""
Builder = Callable[[ModelFacts], Variants]


def _decoders(model: ModelFacts) -> Variants:
    yield from (decoder(model, traits) for traits in FAMILIES[model.model_type])


@cache
def _other_builders() -> Mapping[str, Builder]:
    """Families that are no plain decoder; their rooms are loaded when one of them is first asked about."""
    from llmops_catalog.fit.architectures.deepseek_v4 import deepseek_v4
    from llmops_catalog.fit.architectures.encoders import ENCODERS, bert, modernbert, nomic_bert
    from llmops_catalog.fit.architectures.gemma3n import gemma3n
    from llmops_catalog.fit.architectures.gemma4 import gemma4
    from llmops_catalog.fit.architectures.hybrids import HYBRIDS, hybrid
    from llmops_catalog.fit.architectures.seq2seq import t5

    def gemma4_variants(model: ModelFacts) -> Variants:
        yield from (gemma4(model, *flags) for flags in ((True, False), (False, False), (False, True)))

    return {
        **dict.fromkeys(ENCODERS, lambda model: iter((bert(model, ENCODERS[model.model_type]),))),
        **dict.fromkeys(HYBRIDS, lambda model: iter((hybrid(model, HYBRIDS[model.model_type]),))),
        "modernbert": lambda model: iter((modernbert(model),)),
        "nomic_bert": lambda model: iter((nomic_bert(model),)),
        "t5": lambda model: (t5(model, gated) for gated in (True, False)),
        "gemma4": gemma4_variants,
        "gemma4_unified": gemma4_variants,
        "gemma3n": lambda model: iter((gemma3n(model),)),
        "deepseek_v4": lambda model: iter((deepseek_v4(model),)),
    }


def described_model_types() -> frozenset[str]:
    """Every `model_type` of config.json whose tensors are described; all others have to be refused by name."""
    return frozenset((*FAMILIES, *_other_builders()))


@lru_cache(maxsize=4096)
def derive_tensors(model: ModelFacts) -> tuple[Tensor, ...] | None:
    """Every weight tensor of the model, or None where its family is not described or a size is missing.

    Where a family has flags that records do not carry, the variant whose sum is the recorded parameter count is taken;
    where none is, the first.
    """
    first: tuple[Tensor, ...] | None = None
    for variant in _variants(model):
        tensors = together(tensor for tensor in variant if tensor.parameters)
        if count(tensors) == model.total_parameters:
            return tensors
        first = first or tensors
    return first


def _variants(model: ModelFacts) -> Variants:
    build = _decoders if model.model_type in FAMILIES else _other_builders().get(model.model_type)
    if build is None or not _has_its_sizes(model):
        return
    try:
        yield from (iter(tuple(variant)) for variant in build(model))
    except LookupError:  # a recurrence nobody described, or ranks nobody recorded
        return


def _has_its_sizes(model: ModelFacts) -> bool:
    """Heads and a feed-forward size, which only layers that are no transformer's can do without."""
    if model.num_attention_heads and (model.intermediate_size or model.experts):
        return True
    from llmops_catalog.fit.architectures.hybrids import HYBRIDS

    return model.model_type in HYBRIDS


def parameter_count(model: ModelFacts) -> int | None:
    """Weights the architecture adds up to, or None where its family is not described."""
    tensors = derive_tensors(model)
    return None if tensors is None else count(tensors)


def built_as(model: ModelFacts, flags: Mapping[str, object]) -> int | None:
    """Weights of a model whose config tells how the family is built; None where the family is not described.

    `flags` are traits of the family (`Traits`), and `gated` of T5 or `keys_are_values` of Gemma 4; where no variant has
    them all, the first stands. The recorded total is not looked at.
    """
    kind = model.model_type
    if not any(True for _ in _variants(model)):
        return None
    if kind == "t5":
        from llmops_catalog.fit.architectures.seq2seq import t5

        return count(t5(model, bool(flags.get("gated"))))
    if kind in ("gemma4", "gemma4_unified"):
        from llmops_catalog.fit.architectures.gemma4 import gemma4

        return count(gemma4(model, bool(flags.get("keys_are_values")), False))
    if kind in FAMILIES:
        alike = (traits for traits in FAMILIES[kind] if all(getattr(traits, name) == value for name, value in flags.items()))
        return count(decoder(model, next(alike, FAMILIES[kind][0])))
    return parameter_count(model)


def expert_parameter_count(model: ModelFacts) -> int:
    """Weights of all routed experts among them; 0 where there are none, or the family is not described."""
    return count(tensor for tensor in derive_tensors(model) or () if tensor.role.startswith("expert_"))

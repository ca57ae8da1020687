"""What stays on the cards from step to step: weights, adapters, gradients, optimizer states; whatever the batch."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from llmops_catalog.fit.assumptions import Assumption, MissingFact
from llmops_catalog.fit.checkpoint_formats import HALF_ROLES
from llmops_catalog.fit.facts import ModelFacts
from llmops_catalog.fit.shapes import known_tensors
from llmops_catalog.fit.tensors import Tensor, count
from llmops_catalog.fit.training.adapters import EXPERT_UP, adapter_parameters, expert_adapter_parameters
from llmops_catalog.fit.training.modes import Mode
from llmops_catalog.fit.training.states import States, states
from llmops_catalog.fit.weights import OUTSIDE_ROLES, weigh

PREFETCHED = 2
"""Layers whose weights are gathered at once: the one computed and the next."""

Tensors = tuple[Tensor, ...]


class Standing(NamedTuple):
    """Bytes that stay on the cards from step to step, summed; `unit` is gathered on each card where they are sharded.

    `largest_gradient` and `head_gradient` are there for a moment, before they are added to what is accumulated;
    `table_moment` is the end of a backward pass, where the embedding's gradient is added, and `held` the output layer's
    part of it, which waits for the embedding's where both are one table. `casts` are 16-bit copies of 32-bit matrices.
    """

    weights: int
    adapters: int
    gradients: int
    states: States
    uncertainty: int
    unit: int
    largest_gradient: int
    head_gradient: int
    table_moment: int
    held: int
    casts: int
    assumptions: tuple[Assumption, ...]


@lru_cache(maxsize=1024)
def standing(model: ModelFacts, mode: Mode, quantization: str, optimizer: str) -> Standing:
    """What stays where the model is trained in this mode. Raises `MissingFact` where the weights cannot be told."""
    if mode.trains_all:
        return _everything(model, mode, optimizer, weigh(model, quantization, "transformers").uncertainty_bytes)
    return _adapted(model, mode, quantization, optimizer)


def _everything(model: ModelFacts, mode: Mode, optimizer: str, uncertainty: int) -> Standing:
    """Every weight is trained: gradients are as wide as the weights, and come as wide as they are computed."""
    tensors, _, notes = known_tensors(model)
    octets = mode.weight
    wide = octets + mode.compute if octets > mode.compute else mode.compute
    matrices = sum(tensor.parameters for tensor in tensors if tensor.role not in ("vector", *OUTSIDE_ROLES))
    table = max((tensor.parameters for tensor in tensors if tensor.role in ("token_embd", "output")), default=0)
    shared = model.tie_word_embeddings and model.is_decoder
    return Standing(
        weights=octets * count(tensors),
        adapters=0,
        gradients=octets * count(tensors),
        states=states(optimizer, tensors, octets),
        uncertainty=uncertainty,
        unit=_unit(model, tensors, mode, octets * count(tensors)),
        largest_gradient=wide * max((_whole(tensor) for tensor in tensors if tensor.role not in OUTSIDE_ROLES), default=0),
        head_gradient=wide * table,
        table_moment=3 * octets * table if shared else octets * table,
        held=octets * table if shared else 0,
        casts=2 * matrices if octets > mode.compute else 0,
        assumptions=notes,
    )


def _adapted(model: ModelFacts, mode: Mode, quantization: str, optimizer: str) -> Standing:
    """The model is frozen, adapters are kept and trained in 32 bit."""
    tensors, base = known_tensors(model)[0], weigh(model, quantization, "transformers")
    parameters = adapter_parameters(model, mode)
    if not parameters:
        text = f"no matrix of {model.name} is among the LoRA targets {mode.targets}"
        raise MissingFact("lora-targets-missing", text, "ask with --lora-targets all-linear")
    half = sum(tensor.parameters for tensor in tensors if tensor.role in HALF_ROLES)
    weights = base.resident_bytes + (2 * half if mode.upcast else 0)
    return Standing(
        weights=weights,
        adapters=4 * parameters,
        gradients=4 * parameters,
        states=states(optimizer, (Tensor("linear", mode.rank, parameters // mode.rank),), 4),
        uncertainty=base.uncertainty_bytes,
        unit=_unit(model, tensors, mode, weights),
        largest_gradient=0,
        head_gradient=0,
        table_moment=0,
        held=0,
        casts=2 * (parameters - expert_adapter_parameters(model, mode)) if mode.compute == 2 else 0,
        assumptions=base.assumptions,
    )


def _whole(tensor: Tensor) -> int:
    """Weights of the tensor whose gradient comes at once: all experts of a layer are one, gate and up together."""
    if not tensor.role.startswith("expert_"):
        return tensor.rows * tensor.cols
    return tensor.rows * tensor.cols * tensor.copies * (2 if tensor.role in EXPERT_UP else 1)


def _unit(model: ModelFacts, tensors: Tensors, mode: Mode, weights: int) -> int:
    """Weights a card gathers of what is sharded: what stands outside the layers, and two layers; their gradients if trained."""
    outside = sum(tensor.parameters for tensor in tensors if tensor.role in OUTSIDE_ROLES)
    inside = count(tensors) - outside
    layer = -(-inside // max(1, model.num_hidden_layers + (model.num_decoder_layers or 0)))
    if mode.trains_all:
        return mode.compute * (2 * outside + (PREFETCHED + 1) * layer)
    octets = 4 if mode.upcast else mode.compute
    return octets * outside + PREFETCHED * -(-(weights - octets * outside) // max(1, model.num_hidden_layers))

"""Weights of LoRA adapters: two thin matrices beside every targeted one (arXiv:2106.09685)."""

from __future__ import annotations

from functools import lru_cache

from llmops_catalog.fit.facts import ModelFacts
from llmops_catalog.fit.shapes import known_tensors
from llmops_catalog.fit.tensors import Tensor
from llmops_catalog.fit.training.modes import Mode, adapts_dense, adapts_experts

QUERY_VALUE = ("attn_q", "attn_v", "attn_qkv")
ATTENTION = (*QUERY_VALUE, "attn_k", "attn_output", "attn_k_b")
FEED_FORWARD = ("ffn_gate", "ffn_up", "ffn_down", "shared_ffn_gate", "shared_ffn_up", "shared_ffn_down")
EXPERT_UP, EXPERT_DOWN = ("expert_ffn_gate", "expert_ffn_up"), ("expert_ffn_down",)


@lru_cache(maxsize=1024)
def adapter_parameters(model: ModelFacts, mode: Mode) -> int:
    """Weights of all adapters: rank times (rows + columns) of each targeted matrix.

    Gate and up of an expert are one tensor in transformers; PEFT gives it an adapter of twice the rank over both.
    """
    return sum(_parameters(tensor, model, mode) for tensor in known_tensors(model)[0])


@lru_cache(maxsize=1024)
def expert_adapter_parameters(model: ModelFacts, mode: Mode) -> int:
    """Of these, the weights beside routed experts."""
    return sum(_parameters(tensor, model, mode) for tensor in known_tensors(model)[0] if tensor.role in (*EXPERT_UP, *EXPERT_DOWN))


def _parameters(tensor: Tensor, model: ModelFacts, mode: Mode) -> int:
    places = len(tensor.layers) * tensor.copies
    if tensor.role == "attn_k_b" or (model.latent and tensor.role == "linear" and tensor.copies > 1):
        return _latent_half(tensor, model, mode)
    if tensor.role in EXPERT_UP and adapts_experts(model, mode):
        return mode.rank * (2 * tensor.rows + tensor.cols) * places
    return mode.rank * (tensor.rows + tensor.cols) * places if tensor.role in _targeted(model, mode) else 0


def _targeted(model: ModelFacts, mode: Mode) -> tuple[str, ...]:
    if mode.targets != "all-linear":
        return QUERY_VALUE if mode.targets == "query-value" else ATTENTION
    return (*ATTENTION, "linear", *(FEED_FORWARD if adapts_dense(model, mode) else (*EXPERT_DOWN, "router")))


def _latent_half(tensor: Tensor, model: ModelFacts, mode: Mode) -> int:
    """Latent attention's up-projection is one matrix in a checkpoint, two here: only the first half counts its inputs."""
    if mode.targets == "query-value":
        return 0
    out = tensor.cols if tensor.role == "attn_k_b" else tensor.rows
    inputs = tensor.rows if tensor.role == "attn_k_b" else 0
    return mode.rank * (out * tensor.copies + inputs) * len(tensor.layers)

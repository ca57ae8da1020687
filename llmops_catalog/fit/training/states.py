"""Bytes of gradients and optimizer states: what each optimizer keeps for each trained weight."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from llmops_catalog.fit.tensors import Tensor

BLOCK = 256
"""Weights that share one fp32 scale in an 8-bit state (bitsandbytes/optim/optimizer.py)."""
PAGED = ("paged-adamw", "paged-adamw-8bit")
TABLES = ("token_embd", "position", "per_layer_token_embd")
"""Trainer keeps the states of embeddings in 32 bit under an 8-bit optimizer (`GlobalOptimManager`, transformers/trainer.py)."""

FOREACH = "adamw-foreach"
"""PyTorch's AdamW where it is not fused: the square roots of all second moments stand together (`_multi_tensor_adam`)."""

SOURCES = {
    FOREACH: "https://github.com/pytorch/pytorch/blob/main/torch/optim/adam.py",
    "adamw": "https://github.com/pytorch/pytorch/blob/main/torch/optim/adamw.py",
    "sgd": "https://github.com/pytorch/pytorch/blob/main/torch/optim/sgd.py",
    "sgd-momentum": "https://github.com/pytorch/pytorch/blob/main/torch/optim/sgd.py",
    "adafactor": "https://github.com/huggingface/transformers/blob/main/src/transformers/optimization.py",
}
BITSANDBYTES = "https://github.com/bitsandbytes-foundation/bitsandbytes/blob/main/bitsandbytes/optim/optimizer.py"


class States(NamedTuple):
    """Bytes of states on the card and in main memory, and what one step takes for a moment."""

    card_bytes: int
    host_bytes: int
    step_bytes: int = 0


def eight_bit(weights: int) -> int:
    """One byte for each weight and a scale for each block."""
    return weights + 4 * -(-weights // BLOCK)


def states(optimizer: str, tensors: Sequence[Tensor], weight_bytes: int) -> States:
    """What `optimizer` keeps for all of `tensors`, whose weights take `weight_bytes` each.

    PyTorch's optimizers keep states in the format of the weights, bitsandbytes' in 32 or 8 bit whatever the weights.
    """
    size = sum(_EACH[optimizer](tensor, weight_bytes) * tensor.copies * len(tensor.layers) for tensor in tensors)
    if optimizer in PAGED:
        return States(0, size)
    if optimizer == FOREACH:
        return States(size, 0, size // 2)
    if optimizer == "adafactor":  # the update, its square and the weights of the largest matrix in fp32
        largest = max((tensor.rows * tensor.cols * tensor.copies for tensor in tensors), default=0)
        return States(size, 0, 3 * 4 * largest)
    return States(size, 0)


def _adam_8bit(tensor: Tensor, weight_bytes: int) -> int:
    weights = tensor.rows * tensor.cols
    if tensor.role in TABLES or tensor.role == "vector":
        return 8 * weights
    return 2 * eight_bit(weights)


def _adafactor(tensor: Tensor, weight_bytes: int) -> int:
    return 4 * (tensor.cols if tensor.rows == 1 else tensor.rows + tensor.cols)


_EACH: dict[str, Callable[[Tensor, int], int]] = {
    "adamw": lambda tensor, octets: 2 * octets * tensor.rows * tensor.cols,
    FOREACH: lambda tensor, octets: 2 * octets * tensor.rows * tensor.cols,
    "adamw-8bit": _adam_8bit,
    "paged-adamw": lambda tensor, octets: 8 * tensor.rows * tensor.cols,
    "paged-adamw-8bit": _adam_8bit,
    "adafactor": _adafactor,
    "sgd": lambda tensor, octets: 0,
    "sgd-momentum": lambda tensor, octets: octets * tensor.rows * tensor.cols,
    "lion": lambda tensor, octets: 4 * tensor.rows * tensor.cols,
}

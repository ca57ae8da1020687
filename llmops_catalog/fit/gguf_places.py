"""Where in a file a tensor stands, as llama.cpp's quantizer counts: which layers count as first, last, or in between.

Source: the counters of `quantize_state_impl`, `layer_info` and `use_more_bits` in
https://github.com/ggml-org/llama.cpp/blob/master/src/llama-quant.cpp
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from llmops_catalog.fit.tensors import Tensor

VALUES = ("attn_v", "attn_qkv", "attn_kv_b")
DOWN = ("ffn_down", "expert_ffn_down", "shared_ffn_down")
GATE = ("ffn_gate", "expert_ffn_gate", "shared_ffn_gate")
UP = ("ffn_up", "expert_ffn_up", "shared_ffn_up")

PLACES = ("more", "eighth", "eighth_tensor", "sixteenth", "inner", "first_two", "first_four")
"""Kinds of places rules ask for: see `holds`. 'eighth_tensor' counts tensors where 'eighth' counts layers."""
Counts = Mapping[str, int]
"""How many tensors of a kind stand in places of each kind."""


def holds(place: str, index: int, number: int) -> bool:
    """True where tensor `index` of `number` stands in a place of this kind."""
    if place == "more":
        return index < number // 8 or index >= 7 * number // 8 or (index - number // 8) % 3 == 2
    if place == "inner":
        return number // 8 <= index < 7 * number // 8
    bound = {"eighth": number // 8, "eighth_tensor": number // 8, "sixteenth": number // 16, "first_two": 2, "first_four": 4}
    return index < bound[place]


def counts(tensors: Sequence[Tensor], layers: int, experts: int, fused_are_values: bool) -> tuple[Counts | None, ...]:
    """For each tensor: how many of its layers stand where; None for tensors whose type is the same in all layers."""
    found: list[Counts | None] = [None] * len(tensors)
    for roles in (VALUES, DOWN, GATE, UP):
        mine = [index for index, tensor in enumerate(tensors) if tensor.role in roles]
        counted = mine if fused_are_values or roles != VALUES else [index for index in mine if tensors[index].role == "attn_v"]
        ordinals = _ordinals(tensors, counted)
        number = sum(len(tensors[index].layers) for index in mine) if roles == VALUES else layers
        for index in counted:
            by_layer = roles != VALUES and experts > 1
            positions = _frozen(tensors[index].layers) if by_layer else ordinals[index]
            found[index] = _counted(positions, ordinals[index], number)
    return tuple(found)


def positions(tensors: Sequence[Tensor], roles: Sequence[str]) -> dict[int, Sequence[int]]:
    """The place in the order of the file of each tensor with one of these roles, by index of the tensor and layer."""
    return _ordinals(tensors, [index for index, tensor in enumerate(tensors) if tensor.role in roles])


def _ordinals(tensors: Sequence[Tensor], indices: Sequence[int]) -> dict[int, Sequence[int]]:
    """Their places when all of them are counted together, layer by layer and by name within a layer."""
    if len(indices) == 1:
        return {indices[0]: range(len(tensors[indices[0]].layers))}
    order = sorted((layer, _name_order(tensors[index].role), index) for index in indices for layer in tensors[index].layers)
    places: dict[int, list[int]] = {index: [] for index in indices}
    for place, (_, _, index) in enumerate(order):
        places[index].append(place)
    return {index: _frozen(found) for index, found in places.items()}


def _name_order(role: str) -> int:
    """Within a layer tensors are counted by name: ffn_down, ffn_down_exps, ffn_down_shexp."""
    return 1 if role.startswith("expert_") else 2 if role.startswith("shared_") else 0


def _frozen(layers: Sequence[int]) -> Sequence[int]:
    """The same numbers as something that can be remembered by."""
    return layers if isinstance(layers, (range, tuple)) else tuple(layers)


@lru_cache(maxsize=8192)
def _counted(positions: Sequence[int], ordinals: Sequence[int], number: int) -> Counts:
    among = {place: ordinals if place == "eighth_tensor" else positions for place in PLACES}
    return {place: sum(holds(place, index, number) for index in among[place]) for place in PLACES}

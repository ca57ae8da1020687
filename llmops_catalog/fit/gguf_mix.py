"""Which block type each tensor of a GGUF file gets: the decisions of llama.cpp's quantizer, tensor by tensor.

Source: `llama_tensor_get_type_impl`, `tensor_allows_quantization` and `tensor_type_fallback` in
https://github.com/ggml-org/llama.cpp/blob/master/src/llama-quant.cpp (without an importance matrix, except for the
types that cannot be made without one: IQ3_XXS and below).
Fused query-key-value matrices follow the older rule (one step above the base type in the M mixes): nearly all published
files of such models were made by it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from llmops_catalog.fit.formats import GGUF_BLOCKS, GGUF_DEFAULT_TYPE
from llmops_catalog.fit.tensors import Tensor

FULL_PRECISION = ("vector", "router", "position", "kept")
"""Norms, biases, routers, position tables, short convolutions: kept in 32 bit in every file."""

_FALLBACK = {
    "IQ1_S": "IQ4_NL", "IQ1_M": "IQ4_NL", "IQ2_XXS": "IQ4_NL", "IQ2_XS": "IQ4_NL", "IQ2_S": "IQ4_NL",
    "IQ3_XXS": "IQ4_NL", "IQ3_S": "IQ4_NL", "IQ4_XS": "IQ4_NL",
    "Q2_K": "Q4_0", "Q3_K": "Q4_0", "Q4_K": "Q5_0", "Q5_K": "Q5_1", "Q6_K": "Q8_0",
}  # fmt: skip
_UNIFORM = ("f32", "f16", "bf16", "q8_0", "q6_k", "q5_1", "q5_0", "q4_1", "q4_0", "mxfp4")
_TWO_BIT = ("iq2_xxs", "iq2_xs", "iq2_s", "iq2_m", "iq1_s", "iq1_m")


class Mix(NamedTuple):
    """What the rules ask about the model: `layers` in all, heads per key head, experts, special families."""

    file_type: str
    layers: int
    heads_per_key_head: int
    experts: int
    tied: bool
    falcon: bool = False
    is_70b: bool = False
    native_mxfp4: bool = False


def block_type(tensor: Tensor, place: int, layer: int, places: int, mix: Mix) -> str:
    """The block type of one matrix.

    `place` counts the tensors of this role from the first layer on, `places` says how many there are; `layer` is the
    layer itself.
    """
    if tensor.role in FULL_PRECISION:
        return "F32"
    if tensor.role == "remainder":
        return "F16"
    if tensor.role.startswith("expert_") and (mix.native_mxfp4 or mix.file_type == "mxfp4"):
        return fitting("MXFP4", tensor.cols)  # what is shipped in MXFP4 is never converted, whatever the file is called
    base = GGUF_DEFAULT_TYPE[mix.file_type]
    if base in ("F32", "F16", "BF16"):
        return base
    if mix.file_type == "mxfp4":
        return fitting("Q8_0", tensor.cols)
    return fitting(_wanted(tensor.role, base, place, layer, places, mix), tensor.cols)


def depends_on_layer(role: str, file_type: str) -> bool:
    """False where all layers get the same type, so that one needs to be asked about only."""
    return file_type not in _UNIFORM and role.endswith(("attn_v", "ffn_down", "ffn_gate", "ffn_up"))


def fitting(wanted: str, cols: int) -> str:
    """`wanted`, or what llama.cpp falls back to where a row is no whole number of its blocks."""
    if cols % GGUF_BLOCKS[wanted][0] == 0:
        return wanted
    other = _FALLBACK.get(wanted, "F16")
    return other if cols % GGUF_BLOCKS[other][0] == 0 else "F16"


def gets_more_bits(index: int, number: int) -> bool:
    """The first and last eighth, and every third in between (`use_more_bits`)."""
    return index < number // 8 or index >= 7 * number // 8 or (index - number // 8) % 3 == 2


def _wanted(role: str, base: str, place: int, layer: int, places: int, mix: Mix) -> str:
    if role == "output" or (role == "token_embd" and mix.tied):
        return _output(base, mix)
    if role in ("token_embd", "per_layer_token_embd"):
        return _embedding(base, mix)
    rule = _RULES.get(role.removeprefix("expert_").removeprefix("shared_"))
    if rule is None:
        return base
    if role.endswith("ffn_down") and mix.experts <= 1:
        layer = place
    return rule(base, place if role.startswith("attn") else layer, places if role.startswith("attn") else mix.layers, mix)


def _output(base: str, mix: Mix) -> str:
    if mix.falcon:
        return "Q8_0"
    if mix.file_type in _TWO_BIT or mix.file_type == "iq3_xxs":
        return "Q5_K"
    return base if base == "Q8_0" else "Q6_K"


def _embedding(base: str, mix: Mix) -> str:
    if mix.file_type in ("iq2_xxs", "iq2_xs", "iq1_s", "iq1_m"):
        return "Q2_K"
    return "IQ3_S" if mix.file_type in ("iq2_s", "iq2_m", "iq3_xxs") else base


def _value(base: str, index: int, number: int, mix: Mix) -> str:
    kind, shared = mix.file_type, mix.heads_per_key_head >= 4
    if kind in _TWO_BIT:
        small = "IQ3_S" if kind in ("iq2_s", "iq2_m") else "Q2_K"
        return "Q4_K" if shared or mix.experts >= 4 else small
    chosen = base
    if kind == "q2_k":
        chosen = "Q4_K" if shared else "Q3_K"
    elif kind == "iq3_xxs":
        chosen = "Q4_K" if shared else base
    elif (kind in ("q2_k_s", "iq3_xs", "iq3_s") and shared) or kind == "iq3_m":
        chosen = "Q4_K"
    elif kind == "q3_k_m":
        chosen = "Q5_K" if index < 2 else "Q4_K"
    elif kind == "q3_k_l" or (kind in ("iq4_nl", "iq4_xs") and shared):
        chosen = "Q5_K"
    elif kind in ("q4_k_m", "q5_k_m") and gets_more_bits(index, number):
        chosen = "Q6_K"
    elif kind == "q4_k_s" and index < 4:
        chosen = "Q5_K"
    if mix.is_70b and chosen in ("Q3_K", "Q4_K"):
        chosen = "Q5_K"
    return "Q8_0" if mix.experts == 8 else chosen


def _key(base: str, index: int, number: int, mix: Mix) -> str:
    if mix.experts == 8:
        return "Q4_K" if mix.file_type in _TWO_BIT else "Q8_0"
    return _query(base, index, number, mix)


def _query(base: str, index: int, number: int, mix: Mix) -> str:
    return {"iq3_xs": "IQ3_XXS", "iq3_xxs": "IQ2_S"}.get(mix.file_type, base)


def _fused(base: str, index: int, number: int, mix: Mix) -> str:
    if mix.file_type in ("q3_k_m", "q3_k_l", "iq3_m"):
        return "Q4_K"
    return {"q4_k_m": "Q5_K", "q5_k_m": "Q6_K"}.get(mix.file_type, base)


def _attention_output(base: str, index: int, number: int, mix: Mix) -> str:
    kind = mix.file_type
    if kind in _TWO_BIT:
        if mix.experts == 8:
            return "Q5_K"
        return {"iq1_s": "IQ2_XXS", "iq1_m": "IQ2_XXS", "iq2_s": "IQ3_S", "iq2_m": "IQ3_S"}.get(kind, base)
    if mix.falcon:
        return "Q4_K" if kind == "q3_k_l" else base
    if mix.experts == 8:
        raised = (
            "q2_k",
            "iq3_xs",
            "iq3_xxs",
            "q3_k_s",
            "q3_k_m",
            "iq4_nl",
            "q4_k_s",
            "q4_k_m",
            "iq3_s",
            "iq3_m",
            "iq4_xs",
        )
        return "Q5_K" if kind in raised else base
    return {"q2_k": "Q3_K", "iq3_xxs": "IQ3_S", "q3_k_m": "Q4_K", "q3_k_l": "Q5_K", "iq3_m": "Q4_K"}.get(kind, base)


def _down(base: str, index: int, number: int, mix: Mix) -> str:
    kind, early = mix.file_type, index < number // 8
    if kind in _TWO_BIT:
        small = "IQ3_S" if kind in ("iq2_s", "iq2_m") else "Q2_K"
        return small if early else base
    if mix.falcon and kind in ("q3_k_m", "q3_k_l", "q4_k_m", "q4_k_s"):
        return _down_of_falcon(base, index, number, mix)
    more = gets_more_bits(index, number)
    table = {
        "q2_k": "Q3_K",
        "q2_k_s": "Q4_K" if early else base,
        "q3_k_m": "Q5_K" if index < number // 16 else "Q4_K",
        "iq3_m": "Q4_K" if early or (mix.experts == 8 and more) else base,
        "q3_k_l": "Q5_K",
        "q4_k_m": "Q6_K" if more else base,
        "q5_k_m": "Q6_K" if more else base,
        "q4_k_s": "Q5_K" if early else base,
        "iq4_nl": "Q5_K" if early else base,
        "iq4_xs": "Q5_K" if early else base,
    }
    return table.get(kind, base)


def _down_of_falcon(base: str, index: int, number: int, mix: Mix) -> str:
    more = gets_more_bits(index, number)
    return {
        "q3_k_m": "Q5_K" if index < number // 16 else "Q4_K" if more else "Q3_K",
        "q3_k_l": "Q4_K",
        "q4_k_m": "Q6_K" if index < number // 16 else "Q5_K" if more else "Q4_K",
    }.get(mix.file_type, base)


def _middle(base: str, index: int, number: int, mix: Mix) -> str:
    inner = number // 8 <= index < 7 * number // 8
    return "IQ3_XXS" if mix.file_type == "iq3_xs" and inner else base


_RULES: dict[str, Callable[[str, int, int, Mix], str]] = {
    "attn_q": _query, "attn_k": _key, "attn_v": _value, "attn_qkv": _fused, "attn_output": _attention_output,
    "ffn_down": _down, "ffn_gate": _middle, "ffn_up": _middle,
}  # fmt: skip

"""Which block type each tensor of a GGUF file gets: the decisions of llama.cpp's quantizer as data, one table for each kind of tensor.

Source: `llama_tensor_get_type_impl` and `tensor_type_fallback` in
https://github.com/ggml-org/llama.cpp/blob/master/src/llama-quant.cpp, without an importance matrix (the types that cannot be
made without one, IQ3_XXS and below, aside: those as with one).

Early in 2026 two rules changed: fused query-key-value matrices now follow the rule of values, and the second embedding table
of Gemma's E models that of the output. Files of models published before were made by the older ones (`Mix.recent`).
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from llmops_catalog.fit.assumptions import MissingFact
from llmops_catalog.fit.formats import GGUF_BLOCKS, GGUF_DEFAULT_TYPE

FULL_PRECISION = ("vector", "router", "position", "kept")
"""Norms, biases, routers, position tables, short convolutions: kept in 32 bit in every file."""
OUTPUTS = ("output", "token_embd", "per_layer_token_embd")

_FALLBACK = {
    "IQ1_S": "IQ4_NL", "IQ1_M": "IQ4_NL", "IQ2_XXS": "IQ4_NL", "IQ2_XS": "IQ4_NL", "IQ2_S": "IQ4_NL",
    "IQ3_XXS": "IQ4_NL", "IQ3_S": "IQ4_NL", "IQ4_XS": "IQ4_NL",
    "Q2_0": "Q4_0", "Q2_K": "Q4_0", "Q3_K": "Q4_0", "TQ1_0": "Q4_0", "TQ2_0": "Q4_0",
    "Q4_K": "Q5_0", "Q5_K": "Q5_1", "Q6_K": "Q8_0",
    # change_type_if_necessary of the fork, src/llama-quantize.cpp
    "IQ2_KS": "IQ4_NL", "IQ2_K": "IQ4_NL", "IQ2_KL": "IQ4_NL", "IQ3_KS": "IQ4_NL", "IQ3_K": "IQ4_NL", "IQ4_KSS": "IQ4_NL",
    "IQ4_KS": "IQ4_NL", "IQ1_KT": "IQ4_NL", "IQ2_KT": "IQ4_NL", "IQ3_KT": "IQ4_NL", "IQ4_KT": "IQ4_NL",
    "IQ4_K": "Q5_0", "IQ5_KS": "Q5_0", "IQ5_K": "Q6_0", "IQ6_K": "Q8_0",
}  # fmt: skip
TWO_BIT = ("iq2_xxs", "iq2_xs", "iq2_s", "iq2_m", "iq1_s", "iq1_m")
_RAISED_OUTPUT_OF_EIGHT = (
    "q2_k", "iq3_xs", "iq3_xxs", "q3_k_s", "q3_k_m", "iq4_nl", "q4_k_s", "q4_k_m", "iq3_s", "iq3_m", "iq4_xs",
)  # fmt: skip


class Mix(NamedTuple):
    """What the rules ask about a file and its model: heads per key head, experts, special families."""

    file_type: str
    heads_per_key_head: int
    experts: int
    tied: bool
    falcon: bool = False
    is_70b: bool = False
    native_mxfp4: bool = False
    recent: bool = True


class Choice(NamedTuple):
    """The type of one kind of tensor: `base`, or in certain places of the file (`gguf_places`) another.

    Each kind of place in `raised` includes those named before it.
    """

    base: str
    raised: tuple[tuple[str, str], ...] = ()


Choices = Mapping[str, Choice]
"""By role; a role that is not in it has the type of '' (every rule that names no role)."""


@lru_cache(maxsize=4096)
def choices(mix: Mix) -> Choices:
    """The type of every role in a file of `mix.file_type`, before rows that are no whole number of blocks fall back."""
    base = GGUF_DEFAULT_TYPE[mix.file_type]
    table = dict.fromkeys(FULL_PRECISION, Choice("F32")) | {"half": Choice("F32" if base == "F32" else "F16"), "": Choice(base)}
    table["remainder"] = table["half"]
    if base not in ("F32", "F16", "BF16"):
        table |= _special(mix) if mix.file_type in ("mxfp4", "nvfp4") else _mixed(base, mix)
    if mix.native_mxfp4:  # what is shipped in MXFP4 is never converted, whatever the file is called
        table |= dict.fromkeys(("expert_ffn_gate", "expert_ffn_up", "expert_ffn_down"), Choice("MXFP4"))
    return table


@lru_cache(maxsize=65536)
def fitting(wanted: str, cols: int) -> str:
    """`wanted`, or what llama.cpp falls back to where a row is no whole number of its blocks. Raises `MissingFact` where it gives up."""
    if cols % GGUF_BLOCKS[wanted][0] == 0:
        return wanted
    if wanted == "Q1_0":
        raise MissingFact("no-such-file", f"llama-quantize makes no q1_0 file of this model: {cols} is no multiple of 128", "take q2_0")
    other = _FALLBACK.get(wanted, "F16")
    return other if cols % GGUF_BLOCKS[other][0] == 0 else "F16"


def _special(mix: Mix) -> dict[str, Choice]:
    """MXFP4: experts and MLA's stacked matrices, the rest Q8_0. NVFP4: every matrix in the layers, as its checkpoints are."""
    if mix.file_type == "nvfp4":
        return dict.fromkeys((*OUTPUTS, "half"), Choice("F16"))
    stacked = ("expert_ffn_gate", "expert_ffn_up", "expert_ffn_down", "attn_k_b", "stacked")
    return dict.fromkeys(stacked, Choice("MXFP4")) | {"": Choice("Q8_0")}


def _mixed(base: str, mix: Mix) -> dict[str, Choice]:
    output, embedding, value, down = _output(base, mix), _embedding(base, mix), _value(base, mix), _down(base, mix)
    table = {
        "output": output,
        "token_embd": output if mix.tied else embedding,
        "per_layer_token_embd": output if mix.tied and mix.recent else embedding,
        "attn_q": _query(base, mix),
        "attn_k": _key(base, mix),
        "attn_v": value,
        "attn_kv_b": value,
        "attn_qkv": value if mix.recent else _older_fused(base, mix),
        "attn_output": _attention_output(base, mix),
    }
    inner = Choice(base, (("inner", "IQ3_XXS"),) if mix.file_type == "iq3_xs" else ())
    for prefix in ("", "expert_", "shared_"):
        table |= {f"{prefix}ffn_down": down, f"{prefix}ffn_gate": inner, f"{prefix}ffn_up": inner}
    return table


def _output(base: str, mix: Mix) -> Choice:
    if mix.falcon:
        return Choice("Q8_0")
    if mix.file_type in TWO_BIT or mix.file_type == "iq3_xxs":
        return Choice("Q5_K")
    return Choice(base if base == "Q8_0" else "Q6_K")


def _embedding(base: str, mix: Mix) -> Choice:
    kind = mix.file_type
    if kind in ("iq2_xxs", "iq2_xs", "iq1_s", "iq1_m"):
        return Choice("Q2_K")
    if kind in ("tq1_0", "tq2_0", "q2_0"):
        return Choice("Q4_K")
    return Choice("IQ3_S" if kind in ("iq2_s", "iq2_m", "iq3_xxs") else base)


def _value(base: str, mix: Mix) -> Choice:
    kind, shared = mix.file_type, mix.heads_per_key_head >= 4
    if kind in TWO_BIT:
        small = "IQ3_S" if kind in ("iq2_s", "iq2_m") else "Q2_K"
        return Choice("Q4_K" if shared or mix.experts >= 4 else small)
    if mix.experts == 8:
        return Choice("Q8_0")
    usual, raised = {
        "q2_k": ("Q4_K" if shared else "Q3_K", ()),
        "q2_k_s": ("Q4_K" if shared else base, ()),
        "iq3_xxs": ("Q4_K" if shared else base, ()),
        "iq3_xs": ("Q4_K" if shared else base, ()),
        "iq3_s": ("Q4_K" if shared else base, ()),
        "iq3_m": ("Q4_K", ()),
        "q3_k_m": ("Q4_K", (("first_two", "Q5_K"),)),
        "q3_k_l": ("Q5_K", ()),
        "iq4_nl": ("Q5_K" if shared else base, ()),
        "iq4_xs": ("Q5_K" if shared else base, ()),
        "q4_k_m": (base, (("more", "Q6_K"),)),
        "q5_k_m": (base, (("more", "Q6_K"),)),
        "q4_k_s": (base, (("first_four", "Q5_K"),)),
    }.get(kind, (base, ()))
    return Choice("Q5_K" if mix.is_70b and usual in ("Q3_K", "Q4_K") else usual, raised)


def _key(base: str, mix: Mix) -> Choice:
    if mix.experts == 8:
        return Choice("Q4_K" if mix.file_type in TWO_BIT else "Q8_0")
    return _query(base, mix)


def _query(base: str, mix: Mix) -> Choice:
    return Choice({"iq3_xs": "IQ3_XXS", "iq3_xxs": "IQ2_S"}.get(mix.file_type, base))


def _older_fused(base: str, mix: Mix) -> Choice:
    """The branch of attn_qkv, which today's rules never reach."""
    older = {"q3_k_m": "Q4_K", "q3_k_l": "Q4_K", "iq3_m": "Q4_K", "q4_k_m": "Q5_K", "q5_k_m": "Q6_K"}
    return Choice(older.get(mix.file_type, base))


def _attention_output(base: str, mix: Mix) -> Choice:
    kind = mix.file_type
    if kind in TWO_BIT:
        small = {"iq1_s": "IQ2_XXS", "iq1_m": "IQ2_XXS", "iq2_s": "IQ3_S", "iq2_m": "IQ3_S"}.get(kind, base)
        return Choice("Q5_K" if mix.experts == 8 else small)
    if mix.falcon:
        return Choice("Q4_K" if kind == "q3_k_l" else base)
    if mix.experts == 8:
        return Choice("Q5_K" if kind in _RAISED_OUTPUT_OF_EIGHT else base)
    return Choice({"q2_k": "Q3_K", "iq3_xxs": "IQ3_S", "q3_k_m": "Q4_K", "q3_k_l": "Q5_K", "iq3_m": "Q4_K"}.get(kind, base))


def _down(base: str, mix: Mix) -> Choice:
    kind = mix.file_type
    if kind in TWO_BIT:
        return Choice(base, (("eighth_tensor", "IQ3_S" if kind in ("iq2_s", "iq2_m") else "Q2_K"),))
    if mix.falcon and kind in ("q3_k_m", "q3_k_l", "q4_k_m", "q4_k_s"):
        return {
            "q3_k_m": Choice("Q3_K", (("sixteenth", "Q5_K"), ("more", "Q4_K"))),
            "q3_k_l": Choice("Q4_K"),
            "q4_k_m": Choice("Q4_K", (("sixteenth", "Q6_K"), ("more", "Q5_K"))),
        }.get(kind, Choice(base))
    return {
        "q2_k": Choice("Q3_K"),
        "q2_k_s": Choice(base, (("eighth", "Q4_K"),)),
        "q3_k_m": Choice("Q4_K", (("sixteenth", "Q5_K"),)),
        "q3_k_l": Choice("Q5_K"),
        "iq3_m": Choice(base, (("more" if mix.experts == 8 else "eighth", "Q4_K"),)),
        "q4_k_m": Choice(base, (("more", "Q6_K"),)),
        "q5_k_m": Choice(base, (("more", "Q6_K"),)),
        "q4_k_s": Choice(base, (("eighth", "Q5_K"),)),
        "iq4_nl": Choice(base, (("eighth", "Q5_K"),)),
        "iq4_xs": Choice(base, (("eighth", "Q5_K"),)),
    }.get(kind, Choice(base))

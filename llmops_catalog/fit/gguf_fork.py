"""Block types in files of the fork ik_llama.cpp: its own quantizer's decisions for the types that only it has.

Source: `llama_tensor_get_type` in https://github.com/ikawrakow/ik_llama.cpp/blob/8337e4cd3861406fc04e0854b1409cd1b027fbc9/src/llama-quantize.cpp,
without an importance matrix except for the trellis types (_KT). Most published files of the fork are mixes of their makers'
own, which no rule foretells.
"""

from __future__ import annotations

from functools import lru_cache

from llmops_catalog.fit.formats import FORK_DEFAULT_TYPE
from llmops_catalog.fit.gguf_mix import FULL_PRECISION, Choice, Choices, Mix

_SMALL = ("iq2_k", "iq3_k", "iq2_ks", "iq3_ks", "iq2_kl", "iq2_kt", "iq3_kt", "iq1_kt")
_RAISED_WITH_EXPERTS = ("iq4_k", "iq4_kss", "iq4_ks", "iq5_ks", "iq2_k", "iq3_k", "iq3_kt", "iq3_ks")


@lru_cache(maxsize=1024)
def fork_choices(mix: Mix) -> Choices:
    """As `gguf_mix.choices`, for a file type of the fork."""
    kind, base = mix.file_type, FORK_DEFAULT_TYPE[mix.file_type]
    output, embedding = Choice(_output(base, mix)), Choice(_embedding(base, kind))
    table = dict.fromkeys(FULL_PRECISION, Choice("F32")) | dict.fromkeys(("half", "remainder"), Choice("F16"))
    table |= {
        "": Choice(base),
        "output": output,
        "token_embd": output if mix.tied else embedding,
        "per_layer_token_embd": embedding,
        "attn_k": Choice(_key(base, mix)),
        "attn_k_b": Choice(_key(base, mix)),
        "attn_v": Choice(_value(base, mix)),
        "attn_output": Choice(_attention_output(base, mix)),
    }
    if kind in ("iq2_ks", "iq2_kt") and mix.experts >= 8:
        table["attn_q"] = Choice("Q4_K")
    down = _down(base, mix)
    return table | {f"{prefix}ffn_down": down for prefix in ("", "expert_", "shared_")} | _native(mix)


def _native(mix: Mix) -> dict[str, Choice]:
    roles = ("expert_ffn_gate", "expert_ffn_up", "expert_ffn_down") if mix.native_mxfp4 else ()
    return dict.fromkeys(roles, Choice("MXFP4"))


def _output(base: str, mix: Mix) -> str:
    if mix.falcon:
        return "Q8_0"
    if mix.file_type in _SMALL:
        return "IQ4_K" if mix.tied else "Q5_K"
    if mix.file_type in ("iq4_ks", "iq4_kss") and mix.tied:
        return "IQ5_K"
    return base if base == "IQ6_K" else "Q6_K"


def _embedding(base: str, kind: str) -> str:
    return {"iq3_kt": "IQ3_S", "iq1_bn": "IQ4_NL", "iq2_bn": "IQ4_NL"}.get(kind, base)


def _value(base: str, mix: Mix) -> str:
    """Values get more bits the more query heads share them, and 8 with experts."""
    kind, shared = mix.file_type, mix.heads_per_key_head
    if kind in ("iq2_ks", "iq2_kt"):
        return "IQ4_K" if shared >= 4 or mix.experts >= 4 else "IQ3_K" if shared >= 2 else "Q2_K"
    if mix.experts >= 4:
        return "Q8_0"
    if mix.is_70b:
        return "IQ5_K" if base == "IQ3_K" else base
    always = {"iq2_k": ("IQ4_K", "IQ3_K", 2), "iq3_kt": ("IQ4_K", "IQ3_K", 4), "iq4_kt": ("IQ5_K", "IQ4_K", 4)}
    if kind in always:
        more, less, from_heads = always[kind]
        return more if shared >= from_heads else less
    raised = {"iq3_k": "IQ4_K", "iq3_ks": "IQ4_KS", "iq2_kl": "IQ4_KS", "iq4_ks": "IQ5_K", "iq4_kss": "IQ5_K", "iq4_k": "IQ5_K"}
    return raised.get(kind, base) if shared >= 2 else base


def _key(base: str, mix: Mix) -> str:
    if mix.file_type in ("iq2_ks", "iq2_kt"):
        return "Q4_K" if mix.experts >= 8 else base
    return "Q8_0" if mix.experts >= 4 else base


def _attention_output(base: str, mix: Mix) -> str:
    kind = mix.file_type
    if kind == "iq2_kt":
        return "Q5_K" if mix.experts >= 4 else "IQ3_K"
    if mix.experts >= 4:
        if kind in _RAISED_WITH_EXPERTS or kind == "iq2_ks":
            return "Q5_K"
        return "IQ4_KS" if kind == "iq2_kl" else base
    if kind == "iq2_k" or (kind == "iq3_kt" and mix.heads_per_key_head >= 4):
        return "IQ3_K"
    return base


def _down(base: str, mix: Mix) -> Choice:
    return {
        "iq4_ks": Choice(base, (("eighth", "Q5_K"),)),
        "iq4_kss": Choice(base, (("eighth", "Q5_K"),)),
        "iq2_ks": Choice(base, (("eighth_tensor", "Q2_K"),)),
        "iq2_kt": Choice(base, (("eighth", "IQ3_K"),)),
    }.get(mix.file_type, Choice(base))

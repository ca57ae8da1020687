"""What a layer of each family keeps alive at once while a prompt runs through it, in Hugging Face Transformers.

The figures count numbers per token, as multiples of the widths of a layer. They were read off traces: the models of
transformers 5.24 were built without weights on PyTorch's `meta` device and every live storage was counted while a prompt
ran through them (tests/golden/transformers_live_bytes.json holds such traces). They follow the modelling files,
https://github.com/huggingface/transformers/tree/main/src/transformers/models, one `modeling_*.py` each.
"""

from __future__ import annotations

from typing import NamedTuple

Version = tuple[int, ...]
LATEST: Version = (10**6,)
"""What is assumed where no release is named."""
ALWAYS: Version = (0,)
NEVER: Version = (10**9,)

LAST_LOGITS_ONLY: Version = (4, 45)
"""Since then `generate` asks for the logits of the last token only
(https://github.com/huggingface/transformers/pull/31292)."""
GROUPED_EXPERTS: Version = (5, 0)
"""Since then all tokens of all experts are multiplied at once (integrations/moe.py); before, expert after expert."""
LATENT_CACHE: Version = (5, 15)
"""Since then the cache of latent attention holds the latents (models/deepseek_v3: "Cache read / write is performed while
latent KV is still compressed"); before, full keys and values of every head."""
CACHE_IN_PLACE: Version = (4, 42)
"""Since then `generate` starts from a `DynamicCache`; before, the tuples of the last step lived until the next was done."""
ONE_BLOCK_LOADING: Version = (4, 50)
"""Since then weights are carved from one large block (`caching_allocator_warmup` in modeling_utils.py)."""


class Live(NamedTuple):
    """Numbers alive per token at the widest moments of a layer.

    In the feed forward: `stream` x hidden + `wide` x feed forward. In attention: `attention` x hidden + `rotated` x all
    query heads + `fresh` x all key heads, beside what is cached. While a norm is computed in 32 bit: `norm` x hidden.
    """

    wide: float = 3
    """Gate, up and their product."""
    stream: float = 4
    """Embeddings, input of the layer, sum after attention, its norm."""
    attention: float = 3
    rotated: float = 4
    fresh: float = 0
    norm: float = 7
    scores: int = 10
    """Bytes for each score of each head where attention is computed step by step: masked scores in 16 bit, their copy and
    the softmax in 32 bit."""
    kept_scores: int = 2
    """Of these, what lives on until the next layer."""
    fused_since: Version = ALWAYS
    """First release that runs fused attention unasked."""
    rotary_tables_until: Version = ALWAYS
    """First release whose layers no longer keep sines and cosines of every position (`cos_cached`)."""
    always_masked: bool = False
    """A mask is built even where causal attention needs none."""
    last_logits_since: Version = LAST_LOGITS_ONLY
    wide_logits: bool = True
    """Logits were copied to 32 bit before `last_logits_since`."""
    wide_routing: bool = False
    """Expert weights stay in 32 bit, and with them the products they scale."""
    shared_first: bool = False
    """The shared expert's output waits while the routed ones run."""


UNROTATED = 2
"""`rotated` of families with learned positions or none."""
LLAMA = Live()
QK_NORM = Live(rotated=5)
"""Queries are normed in 32 bit, head by head."""
FUSED_GATE = Live(wide=4, fresh=2)
"""Gate and up are halves of one matrix, which lives until both are used."""
POST_NORM = QK_NORM._replace(stream=3, norm=9)
LEARNED = Live(wide=4, stream=6, rotated=UNROTATED, norm=4, wide_logits=False)
"""Learned positions and the GELU written out in Python (`gelu_new`)."""
SIGMOID_ROUTED = Live(rotated=5, wide_routing=True)
PLAIN = Live(wide=2)

FAMILIES: dict[str, Live] = {
    **dict.fromkeys(("qwen3", "qwen3_moe", "qwen3_vl", "qwen3_5", "gemma3", "gemma3_text", "hunyuan_v1_dense", "olmoe"), QK_NORM),
    **dict.fromkeys(("qwen3_vl_moe", "minimax_m2", "gemma4", "gemma4_unified", "smollm3"), QK_NORM),
    **dict.fromkeys(("qwen3_next", "qwen3_5_moe", "hunyuan_v1_moe"), QK_NORM._replace(shared_first=True)),
    "qwen2_moe": Live(shared_first=True, rotary_tables_until=(4, 45)),
    "ernie4_5_moe": Live(shared_first=True),
    **dict.fromkeys(("deepseek_v2", "deepseek_v3", "deepseek_v32", "kimi_k2", "kimi_k25", "glm_moe_dsa"), SIGMOID_ROUTED),
    **dict.fromkeys(("glm4_moe", "glm4_moe_lite"), SIGMOID_ROUTED),
    **dict.fromkeys(("phi3", "glm", "glm4"), FUSED_GATE),
    "modernbert": FUSED_GATE._replace(stream=5),
    **dict.fromkeys(("olmo2", "olmo3", "exaone4"), POST_NORM),
    **dict.fromkeys(("cohere", "cohere2"), Live(attention=4, rotated=8, fresh=2, norm=8)),
    "apertus": QK_NORM._replace(wide=5.5),
    "stablelm": Live(stream=6, rotary_tables_until=(4, 45)),
    "starcoder2": PLAIN._replace(rotary_tables_until=(4, 45)),
    "phi": Live(wide=4, rotary_tables_until=(4, 45), fused_since=(4, 42)),
    "gptj": Live(wide=4, fused_since=(5, 22), last_logits_since=(5, 0)),
    "gpt2": LEARNED._replace(scores=4, fused_since=(4, 42), last_logits_since=(4, 52)),
    "gpt_bigcode": LEARNED._replace(wide=2, last_logits_since=(5, 0)),
    "gpt_neox": PLAIN._replace(fused_since=(4, 42), rotary_tables_until=(4, 45), wide_logits=False, last_logits_since=(4, 48)),
    "opt": PLAIN._replace(rotated=UNROTATED, fused_since=(4, 46), wide_logits=False, last_logits_since=(5, 0)),
    "falcon": PLAIN._replace(always_masked=True, rotary_tables_until=(4, 45), wide_logits=False, last_logits_since=(4, 48)),
    "bloom": Live(wide=5, rotated=UNROTATED, scores=14, fused_since=NEVER, wide_logits=False, last_logits_since=(5, 0)),
    "mpt": Live(wide=2, stream=5, rotated=UNROTATED, scores=12, fused_since=NEVER, wide_logits=False, last_logits_since=(5, 0)),
    "gemma2": Live(fused_since=NEVER),
    "gpt_oss": Live(wide=9, scores=6, fused_since=NEVER),
    "gemma3n": QK_NORM._replace(stream=20, norm=31),
    "llama": Live(rotary_tables_until=(4, 41)),
    "mistral": Live(rotary_tables_until=(4, 42)),
    "mixtral": Live(rotary_tables_until=(4, 47)),
    "qwen2": Live(rotary_tables_until=(4, 45)),
    "rwkv": Live(wide=2, stream=8),
    **dict.fromkeys(("bert", "roberta", "xlm-roberta", "distilbert", "nomic_bert"), Live(wide=2, stream=3, rotated=UNROTATED)),
    "mpnet": Live(wide=2, stream=3, rotated=UNROTATED, scores=12, kept_scores=0, fused_since=NEVER),
    "t5": Live(stream=6, rotated=UNROTATED, scores=12, fused_since=LATENT_CACHE),
}
"""Families that differ from `LLAMA`. Softcapped scores (Gemma 2), sinks (gpt-oss) and ALiBi (BLOOM, MPT) are never fused
unasked."""

CHUNK = {"granitemoehybrid": 256, "nemotron_h": 128}
"""Tokens of one chunk of a Mamba 2 scan (`chunk_size` of their configs)."""


def live(model_type: str) -> Live:
    """The figures of a family; those of Llama where nothing else is known."""
    return FAMILIES.get(model_type, LLAMA)


def release(text: str | None) -> Version:
    """The release a text names ("transformers 4.46.0", "4.51.3"), or the latest one where it names none."""
    for word in (text or "").split():
        numbers = word.removeprefix("v").split(".")
        if len(numbers) > 1 and numbers[0].isdecimal() and numbers[1].isdecimal():
            return tuple(int(number) for number in numbers[:2])
    return LATEST

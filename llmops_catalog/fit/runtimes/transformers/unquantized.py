"""What does not depend on the format of the weights: cache, state, activations, and what is to be said about them.

One model is asked about in dozens of formats, so this is computed once for all of them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from llmops_catalog.fit.assumptions import Assumption
from llmops_catalog.fit.facts import ModelFacts
from llmops_catalog.fit.kv_cache import CachedLayers, cached_layers, elements_bytes
from llmops_catalog.fit.runtimes.transformers.allocator import left_in_cache_blocks
from llmops_catalog.fit.runtimes.transformers.families import CACHE_IN_PLACE, LAST_LOGITS_ONLY, LATENT_CACHE
from llmops_catalog.fit.runtimes.transformers.prefill import (
    Peak,
    Prompt,
    all_logits_bytes,
    copied_logits_bytes,
    embeddings_bytes,
    masked,
    prefill_peak,
    rotary_tables_bytes,
    scored,
)
from llmops_catalog.fit.state import state_bytes

SPEED_PAGE = "https://qwen.readthedocs.io/en/v2.5/benchmark/speed_benchmark.html"
READINGS = "https://github.com/DJCordhose/llm-ops"
CACHE_SOURCE = "https://github.com/huggingface/transformers/blob/main/src/transformers/cache_utils.py"
MASKING = "https://github.com/huggingface/transformers/blob/main/src/transformers/masking_utils.py"
GENERATION = "https://github.com/huggingface/transformers/blob/main/src/transformers/generation/utils.py"
MODELS = "https://github.com/huggingface/transformers/tree/main/src/transformers/models"
DEEPSEEK_SOURCE = "https://github.com/huggingface/transformers/blob/main/src/transformers/models/deepseek_v3/modeling_deepseek_v3.py"


class Cache(NamedTuple):
    """Bytes of all sequences: at the end; while the prompt runs; the keys of one layer, which a step copies; all of them, where
    an old release copies all; what is unused at the end of blocks.
    """

    at_end: int
    at_prefill: int
    layer_copied: int
    all_copied: int
    unused: int


class Unquantized(NamedTuple):
    """Bytes: cache, recurrent state, peak of a prefill; its embeddings; logits of the whole prompt where a release computes
    them, and their copy on the first of several cards; logits of the last token, in 16 bit and again in 32; rotary tables.
    """

    cache: Cache
    state: int
    peak: Peak
    embeddings: int
    all_logits: int
    copied_logits: int
    last_logits: int
    tables: int
    notes: tuple[Assumption, ...]


@lru_cache(maxsize=4096)
def unquantized(model: ModelFacts, prompt: Prompt, context_tokens: int, cache_type: str) -> Unquantized:
    """Everything but the weights of one question. Raises `MissingFact`."""
    return Unquantized(
        cache=_cache(model, prompt, context_tokens, cache_type),
        state=prompt.sequences * state_bytes(model, convolution_bytes=2),
        peak=prefill_peak(model, prompt),
        embeddings=embeddings_bytes(model, prompt),
        all_logits=all_logits_bytes(model, prompt),
        copied_logits=copied_logits_bytes(model, prompt),
        last_logits=prompt.sequences * model.vocab_size * 6 if model.is_decoder else 0,
        tables=rotary_tables_bytes(model, prompt),
        notes=_notes(model, prompt),
    )


def _cache(model: ModelFacts, prompt: Prompt, context_tokens: int, cache_type: str) -> Cache:
    groups = cached_layers(model)
    each = [elements_bytes(_elements(model, group, prompt), cache_type) * prompt.sequences for group in groups]
    ends = [size * _remembered(group, context_tokens) for group, size in zip(groups, each, strict=True)]
    # a sliding layer keeps the whole prompt's keys until the next step: what it caches is a view of them. An encoder has none
    starts = [0 if model.kind == "encoder-decoder" else size * prompt.tokens for size in each]
    at_end = sum(group.layers * size for group, size in zip(groups, ends, strict=True))
    return Cache(
        at_end=at_end,
        at_prefill=sum(group.layers * size for group, size in zip(groups, starts, strict=True)),
        layer_copied=max(ends, default=0) // 2 if prompt.version >= CACHE_IN_PLACE else 0,
        all_copied=0 if prompt.version >= CACHE_IN_PLACE else at_end,
        unused=left_in_cache_blocks(groups, ends),
    )


def _elements(model: ModelFacts, group: CachedLayers, prompt: Prompt) -> int:
    """Where latent attention is cached decompressed, keys and values of every head; where not, the latents."""
    if model.latent is None or prompt.version >= LATENT_CACHE:
        return group.elements
    latent = model.latent
    return model.num_attention_heads * (latent.qk_nope_head_dim + latent.qk_rope_head_dim + latent.v_head_dim)


def _remembered(group: CachedLayers, tokens: int) -> int:
    """A sliding layer keeps one token less than its window (`DynamicSlidingWindowLayer`)."""
    return tokens if group.window is None else min(tokens, max(1, group.window - 1))


def _notes(model: ModelFacts, prompt: Prompt) -> tuple[Assumption, ...]:
    said = [_attention_note(model, prompt)]
    if masked(model, prompt):
        said.append(Assumption("a mask of prompt x prompt is built, as with attn_implementation='sdpa', the default", MASKING))
    if all_logits_bytes(model, prompt):
        said.append(Assumption("this release computes the logits of the whole prompt", GENERATION))
    elif model.is_decoder:
        since = ".".join(str(part) for part in LAST_LOGITS_ONLY)
        said.append(Assumption(f"logits of the last token only, as since transformers {since}", GENERATION))
    said.append(Assumption("CUDA context and libraries take 0.25 GiB a card", READINGS))
    if model.latent and prompt.version < LATENT_CACHE:
        said.append(Assumption("latent attention is cached decompressed, full keys and values of every head", DEEPSEEK_SOURCE))
    elif model.latent:
        said.append(Assumption("latent attention is cached as latents, as since transformers 5.15", DEEPSEEK_SOURCE))
    if model.state:
        said.append(Assumption("recurrent layers are computed in PyTorch: faster kernels, if installed, need less", MODELS))
    if any(group.type == "sliding_attention" for group in model.layer_groups):
        said.append(Assumption("sliding-window layers cache no more than their window once the prompt is through", CACHE_SOURCE))
    return tuple(said)


def _attention_note(model: ModelFacts, prompt: Prompt) -> Assumption:
    if scored(model, prompt):
        return Assumption("the whole prompt is prefilled at once, and every score of every attention head is kept", MODELS)
    return Assumption("the whole prompt is prefilled at once, with fused attention", SPEED_PAGE)

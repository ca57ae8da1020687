"""Hugging Face Transformers: `generate` in one process, the prompt prefilled at once, layers spread by `device_map`."""

from __future__ import annotations

from typing import NamedTuple

from llmops_catalog.fit.architectures import expert_parameter_count
from llmops_catalog.fit.assumptions import Assumption, once
from llmops_catalog.fit.facts import ModelFacts
from llmops_catalog.fit.kv_cache import CachedLayers, cached_layers, elements_bytes
from llmops_catalog.fit.question import Question
from llmops_catalog.fit.runtimes.footprint import Footprint, shares
from llmops_catalog.fit.runtimes.transformers.allocator import (
    CUDA_CONTEXT,
    CUDA_CONTEXT_HIGH,
    CUDA_CONTEXT_LOW,
    GROWTH,
    HOPPER_WORKSPACE,
    WORKSPACE,
    left_in_cache_blocks,
    left_in_weight_blocks,
)
from llmops_catalog.fit.runtimes.transformers.families import (
    CACHE_IN_PLACE,
    GROUPED_EXPERTS,
    LAST_LOGITS_ONLY,
    LATENT_CACHE,
    LATEST,
    release,
)
from llmops_catalog.fit.runtimes.transformers.prefill import (
    Prompt,
    all_logits_bytes,
    copied_logits_bytes,
    embeddings_bytes,
    masked,
    prefill_bytes,
    rotary_tables_bytes,
    scored,
)
from llmops_catalog.fit.state import state_bytes
from llmops_catalog.fit.weights import Weights

UNPACKED = (("bnb-nf4", 2), ("bnb-fp4", 2), ("awq-", 1024), ("gptq-int8", 129), ("hqq-", 1))
"""Beginnings of formats' names, and the tokens from which a format's kernel unpacks a whole matrix to 16 bit:
bitsandbytes/autograd/_functions.py (`matmul_4bit`), awq/modules/linear/gemm.py, `kernel_switch_threshold` of AutoGPTQ,
hqq/core/quantize.py."""
TIED_LATE = ("awq-int4",)
"""Formats whose checkpoints of tied models load both tables: Qwen2.5-1.5B in AWQ peaks at 1.51 GiB with a prompt of one token
and at 1.63 with 6,144 (https://qwen.readthedocs.io/en/v2.5/benchmark/speed_benchmark.html); releases 4.46 only are known to."""
KEPT_UNPACKED = ("gptq-int4",)
"""ExLlama keeps a buffer for the largest matrix in 16 bit (`temp_dq`, auto_gptq/modeling/_utils.py); Marlin has none."""

SPEED_PAGE = "https://qwen.readthedocs.io/en/v2.5/benchmark/speed_benchmark.html"
READINGS = "https://github.com/DJCordhose/llm-ops"
CACHE_SOURCE = "https://github.com/huggingface/transformers/blob/main/src/transformers/cache_utils.py"
MASKING = "https://github.com/huggingface/transformers/blob/main/src/transformers/masking_utils.py"
GENERATION = "https://github.com/huggingface/transformers/blob/main/src/transformers/generation/utils.py"
MODELS = "https://github.com/huggingface/transformers/tree/main/src/transformers/models"
FUSED_EXPERTS = "https://github.com/bitsandbytes-foundation/bitsandbytes/issues/1849"
DEEPSEEK_SOURCE = "https://github.com/huggingface/transformers/blob/main/src/transformers/models/deepseek_v3/modeling_deepseek_v3.py"


class _Cache(NamedTuple):
    """Bytes of all sequences: at the end, while the prompt runs, and what a step copies on each card: keys of a layer, once everything."""

    at_end: int
    at_prefill: int
    copied: int
    unused: int


def footprint(model: ModelFacts, weights: Weights, question: Question) -> Footprint:
    """Memory of one process: weights, and the larger of the cache at the end and cache plus activations at prefill."""
    cards, prompt = question.gpu_count, _prompt(question)
    weights = _as_loaded(model, weights, question, prompt)
    cache, state = _cache(model, question, prompt), question.concurrency * state_bytes(model, convolution_bytes=2)
    buffers, unsure = _buffers(model, weights, question, prompt)
    loading = weights.table_bytes if _loads_a_second_table(model, question, prompt) else 0
    running = _running(cache, _peaks(model, weights, question, prompt), _last_logits(model, question), loading)
    compute = sum(running) + cache.unused + buffers
    layered = shares(weights.layer_bytes + cache.at_end + state, cards, max(cards, model.num_hidden_layers))
    even = (cache.unused + buffers) // cards
    per_gpu = [size + peak + even + CUDA_CONTEXT for size, peak in zip(layered, running, strict=True)]
    total = weights.resident_bytes + cache.at_end + state + compute + CUDA_CONTEXT * cards
    per_gpu[0] += total - sum(per_gpu)  # what stands outside the layers
    growth = int((compute + cache.at_end) * GROWTH) // cards + weights.uncertainty_bytes // cards
    spread = (cache.unused + unsure) // cards
    return Footprint(
        weights_bytes=weights.resident_bytes,
        host_bytes=weights.host_bytes,
        kv_cache_bytes=cache.at_end,
        state_bytes=state,
        compute_bytes=compute,
        overhead_bytes=CUDA_CONTEXT * cards,
        per_gpu_bytes=tuple(per_gpu),
        below_bytes=min(growth + spread + CUDA_CONTEXT - CUDA_CONTEXT_LOW, CUDA_CONTEXT + compute // cards),
        above_bytes=growth + spread + CUDA_CONTEXT_HIGH - CUDA_CONTEXT,
        assumptions=_assumptions(model, weights, question, prompt),
    )


def _loads_a_second_table(model: ModelFacts, question: Question, prompt: Prompt) -> bool:
    """Whether an output layer that is the token table is loaded all the same and only tied afterwards."""
    return model.tie_word_embeddings and question.quantization in TIED_LATE and CACHE_IN_PLACE <= prompt.version < GROUPED_EXPERTS


def _running(cache: _Cache, peaks: list[int], logits: int, loading: int) -> list[int]:
    """Bytes beside weights and cache at the highest moment of each card, which holds an even share of the cache.

    What of the cache is not there yet at prefill makes room for the activations.
    """
    cards, step = len(peaks), cache.copied + logits
    used = [max(cards * peak + cache.at_prefill, cards * step + cache.at_end) for peak in peaks]
    moments = [max(most, cards * loading * (card == 0)) - cache.at_end for card, most in enumerate(used)]
    floors = [moment // cards for moment in moments]
    floors[0] += sum(moments) // cards - sum(floors)
    return floors


def _as_loaded(model: ModelFacts, weights: Weights, question: Question, prompt: Prompt) -> Weights:
    """The weights as a named release loads them: bitsandbytes skips experts that are one tensor for all."""
    fused = GROUPED_EXPERTS <= prompt.version < LATEST
    if not model.experts or not fused or not question.quantization.startswith("bnb"):
        return weights
    more = 2 * expert_parameter_count(model) - weights.expert_bytes
    said = [note for note in weights.assumptions if note.source != FUSED_EXPERTS]
    return weights._replace(
        resident_bytes=weights.resident_bytes + more,
        layer_bytes=weights.layer_bytes + more,
        expert_bytes=weights.expert_bytes + more,
        assumptions=(*said, Assumption("experts stay in 16 bit: bitsandbytes quantizes linear layers only", FUSED_EXPERTS)),
    )


def _prompt(question: Question) -> Prompt:
    return Prompt(
        tokens=question.prompt_tokens,
        sequences=question.concurrency,
        octets=4 if question.quantization == "f32" else 2,
        version=release(question.engine.runtime_version),
        fused=question.engine.flash_attention,
        quantization=question.quantization,
    )


def _cache(model: ModelFacts, question: Question, prompt: Prompt) -> _Cache:
    """Where latent attention is cached decompressed, keys and values of every head; where not, the latents."""
    groups = cached_layers(model)
    elements = [_elements(model, group, prompt) for group in groups]
    each = [elements_bytes(count, question.kv_cache_type) * question.concurrency for count in elements]
    ends = [size * _remembered(group, question.context_tokens) for group, size in zip(groups, each, strict=True)]
    # a sliding layer keeps the whole prompt's keys until the next step: what it caches is a view of them. An encoder has none
    starts = [0 if model.kind == "encoder-decoder" else size * question.prompt_tokens for size in each]
    at_end = sum(group.layers * size for group, size in zip(groups, ends, strict=True))
    return _Cache(
        at_end=at_end,
        at_prefill=sum(group.layers * size for group, size in zip(groups, starts, strict=True)),
        copied=max(ends, default=0) // 2 if prompt.version >= CACHE_IN_PLACE else at_end // question.gpu_count,
        unused=left_in_cache_blocks(groups, ends),
    )


def _elements(model: ModelFacts, group: CachedLayers, prompt: Prompt) -> int:
    if model.latent is None or prompt.version >= LATENT_CACHE:
        return group.elements
    latent = model.latent
    return model.num_attention_heads * (latent.qk_nope_head_dim + latent.qk_rope_head_dim + latent.v_head_dim)


def _remembered(group: CachedLayers, tokens: int) -> int:
    """A sliding layer keeps one token less than its window (`DynamicSlidingWindowLayer`)."""
    return tokens if group.window is None else min(tokens, max(1, group.window - 1))


def _peaks(model: ModelFacts, weights: Weights, question: Question, prompt: Prompt) -> list[int]:
    """Bytes at the peak of prefill on each card: the first holds the embeddings, the last computes the logits."""
    unpacks = any(question.quantization.startswith(name) and prompt.positions >= tokens for name, tokens in UNPACKED)
    unpacked = weights.largest_matrix if unpacks else 0
    layers, logits = prefill_bytes(model, prompt, unpacked), all_logits_bytes(model, prompt)
    if question.gpu_count == 1:
        return [max(layers, logits)]
    later = layers - embeddings_bytes(model, prompt)
    return [max(layers, copied_logits_bytes(model, prompt)), *[later] * (question.gpu_count - 2), max(later, logits)]


def _last_logits(model: ModelFacts, question: Question) -> int:
    """Logits of the last token, in 16 bit and again in fp32."""
    return question.concurrency * model.vocab_size * 6 if model.is_decoder else 0


def _buffers(model: ModelFacts, weights: Weights, question: Question, prompt: Prompt) -> tuple[int, int]:
    """Bytes that are there all the time beside weights and cache, and how much of that may be missing or more.

    The scratch of cuBLAS depends on the card: the middle is taken.
    """
    kept = 2 * weights.largest_matrix if question.quantization in KEPT_UNPACKED else 0
    scratch, either = (WORKSPACE + HOPPER_WORKSPACE) // 2, (HOPPER_WORKSPACE - WORKSPACE) // 2
    left = left_in_weight_blocks(model, question.quantization, prompt.version)
    tables = rotary_tables_bytes(model, prompt)
    # several cards exchange the logits of the whole prompt: published readings of Qwen2-72B lie up to one more copy away
    copies = copied_logits_bytes(model, prompt) if question.gpu_count > 1 else 0
    return question.gpu_count * (scratch + kept) + left + tables, question.gpu_count * (either + kept) + left + copies


def _assumptions(model: ModelFacts, weights: Weights, question: Question, prompt: Prompt) -> tuple[Assumption, ...]:
    said = [*weights.assumptions]
    if scored(model, prompt):
        said.append(Assumption("the whole prompt is prefilled at once, and every score of every attention head is kept", MODELS))
    else:
        said.append(Assumption("the whole prompt is prefilled at once, with fused attention", SPEED_PAGE))
    if masked(model, prompt):
        said.append(Assumption("a mask of prompt x prompt is built, as with attn_implementation='sdpa', the default", MASKING))
    if all_logits_bytes(model, prompt):
        said.append(Assumption("this release computes the logits of the whole prompt", GENERATION))
    elif model.is_decoder:
        text = f"logits of the last token only, as since transformers {'.'.join(str(part) for part in LAST_LOGITS_ONLY)}"
        said.append(Assumption(text, GENERATION))
    said.append(Assumption("CUDA context and libraries take 0.25 GiB a card", READINGS))
    if model.latent and prompt.version < LATENT_CACHE:
        said.append(Assumption("latent attention is cached decompressed, full keys and values of every head", DEEPSEEK_SOURCE))
    if model.latent and prompt.version >= LATENT_CACHE:
        said.append(Assumption("latent attention is cached as latents, as since transformers 5.15", DEEPSEEK_SOURCE))
    if model.state:
        said.append(Assumption("recurrent layers are computed in PyTorch: faster kernels, if installed, need less", MODELS))
    if any(group.type == "sliding_attention" for group in model.layer_groups):
        said.append(Assumption("sliding-window layers cache no more than their window once the prompt is through", CACHE_SOURCE))
    if question.gpu_count > 1:
        said.append(Assumption("layers are spread evenly; the activation peak repeats on every card", SPEED_PAGE))
    return once(said)

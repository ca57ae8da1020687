"""llama.cpp, and so Ollama and LM Studio: all layers offloaded, flash attention on, one cache stream per sequence."""

from __future__ import annotations

from llmops_catalog.fit.assumptions import Assumption, once
from llmops_catalog.fit.facts import ModelFacts
from llmops_catalog.fit.kv_cache import CachedLayers, cache_bytes
from llmops_catalog.fit.question import Question
from llmops_catalog.fit.runtimes.footprint import Footprint, feed_forward_width, query_width, shares
from llmops_catalog.fit.sizes import MIB, padded
from llmops_catalog.fit.state import state_bytes
from llmops_catalog.fit.weights import LOADER, Weights

MICRO_BATCH = 512
"""Default of --ubatch-size (common/common.h)."""
CONTEXT_STEP = 256
"""n_ctx and the sliding cache are padded to it (https://github.com/ggml-org/llama.cpp/issues/17037)."""
PIPELINE_COPIES = 4
"""Several cards work in a pipeline with four copies of the inputs (GGML_SCHED_MAX_COPIES)."""
PIPELINE_INPUTS = 16 * MIB
"""What these copies take beside the attention mask: 640.01 against 560 MiB a card in the logs of
https://github.com/XiongjieDai/GPU-Benchmarks-on-LLM-Inference (Llama 3 8B, 8192 tokens)."""
CUDA_CONTEXT = 250 * MIB
"""Between what nvidia-smi shows beyond the buffers in published logs (133 to 153 MiB) and the reserve Ollama kept for
it (457 MiB: https://github.com/ollama/ollama/blob/v0.9.6/llm/memory.go)."""
CUDA_CONTEXT_LOW, CUDA_CONTEXT_HIGH = 120 * MIB, 500 * MIB
GRAPH_SHARE = 0.10
"""How far the worst-case graph may lie from our closed form: 258.5 MiB met exactly for Llama 3 8B, 420 MiB logged and
446 computed for gpt-oss-20b at 131,072 tokens, 305 logged and 301 computed for Qwen3-30B-A3B."""
LATENT_ABOVE = 3 * 1024 * MIB
"""Published logs of DeepSeek V3 and R1 at 32,768 tokens show compute buffers up to 3 GiB where other settings of latent
attention are chosen (https://github.com/ikawrakow/ik_llama.cpp)."""

KV_SOURCE = "https://github.com/ggml-org/llama.cpp/blob/master/src/llama-kv-cache-iswa.cpp"
MLA_SOURCE = "https://github.com/ggml-org/llama.cpp/blob/master/src/llama-kv-cache.cpp"
GRAPH_SOURCE = "https://github.com/ggml-org/llama.cpp/blob/master/src/llama-context.cpp"


def footprint(model: ModelFacts, weights: Weights, question: Question) -> Footprint:
    """Memory of one server with `question.concurrency` slots, its layers split evenly over the cards."""
    cards, slots = question.gpu_count, question.concurrency
    context = padded(question.context_tokens, CONTEXT_STEP)
    cache = slots * cache_bytes(model, question.kv_cache_type, lambda group: cells(group, context))
    state = slots * state_bytes(model, convolution_bytes=4)
    output_copy = weights.table_bytes if model.is_decoder and not weights.output_bytes else 0
    on_cards = weights.resident_bytes - weights.input_bytes + output_copy
    graph = compute_bytes(model, context, question.prompt_tokens)
    if cards > 1:
        graph += PIPELINE_COPIES * micro_batch(context) * context * 4 + PIPELINE_INPUTS
    outside = on_cards - weights.layer_bytes
    layered = shares(weights.layer_bytes + cache + state, cards, max(cards, model.num_hidden_layers))
    per_gpu = [size + graph + CUDA_CONTEXT for size in layered]
    per_gpu[-1] += outside + weights.layer_bytes + cache + state - sum(layered)
    spread = int(graph * GRAPH_SHARE) + weights.uncertainty_bytes // cards
    return Footprint(
        weights_bytes=on_cards,
        host_bytes=weights.input_bytes,
        kv_cache_bytes=cache,
        state_bytes=state,
        compute_bytes=graph * cards,
        overhead_bytes=CUDA_CONTEXT * cards,
        per_gpu_bytes=tuple(per_gpu),
        below_bytes=spread + CUDA_CONTEXT - CUDA_CONTEXT_LOW,
        above_bytes=spread + CUDA_CONTEXT_HIGH - CUDA_CONTEXT + (LATENT_ABOVE if model.latent else 0),
        assumptions=_assumptions(model, weights, question, bool(output_copy)),
    )


def cells(group: CachedLayers, context: int) -> int:
    """Cells of a layer's cache: the context, or the window and one micro-batch, padded (`size_swa`)."""
    if group.window is None:
        return context
    return padded(min(context, group.window + MICRO_BATCH), CONTEXT_STEP)


def micro_batch(context: int) -> int:
    """Tokens computed at once."""
    return min(MICRO_BATCH, context)


def compute_bytes(model: ModelFacts, context: int, prompt: int) -> int:
    """The compute buffer of one card: the larger of the output stage and the widest layer, in fp32.

    The output stage holds logits and hidden states of a micro-batch; a layer holds its feed forward or its queries, and
    the attention mask in fp32 and fp16. An encoder computes its whole input at once and has no logits.
    """
    tokens = micro_batch(context) if model.is_decoder else padded(prompt, CONTEXT_STEP)
    hidden = model.hidden_size
    output = tokens * (model.vocab_size + hidden) * 4 if model.is_decoder else 0
    widest = max(2 * feed_forward_width(model), 2 * query_width(model) + _latent_width(model))
    mask = tokens * context * (4 + 2) if model.num_attention_heads else 0
    return max(output, tokens * (3 * hidden + widest) * 4 + mask)


def _latent_width(model: ModelFacts) -> int:
    """MLA multiplies queries into the latent space: heads times (latent + rope) go in, heads times latent come out."""
    if model.latent is None:
        return 0
    return model.num_attention_heads * (2 * model.latent.kv_lora_rank + model.latent.qk_rope_head_dim)


def _assumptions(model: ModelFacts, weights: Weights, question: Question, copied: bool) -> tuple[Assumption, ...]:
    said = [*weights.assumptions]
    said.append(Assumption("all layers on the GPU, flash attention on, micro-batches of 512 tokens", GRAPH_SOURCE))
    if copied:
        said.append(Assumption("the embedding table stays in main memory and a copy serves as output layer on the GPU", LOADER))
    elif model.is_decoder:
        said.append(Assumption("the input embedding stays in main memory", LOADER))
    if any(group.type == "sliding_attention" for group in model.layer_groups):
        said.append(Assumption("sliding-window layers cache their window and one micro-batch, padded to 256 tokens", KV_SOURCE))
    if model.latent:
        said.append(Assumption("latent attention caches the compressed vector only, no values beside it", MLA_SOURCE))
    if question.gpu_count > 1:
        said.append(Assumption("layers are split evenly; every GPU has its own compute buffer", GRAPH_SOURCE))
    return once(said)

"""What vLLM spends beside weights and cache: the peak of its profiling run, buffers of the sampler, captured CUDA graphs.

Before it sizes the cache vLLM runs the model once on a full batch and the sampler once on all sequences, and takes the
larger peak of the two off the budget (`determine_available_memory`).
"""

from __future__ import annotations

from typing import NamedTuple

from llmops_catalog.fit.facts import RECURRENT_LAYERS, ModelFacts
from llmops_catalog.fit.question import Question
from llmops_catalog.fit.runtimes.vllm_batch import Batch, Release, before, release
from llmops_catalog.fit.sizes import GIB, MIB

RESIDUAL, FEED_FORWARD = 4, 3
"""Hidden vectors and feed-forward vectors alive at the peak of a layer, in 16 bit: gate and up together, their product;
the stream, its normed copy, what attention left and what comes in. Logs: 0.22 GiB for Llama 3.1 8B with 2,048 tokens, 2.02
for Qwen2.5 1.5B with 32,768, 1.97 for a Mistral 7B with 16,384 and its images (vllm 0.7 to 0.10), 0.31 for Qwen2.5 0.5B
with 8,192 (0.27)."""
QUERIES = 3
"""Query vectors alive in attention: projected, rotated, and the output."""
SAMPLER, SAMPLER_SORTING = 14, 38
"""Bytes for each vocabulary entry of each sequence. Logits in 16 bit and in fp32, masked or softmaxed copies in fp32
twice: 14 (`flashinfer_sample`, `random_sample`). Sorting, as PyTorch does it for top-p, keeps keys and 64-bit indices twice
and once more: 38, which logs of 0.6 to 0.15 show to the second digit (1.40 GiB for 256 sequences of 151,936)."""
SORTS_BEFORE: Release = (0, 17)
"""Top-k and top-p without sorting: https://github.com/vllm-project/vllm/pull/33538."""
COUNTS_BYTES, MASK_BITS = 4, 1
"""What model runner V2 keeps for penalties of each vocabulary entry of each sequence (v1/worker/gpu/sample/penalties.py)."""
COUNTS_FROM: Release = (0, 30)
"""Model runner V2 serves every model; from 0.26 on it served some."""
EXPANDED_LATENT_TOKENS, EXPANDED_SEQUENCES = 64 * 1024, 8
"""Tokens whose keys and values latent attention expands at once: eight sequences' length, at most 64 Ki; the profiling run
reserves them (`determine_chunked_prefill_workspace_size`)."""
INDEX_LOGITS_BYTES = 512 * MIB
INDEX_FACTOR, INDEX_KEY_BYTES = 40, 132
"""Workspace of the indexer of sparse attention: 40 keys of 132 bytes for each token of the context, and its logits
(v1/attention/backends/mla/indexer.py)."""

GRAPH_BYTES = 225 * 1024
"""One captured graph of one layer. Logs of 0.7 to 0.28: 0.17 GiB for 28 layers and 35 graphs, 0.67 for 32 and 67, 0.53
for 28 and 86, 0.40 for 24 and 86, 0.71 for 64 and 86."""
GRAPHS_IN_BUDGET_FROM: Release = (0, 21)
"""Before, graphs were captured outside the budget (https://github.com/vllm-project/vllm/pull/30515)."""
NON_TORCH, NON_TORCH_BEFORE = GIB // 4, GIB // 10
"""What PyTorch never sees, beside the driver's context, which stands outside the budget: 0.15 to 0.47 GiB in logs since
0.27, where all that is consumed counts; 0.01 to 0.16 on one card and 0.20 to 0.74 on several before 0.21."""
NON_TORCH_LOW, NON_TORCH_HIGH = GIB // 100, GIB * 3 // 4
LARGEST_GRAPH = 512
"""Tokens of the largest graph (`_set_cudagraph_sizes`)."""
STATEFUL_GRAPHS = 1.3
"""What vLLM takes off is its own estimate, higher with recurrent layers: 1.55 GiB for 64 layers of Qwen3.8 27B, of which 0.71 are used."""

WORKER_SOURCE = "https://github.com/vllm-project/vllm/blob/main/vllm/v1/worker/gpu_worker.py"
SAMPLER_SOURCE = "https://github.com/vllm-project/vllm/blob/main/vllm/v1/worker/gpu/sample/sampler.py"
EXPERTS_SOURCE = "https://github.com/vllm-project/vllm/blob/main/vllm/model_executor/layers/fused_moe/modular_kernel.py"


class Peak(NamedTuple):
    """Bytes of one rank. `above_bytes`: how much more the peak may be where the release is not named."""

    activation_bytes: int
    buffer_bytes: int
    graph_bytes: int
    above_bytes: int


def peak(model: ModelFacts, question: Question, batch: Batch, tensor_parallel: int, layers: int, last: bool) -> Peak:
    """What the profiling run takes on a rank that holds `layers` layers, and the output layer if it is the `last` stage."""
    forward = _forward_bytes(model, question, batch, tensor_parallel)
    buffers = _latent_workspace(model, question)
    graphs = graph_bytes(model, question, batch, layers)
    if not last or not model.is_decoder:
        return Peak(forward, buffers, graphs, 0)
    entries = batch.sequences * model.vocab_size
    named = release(question)
    kept = 2 * batch.tokens * model.hidden_size
    step = kept + entries * (SAMPLER_SORTING if before(question, SORTS_BEFORE) else SAMPLER)
    oldest = kept + entries * (SAMPLER if named else SAMPLER_SORTING)
    if not before(question, COUNTS_FROM):
        buffers += entries * COUNTS_BYTES + entries * MASK_BITS // 8
    most = max(forward, step)
    return Peak(most, buffers, graphs, max(0, oldest - most))


def non_torch_bytes(question: Question) -> int:
    """What one rank takes outside PyTorch's allocator."""
    return NON_TORCH_BEFORE if before(question, GRAPHS_IN_BUDGET_FROM) else NON_TORCH


def graph_bytes(model: ModelFacts, question: Question, batch: Batch, layers: int) -> int:
    """Graphs taken off the budget: one for each size, once for mixed batches and once for decoding alone."""
    if before(question, GRAPHS_IN_BUDGET_FROM) or not model.is_decoder:
        return 0
    mixed = graph_sizes(min(2 * batch.sequences, LARGEST_GRAPH, batch.tokens))
    decoding = graph_sizes(min(batch.sequences, LARGEST_GRAPH, batch.tokens))
    stateful = any(group.type in RECURRENT_LAYERS for group in model.layer_groups)
    return int((mixed + decoding) * layers * GRAPH_BYTES * (STATEFUL_GRAPHS if stateful else 1))


def graph_sizes(most: int) -> int:
    """How many sizes up to `most` tokens are captured: 1, 2, 4, then every 8th, from 256 every 16th."""
    small = sum(size <= most for size in (1, 2, 4))
    return small + min(most, 255) // 8 + (max(0, most - 256) // 16 + 1 if most >= 256 else 0)


def _forward_bytes(model: ModelFacts, question: Question, batch: Batch, tensor_parallel: int) -> int:
    """The widest moment of a layer: its attention, its dense feed forward, or its experts."""
    width = max(_attention_width(model, tensor_parallel), _dense_width(model, tensor_parallel), _expert_width(model, tensor_parallel))
    octets = 4 if question.quantization == "f32" else 2
    tokens = octets * batch.tokens * (RESIDUAL * model.hidden_size + width)
    encoder_cache = 2 * batch.tokens * model.hidden_size if "image" in model.modalities else 0
    return max(tokens, tokens - octets * batch.tokens * width + _expanded_latent(model, question, batch, tensor_parallel)) + encoder_cache


def _dense_width(model: ModelFacts, tensor_parallel: int) -> int:
    experts = model.experts
    sizes = [group.intermediate_size or 0 for group in model.layer_groups] + [model.intermediate_size or 0]
    if experts is not None:  # the recorded size is that of the dense layers, where there are any, or of a shared expert
        shared = experts.shared_intermediate_size or (experts.shared_count or 0) * experts.intermediate_size
        sizes = [*sizes, shared] if experts.first_dense_layers else [shared]
    return FEED_FORWARD * -(-(max(sizes) or (0 if experts else 4 * model.hidden_size)) // tensor_parallel)


def _expert_width(model: ModelFacts, tensor_parallel: int) -> int:
    """Workspaces of the fused experts: every token once for each expert it uses, at the wider side (`workspace_shapes`)."""
    if model.experts is None:
        return 0
    own = -(-model.experts.intermediate_size // tensor_parallel)
    return model.experts.used_per_token * (max(own, model.hidden_size) + max(2 * own, model.hidden_size))


def _attention_width(model: ModelFacts, tensor_parallel: int) -> int:
    heads = -(-model.num_attention_heads // tensor_parallel)
    if model.latent is not None:
        query = model.latent.qk_nope_head_dim + model.latent.qk_rope_head_dim
        return heads * (query + model.latent.v_head_dim) + (model.latent.q_lora_rank or 0) + model.latent.kv_lora_rank
    head_dim = max([group.head_dim or 0 for group in model.layer_groups] + [model.head_dim])
    keys = max([group.num_key_value_heads or 0 for group in model.layer_groups] + [model.num_key_value_heads])
    return head_dim * (QUERIES * heads + 2 * -(-keys // tensor_parallel))


def _expanded_latent(model: ModelFacts, question: Question, batch: Batch, tensor_parallel: int) -> int:
    """Keys and values of all heads, expanded from the latent vectors of the longest stretch computed at once."""
    if model.latent is None:
        return 0
    tokens = min(max(EXPANDED_SEQUENCES * question.context_tokens, 256 * batch.sequences), EXPANDED_LATENT_TOKENS)
    head = model.latent.qk_nope_head_dim + model.latent.v_head_dim
    attention = 2 * batch.tokens * _attention_width(model, tensor_parallel)
    return attention + 2 * tokens * -(-model.num_attention_heads // tensor_parallel) * head


def _latent_workspace(model: ModelFacts, question: Question) -> int:
    """What the indexer of sparse latent attention keeps ready."""
    if model.latent is None or model.latent.index_head_dim is None:
        return 0
    return question.context_tokens * INDEX_FACTOR * INDEX_KEY_BYTES + INDEX_LOGITS_BYTES

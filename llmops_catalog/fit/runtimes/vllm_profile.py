"""What vLLM spends beside weights and cache: the peak of its profiling run, buffers of the sampler, captured CUDA graphs.

Before it sizes the cache vLLM runs the model once on a full batch and the sampler once on all sequences, and takes the
larger peak of the two off the budget (`determine_available_memory`).
"""

from __future__ import annotations

from typing import NamedTuple

from llmops_catalog.fit.facts import RECURRENT_LAYERS, ModelFacts
from llmops_catalog.fit.question import Question
from llmops_catalog.fit.runtimes.vllm_batch import Batch, Release, before
from llmops_catalog.fit.sizes import GIB, MIB

RESIDUAL, FEED_FORWARD = 3, 3
"""Hidden vectors and feed-forward vectors alive at the peak of a layer, in 16 bit: the stream, its normed copy and what comes
in; gate and up together, their product. Logs: 2.99 GiB for Llama 3.1 8B with 29,000 tokens and 2.07 with 20,000 (0.6), 0.77
for CodeLlama 7B and 0.85 for Granite 3.1 8B with 8,192 (0.19)."""
RECEIVED = 2
"""Hidden vectors that a later pipeline stage receives for each token, and every stage keeps room for."""
QUERIES = 3
"""Query vectors alive in attention: projected, rotated, and the output."""
SAMPLER, SAMPLER_SORTING = 14, 38
"""Bytes for each vocabulary entry of each sequence. Logits in 16 bit and in fp32, masked or softmaxed copies in fp32
twice: 14 (`flashinfer_sample`, `random_sample`). Sorting, as PyTorch does it for top-p, keeps keys and 64-bit indices twice
and once more: 38, which logs of 0.6 to 0.15 show to the second digit (1.40 GiB for 256 sequences of 151,936)."""
KEPT = 32 * MIB
"""Scratch memory of matrix products (cuBLAS on Hopper), which PyTorch keeps."""
TOP_ROWS = 132
"""Rows of fp32 logits that the kernel of top-k and top-p keeps: one for each multiprocessor (v1/sample/ops/topk_topp_triton.py)."""
EXPERTS_KEPT_FROM: Release = (0, 17)
"""Workspaces of the experts are allocated once and kept, also while the sampler runs (v1/worker/workspace.py)."""
TEMPORARY_EXPERTS = ("mxfp4",)
"""Formats whose kernels take their own workspace each time."""
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
NON_TORCH, NON_TORCH_BEFORE = GIB // 4, GIB // 8
NON_TORCH_FROM: Release = (0, 18)
"""What PyTorch never sees, beside the driver's context, which stands outside the budget: 0.25 GiB in logs of 0.18 and 0.19,
0.15 to 0.47 since 0.27, where all that is consumed counts; 0.01 to 0.17 before 0.18."""
NON_TORCH_LOW, NON_TORCH_HIGH = GIB // 100, GIB * 3 // 4
COMMUNICATION, COMMUNICATION_BEFORE, COMMUNICATION_OLD = GIB, GIB * 15 // 8, GIB * 2 // 5
COMMUNICATION_KNOWN: tuple[Release, Release] = (0, 12), (0, 21)
"""Buffers of NCCL and of all-reduce under tensor parallelism: 0.7 GiB more with GLM 5.2 on B200 (0.28), 1.8 to 1.95 on H100
(0.19), 0.1 to 1.2 before 0.12. Consumer cards without NVLink use less."""
COMMUNICATION_HIGH = GIB * 15 // 8
COMMUNICATION_SHARE = 2
"""Not more than a half of what division of the weights saves, so that more cards never need more memory each."""
LARGEST_GRAPH = 512
"""Tokens of the largest graph (`_set_cudagraph_sizes`)."""
STATEFUL_GRAPHS, EXPERT_GRAPHS, LATENT_GRAPHS = 1.3, 1.2, 2.0
"""What vLLM takes off is its own estimate, higher with recurrent layers (1.55 GiB for 64 layers of Qwen3.8 27B, of which 0.71
are used), with experts (1.24 for 48 layers of Qwen3 30B A3B) and with latent attention (1.39 for 27 layers of DeepSeek V2 Lite)."""

WORKER_SOURCE = "https://github.com/vllm-project/vllm/blob/main/vllm/v1/worker/gpu_worker.py"
SAMPLER_SOURCE = "https://github.com/vllm-project/vllm/blob/main/vllm/v1/worker/gpu/sample/sampler.py"
EXPERTS_SOURCE = "https://github.com/vllm-project/vllm/blob/main/vllm/model_executor/layers/fused_moe/modular_kernel.py"


class Peak(NamedTuple):
    """Bytes of one rank. `sorting_bytes`: how much more the peak was in releases that sort the vocabulary."""

    activation_bytes: int
    buffer_bytes: int
    graph_bytes: int
    sorting_bytes: int


def peak(model: ModelFacts, question: Question, batch: Batch, tensor_parallel: int, layers: int, last: bool) -> Peak:
    """What the profiling run takes on a rank that holds `layers` layers, and the output layer if it is the `last` stage."""
    width = max(_attention_width(model, tensor_parallel), _dense_width(model, tensor_parallel))
    experts = _expert_width(model, tensor_parallel)
    octets = 4 if question.quantization == "f32" else 2
    lasting = experts > 0 and question.quantization not in TEMPORARY_EXPERTS and not before(question, EXPERTS_KEPT_FROM)
    forward = octets * batch.tokens * (RESIDUAL * model.hidden_size + (width if lasting else max(width, experts)))
    forward = max(forward, octets * batch.tokens * RESIDUAL * model.hidden_size + _expanded_latent(model, question, batch, tensor_parallel))
    kept = KEPT + (octets * batch.tokens * experts if lasting else 0)
    if question.engine.pipeline_parallel > 1 and model.is_decoder:
        kept += octets * batch.tokens * RECEIVED * model.hidden_size
    if "image" in model.modalities:  # the outputs of the encoder
        kept += octets * batch.tokens * model.hidden_size
    buffers = _latent_workspace(model, question)
    graphs = graph_bytes(model, question, batch, layers)
    if not last or not model.is_decoder:
        return Peak(forward + kept, buffers, graphs, 0)
    sorts = before(question, SORTS_BEFORE)
    entries = batch.sequences * model.vocab_size
    outputs = octets * batch.tokens * model.hidden_size
    if not sorts:
        kept += COUNTS_BYTES * min(TOP_ROWS, batch.sequences) * model.vocab_size
    most = max(forward, outputs + entries * (SAMPLER_SORTING if sorts else SAMPLER))
    sorting = outputs + entries * SAMPLER_SORTING
    if not before(question, COUNTS_FROM):
        buffers += entries * COUNTS_BYTES + entries * MASK_BITS // 8
    return Peak(most + kept, buffers, graphs, max(0, sorting - most))


def non_torch_bytes(question: Question) -> int:
    """What one rank takes outside PyTorch's allocator, if it need not talk to others."""
    return NON_TORCH_BEFORE if before(question, NON_TORCH_FROM) else NON_TORCH


def communication_bytes(question: Question, saved_bytes: int) -> tuple[int, int]:
    """What one rank takes to exchange results with the others of its stage, and how much more it may be.

    `saved_bytes`: how much less weights it holds than a rank alone would.
    """
    saved = saved_bytes // COMMUNICATION_SHARE
    since, until = COMMUNICATION_KNOWN
    usual = COMMUNICATION
    if before(question, until):
        usual = COMMUNICATION_OLD if before(question, since) else COMMUNICATION_BEFORE
    return min(usual, saved), min(COMMUNICATION_HIGH, saved) - min(usual, COMMUNICATION_HIGH, saved)


def graph_bytes(model: ModelFacts, question: Question, batch: Batch, layers: int) -> int:
    """Graphs taken off the budget: one for each size, once for mixed batches and once for decoding alone."""
    if before(question, GRAPHS_IN_BUDGET_FROM) or not model.is_decoder:
        return 0
    mixed = graph_sizes(min(2 * batch.sequences, LARGEST_GRAPH, batch.tokens))
    decoding = graph_sizes(min(batch.sequences, LARGEST_GRAPH, batch.tokens))
    factor = 1.0
    if any(group.type in RECURRENT_LAYERS for group in model.layer_groups):
        factor = STATEFUL_GRAPHS
    elif model.latent is not None:
        factor = LATENT_GRAPHS
    elif model.experts is not None:
        factor = EXPERT_GRAPHS
    return int((mixed + decoding) * layers * GRAPH_BYTES * factor)


def graph_sizes(most: int) -> int:
    """How many sizes up to `most` tokens are captured: 1, 2, 4, then every 8th, from 256 every 16th."""
    small = sum(size <= most for size in (1, 2, 4))
    return small + min(most, 255) // 8 + (max(0, most - 256) // 16 + 1 if most >= 256 else 0)


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

"""Weights of each rank of vLLM: what tensor parallelism divides, what it repeats, and which layers a stage holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from llmops_catalog.fit import checkpoint_formats
from llmops_catalog.fit.facts import ModelFacts
from llmops_catalog.fit.formats import GGUF_ONLY
from llmops_catalog.fit.sizes import padded
from llmops_catalog.fit.tensors import Tensor
from llmops_catalog.fit.weights import known_tensors, weigh

VOCABULARY_STEP = 64
"""Rows of the embedding and the output layer are filled up to it (DEFAULT_VOCAB_PADDING_SIZE)."""
MXFP4_ROWS_STEP, MXFP4_HIDDEN_STEP = 128, 256
"""MXFP4 experts are filled up to tiles of the kernel: their own size to 128 a rank, the residual stream to 256
(`mxfp4_round_up_hidden_size_and_intermediate_size`). So the 60.8 GB of gpt-oss-120b take 65.97 GiB on an H100
(https://github.com/vllm-project/vllm/issues/23278)."""
ROTARY_BYTES = 2
"""vLLM keeps a table of cosines and sines, one row for each position the model allows, in 16 bit on every rank
(model_executor/layers/rotary_embedding): 32 MiB for Llama 3.1, whose log says 14.99 GiB for weights of 14.96."""
REPEATED_ROLES = ("vector", "router", "position", "remainder")
"""On every rank: norms, routers (`ReplicatedLinear`), learned positions."""
FIRST_STAGE_ROLES = ("token_embd", "position", "per_layer_token_embd", "tower", "remainder")
EXPERTS = ("expert_ffn_gate", "expert_ffn_up", "expert_ffn_down")

EMBEDDING_SOURCE = "https://github.com/vllm-project/vllm/blob/main/vllm/model_executor/layers/vocab_parallel_embedding.py"
LINEAR_SOURCE = "https://github.com/vllm-project/vllm/blob/main/vllm/model_executor/layers/linear.py"
STAGES_SOURCE = "https://github.com/vllm-project/vllm/blob/main/vllm/distributed/utils.py"


def stages(layers: int, number: int) -> tuple[range, ...]:
    """The layers of each pipeline stage (`get_pp_indices`): what is left over goes to the last stages but one."""
    size, more = divmod(layers, number)
    sizes = [size] * number
    for back in range(2, more + 2):
        sizes[-back] += 1
    starts = [sum(sizes[:stage]) for stage in range(number)]
    return tuple(range(start, start + size) for start, size in zip(starts, sizes, strict=True))


@lru_cache(maxsize=65536)
def rank_weights(model: ModelFacts, quantization: str, tensor_parallel: int, pipeline_parallel: int) -> tuple[int, ...]:
    """Bytes one rank of each pipeline stage holds. Raises `MissingFact` where no rule says how many bytes a format takes."""
    if quantization in GGUF_ONLY:
        whole = weigh(model, quantization, "vllm").resident_bytes
        return (-(-whole // (tensor_parallel * pipeline_parallel)),) * pipeline_parallel
    tensors = known_tensors(model)[0]
    spans = stages(model.num_hidden_layers, pipeline_parallel)
    rotary = ROTARY_BYTES * (model.position_tokens or 0) * _rotary_numbers(model)
    return tuple(
        rotary
        + sum(
            _tensor_bytes(model, quantization, tensor, tensor_parallel)
            for tensor in _of_stage(model, tensors, span, stage == 0, stage == pipeline_parallel - 1)
        )
        for stage, span in enumerate(spans)
    )


def _rotary_numbers(model: ModelFacts) -> int:
    """Numbers of each position's row; 0 for models with learned positions or none."""
    if not model.is_decoder or any(tensor.role == "position" for tensor in known_tensors(model)[0]):
        return 0
    return model.latent.qk_rope_head_dim if model.latent else model.head_dim if model.num_attention_heads else 0


def _of_stage(model: ModelFacts, tensors: Sequence[Tensor], span: range, first: bool, last: bool) -> Iterator[Tensor]:
    """The tensors of one stage: embeddings stand in the first, the output layer in the last, a tied table in both."""
    for tensor in tensors:
        if tensor.role in FIRST_STAGE_ROLES:
            tied = tensor.role == "token_embd" and model.tie_word_embeddings and model.is_decoder
            if first or (last and tied):
                yield tensor
        elif tensor.role == "output":
            if last:
                yield tensor
        else:
            mine = [layer for layer in tensor.layers if layer in span]
            if mine:
                yield tensor._replace(layers=mine)


def _tensor_bytes(model: ModelFacts, quantization: str, tensor: Tensor, tensor_parallel: int) -> int:
    """What one rank holds of a tensor, in all its layers."""
    if tensor.role in ("token_embd", "output", "per_layer_token_embd"):
        tensor = tensor._replace(rows=padded(tensor.rows, VOCABULARY_STEP))
    if tensor.role in EXPERTS and _is_mxfp4(model, quantization):
        tensor = _tiled(tensor, tensor_parallel)
    whole = sum(checkpoint_formats.sizes(model, quantization, (tensor,))[0].values())
    if tensor_parallel == 1 or _is_repeated(model, tensor):
        return whole
    heads = model.num_key_value_heads
    if tensor.role in ("attn_k", "attn_v") and 0 < heads < tensor_parallel:
        return -(-whole // heads)
    if tensor.role == "attn_qkv" and 0 < heads < tensor_parallel and tensor.rows > 2 * heads * model.head_dim:
        keys = whole * 2 * heads * model.head_dim // tensor.rows
        return -(-(whole - keys) // tensor_parallel) - (-keys // heads)
    return -(-whole // tensor_parallel)


def _is_repeated(model: ModelFacts, tensor: Tensor) -> bool:
    """Norms and routers; of latent attention the down-projections, which all heads read, and the indexer."""
    if tensor.role in REPEATED_ROLES:
        return True
    latent = model.latent
    if latent is None or tensor.role not in ("linear", "kept") or tensor.copies != 1:
        return False
    down = {latent.kv_lora_rank + latent.qk_rope_head_dim, latent.q_lora_rank}
    index = {(latent.index_n_heads or 0) * (latent.index_head_dim or 0), latent.index_head_dim, latent.index_n_heads}
    return (tensor.cols == model.hidden_size and tensor.rows in down | index) or (
        tensor.cols == latent.q_lora_rank and tensor.rows in index - {None, 0}
    )


def _is_mxfp4(model: ModelFacts, quantization: str) -> bool:
    return quantization == "mxfp4" or (quantization == "native" and model.native_dtype == "mxfp4")


def _tiled(tensor: Tensor, tensor_parallel: int) -> Tensor:
    """An expert's matrix filled up to the kernel's tiles, on all ranks together."""
    down = tensor.role == "expert_ffn_down"
    hidden, own = (tensor.rows, tensor.cols) if down else (tensor.cols, tensor.rows)
    hidden = padded(hidden, MXFP4_HIDDEN_STEP)
    own = padded(-(-own // tensor_parallel), MXFP4_ROWS_STEP) * tensor_parallel
    return tensor._replace(rows=hidden, cols=own) if down else tensor._replace(rows=own, cols=hidden)

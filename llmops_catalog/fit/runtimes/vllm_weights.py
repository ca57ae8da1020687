"""Weights of each rank of vLLM: what tensor parallelism divides, what it repeats, and which layers a stage holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from llmops_catalog.fit.checkpoint_formats import recipe
from llmops_catalog.fit.facts import ModelFacts
from llmops_catalog.fit.formats import GGUF_ONLY
from llmops_catalog.fit.packing import packed_bytes
from llmops_catalog.fit.shapes import known_tensors, shape_of
from llmops_catalog.fit.sizes import MIB, padded
from llmops_catalog.fit.tensors import Tensor
from llmops_catalog.fit.weights import weigh

VOCABULARY_STEP = 64
"""Rows of the embedding and the output layer are filled up to it (DEFAULT_VOCAB_PADDING_SIZE)."""
MXFP4_ROWS_STEP, MXFP4_HIDDEN_STEP = 128, 256
"""MXFP4 experts are filled up to tiles of the kernel: their own size to 128 a rank, the residual stream to 256
(`mxfp4_round_up_hidden_size_and_intermediate_size`). So the 60.8 GB of gpt-oss-120b take 65.97 GiB on an H100
(https://github.com/vllm-project/vllm/issues/23278)."""
ROTARY_BYTES, WIDE_ROTARY_BYTES = 2, 4
"""vLLM keeps a table of cosines and sines, one row for each position the model allows, as wide as the model on every rank
(model_executor/layers/rotary_embedding): 32 MiB for Llama 3.1, whose log says 14.99 GiB for weights of 14.96."""
TWO_ROTARIES = ("gemma3", "gemma3n", "gemma4")
"""Families whose sliding layers turn by other angles than the full ones: two tables, each of its own head size
(`rope_parameters` by layer type in model_executor/models/gemma3.py and gemma4.py). Linear scaling lengthens the table of the
full ones by its factor (`LinearScalingRotaryEmbedding`): 512 MiB for Gemma 3 12B, whose log says 23.31 GiB."""
FIELDS_OF_VIEW, IN_FIELDS_OF_VIEW = 4, ("qwen2_vl", "qwen2_5_vl", "qwen3_vl", "qwen3_vl_moe")
"""Rows for each position of models that place pictures and films too (`positions_factor` of `MRotaryEmbedding`). Qwen 3.5 and
later turn a quarter of each head only, so that four times the rows make the same table."""
REPEATED_ROLES = ("vector", "router", "position", "remainder")
"""On every rank: norms, routers (`ReplicatedLinear`), learned positions."""
FIRST_STAGE_ROLES = ("token_embd", "position", "per_layer_token_embd", "tower", "remainder")
TABLES = ("token_embd", "output", "per_layer_token_embd")
EXPERTS = ("expert_ffn_gate", "expert_ffn_up", "expert_ffn_down")
FUSED = dict.fromkeys(("attn_q", "attn_k", "attn_v", "attn_qkv"), "qkv") | {
    f"{kind}ffn_{half}": f"{kind}gate_up" for kind in ("", "shared_", "expert_") for half in ("gate", "up")
}
"""Matrices that stand in one allocation (`QKVParallelLinear`, `MergedColumnParallelLinear`)."""
UNFUSED = ("vector", "tower", "remainder", "position")
SEGMENT_STEP, SEGMENT_FROM, SPLIT_FROM = 2 * MIB, 10 * MIB, MIB
"""PyTorch takes large allocations in steps of 2 MiB, and gives what is left to others only where it is more than 1 MiB
(c10/cuda/CUDACachingAllocator.cpp): 0.08 GiB with the 40 layers of phi-4, 0.06 with the 28 of Qwen2.5 7B, as logged."""

EMBEDDING_SOURCE = "https://github.com/vllm-project/vllm/blob/main/vllm/model_executor/layers/vocab_parallel_embedding.py"
LINEAR_SOURCE = "https://github.com/vllm-project/vllm/blob/main/vllm/model_executor/layers/linear.py"
STAGES_SOURCE = "https://github.com/vllm-project/vllm/blob/main/vllm/distributed/utils.py"


@lru_cache(maxsize=4096)
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
    whole = weigh(model, quantization, "vllm").resident_bytes
    if quantization in GGUF_ONLY:
        return (-(-whole // (tensor_parallel * pipeline_parallel)),) * pipeline_parallel
    rotary = (WIDE_ROTARY_BYTES if quantization == "f32" else ROTARY_BYTES) * _rotary_numbers(model)
    if tensor_parallel == pipeline_parallel == 1:
        return (rotary + whole + _filling(model, quantization) + _unused(model, quantization, known_tensors(model)[0], 1),)
    tensors = [_filled(model, quantization, tensor, tensor_parallel) for tensor in known_tensors(model)[0]]
    spans = stages(model.num_hidden_layers, pipeline_parallel)
    held = [tuple(_of_stage(model, tensors, span, span is spans[0], span is spans[-1])) for span in spans]
    return tuple(
        rotary + _rank_bytes(model, quantization, part, tensor_parallel) + _unused(model, quantization, part, tensor_parallel)
        for part in held
    )


@lru_cache(maxsize=4096)
def _rotary_numbers(model: ModelFacts) -> int:
    """Numbers in the table of positions; 0 for models with learned positions or none."""
    if not model.is_decoder or not model.num_attention_heads or any(tensor.role == "position" for tensor in known_tensors(model)[0]):
        return 0
    positions = (model.position_tokens or 0) * (FIELDS_OF_VIEW if model.model_type in IN_FIELDS_OF_VIEW else 1)
    if model.latent:
        return positions * model.latent.qk_rope_head_dim
    if not model.model_type.startswith(TWO_ROTARIES):
        return positions * model.head_dim
    sizes = {group.type: group.head_dim or model.head_dim for group in model.layer_groups}
    return sum(positions * size * (model.rope_scaling_factor if kind == "full_attention" else 1) for kind, size in sizes.items())


def _filling(model: ModelFacts, quantization: str) -> int:
    """What one card holds beyond the tensors themselves, because rows and tiles are filled up."""
    more = 0
    for tensor in known_tensors(model)[0]:
        filled = _filled(model, quantization, tensor, 1)
        if filled is not tensor:
            more += _bytes(model, quantization, [filled]) - _bytes(model, quantization, [tensor])
    return more


def _filled(model: ModelFacts, quantization: str, tensor: Tensor, tensor_parallel: int) -> Tensor:
    """The tensor as the ranks together hold it."""
    if tensor.role in TABLES and tensor.rows % VOCABULARY_STEP:
        return tensor._replace(rows=padded(tensor.rows, VOCABULARY_STEP))
    if tensor.role not in EXPERTS or not _is_mxfp4(model, quantization):
        return tensor
    down = tensor.role == "expert_ffn_down"
    hidden, own = (tensor.rows, tensor.cols) if down else (tensor.cols, tensor.rows)
    hidden = padded(hidden, MXFP4_HIDDEN_STEP)
    own = padded(-(-own // tensor_parallel), MXFP4_ROWS_STEP) * tensor_parallel
    return tensor._replace(rows=hidden, cols=own) if down else tensor._replace(rows=own, cols=hidden)


def _of_stage(model: ModelFacts, tensors: Sequence[Tensor], span: range, first: bool, last: bool) -> Iterator[Tensor]:
    """The tensors of one stage: embeddings stand in the first, the output layer in the last, a tied table in both."""
    if first and last:
        yield from tensors
        return
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


def _rank_bytes(model: ModelFacts, quantization: str, tensors: Iterable[Tensor], tensor_parallel: int) -> int:
    """What one of `tensor_parallel` ranks holds of these tensors."""
    parts: dict[int, list[Tensor]] = {}
    for tensor, number in _shares(model, tensors, tensor_parallel):
        parts.setdefault(number, []).append(tensor)
    return sum(-(-_bytes(model, quantization, part) // number) for number, part in parts.items())


def _shares(model: ModelFacts, tensors: Iterable[Tensor], tensor_parallel: int) -> Iterator[tuple[Tensor, int]]:
    """The tensors, and among how many ranks each is divided: not at all, by key/value heads, or among all."""
    heads = min(model.num_key_value_heads or tensor_parallel, tensor_parallel)
    keys = 2 * model.num_key_value_heads * model.head_dim
    for tensor in tensors:
        if _is_repeated(model, tensor):
            yield tensor, 1
        elif tensor.role in ("attn_k", "attn_v"):
            yield tensor, heads
        elif tensor.role == "attn_qkv" and heads < tensor_parallel and tensor.rows > keys:
            yield tensor._replace(rows=keys), heads
            yield tensor._replace(rows=tensor.rows - keys), tensor_parallel
        else:
            yield tensor, tensor_parallel


def _unused(model: ModelFacts, quantization: str, tensors: Iterable[Tensor], tensor_parallel: int) -> int:
    """What allocations of whole bytes a weight take beyond their weights; formats with packed weights are left out."""
    loaded = recipe(model, quantization, "vllm").loaded
    sizes: dict[tuple[str, int, int], int] = {}
    divided = _shares(model, tensors, tensor_parallel) if tensor_parallel > 1 else ((tensor, 1) for tensor in tensors)
    for (role, rows, cols, layers, copies), number in divided:
        width = loaded.get(role, loaded[""]).bits / 8
        if width >= 1 and role not in UNFUSED and (copies == 1 or role in EXPERTS):
            key = (FUSED.get(role, role), rows if role not in FUSED else 0, len(layers))
            sizes[key] = sizes.get(key, 0) + int(rows * cols * copies * width) // number
    unused = 0
    for (_, _, layers_alike), size in sizes.items():
        rest = -size % SEGMENT_STEP
        if size >= SEGMENT_FROM and rest <= SPLIT_FROM:
            unused += layers_alike * rest
    return unused


def _bytes(model: ModelFacts, quantization: str, tensors: Sequence[Tensor]) -> int:
    loaded = recipe(model, quantization, "vllm").loaded
    shapes = (shape_of(tensor, latent=model.latent is not None) for tensor in tensors)
    return sum(packed_bytes(shape, loaded.get(shape.role, loaded[""])) for shape in shapes)


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

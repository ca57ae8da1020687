"""From a GGUF file to facts: its own tensors for the weights, its own keys for the cache. Exact, whatever is in it."""

from __future__ import annotations

import re
import stat
from collections import Counter
from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from llmops_catalog.errors import UnreadableModel
from llmops_catalog.fit.facts import (
    CompressedFacts,
    ExpertFacts,
    FileTensor,
    LatentFacts,
    LayerGroupFacts,
    ModelFacts,
    SparseFacts,
    StateFacts,
    WeightFile,
)
from llmops_catalog.fit.support import Support
from llmops_catalog.outside import gguf_keys
from llmops_catalog.outside.gguf_header import Header, TensorInfo, read_header
from llmops_catalog.outside.gguf_keys import Keys

WINDOWED = ("sliding_attention", "chunked_attention", "compressed_sparse_attention", "heavily_compressed_attention")
MOST_PARTS = 1000
CUSTOM = "custom mix"
"""The quantization of a file that does not say which of the known mixes it is."""

FILE_TYPES = {
    # enum llama_ftype in https://github.com/ggml-org/llama.cpp/blob/master/include/llama.h
    0: "f32", 1: "f16", 2: "q4_0", 3: "q4_1", 7: "q8_0", 8: "q5_0", 9: "q5_1", 10: "q2_k", 11: "q3_k_s", 12: "q3_k_m", 13: "q3_k_l",
    14: "q4_k_s", 15: "q4_k_m", 16: "q5_k_s", 17: "q5_k_m", 18: "q6_k", 19: "iq2_xxs", 20: "iq2_xs", 21: "q2_k_s", 22: "iq3_xs",
    23: "iq3_xxs", 24: "iq1_s", 25: "iq4_nl", 26: "iq3_s", 27: "iq3_m", 28: "iq2_s", 29: "iq2_m", 30: "iq4_xs", 31: "iq1_m",
    32: "bf16", 36: "tq1_0", 37: "tq2_0", 38: "mxfp4", 39: "nvfp4", 40: "q1_0", 41: "q2_0",
}  # fmt: skip

MODEL_TYPES = {
    "gptneox": "gpt_neox", "command-r": "cohere", "deepseek2": "deepseek_v3", "deepseek32": "deepseek_v32", "deepseek4": "deepseek_v4",
    "qwen2moe": "qwen2_moe", "qwen3moe": "qwen3_moe", "qwen2vl": "qwen2_vl", "qwen3vl": "qwen3_vl", "qwen3vlmoe": "qwen3_vl_moe",
    "qwen3next": "qwen3_next", "qwen35": "qwen3_5", "qwen35moe": "qwen3_5_moe", "glm4moe": "glm4_moe", "glm-dsa": "glm_moe_dsa",
    "gpt-oss": "gpt_oss", "granitehybrid": "granitemoehybrid", "nemotron_h_moe": "nemotron_h", "hunyuan-moe": "hunyuan_v1_moe",
    "hunyuan-dense": "hunyuan_v1_dense", "minimax-m2": "minimax_m2", "minimax-m3": "minimax_m3", "kimi-linear": "kimi_linear",
    "ernie4_5-moe": "ernie4_5_moe", "mimo2": "mimo_v2_flash", "modern-bert": "modernbert", "nomic-bert": "nomic_bert", "phi2": "phi",
    "starcoder": "gpt_bigcode",
}  # fmt: skip
"""llama.cpp's names of architectures whose model_type in Hugging Face configs is another."""

ROLES = {
    "token_embd": "token_embd", "position_embd": "position", "token_types": "position", "per_layer_token_embd": "per_layer_token_embd",
    "output": "output", "attn_q": "attn_q", "attn_k": "attn_k", "attn_v": "attn_v", "attn_qkv": "attn_qkv", "attn_output": "attn_output",
    "attn_k_b": "attn_k_b", "ffn_gate": "ffn_gate", "ffn_up": "ffn_up", "ffn_down": "ffn_down", "ffn_gate_exps": "expert_ffn_gate",
    "ffn_up_exps": "expert_ffn_up", "ffn_down_exps": "expert_ffn_down", "ffn_gate_up_exps": "expert_ffn_up",
    "ffn_gate_shexp": "shared_ffn_gate", "ffn_up_shexp": "shared_ffn_up", "ffn_down_shexp": "shared_ffn_down", "ffn_gate_inp": "router",
    "ffn_gate_inp_shexp": "router", "ssm_conv1d": "kept", "shortconv.conv": "kept",
}  # fmt: skip
"""Roles (`fit/tensors.py`) of llama.cpp's tensor names; anything else with several rows is a matrix."""
_LAYER = re.compile(r"(?:(?:enc|dec)\.)?blk\.(\d+)\.(.*)")
_SINGLE_EXPERT = re.compile(r"(ffn_(?:gate|up|down))\.\d+")
_PART = re.compile(r"(.*)-(\d{5})-of-(\d{5})\.gguf", re.IGNORECASE | re.DOTALL)


def model_from_gguf(path: str | PathLike[str], *, support: Support | None = None) -> ModelFacts:
    """The facts of a GGUF file, or of all parts of a split one; reads headers only.

    `facts.file` holds every tensor with the bytes it takes, `facts.file.quantization` what the file calls itself.
    `support` (`Catalog.support`) lets `fit` refuse what a runtime or a card is known not to run. Raises `UnreadableModel`.
    """
    first = Path(path)
    headers = _headers(first)
    keys = Keys(headers[0], str(path))
    tensors = tuple(_tensor(info, keys) for header in headers for info in header.tensors)
    if not tensors:
        raise keys.refuse("it holds no tensors: a tokenizer without a model", "name a file with weights")
    model = _facts(keys, tensors, _indexed(headers), first.name)
    notes = () if all(header.is_whole for header in headers) else ("only the header of the file is there: what it describes is answered",)
    return _as_recorded(model)._replace(support=support, notes=notes)


def _headers(path: Path) -> list[Header]:
    header = _header(path)
    parts = header.values.get("split.count", 1)
    if not isinstance(parts, int) or parts < 2:
        return [header]
    named = _PART.fullmatch(path.name)
    if parts > MOST_PARTS or named is None or int(named[3]) != parts:
        message = f"it is one of {parts:,} parts, and its name does not end in -00001-of-{parts:05}.gguf"
        raise UnreadableModel(str(path), message, "give the parts the names they were made with: that is how llama.cpp finds them")
    files = [path.with_name(f"{named[1]}-{number:05}-of-{parts:05}.gguf") for number in range(1, parts + 1)]
    absent = [file.name for file in files if not file.exists()]
    if absent:
        more = f" and {len(absent) - 1} more" if len(absent) > 1 else ""
        raise UnreadableModel(
            str(path), f"it is one of {parts} parts; {absent[0]}{more} is not beside it", "download all parts into one folder"
        )
    return [_header(file) for file in files]


def _header(path: Path) -> Header:
    """The header of one file. Opens nothing but ordinary files: a pipe would never end."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableModel(str(path), "it is no ordinary file", "name a .gguf file")
        if not status.st_size:
            raise UnreadableModel(str(path), "the file is empty", "download it again")
        with path.open("rb") as file:
            return read_header(file, status.st_size, str(path))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no path can be called so"
        raise UnreadableModel(str(path), f"it cannot be read: {reason}", "check the path") from None


def _indexed(headers: Sequence[Header]) -> list[int]:
    """Layers with an indexer of their own, by their tensors."""
    names = (_LAYER.fullmatch(info.name) for header in headers for info in header.tensors)
    return sorted({int(name[1]) for name in names if name and name[2].startswith("indexer.") and len(name[1]) < 6})


def _tensor(info: TensorInfo, keys: Keys) -> FileTensor:
    placed = _LAYER.fullmatch(info.name)
    layer = int(placed[1]) if placed and len(placed[1]) < 6 else None
    stem, _, kind = (placed[2] if placed else info.name).rpartition(".")
    single = _SINGLE_EXPERT.fullmatch(stem)
    role = f"expert_{single[1]}" if single else ROLES.get(stem, "linear")
    rows = info.elements // info.shape[0] if info.shape[0] else 0
    if kind == "bias" or (rows == 1 and role not in ("output", "token_embd")):
        role = "vector"
    return FileTensor(role, rows, info.shape[0], info.size_bytes, layer, loaded=layer is None or layer < keys.layers)


def _facts(keys: Keys, tensors: Sequence[FileTensor], indexed: Sequence[int], name: str) -> ModelFacts:
    loaded = [tensor for tensor in tensors if tensor.loaded]
    weights = {role: sum(one.rows * one.cols for one in loaded if one.role == role) for role in {one.role for one in loaded}}
    file_type = keys.header.values.get("general.file_type")
    types = gguf_keys.layer_types(keys, indexed)
    experts = _experts(keys)
    total = sum(weights.values())
    routed = sum(size for role, size in weights.items() if role.startswith("expert_"))
    heads = keys.each("attention.head_count", 0)
    hidden = keys.size("embedding_length")
    key_size, value_size = _head_sizes(keys, hidden)
    return ModelFacts(
        id=name,
        name=name,
        model_type=MODEL_TYPES.get(keys.architecture, keys.architecture),
        kind=_kind(keys, types),
        num_hidden_layers=keys.layers,
        num_decoder_layers=keys.optional("decoder_block_count") if keys.architecture == "t5" else None,
        hidden_size=hidden,
        intermediate_size=keys.largest("feed_forward_length") or None,
        vocab_size=_vocabulary(keys, loaded),
        tie_word_embeddings="output" not in weights,
        num_attention_heads=max(heads),
        num_key_value_heads=max(keys.each("attention.head_count_kv", max(heads))),
        head_dim=key_size,
        sliding_window=gguf_keys.window_tokens(keys),
        layer_types=() if keys.architecture == "falcon-h1" else tuple(types),
        layer_groups=_groups(keys, types, hidden),
        kv_shared_layers=_shared(keys),
        per_layer_embedding_size=keys.optional("embedding_length_per_layer_input"),
        latent=_latent(keys, indexed),
        experts=experts._replace(routed_parameters=routed or None) if experts else None,
        state=_state(keys, max(heads)),
        max_context_tokens=keys.optional("context_length"),
        total_parameters=total,
        active_parameters=total - routed + routed * experts.used_per_token // experts.count if experts else total,
        embedding_parameters=weights.get("token_embd", 0) + weights.get("output", 0),
        value_head_dim=value_size if value_size != key_size else None,
        compressed=_compressed(keys),
        sparse=_sparse(keys),
        residual_streams=keys.optional("hyper_connection.count") or 1,
        file=WeightFile(FILE_TYPES.get(file_type, CUSTOM) if isinstance(file_type, int) else CUSTOM, tensors),
    )


def _as_recorded(model: ModelFacts) -> ModelFacts:
    """Latent attention by its query heads, as configs count it: the file's one key/value head is the latent vector."""
    if model.latent is None:
        return model
    heads, size = model.num_attention_heads, model.latent.qk_nope_head_dim + model.latent.qk_rope_head_dim
    groups = tuple(group._replace(num_key_value_heads=heads, head_dim=size) for group in model.layer_groups)
    return model._replace(num_key_value_heads=heads, head_dim=size, value_head_dim=None, layer_groups=groups)


def _kind(keys: Keys, types: Sequence[str]) -> str:
    if keys.architecture in gguf_keys.ENCODERS:
        return "encoder"
    if keys.architecture == "t5":
        return "encoder-decoder"
    if keys.architecture in gguf_keys.STATE_SPACE:
        return "state-space"
    return "hybrid" if any(kind in ("linear_attention", "state_space", "convolution") for kind in types) else "decoder"


def _vocabulary(keys: Keys, loaded: Sequence[FileTensor]) -> int:
    """Rows of the token table; what the tokenizer counts where there is none."""
    rows = [tensor.rows for tensor in loaded if tensor.role == "token_embd"]
    return rows[0] if rows else keys.size("vocab_size", keys.header.lengths.get("tokenizer.ggml.tokens", 0))


def _head_sizes(keys: Keys, hidden: int) -> tuple[int, int]:
    """Sizes of a key and of a value head; they differ in MiMo V2."""
    heads = max(keys.each("attention.head_count", 0))
    usual = hidden // heads if heads else 0
    return keys.size("attention.key_length", usual), keys.size("attention.value_length", usual)


def _head_dim(keys: Keys, hidden: int, kind: str) -> int:
    """Size of a key head in layers of this kind, whose values have the size that those of the model have."""
    key, value = _head_sizes(keys, hidden)
    uneven = key != value
    if kind == "sliding_attention":
        usual = value if uneven else 0
        key, value = keys.size("attention.key_length_swa", key), keys.size("attention.value_length_swa", value)
        return key + value - usual if uneven else (key + value) // 2
    return key


def _groups(keys: Keys, types: Sequence[str], hidden: int) -> tuple[LayerGroupFacts, ...]:
    """Layers alike in what they cache, in order of their first appearance."""
    heads = keys.each("attention.head_count", 0)
    key_heads = keys.each("attention.head_count_kv", max(heads))
    forward = keys.each("feed_forward_length", 0)
    window = gguf_keys.window_tokens(keys)
    alike = Counter((kind, key_heads[layer], forward[layer], heads[layer]) for layer, kind in enumerate(types))
    groups = []
    for (kind, number, size, query), layers in alike.items():
        head_dim = _head_dim(keys, hidden, kind)
        shown = window if kind in WINDOWED else None
        groups.append(LayerGroupFacts(layers, kind, shown, number or None, head_dim or None, size or None, query or None))
    if keys.architecture == "falcon-h1":  # every layer has both: attention beside a state space
        groups.append(LayerGroupFacts(keys.layers, "full_attention", None, max(key_heads), _head_dim(keys, hidden, "full_attention")))
    return tuple(groups)


def _shared(keys: Keys) -> int:
    """Last layers that reuse an earlier cache: all but 20 in Gemma 3n, as the file says in Gemma 4."""
    if keys.architecture == "gemma3n":
        return max(0, keys.layers - 20)
    return min(keys.size("attention.shared_kv_layers", 0), keys.layers - 1)


def _latent(keys: Keys, indexed: Sequence[int]) -> LatentFacts | None:
    """Latent attention, where the file keeps the two halves apart; older files cache it decompressed."""
    key, value = keys.optional("attention.key_length_mla"), keys.optional("attention.value_length_mla")
    rank = keys.optional("attention.kv_lora_rank")
    if not (key and value and rank):
        return None
    rope = keys.size("rope.dimension_count")
    if rope > key:
        raise keys.refuse(f"{keys.architecture}.rope.dimension_count is {rope}, more than the {key} of a key")
    return LatentFacts(
        kv_lora_rank=rank,
        qk_rope_head_dim=rope,
        qk_nope_head_dim=key - rope,
        v_head_dim=value,
        q_lora_rank=keys.optional("attention.q_lora_rank"),
        index_head_dim=keys.optional("attention.indexer.key_length"),
        index_n_heads=keys.optional("attention.indexer.head_count"),
        index_topk=keys.optional("attention.indexer.top_k"),
        index_layers=tuple(layer for layer in indexed if layer < keys.layers) if 0 < len(indexed) < keys.layers else (),
    )


def _compressed(keys: Keys) -> CompressedFacts | None:
    """Attention over compressed tokens, in DeepSeek V4."""
    if keys.architecture != "deepseek4":
        return None
    return CompressedFacts(
        q_lora_rank=keys.size("attention.q_lora_rank"),
        o_lora_rank=keys.size("attention.output_lora_rank"),
        o_groups=keys.size("attention.output_group_count"),
        qk_rope_head_dim=keys.size("rope.dimension_count"),
        index_head_dim=keys.size("attention.indexer.key_length"),
        index_n_heads=keys.size("attention.indexer.head_count"),
        index_topk=keys.size("attention.indexer.top_k"),
        sparse_ratio=4,
        heavy_ratio=128,
    )


def _sparse(keys: Keys) -> SparseFacts | None:
    """The indexer beside ordinary attention, in MiniMax M3."""
    if keys.architecture != "minimax-m3":
        return None
    names = ("head_count", "key_length", "block_size", "top_k")
    return SparseFacts(*(keys.size(f"attention.indexer.{name}") for name in names))


def _experts(keys: Keys) -> ExpertFacts | None:
    count = keys.size("expert_count", 0)
    if count < 2:
        return None
    size = keys.largest("expert_feed_forward_length") or keys.largest("feed_forward_length")
    return ExpertFacts(
        count=count,
        used_per_token=min(count, keys.largest("expert_used_count", count)) or count,
        intermediate_size=size,
        shared_count=keys.optional("expert_shared_count"),
        shared_intermediate_size=keys.optional("expert_shared_feed_forward_length"),
        first_dense_layers=min(keys.size("leading_dense_block_count", 0), keys.layers),
    )


def _state(keys: Keys, heads: int) -> StateFacts | None:
    """What recurrent layers keep (`n_embd_r`, `n_embd_s` in llama-hparams.cpp)."""
    if keys.architecture not in gguf_keys.RECURRENT:
        return None
    kind = gguf_keys.RECURRENT[keys.architecture][1]
    inner, size, kernel = keys.optional("ssm.inner_size"), keys.optional("ssm.state_size"), keys.optional("ssm.conv_kernel")
    groups, rank = keys.optional("ssm.group_count"), keys.optional("ssm.time_step_rank")
    if kind == "gated-delta-net":
        each = inner // rank if inner and rank else None
        return StateFacts(kind, groups, rank, size, each, conv_kernel=kernel)
    if kind == "kimi-delta":
        width = keys.size("kda.head_dim")
        return StateFacts(kind, heads, heads, width, width, conv_kernel=kernel or 4)
    if kind == "short-convolution":
        return StateFacts(kind, conv_kernel=keys.size("shortconv.l_cache"))
    if kind == "wkv":
        return StateFacts(kind, value_head_dim=keys.size("wkv.head_size"), conv_kernel=keys.size("token_shift_count", 2) + 1)
    return StateFacts(kind, num_value_heads=rank, state_size=size, inner_size=inner, num_groups=groups or 1, conv_kernel=kernel)

"""From a GGUF file to facts: its own tensors for the weights, its own keys for the cache. Exact, whatever is in it."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator, Sequence
from os import PathLike
from pathlib import Path

from llmops_catalog.errors import UnreadableModel
from llmops_catalog.fit.facts import FileTensor, ModelFacts, WeightFile
from llmops_catalog.fit.support import Support
from llmops_catalog.outside import gguf_keys, gguf_parts
from llmops_catalog.outside.gguf_header import FORK_TYPES, Header, TensorInfo, read_header
from llmops_catalog.outside.gguf_keys import Keys

MOST_PARTS = 1000
CUSTOM = "custom mix"
"""The quantization of a file that does not say which of the known mixes it is."""

FILE_TYPES = {
    # enum llama_ftype in https://github.com/ggml-org/llama.cpp/blob/master/include/llama.h
    0: "f32", 1: "f16", 2: "q4_0", 3: "q4_1", 7: "q8_0", 8: "q5_0", 9: "q5_1", 10: "q2_k", 11: "q3_k_s", 12: "q3_k_m", 13: "q3_k_l",
    14: "q4_k_s", 15: "q4_k_m", 16: "q5_k_s", 17: "q5_k_m", 18: "q6_k", 19: "iq2_xxs", 20: "iq2_xs", 21: "q2_k_s", 22: "iq3_xs",
    23: "iq3_xxs", 24: "iq1_s", 25: "iq4_nl", 26: "iq3_s", 27: "iq3_m", 28: "iq2_s", 29: "iq2_m", 30: "iq4_xs", 31: "iq1_m",
    32: "bf16", 36: "tq1_0", 37: "tq2_0", 38: "mxfp4", 39: "nvfp4", 40: "q1_0", 41: "q2_0",
    # the same in https://github.com/ikawrakow/ik_llama.cpp/blob/main/include/llama.h
    135: "q6_0", 136: "iq1_bn", 137: "iq2_bn", 138: "iq2_k", 139: "iq3_k", 140: "iq4_k", 141: "iq5_k", 142: "iq6_k", 145: "iq4_ks",
    147: "iq2_ks", 148: "iq4_kss", 150: "iq5_ks", 151: "iq2_kt", 152: "iq3_kt", 153: "iq4_kt", 154: "iq3_ks", 155: "iq2_kl", 156: "iq1_kt",
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
    return _as_recorded(model)._replace(support=support, notes=tuple(_notes(headers)))


def _notes(headers: Sequence[Header]) -> Iterator[str]:
    """What else there is to know about the file."""
    if not all(header.is_whole for header in headers):
        yield "only the header of the file is there: what it describes is answered"
    if any(info.type in FORK_TYPES.values() for header in headers for info in header.tensors):
        yield "the file has types of ik_llama.cpp, which only that fork of llama.cpp loads"
    yield f"the header with its tokenizer takes {sum(header.header_bytes for header in headers):,} bytes of the file beside the tensors"


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
    experts = gguf_parts.experts(keys)
    total = sum(weights.values())
    routed = sum(size for role, size in weights.items() if role.startswith("expert_"))
    heads = keys.each("attention.head_count", 0)
    hidden = keys.size("embedding_length")
    key_size, value_size = gguf_parts.head_sizes(keys, hidden)
    return ModelFacts(
        id=name,
        name=name,
        model_type=MODEL_TYPES.get(keys.architecture, keys.architecture),
        kind=_kind(keys, types),
        num_hidden_layers=keys.layers,
        num_decoder_layers=keys.optional("decoder_block_count", gguf_keys.MOST_LAYERS) if keys.architecture == "t5" else None,
        hidden_size=hidden,
        intermediate_size=keys.largest("feed_forward_length") or None,
        vocab_size=_vocabulary(keys, loaded),
        tie_word_embeddings="output" not in weights,
        num_attention_heads=max(heads),
        num_key_value_heads=max(keys.each("attention.head_count_kv", max(heads))),
        head_dim=key_size,
        sliding_window=gguf_keys.window_tokens(keys),
        layer_types=() if keys.architecture == "falcon-h1" else tuple(types),
        layer_groups=gguf_parts.layer_groups(keys, types, hidden),
        kv_shared_layers=gguf_parts.shared_layers(keys),
        per_layer_embedding_size=keys.optional("embedding_length_per_layer_input"),
        latent=gguf_parts.latent(keys, indexed),
        experts=experts._replace(routed_parameters=routed or None) if experts else None,
        state=gguf_parts.state(keys, max(heads)),
        max_context_tokens=keys.optional("context_length"),
        total_parameters=total,
        active_parameters=total - routed + routed * experts.used_per_token // experts.count if experts else total,
        embedding_parameters=weights.get("token_embd", 0) + weights.get("output", 0),
        value_head_dim=value_size if value_size != key_size else None,
        compressed=gguf_parts.compressed(keys),
        sparse=gguf_parts.sparse(keys),
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

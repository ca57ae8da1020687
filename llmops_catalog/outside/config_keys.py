"""The keys of a Hugging Face config, whatever a family calls them: each checked when it is asked for."""

from __future__ import annotations

import json
import stat
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from llmops_catalog.errors import UnknownModelType, UnreadableModel
from llmops_catalog.outside.config_defaults import DEFAULTS
from llmops_catalog.problems import did_you_mean, nearest

FILE_NAME = "config.json"
LARGEST_FILE_BYTES = 8 * 2**20
"""The longest published config.json (a classifier with all its labels) has 2 MB."""
LARGEST_NUMBER = 2**31 - 1
MOST_LAYERS = 4096

SPELLINGS = {
    "hidden_size": ("n_embd", "d_model", "dim"),
    "num_hidden_layers": ("n_layer", "n_layers", "num_layers"),
    "num_attention_heads": ("n_head", "n_heads", "num_heads"),
    "num_key_value_heads": ("num_kv_heads", "n_head_kv"),
    "intermediate_size": ("n_inner", "d_ff", "ffn_dim", "hidden_dim", "ffn_hidden_size", "block_ff_dim"),
    "head_dim": ("d_kv", "attention_head_dim"),
    "max_position_embeddings": ("n_positions", "max_seq_len", "context_length", "model_max_length", "seq_length"),
    "tie_word_embeddings": ("tie_embedding",),
    "num_experts": ("num_local_experts", "n_routed_experts", "moe_num_experts"),
    "num_experts_per_tok": ("num_experts_per_token", "moe_k", "moe_topk", "top_k_experts"),
    "moe_intermediate_size": ("expert_intermediate_size",),
    "n_shared_experts": ("num_shared_experts", "moe_num_shared_experts", "num_shared_expert"),
    "shared_intermediate_size": ("shared_expert_intermediate_size", "moe_shared_expert_intermediate_size", "share_expert_dim"),
    "first_k_dense_replace": ("moe_layer_start_index", "num_dense_layers"),
    "layer_step": ("decoder_sparse_step", "interleave_moe_layer_step", "expert_layer_period"),
    "latent_size": ("moe_latent_size", "routed_expert_hidden_size"),
    "state_size": ("mamba_d_state", "ssm_state_size"),
    "conv_kernel": ("mamba_d_conv", "conv_L_cache", "linear_conv_kernel_dim", "d_conv"),
    "expand": ("mamba_expand",),
    "inner_size": ("attention_hidden_size",),
    "mamba_num_heads": ("mamba_n_heads",),
    "mamba_head_dim": ("mamba_d_head",),
    "n_groups": ("mamba_n_groups",),
    "sliding_window_pattern": ("_sliding_window_pattern", "global_attn_every_n_layers"),
    "layer_types": ("layers_block_type", "layer_types"),
}
"""Our name for a key, and what families call it."""

SAME = {
    "gemma3n_text": "gemma3n", "gemma4_text": "gemma4", "gemma4_unified_text": "gemma4_unified", "llama4_text": "llama4",
    "mllama_text_model": "mllama", "qwen2_vl_text": "qwen2_vl", "qwen2_5_vl_text": "qwen2_5_vl", "qwen3_vl_text": "qwen3_vl",
    "qwen3_vl_moe_text": "qwen3_vl_moe", "qwen3_5_text": "qwen3_5", "qwen3_5_moe_text": "qwen3_5_moe", "minimax_m3_vl": "minimax_m3",
    "minimax_m3_vl_text": "minimax_m3", "stablelm_epoch": "stablelm", "RefinedWeb": "falcon", "RefinedWebModel": "falcon", "Yi": "llama",
    "xlm_roberta": "xlm-roberta", "step3p7_text": "step3p7", "kimi_k25_text": "kimi_k25",
}  # fmt: skip
"""Names of the text part alone, and older names, of families we know by another."""

TEXT_PARTS = ("text_config", "llm_config", "language_config")
"""What families call the config of their text part."""

Raw = Mapping[str, Any]


class Config:
    """One config, and the defaults of its family. A model in parts is read by its text part."""

    def __init__(self, raw: Raw, place: str) -> None:
        self.place = place
        self.whole = raw
        self.model_type = self._model_type()
        self.raw = self._text_part()
        self.defaults = DEFAULTS[self.model_type]

    def refuse(self, message: str, hint: str = "") -> UnreadableModel:
        return UnreadableModel(self.place, message, hint or "take config.json as its developer published it")

    def _text_part(self) -> Raw:
        for name in TEXT_PARTS:
            part = self.whole.get(name)
            if part and not isinstance(part, Mapping):
                raise self.refuse(f"{name} is {str(part)[:60]!r}, not a config")
            if part:
                return part
        return self.whole

    def _model_type(self) -> str:
        name = self.whole.get("model_type")
        if not isinstance(name, str) or not name:
            raise self.refuse("it does not say which family the model is of (model_type)")
        known = SAME.get(name, name)
        if known not in DEFAULTS:
            sentence = f"the tensors of model_type {name[:60]!r} are not described. {did_you_mean(nearest(name, (*DEFAULTS, *SAME)))}"
            raise UnknownModelType(self.place, sentence.rstrip(), "its parameters and cache would be a guess: ask about a GGUF file of it")
        return known

    def says(self, name: str) -> bool:
        """Whether the config itself has the key."""
        return any(spelling in self.raw for spelling in (name, *SPELLINGS.get(name, ())))

    def value(self, name: str, default: Any = None) -> Any:
        """What the config says, null included; else the family's default, else `default`."""
        for spelling in (name, *SPELLINGS.get(name, ())):
            if spelling in self.raw:
                return self.raw[spelling]
        return self.defaults.get(name, default)

    def size(self, name: str, default: int | None = None, most: int = LARGEST_NUMBER) -> int:
        """A whole number from 1 on; raises `UnreadableModel` where it is missing, or none."""
        value = self.optional(name, most)
        if value is None:
            value = default
        if value is None:
            raise self.refuse(f"the key {name} is missing")
        return value

    def optional(self, name: str, most: int = LARGEST_NUMBER) -> int | None:
        """As `size`; None where the key is missing, null, 0 or ``auto``."""
        value = self.value(name)
        if value is None or value is False or value == "auto":
            return None
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
            raise self.refuse(f"{name} is {repr(value)[:60]}, not a whole number up to {most:,}")
        return value or None

    def flag(self, name: str, default: bool = False) -> bool:
        """Whether something is switched on."""
        return bool(self.value(name, default))

    def listed(self, name: str) -> list[Any] | None:
        """A list with one entry for each layer, layers beyond the last (MTP) left out; None where there is none."""
        value = self.value(name)
        if not isinstance(value, list):
            return None
        layers = self.layers
        if not layers <= len(value) <= MOST_LAYERS:
            raise self.refuse(f"{name} has {len(value):,} entries for {layers} layers")
        return value[:layers]

    def part(self, name: str) -> Raw:
        """A config inside the config; empty where there is none."""
        value = self.raw.get(name)
        if value is None and self.whole is not self.raw:
            value = self.whole.get(name)
        return value if isinstance(value, Mapping) else {}

    @property
    def layers(self) -> int:
        """num_hidden_layers; where it is missing, as many as are listed."""
        listed = self.value("layer_types")
        return self.size("num_hidden_layers", len(listed) if isinstance(listed, list) else None, MOST_LAYERS)


def read_config(source: str | PathLike[str] | Raw) -> tuple[Raw, str]:
    """The config of a file, of a model's folder or as given, and what to call it in messages. Raises `UnreadableModel`."""
    if isinstance(source, Mapping):
        return source, "config"
    place, path = str(source), Path(source)
    try:
        path = path / FILE_NAME if path.is_dir() else path
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableModel(place, "it is no ordinary file", "name a config.json")
        if status.st_size > LARGEST_FILE_BYTES:
            raise UnreadableModel(place, f"it has {status.st_size:,} bytes: no config is that long", "name a config.json")
        return parsed(path.read_bytes(), place), place
    except OSError as error:
        raise UnreadableModel(place, f"it cannot be read: {error.strerror}", "check the path") from None
    except ValueError:
        raise UnreadableModel(place, "it cannot be read: no path can be called so", "check the path") from None


def parsed(data: bytes, place: str) -> Raw:
    """The object in a JSON text. Raises `UnreadableModel`."""
    try:
        value = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise UnreadableModel(place, "it is not UTF-8 text", "name a config.json") from None
    except json.JSONDecodeError as error:
        message = f"it is no JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        raise UnreadableModel(place, message, "name a config.json") from None
    except (ValueError, RecursionError):  # a number of a million digits; lists in lists in lists
        raise UnreadableModel(place, "it is no JSON anybody could read", "name a config.json") from None
    if not isinstance(value, dict):
        raise UnreadableModel(place, "it holds no JSON object", "name a config.json")
    return value

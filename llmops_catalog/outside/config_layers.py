"""What each layer of a model does, by its config: the rules of each family where the config lists none.

Read in `configuration_*.py` of https://github.com/huggingface/transformers/tree/v5.24.0/src/transformers/models.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from llmops_catalog.fit.facts import LayerGroupFacts
from llmops_catalog.outside.config_keys import Config

NAMES = {
    "attention": "full_attention", "conv": "convolution", "mamba": "state_space", "mamba2": "state_space", "moe": "feed_forward",
    "mlp": "feed_forward", "minimax_m3_sparse": "sparse_attention", "indexed_attention": "full_attention",
    "deepseek_sparse_attention": "full_attention",
    **{name: name for name in ("full_attention", "sliding_attention", "chunked_attention", "linear_attention", "state_space", "convolution",
                               "sparse_attention", "compressed_sparse_attention", "heavily_compressed_attention", "feed_forward")},
}  # fmt: skip
"""Types of layers as configs call them."""
PATTERN_LETTERS = {"M": "state_space", "*": "full_attention", "E": "feed_forward", "-": "feed_forward"}
"""hybrid_override_pattern of Nemotron-H."""
EVERY = {"gemma2": 2, "gemma3": 6, "gemma3_text": 6, "gemma3n": 5, "gemma4": 6, "gemma4_unified": 6, "gpt_oss": 2, "cohere2": 4, "olmo3": 4,
         "exaone4": 4, "afmoe": 4}  # fmt: skip
"""Every n-th layer attends to everything, the others look back a window (sliding_window_pattern)."""
ALWAYS_SLIDING = ("mistral", "starcoder2")
"""Every layer has the window, where the config gives one."""
LINEAR_EVERY = {"qwen3_next": 4, "qwen3_5": 4, "qwen3_5_moe": 4}
STATE_SPACE = ("mamba", "falcon_mamba", "rwkv")
MAMBA = ("granitemoehybrid", "nemotron_h", "jamba")
"""Hybrids whose Mamba layers newer configs call linear_attention."""
COMPRESSION = {0: "sliding_attention", 4: "compressed_sparse_attention", 128: "heavily_compressed_attention"}
"""compress_ratios of DeepSeek V4."""
WINDOWED = ("sliding_attention", "chunked_attention", "compressed_sparse_attention", "heavily_compressed_attention")


def layer_types(config: Config) -> list[str]:
    """The type of each layer, in order."""
    listed = _listed(config)
    if listed is not None:
        return listed
    layers, kind = config.layers, config.model_type
    if kind in EVERY:
        return _every(layers, _pattern(config, EVERY[kind]), "sliding_attention" if window_tokens(config) else "full_attention")
    if kind in LINEAR_EVERY:
        return _every(layers, config.size("full_attention_interval", LINEAR_EVERY[kind]), "linear_attention")
    if kind in (*STATE_SPACE, "granitemoehybrid"):
        return ["state_space"] * layers
    if kind in ALWAYS_SLIDING and window_tokens(config):
        return ["sliding_attention"] * layers
    special = _SPECIAL.get(kind)
    return special(config, layers) if special else ["full_attention"] * layers


def window_tokens(config: Config) -> int | None:
    """Tokens that layers with a window look back."""
    if config.model_type == "modernbert":
        return config.size("local_attention", 128) // 2
    if config.model_type == "llama4":
        return config.optional("attention_chunk_size")
    window = config.optional("sliding_window")
    if config.model_type.startswith("qwen") and not config.flag("use_sliding_window"):
        return None
    if window and is_encoder(config):
        return window // 2 + 1  # Gemma looks both ways then: half to each side
    return window


def is_encoder(config: Config) -> bool:
    """A decoder family made to look both ways (EmbeddingGemma)."""
    return config.value("use_bidirectional_attention") in (True, "all")


def _listed(config: Config) -> list[str] | None:
    pattern = config.value("hybrid_override_pattern")
    if config.model_type == "nemotron_h" and isinstance(pattern, str):
        listed: list[str] | None = [PATTERN_LETTERS.get(letter, letter) for letter in pattern[: config.layers]]
    else:
        listed = config.listed("layer_types")
    if listed is None or config.model_type == "mistral":  # transformers ignores it there
        return None
    for name in listed:
        if not isinstance(name, str) or name not in NAMES:
            raise config.refuse(f"layer_types has {str(name)[:60]!r}: what such a layer keeps is not known")
    named = [NAMES[name] for name in listed]
    return ["state_space" if kind == "linear_attention" else kind for kind in named] if config.model_type in MAMBA else named


def _every(layers: int, interval: int, between: str) -> list[str]:
    return [between if (index + 1) % interval else "full_attention" for index in range(layers)]


def _pattern(config: Config, usual: int) -> int:
    """The interval of full layers: a number, or letters as in ``LLLG``."""
    value = config.value("sliding_window_pattern")
    return max(1, len(value)) if isinstance(value, str) else config.size("sliding_window_pattern", usual)


def _chunked(config: Config, layers: int) -> list[str]:
    """Llama 4: layers without rotary positions attend to everything."""
    rotary = config.listed("no_rope_layers") or [(index + 1) % config.size("no_rope_layer_interval", 4) for index in range(layers)]
    return ["chunked_attention" if flag and window_tokens(config) else "full_attention" for flag in rotary]


def _mimo(config: Config, layers: int) -> list[str]:
    pattern = config.listed("hybrid_layer_pattern") or [index > 0 and (index + 1) % 6 != 0 for index in range(layers)]
    return ["sliding_attention" if flag else "full_attention" for flag in pattern]


def _modernbert(config: Config, layers: int) -> list[str]:
    interval = config.size("sliding_window_pattern", 3)
    return ["sliding_attention" if index % interval else "full_attention" for index in range(layers)]


def _jamba(config: Config, layers: int) -> list[str]:
    period, offset = config.size("attn_layer_period", 8), config.optional("attn_layer_offset") or 0
    return ["full_attention" if index % period == offset else "state_space" for index in range(layers)]


def _kimi(config: Config, layers: int) -> list[str]:
    full = config.part("linear_attn_config").get("full_attn_layers")
    if not isinstance(full, list):
        return ["full_attention" if index and index % 4 == 0 else "linear_attention" for index in range(layers)]
    return ["full_attention" if index + 1 in full else "linear_attention" for index in range(layers)]


def _lfm2(config: Config, layers: int) -> list[str]:
    full = config.value("full_attn_idxs")
    return ["full_attention" if not isinstance(full, list) or index in full else "convolution" for index in range(layers)]


def _deepseek_v4(config: Config, layers: int) -> list[str]:
    ratios = config.listed("compress_ratios")
    if ratios is None:
        return ["heavily_compressed_attention" if index < 2 or index % 2 == 0 else "compressed_sparse_attention" for index in range(layers)]
    if any(ratio not in COMPRESSION for ratio in ratios):
        raise config.refuse("compress_ratios has a ratio that is neither 0, 4 nor 128")
    return [COMPRESSION[ratio] for ratio in ratios]


def _minimax_m3(config: Config, layers: int) -> list[str]:
    sparse = config.part("sparse_attention_config").get("sparse_attention_freq")
    if not isinstance(sparse, list) or len(sparse) < layers:
        return ["full_attention"] * layers
    return ["sparse_attention" if flag else "full_attention" for flag in sparse[:layers]]


def _mllama(config: Config, layers: int) -> list[str]:
    cross = config.value("cross_attention_layers")
    cross = cross if isinstance(cross, list) else [3, 8, 13, 18, 23, 28, 33, 38]
    return ["cross_attention" if index in cross else "full_attention" for index in range(layers)]


def _qwen(config: Config, layers: int) -> list[str]:
    """Qwen2 and 3 with use_sliding_window: the layers from max_window_layers on."""
    start = config.size("max_window_layers", 28)
    return ["sliding_attention" if window_tokens(config) and index >= start else "full_attention" for index in range(layers)]


_SPECIAL = {"llama4": _chunked, "mimo_v2_flash": _mimo, "modernbert": _modernbert, "jamba": _jamba, "kimi_linear": _kimi, "kimi_k3": _kimi,
            "lfm2": _lfm2, "deepseek_v4": _deepseek_v4, "minimax_m3": _minimax_m3, "mllama": _mllama,
            "qwen2": _qwen, "qwen3": _qwen}  # fmt: skip


class Heads(NamedTuple):
    """Heads of one layer."""

    query: int
    key: int
    size: int


def groups(config: Config, types: list[str], usual: Heads) -> tuple[LayerGroupFacts, ...]:
    """Layers alike in heads, window and feed forward, in order of first appearance."""
    widths = _widths(config)
    window = window_tokens(config)
    alike = Counter((kind, _heads(config, kind, usual), widths[index]) for index, kind in enumerate(types))
    return tuple(
        LayerGroupFacts(
            layers, kind, window if kind in WINDOWED else None, heads.key or None, heads.size or None, width, heads.query or None
        )
        for (kind, heads, width), layers in alike.items()
    )


def _heads(config: Config, kind: str, usual: Heads) -> Heads:
    family = config.model_type
    if family.startswith("gemma4") and kind == "full_attention":
        shares = config.flag("attention_k_eq_v")
        key = config.optional("num_global_key_value_heads") if shares else None
        return Heads(usual.query, key or usual.key, config.size("global_head_dim", 512))
    if family == "mimo_v2_flash" and kind == "sliding_attention":
        return Heads(config.size("swa_num_attention_heads", usual.query), config.size("swa_num_key_value_heads", 8),
                     config.size("swa_head_dim", usual.size))  # fmt: skip
    if family == "step3p7" and kind == "sliding_attention":
        other = config.part("attention_other_setting").get("num_attention_heads")
        return usual._replace(query=other if isinstance(other, int) else config.size("num_sliding_attention_heads", usual.query))
    return usual


def _widths(config: Config) -> list[int | None]:
    """Feed-forward size of each layer, where layers differ; None where they are alike."""
    layers = config.layers
    if config.model_type == "gemma3n":
        listed = config.listed("intermediate_size")
        return [int(size) for size in listed] if listed and len(set(listed)) > 1 else [None] * layers
    if config.model_type.startswith("gemma4") and config.flag("use_double_wide_mlp"):
        own = layers - (config.optional("num_kv_shared_layers") or 0)
        return [None if index < own else 2 * config.size("intermediate_size") for index in range(layers)]
    return [None] * layers

"""Parameters of the parts that see, where a config describes them completely; each family's layers as its modelling file builds them.

Read in https://github.com/huggingface/transformers/tree/v5.24.0/src/transformers/models and checked against what the catalog records.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from llmops_catalog.outside.config_keys import Config

PARTS = ("vision_config", "audio_config", "visual", "vision_encoder")
SEEING = (
    "qwen2_vl", "qwen2_5_vl", "qwen3_vl", "qwen3_vl_moe", "qwen3_5", "qwen3_5_moe", "mistral3", "gemma3", "gemma3n", "gemma4",
    "gemma4_unified", "llama4", "mllama", "kimi_k25", "kimi_k3", "minimax_m3", "minimax_m3_vl", "step3p7",
)  # fmt: skip
"""Families whose models always have such a part, also where a shortened config leaves it out."""
Part = Mapping[str, Any]


def parameters(config: Config) -> int | None:
    """Weights of all parts beside the text model; 0 where there are none, None where one is not described here."""
    parts = [name for name in PARTS if config.whole.get(name)]
    if not parts:
        return None if config.whole.get("model_type") in SEEING else 0
    count = TOWERS.get(config.model_type)
    vision = config.whole.get("vision_config")
    if count is None or parts != ["vision_config"] or not isinstance(vision, Mapping):
        return None
    try:
        return count(vision, config)
    except (KeyError, TypeError, ZeroDivisionError):  # a key is missing, and no default of ours stands in
        return None


def modalities(config: Config) -> tuple[str, ...]:
    """What goes in besides text."""
    sees = config.whole.get("model_type") in SEEING or any(config.whole.get(name) for name in PARTS if name != "audio_config")
    return ("text", *(("image",) if sees else ()), *(("audio",) if config.whole.get("audio_config") else ()))


def _linear(inputs: int, outputs: int, bias: bool = True) -> int:
    return inputs * outputs + (outputs if bias else 0)


def _block(width: int, inner: int, *, norms: int, gated: bool = False, bias: bool = True) -> int:
    """One layer: attention of four square matrices, a feed forward, `norms` numbers of norms."""
    forward = (3 if gated else 2) * width * inner + ((2 * inner if gated else inner) + width if bias else 0)
    return 4 * _linear(width, width, bias) + forward + norms


def _merger(width: int, squares: int, output: int) -> int:
    """Neighbouring patches side by side, through two matrices."""
    return _linear(width * squares, width * squares) + _linear(width * squares, output)


def _qwen2(vision: Part, config: Config) -> int:
    width, squares = vision["embed_dim"], vision.get("spatial_merge_size", 2) ** 2
    patch = vision.get("in_channels", vision.get("in_chans", 3)) * vision.get("temporal_patch_size", 2) * vision["patch_size"] ** 2
    layers = vision["depth"] * _block(width, int(width * vision.get("mlp_ratio", 4)), norms=4 * width)
    return int(patch * width + layers + 2 * width + _merger(width, squares, config.size("hidden_size")))


def _qwen2_5(vision: Part, config: Config) -> int:
    width, squares = vision["hidden_size"], vision.get("spatial_merge_size", 2) ** 2
    patch = vision.get("in_channels", vision.get("in_chans", 3)) * vision.get("temporal_patch_size", 2) * vision["patch_size"] ** 2
    layers = vision["depth"] * _block(width, vision["intermediate_size"], norms=2 * width, gated=True)
    return int(patch * width + layers + width + _merger(width, squares, vision.get("out_hidden_size", config.size("hidden_size"))))


def _qwen3(vision: Part, config: Config) -> int:
    """Qwen3-VL and Qwen3.5: a table of positions, and mergers whose output joins the first text layers (deepstack)."""
    width, squares, output = vision["hidden_size"], vision.get("spatial_merge_size", 2) ** 2, vision["out_hidden_size"]
    patch = vision.get("in_channels", 3) * vision.get("temporal_patch_size", 2) * vision["patch_size"] ** 2
    layers = vision["depth"] * _block(width, vision["intermediate_size"], norms=4 * width)
    merger = _merger(width, squares, output)
    deep = len(vision.get("deepstack_visual_indexes", ())) * (2 * width * squares + merger)
    return int(_linear(patch, width) + vision["num_position_embeddings"] * width + layers + 2 * width + merger + deep)


def _pixtral(vision: Part, config: Config) -> int:
    """Mistral Small 3.1 and later: no biases in the tower; patches merged before the projector."""
    width, text, squares = vision["hidden_size"], config.size("hidden_size"), config.whole.get("spatial_merge_size", 2) ** 2
    bias = bool(config.whole.get("multimodal_projector_bias", False))
    layers = vision["num_hidden_layers"] * _block(width, vision["intermediate_size"], norms=2 * width, gated=True, bias=False)
    projector = width + width * squares * width + _linear(width, text, bias) + _linear(text, text, bias)
    return int(vision.get("num_channels", 3) * vision["patch_size"] ** 2 * width + width + layers + projector)


def _siglip(vision: Part, config: Config) -> int:
    """Gemma 3."""
    width, patch = vision["hidden_size"], vision["patch_size"]
    layers = vision["num_hidden_layers"] * _block(width, vision["intermediate_size"], norms=4 * width)
    positions = (vision["image_size"] // patch) ** 2 * width
    return int(_linear(3 * patch**2, width) + positions + layers + 2 * width + width * config.size("hidden_size") + width)


def _llama4(vision: Part, config: Config) -> int:
    width, patch = vision["hidden_size"], vision["patch_size"]
    layers = vision["num_hidden_layers"] * _block(width, vision["intermediate_size"], norms=4 * width)
    positions = ((vision["image_size"] // patch) ** 2 + 1) * width
    adapter = vision["intermediate_size"] * vision["projector_input_dim"] + vision["projector_input_dim"] * vision["projector_output_dim"]
    projector = vision["vision_output_dim"] * config.size("hidden_size")
    return int(3 * patch**2 * width + width + positions + 4 * width + layers + adapter + projector)


def _gemma4(vision: Part, config: Config) -> int:
    """Norms of queries and keys inside; positions as two tables, one for each direction."""
    width, patch = vision["hidden_size"], vision["patch_size"]
    norms = 4 * width + 2 * vision["head_dim"]
    layers = vision["num_hidden_layers"] * _block(width, vision["intermediate_size"], norms=norms, gated=True, bias=False)
    return int(3 * patch**2 * width + 2 * vision["position_embedding_size"] * width + layers + width * config.size("hidden_size"))


def _kimi(vision: Part, config: Config) -> int:
    """MoonViT: with biases and LayerNorm in K2.5, with neither in K3, whose attention is wider than its stream."""
    width, text, inner = vision["vt_hidden_size"], config.size("hidden_size"), vision["vt_intermediate_size"]
    plain = vision.get("norm_type") == "rmsnorm"
    attention, squares = vision.get("qkv_hidden_size", width), vision["merge_kernel_size"][0] * vision["merge_kernel_size"][1]
    bias = not plain
    norm = width if plain else 2 * width
    block = (
        _linear(width, 3 * attention, bias) + _linear(attention, width, bias) + _linear(width, inner, bias) + _linear(inner, width, bias)
    )
    positions = vision["init_pos_emb_height"] * vision["init_pos_emb_width"] * width
    patch = _linear(3 * vision["patch_size"] ** 2, width, bias)
    projector = (text if plain else norm) + _linear(squares * width, squares * width, bias) + _linear(squares * width, text, bias)
    return int(patch + positions + vision["vt_num_hidden_layers"] * (block + 2 * norm) + norm + projector)


def _mllama(vision: Part, config: Config) -> int:
    """Llama 3.2 Vision: tables of positions for every arrangement of tiles; the last layers are gated."""
    width, tiles = vision["hidden_size"], vision["max_num_tiles"]
    patches = (vision["image_size"] // vision["patch_size"]) ** 2 + 1
    arrangements = len(vision["supported_aspect_ratios"]) + 1
    block = 4 * width**2 + _linear(width, vision["intermediate_size"]) + _linear(vision["intermediate_size"], width) + 4 * width
    layers = vision["num_hidden_layers"] * block + vision["num_global_layers"] * (block + 2)
    positions = patches * width + 1 + arrangements * tiles * patches * width + 2 * (arrangements * tiles * width + 1)
    around = 3 * vision["patch_size"] ** 2 * width + width + 4 * width
    return int(around + positions + layers + _linear(vision["vision_output_dim"], config.size("hidden_size")))


TOWERS: dict[str, Callable[[Part, Config], int]] = {
    "qwen2_vl": _qwen2, "qwen2_5_vl": _qwen2_5, "qwen3_vl": _qwen3, "qwen3_vl_moe": _qwen3, "qwen3_5": _qwen3, "qwen3_5_moe": _qwen3,
    "mistral3": _pixtral, "gemma3": _siglip, "llama4": _llama4, "gemma4": _gemma4, "kimi_k25": _kimi, "kimi_k3": _kimi, "mllama": _mllama,
}  # fmt: skip

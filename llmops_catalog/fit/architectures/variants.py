"""Which variant of a family a config.json names: flags that a model record does not carry, because its total tells them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

Config = Mapping[str, object]


def variant_from_config(model_type: str, config: Config) -> int | None:
    """The place of the variant among those of its family, from the flags of a Hugging Face config; None where there is one only.

    The order is that of `FAMILIES` (and of `t5` and `gemma4` in this room); absent flags have the defaults of the
    configuration classes of transformers.
    """
    choose = _CHOICES.get(model_type)
    return choose(config) if choose else None


def _flag(name: str, otherwise: int, where_set: int) -> Callable[[Config], int]:
    return lambda config: where_set if config.get(name) else otherwise


def _falcon(config: Config) -> int:
    if config.get("bias"):
        return 2
    norms = config.get("num_ln_in_parallel_attn") or (2 if config.get("new_decoder_architecture") else 1)
    return 1 if norms == 2 else 0


def _stablelm(config: Config) -> int:
    if config.get("qk_layernorm"):
        return 2
    return 1 if config.get("use_qkv_bias") else 0


def _t5(config: Config) -> int:
    return 0 if str(config.get("feed_forward_proj", "relu")).startswith("gated") else 1


def _gemma4(config: Config) -> int:
    if config.get("attention_k_eq_v"):
        return 0
    return 2 if config.get("use_double_wide_mlp") else 1


def _opt(config: Config) -> int:
    width = config.get("word_embed_proj_dim")
    return 1 if width and width != config.get("hidden_size") else 0


_CHOICES: dict[str, Callable[[Config], int]] = {
    "llama": _flag("attention_bias", 0, 1),
    "glm": _flag("attention_bias", 1, 0),
    "glm4": _flag("attention_bias", 1, 0),
    "glm4_moe": _flag("use_qk_norm", 0, 1),
    "cohere": _flag("use_qk_norm", 0, 1),
    "falcon": _falcon,
    "stablelm": _stablelm,
    "t5": _t5,
    "gemma4": _gemma4,
    "gemma4_unified": _gemma4,
    "opt": _opt,
}

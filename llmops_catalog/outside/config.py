"""From a Hugging Face config to facts: the shape it describes, and the parameters that shape adds up to."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from llmops_catalog.fit.architectures import built_as, derive_tensors, expert_parameter_count
from llmops_catalog.fit.facts import ModelFacts
from llmops_catalog.fit.support import Support
from llmops_catalog.fit.tensors import count
from llmops_catalog.outside import config_layers, config_parts, towers
from llmops_catalog.outside.config_keys import FILE_NAME, MOST_LAYERS, Config, read_config
from llmops_catalog.outside.config_layers import Heads

ENCODERS = ("bert", "roberta", "xlm-roberta", "mpnet", "distilbert", "modernbert", "nomic_bert")
COUNTED_FROM_TWO = ("roberta", "xlm-roberta", "mpnet")
"""Their positions begin at 2: two rows of the table are never used."""
NUMBER_FORMATS = {"float32": "fp32", "float": "fp32", "float16": "fp16", "half": "fp16", "bfloat16": "bf16"}
LARGEST_SCALING = 1024
"""More is taken for a mistake of the file."""
SCALED_ALREADY = ("su", "longrope", "llama3", "default", "mrope", "proportional")
"""Kinds of rotary scaling whose max_position_embeddings is the scaled one (`_get_and_verify_max_len` in
https://github.com/vllm-project/vllm/blob/main/vllm/config/model.py)."""
LARGEST_CONTEXT = 10**9


def model_from_config(
    source: str | PathLike[str] | Mapping[str, Any], *, name: str | None = None, support: Support | None = None
) -> ModelFacts:
    """The facts of a model by its Hugging Face config: a config.json, the folder it is in, or the object in one.

    `total_parameters` is what the described architecture adds up to. `name` is what the model is called (default: the
    config's own `_name_or_path`, else the file's or its folder's name); `support` (`Catalog.support`) lets `fit` refuse
    what is known not to run. Raises `UnknownModelType` for a family nobody described, `UnreadableModel` for no config.
    """
    raw, place = read_config(source)
    config = Config(raw, place)
    called = name or _name(raw, None if isinstance(source, Mapping) else Path(source))
    return facts(config, called)._replace(support=support)


def facts(config: Config, name: str) -> ModelFacts:
    """The facts a config describes. Raises `UnreadableModel` where a key is missing or makes no sense."""
    try:
        return _described(config, name)
    except (TypeError, ValueError, LookupError, OverflowError, ZeroDivisionError, AttributeError):
        raise config.refuse("its numbers make no model: one of them is of the wrong kind") from None


def _described(config: Config, name: str) -> ModelFacts:
    kind, hidden = config.model_type, config.size("hidden_size")
    usual = _heads(config, hidden)
    types = config_layers.layer_types(config)
    latent = config_parts.latent(config)
    if latent:
        usual = usual._replace(size=latent.qk_nope_head_dim + latent.qk_rope_head_dim)
    tower = towers.parameters(config)
    model = ModelFacts(
        id=name,
        name=name,
        modalities=towers.modalities(config),
        model_type=kind,
        kind=_kind(config, types),
        num_hidden_layers=config.layers,
        num_decoder_layers=config.size("num_decoder_layers", config.layers, MOST_LAYERS) if kind == "t5" else None,
        hidden_size=hidden,
        intermediate_size=config_parts.dense_size(config),
        vocab_size=config.size("vocab_size"),
        total_parameters=1,
        tie_word_embeddings=_tied(config),
        num_attention_heads=usual.query,
        num_key_value_heads=usual.key,
        head_dim=usual.size,
        sliding_window=config_layers.window_tokens(config) if set(types) & set(config_layers.WINDOWED) else None,
        layer_types=tuple(types),
        layer_groups=config_layers.groups(config, types, usual),
        kv_shared_layers=config.optional("num_kv_shared_layers") or 0,
        per_layer_embedding_size=config.optional("hidden_size_per_layer_input") if kind.startswith(("gemma3n", "gemma4")) else None,
        latent=latent,
        experts=config_parts.experts(config),
        state=config_parts.state(config),
        max_context_tokens=_context(config),
        position_tokens=_positions(config),
        native_dtype=_number_format(config),
        other_modality_parameters=tower or None,
        confidence="high",
        value_head_dim=config.optional("v_head_dim") if kind == "mimo_v2_flash" else None,
        per_layer_embedding_rows=config.optional("vocab_size_per_layer_input") if kind == "gemma3n" else None,
        compressed=config_parts.compressed(config),
        sparse=config_parts.sparse(config),
        residual_streams=config.size("hc_mult", 1),
        rope_scaling_factor=_full_attention_scaling(config),
        notes=("the vision and audio parts are not counted: how large they are is not described",) if tower is None else (),
    )
    return counted(model, config)


def counted(model: ModelFacts, config: Config) -> ModelFacts:
    """The facts completed by what their tensors add up to."""
    total = built_as(model, config_parts.flags(config))
    if total is None:
        raise config.refuse("its keys do not describe a whole model: heads or feed-forward sizes are missing")
    total += config_parts.extra_parameters(config)
    model = model._replace(total_parameters=total)
    tables = count(tensor for tensor in derive_tensors(model) or () if tensor.role in ("token_embd", "output"))
    model = model._replace(embedding_parameters=tables)
    if model.experts is None:
        return model
    routed = expert_parameter_count(model)
    active = total - routed + routed * model.experts.used_per_token // model.experts.count
    return model._replace(experts=model.experts._replace(routed_parameters=routed or None), active_parameters=active)


def _name(raw: Mapping[str, Any], path: Path | None) -> str:
    own = raw.get("_name_or_path")
    if isinstance(own, str) and own and not own.startswith(("/", ".", "\\")) and len(own) <= 120 and own.isprintable():
        return own
    if path is None:
        return str(raw.get("model_type"))[:120]
    if path.is_dir():
        return path.resolve().name or FILE_NAME
    return (path.resolve().parent.name if path.name == FILE_NAME else path.stem) or FILE_NAME


def _heads(config: Config, hidden: int) -> Heads:
    """Heads of an ordinary layer; none at all in state-space models."""
    if config.model_type in config_layers.STATE_SPACE:
        return Heads(0, 0, 0)
    query = config.size("num_attention_heads")
    key = config.optional("num_key_value_heads")
    if config.model_type in ("falcon", "gpt_bigcode") and not config.flag("new_decoder_architecture"):
        key = 1 if config.flag("multi_query", default=True) else query
    elif config.model_type == "mpt":
        key = config.part("attn_config").get("kv_n_heads")
    if query > hidden:
        raise config.refuse(f"a hidden_size of {hidden:,} cannot be divided among {query:,} heads")
    return Heads(query, key or query, config.optional("head_dim") or hidden // query)


def _kind(config: Config, types: list[str]) -> str:
    if config.model_type in ENCODERS or config_layers.is_encoder(config):
        return "encoder"
    if config.model_type == "t5":
        return "encoder-decoder"
    if config.model_type in config_layers.STATE_SPACE:
        return "state-space"
    return "hybrid" if {"linear_attention", "state_space", "convolution"} & set(types) else "decoder"


def _tied(config: Config) -> bool:
    """The whole model's word counts before that of its text part."""
    for raw in (config.whole, config.raw):
        for spelling in ("tie_word_embeddings", "tie_embedding"):
            if raw.get(spelling) is not None:
                return bool(raw[spelling])
    return bool(config.defaults.get("tie_word_embeddings", False))


def _context(config: Config) -> int | None:
    """Tokens the model was made for, rotary scaling included."""
    positions = _positions(config)
    scaling = config.part("rope_scaling") or config.part("rope_parameters")
    factor, kind = scaling.get("factor"), scaling.get("rope_type", scaling.get("type", "default"))
    if positions is None or not isinstance(factor, (int, float)) or kind in SCALED_ALREADY or config.model_type.startswith("gemma3"):
        return positions
    if kind == "yarn" and isinstance(scaling.get("original_max_position_embeddings"), int):
        positions = scaling["original_max_position_embeddings"]
    return min(int(positions * max(1.0, factor)), LARGEST_CONTEXT)


def _full_attention_scaling(config: Config) -> int:
    """By what linear scaling divides the positions of full-attention layers."""
    scaling = config.part("rope_scaling") or config.part("rope_parameters")
    own = scaling.get("full_attention", scaling)
    factor = own.get("factor") if isinstance(own, Mapping) and own.get("rope_type", own.get("type")) == "linear" else None
    return min(int(factor), LARGEST_SCALING) if isinstance(factor, (int, float)) and factor >= 1 else 1


def _positions(config: Config) -> int | None:
    """max_position_embeddings, less what is never used; None where positions have no end."""
    if config.model_type in ("t5", "mamba", "falcon_mamba", "rwkv"):
        return None
    positions = config.optional("max_position_embeddings")
    return positions - 2 if positions and positions > 2 and config.model_type in COUNTED_FROM_TWO else positions


def _number_format(config: Config) -> str | None:
    """The number format the weights are shipped in; None where the config does not say."""
    quantized = config.whole.get("quantization_config") or config.raw.get("quantization_config")
    if isinstance(quantized, Mapping):
        mixed = config.raw.get("expert_dtype") == "fp4" and "deepseek" in config.model_type
        return "fp8+fp4" if mixed else _quantized_format(quantized)
    for raw in (config.whole, config.raw):
        written = raw.get("dtype") or raw.get("torch_dtype")
        if isinstance(written, str):
            return NUMBER_FORMATS.get(written.removeprefix("torch."))
    return None


def _quantized_format(quantized: Mapping[str, Any]) -> str:
    text = " ".join(str(quantized.get(key, "")) for key in ("quant_method", "quant_algo", "format", "fmt")).casefold()
    text += str(quantized.get("config_groups", ""))[:2000].casefold()
    for word, name in (("mxfp4", "mxfp4"), ("nvfp4", "nvfp4"), ("fp8", "fp8"), ("float-quantized", "fp8")):
        if word in text:
            return name
    bits = quantized.get("bits", quantized.get("w_bit", 4 if quantized.get("load_in_4bit") else None))
    if bits is None and "'num_bits': 4" in text:
        return "nvfp4" if "'type': 'float'" in text else "int4"
    return {4: "int4", 8: "int8"}.get(bits if isinstance(bits, int) else 0, "mixed")

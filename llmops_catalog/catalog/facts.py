"""From a record's plain data to the facts the estimator computes on. No pydantic, no reading, no defaults invented."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from llmops_catalog.fit.facts import (
    CompressedFacts,
    ExpertFacts,
    GpuFacts,
    LatentFacts,
    LayerGroupFacts,
    ModelFacts,
    RentalFacts,
    SparseFacts,
    StateFacts,
    capability,
)
from llmops_catalog.fit.support import Rule, Support

Data = Mapping[str, Any]

WINDOWED_LAYERS = ("sliding_attention", "chunked_attention", "compressed_sparse_attention", "heavily_compressed_attention")
"""Layer types that look back `attention.sliding_window` tokens only, those of DeepSeek V4 at compressed ones besides."""


def model_facts(record_id: str, data: Data, support: Support | None = None, mentions: int = 0) -> ModelFacts:
    """The facts of a model record (`schema/model.py`); `data` is the record as written, `support` what the catalog knows of runtimes,
    `mentions` the number of records that refer to it.
    """
    architecture: Data = data["architecture"]
    attention: Data = architecture.get("attention") or {}
    parameters: Data = data["parameters"]
    context: Data = data.get("context") or {}
    types = layer_types(architecture)
    return ModelFacts(
        id=record_id,
        name=data["name"],
        hub_id=data.get("hub_id", ""),
        developer=data.get("developer", ""),
        family=data.get("family", ""),
        tuning=data.get("tuning"),
        released=_text(data.get("released")),
        replaced_by=data.get("replaced_by"),
        modalities=tuple(data.get("modalities") or ("text",)),
        model_type=architecture["model_type"],
        kind=architecture["kind"],
        num_hidden_layers=architecture["num_hidden_layers"],
        num_decoder_layers=architecture.get("num_decoder_layers"),
        hidden_size=architecture["hidden_size"],
        intermediate_size=architecture.get("intermediate_size"),
        vocab_size=architecture["vocab_size"],
        tie_word_embeddings=architecture["tie_word_embeddings"],
        num_attention_heads=attention.get("num_attention_heads") or 0,
        num_key_value_heads=attention.get("num_key_value_heads") or 0,
        head_dim=attention.get("head_dim") or 0,
        sliding_window=attention.get("sliding_window"),
        layer_types=types,
        layer_groups=_groups(architecture, attention, types),
        kv_shared_layers=architecture.get("kv_shared_layers") or 0,
        per_layer_embedding_size=architecture.get("per_layer_embedding_size"),
        latent=_latent(architecture.get("latent_attention")),
        experts=_experts(architecture.get("experts")),
        state=StateFacts(**architecture["recurrent_state"]) if architecture.get("recurrent_state") else None,
        max_context_tokens=_max_context(context),
        position_tokens=context.get("configured") or context.get("maximum"),
        native_dtype=data.get("native_dtype"),
        total_parameters=parameters["total"],
        active_parameters=parameters.get("active"),
        embedding_parameters=parameters.get("embedding"),
        other_modality_parameters=parameters.get("other_modalities"),
        checkpoint_parameters=parameters.get("checkpoint"),
        parameter_difference=parameters.get("difference"),
        confidence=data.get("confidence", "high"),
        sources=tuple(dict.fromkeys(source["url"] for source in data.get("sources") or ())),
        support=support,
        value_head_dim=attention.get("value_head_dim"),
        per_layer_embedding_rows=architecture.get("per_layer_embedding_rows"),
        compressed=CompressedFacts(**architecture["compressed_attention"]) if architecture.get("compressed_attention") else None,
        sparse=SparseFacts(**architecture["sparse_attention"]) if architecture.get("sparse_attention") else None,
        residual_streams=architecture.get("residual_streams") or 1,
        mentions=mentions,
        rope_scaling_factor=architecture.get("rope_scaling_factor") or 1,
    )


def layer_types(architecture: Data) -> tuple[str, ...]:
    """The type of every layer in order; empty where only counts per kind are recorded."""
    layers = int(architecture["num_hidden_layers"])
    pattern: Sequence[str] = architecture.get("layer_pattern") or ()
    groups: Sequence[Data] = architecture.get("layer_groups") or ()
    kinds = {group["type"] for group in groups}
    if pattern:
        return tuple(pattern[index % len(pattern)] for index in range(layers))
    if len(kinds) > 1:
        return ()
    default = "state_space" if architecture["kind"] == "state-space" else "full_attention"
    return (kinds.pop() if kinds else default,) * layers


def _groups(architecture: Data, attention: Data, types: tuple[str, ...]) -> tuple[LayerGroupFacts, ...]:
    """The layer groups with the model's own heads and window filled in where a group does not say otherwise."""
    groups: Sequence[Data] = architecture.get("layer_groups") or ()
    if not groups:
        groups = [{"layers": count, "type": kind} for kind, count in Counter(types).items()]
    return tuple(_group(group, attention) for group in groups)


def _group(group: Data, attention: Data) -> LayerGroupFacts:
    limited = group["type"] in WINDOWED_LAYERS
    window = group.get("sliding_window") or (attention.get("sliding_window") if limited else None)
    return LayerGroupFacts(
        layers=group["layers"],
        type=group["type"],
        sliding_window=window,
        num_key_value_heads=group.get("num_key_value_heads") or attention.get("num_key_value_heads"),
        head_dim=group.get("head_dim") or attention.get("head_dim"),
        intermediate_size=group.get("intermediate_size"),
        num_attention_heads=group.get("num_attention_heads") or attention.get("num_attention_heads"),
    )


def _latent(latent: Data | None) -> LatentFacts | None:
    return LatentFacts(**{**latent, "index_layers": tuple(latent.get("index_layers") or ())}) if latent else None


def _experts(experts: Data | None) -> ExpertFacts | None:
    if not experts:
        return None
    defaults = {"first_dense_layers": experts.get("first_dense_layers") or 0, "layer_step": experts.get("layer_step") or 1}
    return ExpertFacts(**{**experts, **defaults})


def _max_context(context: Data) -> int | None:
    """The smaller of what is stated and what the config allows: beyond it nobody promises sensible answers."""
    limits = [limit for limit in (context.get("maximum"), context.get("configured")) if limit]
    return min(limits) if limits else None


def _text(value: Any) -> str | None:
    return None if value is None else str(getattr(value, "as_written", value))


def gpu_facts(record_id: str, data: Data, offers: tuple[RentalFacts, ...] = ()) -> GpuFacts:
    """The facts of a card's record (`schema/hardware.py`); `offers` are the known ways to rent such cards."""
    memory: Data = data["memory"]
    limit: Data = memory.get("system_limit") or {}
    formats: Data = data.get("formats") or {}
    rates: Data = data.get("rates") or {}
    price: Data = data.get("launch_price") or {}
    return GpuFacts(
        id=record_id,
        name=data["name"],
        vendor=data["vendor"],
        segment=data.get("segment"),
        architecture=data.get("architecture"),
        released=_text(data.get("released")),
        sold_gb=_number(memory.get("sold_gb")),
        driver_mib=memory.get("driver_mib"),
        cuda_gib=_number(memory.get("cuda_gib")),
        system_limit_low_gib=_number(limit.get("low_gib")),
        system_limit_high_gib=_number(limit.get("high_gib")),
        bandwidth_gb_s=_number(data.get("bandwidth_gb_s")),
        compute_capability=_text(data.get("compute_capability")),
        bf16=formats.get("bf16"),
        fp8=formats.get("fp8"),
        fp4=formats.get("fp4"),
        fp16_tflops=_number(rates.get("fp16_tflops")),
        fp32_tflops=_number(rates.get("fp32_tflops")),
        launch_price_usd=_number(price.get("amount")) if price.get("currency") == "USD" else None,
        colab=data.get("colab"),
        rental=min(offers, key=lambda offer: offer.amount, default=None),
        memory_type=memory.get("type"),
        nvlink=(data.get("interconnect") or {}).get("nvlink"),
        fp16_vector_tflops=_number(rates.get("fp16_vector_tflops")),
        offers=offers,
    )


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def rule_facts(record_id: str, data: Data) -> Rule:
    """A rule record (`schema/software.py`) as the estimator reads it."""
    scope: Data = data["applies_to"]
    needs: Data = data.get("needs") or {}
    return Rule(
        id=record_id,
        statement=data["statement"],
        kind=data["kind"],
        otherwise=data["otherwise"],
        instead=data.get("instead"),
        source=data["sources"][0]["url"],
        **{key: tuple(scope.get(key) or ()) for key in ("runtimes", "quantizations", "cache_types", "vendors", "model_kinds")},
        needs_something=bool(needs),
        needs_capability=capability(_text(needs.get("min_compute_capability"))),
        needs_number_formats=tuple(needs.get("number_formats") or ()),
        needs_vendors=tuple(needs.get("vendors") or ()),
        needs_cache_types=tuple(needs.get("cache_types") or ()),
        needs_architectures=tuple(needs.get("architectures") or ()),
        needs_flash_attention=bool(needs.get("flash_attention")),
    )

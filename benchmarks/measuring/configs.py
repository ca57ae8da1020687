"""From a record's facts to the values of a Hugging Face config: every spelling a family may use, the class takes its own."""

from __future__ import annotations

from typing import Any

from llmops_catalog.fit import ModelFacts
from llmops_catalog.fit.facts import ExpertFacts, StateFacts

Values = dict[str, Any]


def config_values(model: ModelFacts, positions: int) -> Values:
    """Values for `AutoConfig.for_model`, to be cut down to those its class knows. `positions`: tokens it must allow."""
    values: Values = {
        "hidden_size": model.hidden_size,
        "intermediate_size": model.intermediate_size,
        "num_hidden_layers": model.num_hidden_layers,
        "num_attention_heads": model.num_attention_heads,
        "num_key_value_heads": model.num_key_value_heads,
        "head_dim": model.head_dim,
        "vocab_size": model.vocab_size,
        "max_position_embeddings": model.position_tokens if model.kind == "encoder" else max(positions, model.position_tokens or 0),
        "tie_word_embeddings": model.tie_word_embeddings,
        "sliding_window": model.sliding_window,
        "layer_types": list(model.layer_types) if len(set(model.layer_types)) > 1 else None,
        **_older_spellings(model),
    }
    if model.latent:
        values |= {name: value for name, value in model.latent._asdict().items() if value is not None or name == "q_lora_rank"}
    if model.experts:
        values |= _experts(model, model.experts)
    if model.state:
        values |= _state(model.state)
    return {name: value for name, value in values.items() if value or value is False or name == "q_lora_rank"}


def _older_spellings(model: ModelFacts) -> Values:
    """GPT-2, OPT, Falcon, T5: what their classes do not translate from today's names."""
    return {
        "n_inner": model.intermediate_size,
        "ffn_dim": model.intermediate_size,
        "word_embed_proj_dim": model.hidden_size,
        "num_kv_heads": model.num_key_value_heads,
        "multi_query": model.num_key_value_heads == 1,
        "new_decoder_architecture": 1 < model.num_key_value_heads < model.num_attention_heads,
        "ffn_hidden_size": model.intermediate_size,
        "d_ff": model.intermediate_size,
        "d_kv": model.head_dim,
        "num_decoder_layers": model.num_decoder_layers,
    }


def _experts(model: ModelFacts, experts: ExpertFacts) -> Values:
    """`expert_width` stands for `intermediate_size` in classes that have no width of their own for experts."""
    counts = ("num_local_experts", "num_experts", "n_routed_experts", "moe_num_experts")
    used = ("num_experts_per_tok", "moe_k", "moe_topk", "top_k_experts")
    shared = experts.shared_intermediate_size or (experts.shared_count or 0) * experts.intermediate_size
    return {
        **dict.fromkeys(counts, experts.count),
        **dict.fromkeys(used, experts.used_per_token),
        **dict.fromkeys(("n_shared_experts", "moe_num_shared_experts"), experts.shared_count),
        **dict.fromkeys(("shared_expert_intermediate_size", "shared_intermediate_size"), shared),
        "moe_intermediate_size": experts.intermediate_size,
        "expert_width": experts.intermediate_size,
        "first_k_dense_replace": experts.first_dense_layers,
    }


def _state(state: StateFacts) -> Values:
    return {
        "linear_num_key_heads": state.num_key_heads,
        "linear_num_value_heads": state.num_value_heads,
        "linear_key_head_dim": state.key_head_dim,
        "linear_value_head_dim": state.value_head_dim,
        "linear_conv_kernel_dim": state.conv_kernel,
        "state_size": state.state_size,
        "conv_kernel": state.conv_kernel,
        "mamba_d_state": state.state_size,
        "mamba_n_heads": state.num_value_heads,
        "mamba_d_head": state.value_head_dim,
        "mamba_n_groups": state.num_groups,
        "mamba_num_heads": state.num_value_heads,
        "mamba_head_dim": state.value_head_dim,
        "ssm_state_size": state.state_size,
        "n_groups": state.num_groups,
    }

"""Latent attention, experts and recurrent states as configs describe them, and the flags that decide how a family is built."""

from __future__ import annotations

from llmops_catalog.fit.facts import CompressedFacts, ExpertFacts, LatentFacts, SparseFacts, StateFacts
from llmops_catalog.outside.config_keys import Config

SMALL_EXPERTS = ("deepseek_v2", "deepseek_v3", "deepseek_v32", "kimi_k2", "kimi_k25", "glm_moe_dsa", "glm4_moe", "glm4_moe_lite")
"""Shared experts are as large as routed ones, and there are n_shared_experts of them."""
EXPERT_BY_DENSE_SIZE = ("mixtral", "phimoe", "olmoe", "granitemoe", "jamba", "gpt_oss", "minimax_m2", "hunyuan_v1_moe", "llama4")
"""intermediate_size is that of an expert."""


def latent(config: Config) -> LatentFacts | None:
    """Ranks of multi-head latent attention; None where the family has none."""
    if not config.optional("kv_lora_rank"):
        return None
    indexed = config.optional("index_head_dim")
    return LatentFacts(
        kv_lora_rank=config.size("kv_lora_rank"),
        qk_rope_head_dim=config.size("qk_rope_head_dim"),
        qk_nope_head_dim=config.size("qk_nope_head_dim"),
        v_head_dim=config.size("v_head_dim"),
        q_lora_rank=config.optional("q_lora_rank"),
        index_head_dim=indexed,
        index_n_heads=config.optional("index_n_heads") if indexed else None,
        index_topk=config.optional("index_topk") if indexed else None,
        index_layers=_indexed_layers(config) if indexed else (),
    )


def _indexed_layers(config: Config) -> tuple[int, ...]:
    """Layers with an indexer of their own, where others use that of an earlier layer (indexer_types of GLM-5.2)."""
    types = config.listed("indexer_types")
    if types is None:
        return ()
    full = tuple(index for index, kind in enumerate(types) if kind == "full")
    return () if len(full) == config.layers else full


def compressed(config: Config) -> CompressedFacts | None:
    """Attention over compressed tokens, in DeepSeek V4."""
    if config.model_type != "deepseek_v4":
        return None
    rates = config.part("compress_rates")
    return CompressedFacts(
        q_lora_rank=config.size("q_lora_rank"),
        o_lora_rank=config.size("o_lora_rank"),
        o_groups=config.size("o_groups"),
        qk_rope_head_dim=config.size("qk_rope_head_dim", config.size("head_dim") // 8),
        index_head_dim=config.size("index_head_dim"),
        index_n_heads=config.size("index_n_heads"),
        index_topk=config.size("index_topk"),
        sparse_ratio=int(rates.get("compressed_sparse_attention", 4)),
        heavy_ratio=int(rates.get("heavily_compressed_attention", 128)),
    )


def sparse(config: Config) -> SparseFacts | None:
    """The indexer of MiniMax M3."""
    if config.model_type != "minimax_m3":
        return None
    part = config.part("sparse_attention_config")
    names = {"sparse_num_index_heads": "index_n_heads", "sparse_index_dim": "index_head_dim", "sparse_block_size": "index_block_size",
             "sparse_topk_blocks": "index_topk_blocks"}  # fmt: skip
    numbers = [part.get(old, config.value(new, default)) for (old, new), default in zip(names.items(), (4, 128, 128, 16), strict=True)]
    return SparseFacts(*numbers) if all(isinstance(number, int) for number in numbers) else None


def experts(config: Config) -> ExpertFacts | None:
    """Mixture of experts; None where there are fewer than two."""
    count = config.optional("num_experts")
    if not count or count < 2 or not _has_expert_layers(config):
        return None
    used, size = config.size("num_experts_per_tok", 2), expert_size(config)
    number = config.optional("n_shared_experts")
    shared = config.optional("shared_intermediate_size")
    if shared is None and number:
        shared = number * size
    elif shared and config.model_type.startswith("qwen"):
        number = 1
    if config.model_type == "nemotron_h" and number and shared:
        shared *= number
    if config.model_type == "llama4":
        number, shared = 1, size
    return ExpertFacts(
        count=count,
        used_per_token=min(used, count),
        intermediate_size=size,
        shared_count=number,
        shared_intermediate_size=shared,
        first_dense_layers=_dense_layers(config),
        layer_step=config.size("layer_step", 2 if config.model_type == "jamba" else 1),
        latent_size=config.optional("latent_size"),
    )


def _has_expert_layers(config: Config) -> bool:
    """False where the family may have experts and this model has none."""
    if config.model_type.startswith("gemma4"):
        return config.flag("enable_moe_block", default=True)
    if config.model_type == "nemotron_h":
        parts = {*str(config.value("hybrid_override_pattern", "")), *(config.listed("layer_types") or ())}
        if parts & {"E", "moe"} and parts & {"-", "mlp"}:
            raise config.refuse("it mixes experts with plain feed forwards: such models are not described")
        return bool(parts & {"E", "moe"})
    return True


def expert_size(config: Config) -> int:
    """Feed-forward size of one routed expert."""
    size = config.value("moe_intermediate_size")
    if isinstance(size, list):  # one for each layer, in Hunyuan and Ernie
        size = size[0] if size else None
    if isinstance(size, int) and not isinstance(size, bool) and size > 0:
        return size
    return config.size("intermediate_size")


def dense_size(config: Config) -> int | None:
    """Feed-forward size of a layer without experts; None where all layers have experts."""
    if config.model_type == "llama4":
        return config.optional("intermediate_size_mlp") if config.size("layer_step", 1) > 1 else config.size("intermediate_size")
    if config.model_type == "minimax_m3":
        return config.optional("dense_intermediate_size")
    if config.model_type in ("gpt2", "gpt_bigcode", "gptj", "bloom", "falcon", "rwkv"):
        return config.size("intermediate_size", 4 * config.size("hidden_size"))
    if config.model_type == "mpt":
        return config.size("expansion_ratio", 4) * config.size("hidden_size")
    if config.model_type == "deepseek_v4":
        return config.size("moe_intermediate_size")
    if isinstance(config.value("intermediate_size"), list):
        return int(max(config.listed("intermediate_size") or [0])) or None
    return config.optional("intermediate_size")


def _dense_layers(config: Config) -> int:
    """Leading layers with one ordinary feed forward."""
    for name in ("mlp_layer_types", "moe_layer_freq"):
        listed = config.listed(name)
        if listed:
            return next((index for index, kind in enumerate(listed) if kind in ("sparse", 1, "moe", "hash_moe")), len(listed))
    only = config.value("mlp_only_layers")
    if isinstance(only, list) and only:
        if sorted(only) != list(range(len(only))):
            raise config.refuse("mlp_only_layers names layers that are not the first: such models are not described")
        return len(only)
    return min(config.optional("first_k_dense_replace") or 0, config.layers)


def state(config: Config) -> StateFacts | None:
    """What layers without a cache keep; None where the family has no such layers."""
    kind, hidden = config.model_type, config.size("hidden_size")
    kernel = config.optional("conv_kernel")
    if kind in ("qwen3_next", "qwen3_5", "qwen3_5_moe"):
        names = ("linear_num_key_heads", "linear_num_value_heads", "linear_key_head_dim", "linear_value_head_dim")
        keys, values, key_size, value_size = (config.size(name) for name in names)
        return StateFacts("gated-delta-net", keys, values, key_size, value_size, conv_kernel=kernel)
    if kind in ("kimi_linear", "kimi_k3"):
        part = config.part("linear_attn_config")
        heads, size = part.get("num_heads") or config.size("linear_num_heads"), part.get("head_dim") or config.size("linear_head_dim")
        return StateFacts("kimi-delta", heads, heads, size, size, conv_kernel=part.get("short_conv_kernel_size") or kernel or 4)
    if kind == "lfm2":
        return StateFacts("short-convolution", conv_kernel=kernel)
    if kind in ("mamba", "falcon_mamba", "jamba"):
        inner = config.size("inner_size", config.size("expand", 2) * hidden)
        return StateFacts("mamba", state_size=config.size("state_size", 16), inner_size=inner, conv_kernel=kernel or 4)
    if kind in ("granitemoehybrid", "nemotron_h"):
        heads = config.size("mamba_num_heads")
        size = config.size("mamba_head_dim", config.size("expand", 2) * hidden // heads)
        return StateFacts("mamba2", None, heads, None, size, config.size("state_size"), heads * size, config.size("n_groups", 1), kernel)
    if kind == "rwkv":
        return StateFacts("rwkv", inner_size=config.size("inner_size", hidden))
    return None


def extra_parameters(config: Config) -> int:
    """Weights of flags that hardly any checkpoint sets, beyond the family's own."""
    if config.model_type in ("roberta", "xlm-roberta"):
        return (config.size("type_vocab_size", 1) - 1) * config.size("hidden_size")
    if config.model_type == "llama" and config.flag("mlp_bias"):
        return config.layers * (2 * config.size("intermediate_size") + config.size("hidden_size"))
    return 0


def flags(config: Config) -> dict[str, object]:
    """How the family is built, where its members differ: names are those of `fit.architectures.families.Traits`."""
    kind = config.model_type
    bias = config.flag("attention_bias")
    if kind == "llama":
        return {"qkv_bias": bias, "output_bias": bias}
    if kind in ("glm", "glm4"):
        return {"qkv_bias": bias}
    if kind == "glm4_moe":
        return {"qkv_bias": bias, "qk_norm": "head" if config.flag("use_qk_norm") else ""}
    if kind == "cohere":
        return {"qk_norm": "heads" if config.flag("use_qk_norm") else ""}
    if kind == "stablelm":
        if config.flag("qk_layernorm"):
            return {"qk_norm": "query-key-heads"}
        return {"qk_norm": "", "qkv_bias": config.flag("use_qkv_bias")}
    if kind == "phimoe":
        return {"qkv_bias": bias, "output_head_bias": config.flag("lm_head_bias")}
    if kind == "falcon":
        norms = 2 if config.flag("new_decoder_architecture") and config.size("num_ln_in_parallel_attn", 2) == 2 else 1
        return {"mlp_bias": True} if config.flag("bias") else {"norms": norms, "mlp_bias": False}
    if kind == "opt":
        narrow = config.optional("word_embed_proj_dim") or config.size("hidden_size")
        return {"projections": narrow if narrow != config.size("hidden_size") else 0}
    if kind == "t5":
        return {"gated": str(config.value("feed_forward_proj", "relu")).startswith("gated")}
    if kind.startswith("gemma4"):
        return {"keys_are_values": config.flag("attention_k_eq_v")}
    return {}

"""What tells one family of decoders from another: biases, norms, gates, fused matrices. One line per `model_type`.

Read in the modelling files of transformers (https://github.com/huggingface/transformers/tree/main/src/transformers/models)
and checked by counting: the sum of the tensors must be the checkpoint's own number of parameters.
"""

from typing import NamedTuple


class Traits(NamedTuple):
    """How a decoder layer of a family is built; the numbers come from the model's own facts."""

    norms: int = 2
    """Norms over the residual stream in a layer."""
    norm_bias: bool = False
    """LayerNorm with bias instead of RMSNorm."""
    norm_weight: bool = True
    fused_qkv: bool = False
    """Query, key and value are one matrix, which GGUF keeps as one."""
    qkv_bias: bool = False
    output_bias: bool = False
    qk_norm: str = ""
    """'head': one norm of head_dim for queries, one for keys; 'full': over all heads together; 'heads': per head;
    'query-key-heads': as 'heads', in LayerNorm without bias."""
    gated: bool = True
    """Feed forward of three matrices (gate, up, down) instead of two."""
    fused_gate: bool = False
    """Gate and up are one matrix of twice the size."""
    mlp_bias: bool = False
    router_bias: bool = False
    expert_bias: bool = False
    always_shared: bool = False
    """One shared expert of a routed one's size, which the config does not mention (Llama 4 Scout, Hunyuan A13B)."""
    shared_gate: bool = False
    """A sigmoid gate (hidden -> 1) on the shared expert."""
    sinks: bool = False
    """One learned attention sink per head (gpt-oss)."""
    sliding_sinks: bool = False
    """The same in layers with a window only (MiMo V2: add_swa_attention_sink_bias)."""
    attention_gate: str = ""
    """A gate on what attention returns: 'full' one for every value (Trinity, Kimi K3), 'head' one for each head (Step 3.7)."""
    latent_norm: bool = False
    """A norm behind experts that work in a narrower space (Kimi K3)."""
    embedding_norm: bool = False
    final_norm: bool = True
    output_head_bias: bool = False
    positions: int | None = None
    """Rows of a learned position table beyond the context length; None where positions are rotary or none."""
    layer_scalars: int = 0
    """Single learned numbers per layer."""
    extra_token_rows: int = 0
    """Rows of the embedding table beyond vocab_size (Llama 3.2 Vision: the picture's own tokens, which are never answers)."""
    projections: int = 0
    """Width of the embedding where it differs from the residual stream (OPT 350M)."""


LLAMA = Traits()
LAYER_NORM = Traits(norm_bias=True)
BIASED = Traits(norm_bias=True, qkv_bias=True, output_bias=True, gated=False, mlp_bias=True)

FAMILIES: dict[str, tuple[Traits, ...]] = {
    # Several entries: flags of config.json that a record does not carry. The recorded parameter count decides between
    # them; where it fits none, the first stands.
    "llama": (LLAMA, LLAMA._replace(qkv_bias=True, output_bias=True), LLAMA._replace(qkv_bias=True)),
    "mistral": (LLAMA,),
    "mistral3": (LLAMA,),
    "mixtral": (LLAMA,),
    "granite": (LLAMA,),
    "granitemoe": (LLAMA,),
    "smollm3": (LLAMA,),
    "ernie4_5": (LLAMA,),
    "internlm2": (LLAMA,),
    "internlm3": (LLAMA,),
    "gemma": (LLAMA,),
    "arcee": (LLAMA._replace(gated=False),),
    "seed_oss": (LLAMA._replace(qkv_bias=True),),
    "hunyuan_v1_dense": (LLAMA._replace(qk_norm="head"),),
    "qwen2": (LLAMA._replace(qkv_bias=True),),
    "mimo": (LLAMA._replace(qkv_bias=True),),
    "qwen2_vl": (LLAMA._replace(qkv_bias=True),),
    "qwen2_5_vl": (LLAMA._replace(qkv_bias=True),),
    "qwen2_moe": (LLAMA._replace(qkv_bias=True, shared_gate=True),),
    "qwen3": (LLAMA._replace(qk_norm="head"),),
    "qwen3_vl": (LLAMA._replace(qk_norm="head"),),
    "qwen3_moe": (LLAMA._replace(qk_norm="head"),),
    "qwen3_vl_moe": (LLAMA._replace(qk_norm="head"),),
    "gemma2": (LLAMA._replace(norms=4),),
    "gemma3": (LLAMA._replace(norms=4, qk_norm="head"),),
    "gemma3_text": (LLAMA._replace(norms=4, qk_norm="head"),),
    "exaone4": (LLAMA._replace(qk_norm="head"),),
    "apertus": (LLAMA._replace(qk_norm="head", gated=False, layer_scalars=2),
                LLAMA._replace(qk_norm="head", gated=False)),
    "olmo": (LLAMA._replace(norm_weight=False, final_norm=False),),
    "olmo2": (LLAMA._replace(qk_norm="full"),),
    "olmo3": (LLAMA._replace(qk_norm="full"),),
    "olmoe": (LLAMA._replace(qk_norm="full"),),
    "minimax_m2": (LLAMA._replace(qk_norm="full"),),
    "phi": (BIASED._replace(norms=1, output_head_bias=True),),
    "phi3": (LLAMA._replace(fused_qkv=True, fused_gate=True),),
    "phimoe": (LLAMA._replace(norm_bias=True, qkv_bias=True, output_bias=True, output_head_bias=True), LLAMA._replace(norm_bias=True)),
    "gpt_oss": (LLAMA._replace(qkv_bias=True, output_bias=True, sinks=True, router_bias=True, expert_bias=True),),
    "glm": (LLAMA._replace(qkv_bias=True, fused_gate=True), LLAMA._replace(fused_gate=True)),
    "glm4": (LLAMA._replace(norms=4, qkv_bias=True, fused_gate=True), LLAMA._replace(norms=4, fused_gate=True)),
    "glm4_moe": (LLAMA._replace(qkv_bias=True), LLAMA._replace(qkv_bias=True, qk_norm="head"), LLAMA, LLAMA._replace(qk_norm="head")),
    "cohere": (LLAMA._replace(norms=1), LLAMA._replace(norms=1, qk_norm="heads")),
    "cohere2": (LLAMA._replace(norms=1),),
    "starcoder2": (BIASED,),
    "gpt2": (BIASED._replace(fused_qkv=True, positions=0),),
    "gpt_bigcode": (BIASED._replace(fused_qkv=True, positions=0),),
    "gpt_neox": (BIASED._replace(fused_qkv=True),),
    "gptj": (BIASED._replace(norms=1, qkv_bias=False, output_bias=False, output_head_bias=True),),
    "bloom": (BIASED._replace(fused_qkv=True, embedding_norm=True),),
    "mpt": (LLAMA._replace(fused_qkv=True, gated=False),),
    "opt": (BIASED._replace(positions=2), BIASED._replace(positions=2, projections=512, final_norm=False)),
    "falcon": (
        LAYER_NORM._replace(norms=1, fused_qkv=True, gated=False),
        LAYER_NORM._replace(norms=2, fused_qkv=True, gated=False),
        BIASED._replace(fused_qkv=True),
    ),
    "stablelm": (
        LAYER_NORM,
        LAYER_NORM._replace(qkv_bias=True),
        LAYER_NORM._replace(qk_norm="query-key-heads", norms=1),
    ),
    "nemotron": (LAYER_NORM._replace(gated=False),),
    "deepseek_v2": (LLAMA,),
    "deepseek_v3": (LLAMA,),
    "kimi_k2": (LLAMA,),
    "kimi_k25": (LLAMA,),
    "deepseek_v32": (LLAMA,),
    "glm_moe_dsa": (LLAMA,),
    "glm4_moe_lite": (LLAMA,),
    "ernie4_5_moe": (LLAMA._replace(router_bias=True), LLAMA),
    "hunyuan_v1_moe": (LLAMA._replace(qk_norm="head", always_shared=True),),
    "llama4": (LLAMA._replace(always_shared=True),),
    "afmoe": (LLAMA._replace(norms=4, qk_norm="head", attention_gate="full", router_bias=True),),
    "minimax_m3": (LLAMA._replace(qk_norm="head"),),
    "minimax_m3_vl": (LLAMA._replace(qk_norm="head"),),
    "mimo_v2_flash": (LLAMA._replace(sliding_sinks=True),),
    "step3p7": (LLAMA._replace(qk_norm="head", attention_gate="head"),),
    "mllama": (LLAMA._replace(extra_token_rows=8),),
}  # fmt: skip

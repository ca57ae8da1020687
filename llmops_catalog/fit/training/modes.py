"""How a training run computes: number formats of weights, of the residual stream and of the arithmetic; what is trained."""

from __future__ import annotations

from typing import NamedTuple

from llmops_catalog.fit.architectures.encoders import ENCODERS
from llmops_catalog.fit.architectures.families import BIASED, FAMILIES, LLAMA, Traits
from llmops_catalog.fit.architectures.hybrids import HYBRIDS
from llmops_catalog.fit.facts import RECURRENT_LAYERS, LayerGroupFacts, ModelFacts
from llmops_catalog.fit.question import Question
from llmops_catalog.fit.sizes import padded

UPCAST_NORMS = ("gemma", "olmo2", "olmo3", "gpt_oss", "recurrent_gemma")
"""Families whose RMSNorm multiplies by its weight in 32 bit, and so keeps the normalized values in 32 bit."""
COMPOSED_GELU = ("gpt2", "gptj", "phi", "t5")
"""GELU written out in single operations (`NewGELUActivation` in transformers/activations.py), each of which keeps its input."""
RELU = ("opt",)
"""The input of ReLU is not kept: its output says all."""
SOFT_CAPPED = ("gemma2", "gemma3n", "gemma4")
"""Families that pass their logits through tanh, and keep the result."""
CLAMPED = ("gpt_oss",)
"""Families whose experts have an activation of their own: clamped, with a sigmoid and a sum written out."""
ADAPTED_EXPERTS = (
    "afmoe", "deepseek_v2", "deepseek_v3", "deepseek_v32", "ernie4_5_moe", "glm4_moe", "glm4_moe_lite", "glm_moe_dsa",
    "hunyuan_v1_moe", "kimi_k2", "kimi_k25", "minimax_m2", "mixtral", "olmoe", "qwen2_moe", "qwen3_moe", "qwen3_next",
)  # fmt: skip
"""Families whose experts, kept in one tensor, PEFT gives adapters when asked for all linear layers; dense and shared feed
forwards, whose matrices are called the same, then get none (peft/utils/transformers_weight_conversion.py)."""
UPCAST_QUANTIZATIONS = ("bnb-nf4", "bnb-nf4-dq", "bnb-int8")
"""Formats after which `prepare_model_for_kbit_training` turns everything 16-bit into 32 bit (peft/utils/other.py); not
where the model is sharded, since FSDP wants one format throughout (https://huggingface.co/docs/peft/accelerate/fsdp)."""


class Mode(NamedTuple):
    """Bytes of one number: of matrices in arithmetic, of the residual stream, of a trained weight; and what is trained."""

    compute: int
    stream: int
    weight: int
    trains_all: bool
    targets: str = "all-linear"
    rank: int = 0
    eager: bool = False
    upcast: bool = False

    @property
    def casts(self) -> bool:
        """True where autocast turns 32-bit inputs into 16 bit, once for each matrix that reads them."""
        return self.stream > self.compute

    def adapts(self, part: str) -> bool:
        """True where matrices of this part ('query', 'value', 'attention', 'feed-forward') get an adapter."""
        if self.trains_all:
            return False
        if self.targets == "query-value":
            return part in ("query", "value")
        return self.targets == "all-linear" or part != "feed-forward"


def adapts_experts(model: ModelFacts, mode: Mode) -> bool:
    """True where routed experts get adapters."""
    return mode.adapts("feed-forward") and model.experts is not None and model.model_type in ADAPTED_EXPERTS


def adapts_dense(model: ModelFacts, mode: Mode) -> bool:
    """True where dense and shared feed forwards get adapters."""
    return mode.adapts("feed-forward") and not adapts_experts(model, mode)


def _wide_encoder(model: ModelFacts) -> bool:
    """True for encoders whose residual stream passes through LayerNorm, which autocast leaves in 32 bit."""
    return not model.is_decoder and model.model_type not in FAMILIES


def mode_of(model: ModelFacts, question: Question) -> Mode:
    """The mode of a training question: Trainer's `bf16=True` is autocast over weights of 16 or 32 bit."""
    training = question.training
    eager = not question.engine.flash_attention or model.kind == "encoder-decoder"  # T5 adds its positions to the scores
    whole = training.precision == "fp32" or question.quantization == "f32"
    compute = 4 if training.precision == "fp32" else 2
    if question.task == "full":
        wide = whole or training.precision == "mixed"
        return Mode(compute, 4 if wide or _wide_encoder(model) else 2, 4 if wide else 2, True, eager=eager)
    upcast = question.quantization in UPCAST_QUANTIZATIONS and question.gpu_count == 1
    stream = 4 if whole or upcast or _wide_encoder(model) else 2
    return Mode(compute, stream, 4, False, training.lora_targets, training.lora_rank, eager, upcast)


def drops_out(model: ModelFacts) -> bool:
    """True for families that drop values at random while they train: BERT, its relatives and T5, at 0.1 by their configs."""
    return model.model_type in ENCODERS or model.model_type == "t5"


def traits_of(model: ModelFacts) -> Traits:
    """How a layer of the family is built; Llama's where it is not described."""
    if model.model_type in ENCODERS:
        return BIASED
    if model.model_type in HYBRIDS:
        return HYBRIDS[model.model_type].traits
    return FAMILIES.get(model.model_type, (LLAMA,))[0]


def norms_of(model: ModelFacts, group: LayerGroupFacts) -> int:
    """Norms over the residual stream in a layer of this group."""
    how = HYBRIDS.get(model.model_type)
    if how is None or group.type not in RECURRENT_LAYERS:
        return traits_of(model).norms
    return 1 if how.separate_feed_forward else how.norms_of_recurrent


def feeds_forward(model: ModelFacts, group: LayerGroupFacts) -> bool:
    """True where a layer of this group has a feed forward."""
    how = HYBRIDS.get(model.model_type)
    if how is None or group.type == "feed_forward":
        return True
    return not how.separate_feed_forward and (group.type not in RECURRENT_LAYERS or how.feed_forward_after_recurrent)


def dense_width(model: ModelFacts, group: LayerGroupFacts) -> int:
    """Width of the dense feed forward of a layer of this group."""
    size, how = group.intermediate_size or model.intermediate_size or 0, HYBRIDS.get(model.model_type)
    return padded(2 * size // 3, 256) if how is not None and how.adjusted else size


def gates_attention(model: ModelFacts) -> bool:
    """True where what attention returns is multiplied by a gate for every value."""
    how = HYBRIDS.get(model.model_type)
    return traits_of(model).attention_gate == "full" or (how is not None and how.gated_queries)


def norm_style(model: ModelFacts) -> str:
    """'rms', 'upcast' (RMSNorm that multiplies in 32 bit) or 'layer' (LayerNorm: autocast computes it in 32 bit)."""
    traits = traits_of(model)
    if _wide_encoder(model) or traits.norm_bias or not traits.norm_weight or model.model_type in ("cohere", "cohere2"):
        return "layer"
    return "upcast" if model.model_type.startswith(UPCAST_NORMS) else "rms"

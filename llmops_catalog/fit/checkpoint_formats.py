"""Bytes of checkpoints as PyTorch runtimes hold them: 16-bit, bitsandbytes, GPTQ, AWQ, fp8, MXFP4, and as shipped.

All of them quantize the linear layers inside the blocks and leave embeddings, output layer, norms and routers in 16 bit
(`get_keys_to_not_convert` in transformers/quantizers/base.py; the `ignore: [lm_head]` of published recipes).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from llmops_catalog.fit.assumptions import Assumption, MissingFact
from llmops_catalog.fit.facts import ModelFacts
from llmops_catalog.fit.tensors import Tensor

GROUP = 128
"""Input features that share a scale in published GPTQ and AWQ checkpoints (gptqmodel and AutoAWQ defaults)."""
NF4_BLOCK, NF4_NESTED_BLOCK = 64, 256
"""bitsandbytes/functional.py: one absmax per 64 weights; double quantization makes those 8-bit, 256 to a scale."""
FP8_BLOCK = 128
"""weight_block_size [128, 128] in the config.json of DeepSeek V3 and its like."""

HQQ_EXPERT_BITS, HQQ_EXPERT_GROUP = 2, 8
HQQ_ATTENTION_BITS, HQQ_ATTENTION_GROUP = 4, 64
HQQ_NESTED_GROUP = 128
"""Mixtral's published HQQ checkpoint ("attn-4bit-moe-2bitgs8-metaoffload"): each group has an 8-bit scale and an 8-bit
zero in main memory; 128 scales share an fp16 scale and zero, which stay on the card (hqq/core/quantize.py). The bytes
add up to the 24.1 GB of the published file."""
SCALES_IN_MAIN_MEMORY = ("hqq-attn4-moe2",)
"""Formats whose file is larger than what lies on the card."""

KEPT_16_BIT = ("token_embd", "position", "per_layer_token_embd", "output", "vector", "router", "kept", "remainder")
EXPERTS = ("expert_ffn_gate", "expert_ffn_up", "expert_ffn_down")

QUANTIZERS = "https://github.com/huggingface/transformers/blob/main/src/transformers/quantizers/base.py"
DEEPSEEK = "https://huggingface.co/deepseek-ai/DeepSeek-V3/blob/main/config.json"
GPT_OSS = "https://huggingface.co/openai/gpt-oss-20b/blob/main/config.json"
HQQ = "https://github.com/mobiusml/hqq/blob/0b32d9b2358be48f0a3a001e34d4ff4011c49827/hqq/core/quantize.py"
GPTQ_CONFIG = "https://github.com/ModelCloud/GPTQModel/blob/main/gptqmodel/quantization/config.py"
AWQ_CONFIG = "https://github.com/casper-hansen/AutoAWQ"

Sizes = dict[str, int]
"""Bytes by role of tensor."""
Rule = Callable[[Tensor], int]


def sizes(model: ModelFacts, quantization: str, tensors: Sequence[Tensor]) -> tuple[Sizes, int, list[Assumption]]:
    """Bytes by role once loaded, bytes of the file, and what was assumed. Raises `MissingFact` where no rule fits."""
    if quantization == "native":
        quantization = native_format(model)
    rule, note = _rule(model, quantization)
    resident = by_role(tensors, rule)
    file_bytes = sum(resident.values())
    if quantization in SCALES_IN_MAIN_MEMORY:
        file_bytes = sum(by_role(tensors, _only_linear(_hqq_in_file)).values())
    if quantization.startswith("bnb"):
        file_bytes = sum(by_role(tensors, _plain(4 if model.native_dtype == "fp32" else 2)).values())
    return resident, file_bytes, [note] if note else []


def native_format(model: ModelFacts) -> str:
    """The quantization the developer ships, by `native_dtype`."""
    formats = {"fp32": "f32", "fp16": "f16", "bf16": "bf16", "fp8": "fp8", "mxfp4": "mxfp4"}
    if model.native_dtype is None:
        raise MissingFact("native-dtype-missing", f"the number format {model.name} ships in is not recorded")
    if model.native_dtype not in formats:
        raise MissingFact(
            "quantization-not-modelled",
            f"how many bytes a checkpoint in {model.native_dtype} takes is not modelled yet",
        )
    return formats[model.native_dtype]


def by_role(tensors: Sequence[Tensor], rule: Rule) -> Sizes:
    """Bytes of each role under a rule."""
    result: Sizes = {}
    for tensor in tensors:
        result[tensor.role] = result.get(tensor.role, 0) + rule(tensor) * tensor.copies * len(tensor.layers)
    return result


def _plain(octets: int) -> Rule:
    return lambda tensor: tensor.rows * tensor.cols * octets


def _only_linear(rule: Rule, kept: tuple[str, ...] = KEPT_16_BIT) -> Rule:
    return lambda tensor: 2 * tensor.rows * tensor.cols if tensor.role in kept else rule(tensor)


def _int8(tensor: Tensor) -> int:
    return tensor.rows * (tensor.cols + 4)  # LLM.int8(): one fp32 scale for each output row


def _nf4(tensor: Tensor) -> int:
    weights = tensor.rows * tensor.cols
    return -(-weights // 2) + 4 * -(-weights // NF4_BLOCK)


def _nf4_double(tensor: Tensor) -> int:
    weights = tensor.rows * tensor.cols
    blocks = -(-weights // NF4_BLOCK)
    return -(-weights // 2) + blocks + 4 * -(-blocks // NF4_NESTED_BLOCK)


def _grouped(bits: int, index: bool) -> Rule:
    """Packed integers, an fp16 scale and a packed zero for each group; GPTQ adds an int32 index for each input."""

    def rule(tensor: Tensor) -> int:
        groups = tensor.rows * -(-tensor.cols // GROUP)
        packed = -(-tensor.rows * tensor.cols * bits // 8) + -(-groups * bits // 8)
        return packed + 2 * groups + (4 * tensor.cols if index else 0)

    return rule


def _fp8(tensor: Tensor) -> int:
    return tensor.rows * (tensor.cols + 4)


def _fp8_blocks(tensor: Tensor) -> int:
    return tensor.rows * tensor.cols + 4 * -(-tensor.rows // FP8_BLOCK) * -(-tensor.cols // FP8_BLOCK)


def _mxfp4(tensor: Tensor) -> int:
    weights = tensor.rows * tensor.cols
    if tensor.role not in EXPERTS:
        return 2 * weights
    return tensor.rows * -(-tensor.cols // 32) * 17  # 32 four-bit floats and one shared exponent


def _hqq_groups(tensor: Tensor) -> tuple[int, int]:
    """Bytes of the packed weights, and the number of groups."""
    weights = tensor.rows * tensor.cols
    if tensor.role in EXPERTS:
        return weights * HQQ_EXPERT_BITS // 8, -(-weights // HQQ_EXPERT_GROUP)
    return weights * HQQ_ATTENTION_BITS // 8, -(-weights // HQQ_ATTENTION_GROUP)


def _hqq_on_card(tensor: Tensor) -> int:
    packed, groups = _hqq_groups(tensor)
    return packed + 4 * -(-groups // HQQ_NESTED_GROUP)


def _hqq_in_file(tensor: Tensor) -> int:
    return _hqq_on_card(tensor) + 2 * _hqq_groups(tensor)[1]


def _rule(model: ModelFacts, quantization: str) -> tuple[Rule, Assumption | None]:
    kept = Assumption("embeddings, output layer, norms and routers stay in 16 bit; linear layers are quantized", QUANTIZERS)
    if quantization in ("f32", "f16", "bf16"):
        return _plain(4 if quantization == "f32" else 2), None
    if quantization == "bnb-int8":
        return _only_linear(_int8), kept
    if quantization == "bnb-nf4":
        return _only_linear(_nf4), kept
    if quantization == "bnb-nf4-dq":
        return _only_linear(_nf4_double), kept
    towers = (*KEPT_16_BIT, "tower")
    group = f"groups of {GROUP} inputs share a scale; embeddings, output layer, norms and towers stay in 16 bit"
    if quantization in ("gptq-int4", "gptq-int8"):
        return _only_linear(_grouped(int(quantization[-1]), index=True), towers), Assumption(group, GPTQ_CONFIG)
    if quantization == "awq-int4":
        return _only_linear(_grouped(4, index=False), towers), Assumption(group, AWQ_CONFIG)
    if quantization == "fp8" and model.native_dtype == "fp8":
        note = Assumption(
            "fp8 with one fp32 scale for each block of 128 x 128; embeddings, output, norms and routers in 16 bit",
            DEEPSEEK,
        )
        return _only_linear(_fp8_blocks, towers), note
    if quantization == "fp8":
        note = Assumption("fp8 with one scale for each output row; embeddings, output layer and norms in 16 bit", QUANTIZERS)
        return _only_linear(_fp8, towers), note
    if quantization == "hqq-attn4-moe2" and model.experts:
        text = "attention in 4 bit, experts in 2 bit; the 8-bit scales of each group stay in main memory"
        return _only_linear(_hqq_on_card), Assumption(text, HQQ)
    if quantization == "mxfp4" and model.native_dtype == "mxfp4":
        return _mxfp4, Assumption("only the experts are MXFP4 (17 bytes for 32 weights); the rest is 16-bit", GPT_OSS)
    raise MissingFact("quantization-not-modelled", f"how many bytes {model.name} takes in {quantization} is not modelled yet")

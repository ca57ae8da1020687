"""Quantization formats: their ids, the bytes of their blocks, and which of them we can count in bytes today."""

from __future__ import annotations

GGUF_BLOCKS: dict[str, tuple[int, int]] = {
    # type: (weights in a block, bytes of a block)
    # https://github.com/ggml-org/llama.cpp/blob/master/gguf-py/gguf/constants.py GGML_QUANT_SIZES
    "F32": (1, 4), "F16": (1, 2), "BF16": (1, 2),
    "Q8_0": (32, 34), "Q5_1": (32, 24), "Q5_0": (32, 22), "Q4_1": (32, 20), "Q4_0": (32, 18),
    "Q6_K": (256, 210), "Q5_K": (256, 176), "Q4_K": (256, 144), "Q3_K": (256, 110), "Q2_K": (256, 84),
    "IQ4_NL": (32, 18), "IQ4_XS": (256, 136), "IQ3_S": (256, 110), "IQ3_XXS": (256, 98),
    "IQ2_S": (256, 82), "IQ2_XS": (256, 74), "IQ2_XXS": (256, 66), "IQ1_M": (256, 56), "IQ1_S": (256, 50),
    "TQ1_0": (256, 54), "TQ2_0": (256, 66), "MXFP4": (32, 17),
}  # fmt: skip

GGUF_DEFAULT_TYPE: dict[str, str] = {
    # file type -> the block type most of its tensors have: llama_ftype_get_default_type in src/llama-quant.cpp
    "f32": "F32", "f16": "F16", "bf16": "BF16",
    "q8_0": "Q8_0", "q6_k": "Q6_K", "q5_k_m": "Q5_K", "q5_k_s": "Q5_K", "q5_1": "Q5_1", "q5_0": "Q5_0",
    "q4_k_m": "Q4_K", "q4_k_s": "Q4_K", "q4_1": "Q4_1", "q4_0": "Q4_0",
    "iq4_nl": "IQ4_NL", "iq4_xs": "IQ4_XS",
    "q3_k_l": "Q3_K", "q3_k_m": "Q3_K", "q3_k_s": "Q3_K", "iq3_m": "IQ3_S", "iq3_s": "IQ3_S", "iq3_xs": "IQ3_S",
    "iq3_xxs": "IQ3_XXS", "q2_k": "Q2_K", "q2_k_s": "Q2_K", "iq2_m": "IQ2_S", "iq2_s": "IQ2_XS", "iq2_xs": "IQ2_XS",
    "iq2_xxs": "IQ2_XXS", "iq1_m": "IQ1_M", "iq1_s": "IQ1_S", "mxfp4": "MXFP4",
}  # fmt: skip

CHECKPOINT_FORMATS = ("bnb-int8", "bnb-nf4-dq", "bnb-nf4", "gptq-int8", "gptq-int4", "awq-int4", "fp8", "native", "hqq-attn4-moe2")
"""Formats of safetensors checkpoints, or made from one while loading."""
NO_RULE_YET = (
    "nvfp4", "mlx-4bit", "mlx-8bit", "exl2-4.0", "exl3-4.0", "hqq-int4", "int8wo", "int4wo",
    "aqlm-2bit", "iq3_k", "iq4_k", "tq1_0", "tq2_0",
)  # fmt: skip
"""Formats people know by name whose bytes we cannot count yet: the answer is `unknown`, not a guess."""

QUANTIZATIONS: tuple[str, ...] = (*GGUF_DEFAULT_TYPE, *CHECKPOINT_FORMATS, *NO_RULE_YET)
SPELLINGS = {
    "fp32": "f32", "float32": "f32", "fp16": "f16", "float16": "f16", "bfloat16": "bf16",
    "nf4": "bnb-nf4", "bnb-4bit": "bnb-nf4", "bnb-8bit": "bnb-int8", "awq": "awq-int4", "mxfp4-moe": "mxfp4",
}  # fmt: skip

SIXTEEN_BIT = ("f16", "bf16")
GGUF_ONLY = tuple(name for name in GGUF_DEFAULT_TYPE if name not in ("f32", "f16", "bf16", "mxfp4"))
"""What only llama.cpp and its relatives load."""


def blocks_bytes(block_type: str, rows: int, cols: int) -> int:
    """Bytes of `rows` rows of `cols` weights; a row is a whole number of blocks."""
    size, octets = GGUF_BLOCKS[block_type]
    return rows * -(-cols // size) * octets

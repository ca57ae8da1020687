"""Quantization formats: their ids and spellings, and the bytes of the blocks GGUF files are made of."""

from functools import lru_cache
from typing import NamedTuple

GGUF_BLOCKS: dict[str, tuple[int, int]] = {
    # type: (weights in a block, bytes of a block)
    # https://github.com/ggml-org/llama.cpp/blob/master/gguf-py/gguf/constants.py GGML_QUANT_SIZES
    "F32": (1, 4), "F16": (1, 2), "BF16": (1, 2),
    "Q8_0": (32, 34), "Q5_1": (32, 24), "Q5_0": (32, 22), "Q4_1": (32, 20), "Q4_0": (32, 18),
    "Q2_0": (64, 18), "Q1_0": (128, 18),
    "Q6_K": (256, 210), "Q5_K": (256, 176), "Q4_K": (256, 144), "Q3_K": (256, 110), "Q2_K": (256, 84),
    "IQ4_NL": (32, 18), "IQ4_XS": (256, 136), "IQ3_S": (256, 110), "IQ3_XXS": (256, 98),
    "IQ2_S": (256, 82), "IQ2_XS": (256, 74), "IQ2_XXS": (256, 66), "IQ1_M": (256, 56), "IQ1_S": (256, 50),
    "TQ1_0": (256, 54), "TQ2_0": (256, 66), "MXFP4": (32, 17), "NVFP4": (64, 36),
    # the fork: https://github.com/ikawrakow/ik_llama.cpp/blob/8337e4cd38/gguf-py/gguf/constants.py
    "Q6_0": (32, 26), "IQ6_K": (256, 212), "IQ5_K": (256, 176), "IQ4_K": (256, 144), "IQ3_K": (256, 110), "IQ2_K": (256, 76),
    "IQ5_KS": (256, 168), "IQ4_KS": (256, 136), "IQ4_KSS": (256, 128), "IQ3_KS": (256, 102), "IQ2_KL": (256, 86), "IQ2_KS": (256, 70),
    "IQ4_KT": (256, 128), "IQ3_KT": (256, 100), "IQ2_KT": (256, 68), "IQ1_KT": (256, 56), "IQ2_BN": (64, 16), "IQ1_BN": (64, 13),
}  # fmt: skip
GGUF_ROW_BYTES: dict[str, int] = {
    # types of the fork with one scale for a whole row (row_meta_size in its ggml/src/ggml.c)
    "IQ5_KS": 4, "IQ4_KS": 4, "IQ4_KSS": 4, "IQ3_KS": 2, "IQ2_KL": 2, "IQ2_KS": 2,
    "IQ4_KT": 4, "IQ3_KT": 4, "IQ2_KT": 4, "IQ1_KT": 4, "IQ2_BN": 4, "IQ1_BN": 2,
}  # fmt: skip

GGUF_DEFAULT_TYPE: dict[str, str] = {
    # file type -> the block type most of its tensors have: llama_ftype_get_default_type in src/llama-quant.cpp
    "f32": "F32", "f16": "F16", "bf16": "BF16",
    "q8_0": "Q8_0", "q6_k": "Q6_K", "q5_k_m": "Q5_K", "q5_k_s": "Q5_K", "q5_1": "Q5_1", "q5_0": "Q5_0",
    "q4_k_m": "Q4_K", "q4_k_s": "Q4_K", "q4_1": "Q4_1", "q4_0": "Q4_0",
    "iq4_nl": "IQ4_NL", "iq4_xs": "IQ4_XS",
    "q3_k_l": "Q3_K", "q3_k_m": "Q3_K", "q3_k_s": "Q3_K", "iq3_m": "IQ3_S", "iq3_s": "IQ3_S", "iq3_xs": "IQ3_S",
    "iq3_xxs": "IQ3_XXS", "q2_k": "Q2_K", "q2_k_s": "Q2_K", "iq2_m": "IQ2_S", "iq2_s": "IQ2_XS", "iq2_xs": "IQ2_XS",
    "iq2_xxs": "IQ2_XXS", "iq1_m": "IQ1_M", "iq1_s": "IQ1_S", "mxfp4": "MXFP4", "nvfp4": "NVFP4",
    "tq2_0": "TQ2_0", "tq1_0": "TQ1_0", "q2_0": "Q2_0", "q1_0": "Q1_0",
}  # fmt: skip
FORK_DEFAULT_TYPE: dict[str, str] = {
    name.lower(): name
    for name in (
        "IQ6_K", "Q6_0", "IQ5_K", "IQ5_KS", "IQ4_K", "IQ4_KS", "IQ4_KSS", "IQ4_KT", "IQ3_K", "IQ3_KS", "IQ3_KT",
        "IQ2_KL", "IQ2_K", "IQ2_KS", "IQ2_KT", "IQ2_BN", "IQ1_KT", "IQ1_BN",
    )
}  # fmt: skip
"""File types that only the fork ik_llama.cpp makes and reads."""

CHECKPOINT_FORMATS = (
    "native",
    "bnb-int8", "bnb-nf4", "bnb-fp4", "bnb-nf4-dq",
    "gptq-int8", "gptq-int4", "gptq-int4-g32", "gptq-int3", "awq-int4", "awq-int4-g32", "autoround-int4",
    "fp8", "fp8-block", "int8-block", "mxfp8", "w8a8-int8", "w8a16-int8", "w4a16-g128", "w4a8-fp8", "w4a8-int8",
    "float8dq", "float8wo", "int8dq", "int8wo", "int4wo", "quanto-int8", "quanto-int4", "eetq-int8",
    "hqq-int4", "hqq-2bit-g16", "hqq-attn4-moe2", "higgs-4bit",
    "aqlm-2bit", "aqlm-2x8", "aqlm-pv-1bit", "vptq-2bit", "quark-int4fp8",
    "mlx-8bit", "mlx-6bit", "mlx-5bit", "mlx-4bit", "mlx-3bit", "mlx-2bit",
    "exl2-5.0", "exl2-4.0", "exl2-3.0", "exl3-4.0", "exl3-3.0", "exl3-2.0",
)  # fmt: skip
"""Formats of safetensors checkpoints, or made from one while loading; of those that come in any size (`sized`) the usual ones."""

QUANTIZATIONS: tuple[str, ...] = (*GGUF_DEFAULT_TYPE, *FORK_DEFAULT_TYPE, *CHECKPOINT_FORMATS)
SPELLINGS = {
    "fp32": "f32", "float32": "f32", "fp16": "f16", "float16": "f16", "bfloat16": "bf16",
    "nf4": "bnb-nf4", "bnb-4bit": "bnb-nf4", "bnb-8bit": "bnb-int8", "awq": "awq-int4", "gptq": "gptq-int4", "mxfp4-moe": "mxfp4",
    "mxfp4_moe": "mxfp4", "q3_k": "q3_k_m", "q4_k": "q4_k_m", "q5_k": "q5_k_m", "aqlm": "aqlm-2bit", "w4a16": "w4a16-g128",
    "w8a8": "w8a8-int8", "w8a16": "w8a16-int8", "hqq": "hqq-int4",
}  # fmt: skip

SIXTEEN_BIT = ("f16", "bf16")
GGUF_ONLY = tuple(name for name in (*GGUF_DEFAULT_TYPE, *FORK_DEFAULT_TYPE) if name not in ("f32", "f16", "bf16", "mxfp4", "nvfp4"))
"""What only llama.cpp and its relatives load."""

GROUPS = (16, 32, 64, 128, 256)
BITS: dict[str, tuple[int, ...]] = {
    # format -> the widths its own code offers: GPTQConfig, AwqConfig and HqqConfig of transformers
    # (src/transformers/utils/quantization_config.py), mlx.core.quantize
    "gptq": (2, 3, 4, 8), "awq": (4,), "hqq": (1, 2, 3, 4, 8), "mlx": (2, 3, 4, 5, 6, 8),
}  # fmt: skip
EXL_BITS = {"exl2": (2.0, 8.0), "exl3": (1.0, 8.0)}
"""Average bits an EXL file may have (conversion/convert_exl2.py and convert_model.py)."""


_KIN = {"exl2": "exl2-4.0", "exl3": "exl3-4.0", "mlx": "mlx-4bit", "hqq": "hqq-int4", "gptq": "gptq-int4", "awq": "awq-int4"}


class Sized(NamedTuple):
    """A format that comes in any size: `bits` of a weight, and the weights that share a scale (None: the format's own)."""

    family: str
    bits: float
    group: int | None = None


@lru_cache(maxsize=1024)
def sized(name: str) -> Sized | None:
    """What a name such as 'exl2-4.65', 'gptq-int3-g64' or 'mlx-6bit' says; None where it is no such name."""
    family, _, rest = name.partition("-")
    if family in EXL_BITS:
        low, high = EXL_BITS[family]
        plain = rest.replace(".", "", 1).isdecimal() and len(rest) <= 5
        return Sized(family, float(rest)) if plain and low <= float(rest) <= high else None
    size, _, group = rest.partition("-")
    spellings = {"mlx": ("{}bit",), "hqq": ("int{}", "{}bit")}.get(family, ("int{}",))
    number = next((bits for bits in BITS.get(family, ()) for form in spellings if size == form.format(bits)), None)
    if number is None:
        return None
    if not group:
        return Sized(family, number)
    weights = group.removeprefix("g")
    known = weights.isdecimal() and weights != group and int(weights) in GROUPS
    return Sized(family, number, int(weights)) if known else None


def recorded(name: str) -> str:
    """The id whose record speaks for a format: its own, or for a size nobody recorded that of its nearest kin."""
    size = None if name in QUANTIZATIONS else sized(name)
    return _KIN[size.family] if size else name


@lru_cache(maxsize=65536)
def row_bytes(block_type: str, cols: int) -> int:
    """Bytes of one row of `cols` weights: a whole number of blocks, and the scale of the row where the type has one."""
    size, octets = GGUF_BLOCKS[block_type]
    return -(-cols // size) * octets + GGUF_ROW_BYTES.get(block_type, 0)

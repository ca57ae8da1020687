"""Bytes of checkpoints as PyTorch runtimes, MLX and ExLlama hold them: each format as a recipe from tensor to packing.

Formats of Transformers and vLLM quantize the linear layers inside the blocks and leave embeddings, output layer, norms and
routers in 16 bit (`get_keys_to_not_convert` in transformers/quantizers/base.py; the `ignore: [lm_head]` of published recipes).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from llmops_catalog.fit.assumptions import Assumption, MissingFact
from llmops_catalog.fit.facts import ModelFacts
from llmops_catalog.fit.formats import Sized, sized
from llmops_catalog.fit.packing import SIXTEEN, Packing

GROUP = 128
"""Input features that share a scale in published GPTQ and AWQ checkpoints (gptqmodel and AutoAWQ defaults)."""
OFFLOADED_SHARE = 0.05
"""How far the weights may be off where scales travel through the card: the one published reading lies 4 % over the bytes that
stay there (12,997 MiB after loading, https://github.com/DJCordhose/llm-ops/blob/aeae8700bf/Future.ipynb)."""
HALF_ROLES = ("token_embd", "position", "per_layer_token_embd", "output", "vector", "router", "kept", "half", "remainder")
EXPERTS = ("expert_ffn_gate", "expert_ffn_up", "expert_ffn_down")
RECURRENT = ("attn_qkv", "attn_gate")
"""Input projections of gated delta nets: recipes of llm-compressor leave them alone (`ignore: re:.*linear_attn.*`)."""
RECIPES_DIFFER = 0.05
"""How far such checkpoints lie apart: three recipes of one 27B model, 21.3 to 25.8 GiB in NVFP4 (https://github.com/vllm-project/recipes)."""

QUANTIZERS = "https://github.com/huggingface/transformers/blob/main/src/transformers/quantizers/base.py"
BITSANDBYTES = "https://github.com/bitsandbytes-foundation/bitsandbytes/blob/main/bitsandbytes/functional.py"
GPTQ_CONFIG = "https://github.com/ModelCloud/GPTQModel/blob/main/gptqmodel/quantization/config.py"
AWQ_CONFIG = "https://github.com/casper-hansen/AutoAWQ"
COMPRESSOR = "https://github.com/vllm-project/llm-compressor/tree/main/examples"
TORCHAO = "https://github.com/pytorch/ao/blob/main/docs/source/workflows/inference.md"
DEEPSEEK = "https://huggingface.co/deepseek-ai/DeepSeek-V3/blob/main/config.json"
GPT_OSS = "https://huggingface.co/openai/gpt-oss-20b/blob/main/config.json"
KIMI = "https://huggingface.co/moonshotai/Kimi-K2-Thinking/blob/main/config.json"
MARLIN = "https://github.com/vllm-project/vllm/blob/v0.33.0/vllm/model_executor/layers/fused_moe/oracle/mxfp4.py"
HQQ = "https://github.com/mobiusml/hqq/blob/0b32d9b2358be48f0a3a001e34d4ff4011c49827/hqq/core/quantize.py"
AQLM = "https://github.com/Vahe1994/AQLM"
MLX = "https://github.com/ml-explore/mlx/blob/main/python/mlx/nn/layers/quantized.py"
EXLLAMA = {"exl2": "https://github.com/turboderp-org/exllamav2", "exl3": "https://github.com/turboderp-org/exllamav3"}
QUARK = "https://quark.docs.amd.com/"
QUANTO = "https://github.com/huggingface/optimum-quanto"


class Recipe(NamedTuple):
    """How the roles of tensors are packed ('' any other), once loaded and in the file, and what is assumed by it.

    `in_main_memory`: what the file has beyond that stays in main memory while the model runs. `unsure_share`: how far the
    sum may be off.
    """

    loaded: Mapping[str, Packing]
    file: Mapping[str, Packing]
    notes: tuple[Assumption, ...] = ()
    in_main_memory: bool = False
    unsure_share: float = 0.0


NF4 = Packing(4, 64, 32)
"""bitsandbytes/functional.py: one 32-bit absmax per 64 weights; double quantization makes those 8-bit, 256 to a scale."""
BY_GROUP_OF_128 = Packing(4, 128, 16, matrix_bytes=16)
"""Symmetric 4 bits of compressed-tensors: a 16-bit scale for each group, and the shape (two 64-bit numbers)."""
BLOCKS_OF_128 = Packing(8, square=128)
"""weight_block_size [128, 128] in the config.json of DeepSeek V3 and its like, a 32-bit scale each."""
BY_ROW = Packing(8, row_bytes=4)
MX4, MX8 = Packing(4, 32, 8), Packing(8, 32, 8)
"""OCP microscaling: a shared 8-bit exponent for 32 floats."""
NV4 = Packing(4, 16, 8, matrix_bytes=8)
"""An 8-bit float scale for 16 weights, two 32-bit ones for the matrix (weight and input)."""
INT4_OF_KIMI = Packing(4, 32, 16, matrix_bytes=16)
"""group_size 32, symmetric, experts only (quantization_config of Kimi K2 Thinking)."""

_LINEAR: dict[str, tuple[Packing, str, str]] = {
    # format -> packing of linear layers, what they are, source
    "bnb-int8": (BY_ROW, "8 bits with a 32-bit scale for each output", BITSANDBYTES),
    "bnb-nf4": (NF4, "4 bits with a 32-bit scale for 64 weights", BITSANDBYTES),
    "bnb-fp4": (NF4, "4 bits with a 32-bit scale for 64 weights", BITSANDBYTES),
    "bnb-nf4-dq": (Packing(4, 64, 8 + 32 / 256), "4 bits with an 8-bit scale for 64 weights", BITSANDBYTES),
    "int8wo": (Packing(8, row_bytes=2), "8-bit integers with a scale for each output", TORCHAO),
    "int8dq": (Packing(8, row_bytes=2), "8-bit integers with a scale for each output", TORCHAO),
    "float8wo": (BY_ROW, "8-bit floats with a scale for each output", TORCHAO),
    "float8dq": (BY_ROW, "8-bit floats with a scale for each output", TORCHAO),
    "int4wo": (Packing(4, 128, 32), "4-bit integers, a 16-bit scale and zero for 128 weights", TORCHAO),
    "eetq-int8": (Packing(8, row_bytes=2), "8-bit integers with a scale for each output", QUANTIZERS),
    "quanto-int8": (Packing(8, row_bytes=2), "8-bit integers with a scale for each output", QUANTO),
    "quanto-int4": (Packing(4, 128, 32), "4-bit integers, a 16-bit scale and shift for 128 weights", QUANTO),
    "higgs-4bit": (Packing(4, 256, 16), "4 bits and a 16-bit scale for 256 weights", QUANTIZERS),
    "aqlm-2bit": (Packing(2, row_bytes=2, matrix_bytes=65536 * 8 * 2), "16 bits for 8 weights, a codebook of 65,536 vectors", AQLM),
    "aqlm-2x8": (Packing(2, row_bytes=2, matrix_bytes=2 * 256 * 8 * 2), "16 bits for 8 weights, two codebooks of 256 vectors", AQLM),
    "aqlm-pv-1bit": (Packing(1, row_bytes=2, matrix_bytes=65536 * 16 * 2), "16 bits for 16 weights, a codebook of 65,536 vectors", AQLM),
    "vptq-2bit": (
        Packing(2, col_bytes=6, matrix_bytes=65536 * 8 * 2),
        "16 bits for 8 weights, a codebook of 65,536 vectors",
        "https://github.com/microsoft/VPTQ",
    ),
}  # fmt: skip
_PREQUANTIZED: dict[str, tuple[Packing, str, str]] = {
    "autoround-int4": (Packing(4, GROUP, 16 + 4), f"groups of {GROUP} inputs share a scale", "https://github.com/intel/auto-round"),
    "fp8": (BY_ROW, "fp8 with one scale for each output row", COMPRESSOR),
    "fp8-block": (BLOCKS_OF_128, "fp8 with one fp32 scale for each block of 128 x 128", DEEPSEEK),
    "int8-block": (BLOCKS_OF_128, "int8 with one fp32 scale for each block of 128 x 128", DEEPSEEK),
    "mxfp8": (MX8, "8-bit floats, 32 to an 8-bit scale", COMPRESSOR),
    "mxfp4": (MX4, "4-bit floats, 32 to an 8-bit scale", COMPRESSOR),
    "nvfp4": (NV4, "4-bit floats, 16 to an 8-bit scale", COMPRESSOR),
    "w8a8-int8": (BY_ROW, "8-bit integers with a scale for each output", COMPRESSOR),
    "w8a16-int8": (Packing(8, row_bytes=2), "8-bit integers with a scale for each output", COMPRESSOR),
    "w4a16-g128": (BY_GROUP_OF_128, "groups of 128 inputs share a scale", COMPRESSOR),
    "w4a8-fp8": (BY_GROUP_OF_128, "groups of 128 inputs share a scale", COMPRESSOR),
    "w4a8-int8": (BY_GROUP_OF_128, "groups of 128 inputs share a scale", COMPRESSOR),
}  # fmt: skip
_SPARING_RECURRENT = ("nvfp4", "w4a16-g128", "w4a8-fp8", "w4a8-int8", "w8a8-int8", "w8a16-int8", "autoround-int4")

_KEPT = "embeddings, output layer, norms and routers stay in 16 bit"
_FUSED_EXPERTS = Assumption(
    "experts are counted as quantized, as up to Transformers 4; the high end has them in 16 bit, as plain Transformers 5 leaves them",
    "https://github.com/bitsandbytes-foundation/bitsandbytes/issues/1849",
)
_NATIVE = {"fp32": "f32", "fp16": "f16", "bf16": "bf16", "fp8": "fp8", "mxfp4": "mxfp4", "nvfp4": "nvfp4"}
_NATIVE_EXPERTS: dict[str, tuple[Packing, str, str]] = {
    "int4": (INT4_OF_KIMI, "experts in 4-bit integers, 32 to a 16-bit scale; everything else in 16 bit", KIMI),
    "mxfp4": (MX4, "only the experts are MXFP4 (17 bytes for 32 weights); the rest is 16-bit", GPT_OSS),
}


def native_format(model: ModelFacts) -> str:
    """The quantization the developer ships, by `native_dtype`; 'native' where it has no other name. Raises `MissingFact`."""
    if model.native_dtype is None:
        raise MissingFact("native-dtype-missing", f"the number format {model.name} ships in is not recorded")
    if model.native_dtype in ("int4", "int8", "fp8+fp4"):
        return "native"
    if model.native_dtype not in _NATIVE:
        raise MissingFact(
            "quantization-not-modelled",
            f"how many bytes a checkpoint in {model.native_dtype} takes is not modelled yet",
        )
    return _NATIVE[model.native_dtype]


def recipe(model: ModelFacts, quantization: str, runtime: str) -> Recipe:
    """The recipe of a format for a model. Raises `MissingFact` where nobody says how the model is shipped."""
    if quantization == "native":
        quantization = native_format(model)
    delta = model.state is not None and model.state.kind == "gated-delta-net"
    return _recipe(quantization, model.native_dtype, model.experts is not None, delta, runtime)


@lru_cache(maxsize=4096)
def _recipe(name: str, native: str | None, experts: bool, delta: bool, runtime: str) -> Recipe:
    if name == "native":
        return _as_shipped(native)
    if name in ("f32", "f16", "bf16"):
        return _unquantized(name, native, runtime)
    if name == "mxfp4" and native == "mxfp4":
        return _only_experts(native, runtime)
    if name == "fp8" and native == "fp8":
        name = "fp8-block"
    if name in _LINEAR:
        packing, text, source = _LINEAR[name]
        loaded = {"": packing} | dict.fromkeys(HALF_ROLES, SIXTEEN)
        file = {"": Packing(32 if native == "fp32" else 16)} if name.startswith("bnb") else loaded
        unsure = RECIPES_DIFFER if name.startswith("vptq") else 0.0
        notes: tuple[Assumption, ...] = (Assumption(f"{text}; {_KEPT}", source),)
        if experts and runtime == "transformers" and name.startswith("bnb"):
            notes = (*notes, _FUSED_EXPERTS)
        return Recipe(loaded, file, notes, unsure_share=unsure)
    if delta and (name in _SPARING_RECURRENT or name.startswith(("gptq", "awq"))):
        return _sparing(_recipe(name, native, experts, False, runtime))
    if name in _PREQUANTIZED:
        packing, text, source = _PREQUANTIZED[name]
        return _same(packing, (*HALF_ROLES, "tower"), f"{text}; {_KEPT}, vision and audio towers too", source)
    if name == "quark-int4fp8":
        return _same(
            SIXTEEN, (), "experts in 4-bit integers with a scale for each output", "https://quark.docs.amd.com/", Packing(4, row_bytes=2)
        )
    if name == "hqq-attn4-moe2":
        return _mixtral_by_hqq()
    size = sized(name)
    if size is None:
        raise MissingFact("quantization-not-modelled", f"how many bytes {name} takes is not modelled yet")
    return _of_any_size(size)


def _sparing(usual: Recipe) -> Recipe:
    """The same with the input projections of gated delta nets in 16 bit."""
    loaded = {**usual.loaded, **dict.fromkeys(RECURRENT, SIXTEEN)}
    note = Assumption("the input projections of linear attention stay in 16 bit; recipes differ in it", COMPRESSOR)
    return usual._replace(loaded=loaded, file=loaded, notes=(*usual.notes, note), unsure_share=RECIPES_DIFFER)


def _same(packing: Packing, half: tuple[str, ...], text: str, source: str, of_experts: Packing | None = None) -> Recipe:
    """One packing, some roles in 16 bit; experts perhaps otherwise. The file is what is loaded."""
    table = {"": packing} | dict.fromkeys(half, SIXTEEN)
    if of_experts:
        table |= dict.fromkeys(EXPERTS, of_experts)
    return Recipe(table, table, (Assumption(text, source),))


def _unquantized(name: str, native: str | None, runtime: str) -> Recipe:
    table = {"": Packing(32 if name == "f32" else 16)}
    notes: tuple[Assumption, ...] = ()
    if native == "mxfp4" and runtime != "llama.cpp":
        notes = (Assumption("a checkpoint unpacked from the MXFP4 the developer ships: every expert in full", GPT_OSS),)
    return Recipe(table, table, notes)


def _as_shipped(native: str | None) -> Recipe:
    """Checkpoints whose number format has no name as a quantization of its own."""
    if native == "fp8+fp4":
        text = "experts in MXFP4, the other layers in fp8 with a scale for each block of 128 x 128; embeddings and norms in 16 bit"
        return _same(BLOCKS_OF_128, (*HALF_ROLES, "tower"), text, "https://huggingface.co/deepseek-ai/DeepSeek-V4-Flash", MX4)
    return _only_experts(native or "", "")


def _only_experts(native: str, runtime: str) -> Recipe:
    packing, text, source = _NATIVE_EXPERTS.get(native, (BY_ROW, "8-bit integers with a scale for each output", COMPRESSOR))
    shipped = _same(SIXTEEN, (), text, source, packing)
    if runtime != "vllm" or native != "mxfp4":
        return shipped
    up, down = packing._replace(rows_to=128, cols_to=256), packing._replace(rows_to=256, cols_to=128)
    loaded = {"": SIXTEEN, "expert_ffn_gate": up, "expert_ffn_up": up, "expert_ffn_down": down}
    padding = Assumption("vLLM's MXFP4 kernels keep experts padded: hidden size to 256, intermediate size to 128", MARLIN)
    return Recipe(loaded, shipped.file, (*shipped.notes, padding))


def _of_any_size(size: Sized) -> Recipe:
    """EXL2, EXL3, MLX, HQQ, GPTQ and AWQ: the bits, and where it matters the group, are in the name."""
    family, bits, group = size
    if family in EXLLAMA:
        # bits per weight include the scales; the head has 6 bits unless chosen otherwise, embeddings stay in 16
        extra = Packing(bits, col_bytes=6) if family == "exl2" else Packing(bits, row_bytes=2, col_bytes=2)
        table = {"": extra} | dict.fromkeys(HALF_ROLES, SIXTEEN) | {"output": extra._replace(bits=max(bits, 6.0)), "tower": SIXTEEN}
        text = f"{bits:g} bits on average over the layers, 6 in the output layer; embeddings and norms in 16 bit"
        return Recipe(table, table, (Assumption(text, EXLLAMA[family]),))
    if family == "mlx":
        group = group or 64
        kept = ("vector", "kept", "half", "position", "remainder", "tower")
        text = f"groups of {group} weights share a 16-bit scale and bias; embeddings and output layer are quantized too"
        return _same(Packing(bits, group, 32), kept, text, MLX)
    if family == "hqq":
        group = group or 64
        text = f"groups of {group} weights share a 16-bit scale and zero; {_KEPT}"
        return _same(Packing(bits, group, 32), HALF_ROLES, text, HQQ)
    group = group or GROUP
    indexed = 4 if family == "gptq" else 0  # GPTQ keeps an int32 index for each input
    text = f"groups of {group} inputs share a scale; embeddings, output layer, norms and towers stay in 16 bit"
    source = GPTQ_CONFIG if family == "gptq" else AWQ_CONFIG
    return _same(Packing(bits, group, 16 + bits, col_bytes=indexed), (*HALF_ROLES, "tower"), text, source)


def _mixtral_by_hqq() -> Recipe:
    """Mixtral's published HQQ checkpoint ("attn-4bit-moe-2bitgs8-metaoffload"): attention in groups of 64, experts of 8.

    Each group has an 8-bit scale and an 8-bit zero in main memory; 128 scales share an fp16 scale and zero, which stay on
    the card (hqq/core/quantize.py). The bytes add up to the 24.1 GB of the published file.
    """
    half = dict.fromkeys(HALF_ROLES, SIXTEEN)
    nested = 32 / 128
    loaded = {"": Packing(4, 64, nested)} | dict.fromkeys(EXPERTS, Packing(2, 8, nested)) | half
    file = {"": Packing(4, 64, nested + 16)} | dict.fromkeys(EXPERTS, Packing(2, 8, nested + 16)) | half
    text = "attention in 4 bit, experts in 2 bit; the 8-bit scales of each group stay in main memory"
    return Recipe(loaded, file, (Assumption(text, HQQ),), in_main_memory=True, unsure_share=OFFLOADED_SHARE)

"""Bytes of a model's weights in one quantization: a sum over its tensors, never parameters times nominal bits."""

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from llmops_catalog.fit.assumptions import Assumption
from llmops_catalog.fit.facts import ModelFacts, WeightFile
from llmops_catalog.fit.formats import FORK_DEFAULT_TYPE, GGUF_BLOCKS, GGUF_DEFAULT_TYPE, GGUF_ONLY, row_bytes
from llmops_catalog.fit.gguf_mix import OUTPUTS, Choice, Choices, Mix, choices, fitting
from llmops_catalog.fit.shapes import PREDICTION_IN_GGUF, Shape, Shapes, shapes

if TYPE_CHECKING:
    from llmops_catalog.fit.checkpoint_formats import Recipe
    from llmops_catalog.fit.packing import Packing

INPUT_ROLES = ("token_embd", "position", "per_layer_token_embd")
"""Looked up row by row before the first layer; llama.cpp leaves them in main memory."""
OUTSIDE_ROLES = (*INPUT_ROLES, "output", "tower")
UNDERIVED_SHARE = 0.02
"""How far the weights may be off, as a share, where the family is not described tensor by tensor."""
MXFP4_BITS = 4.25
PREDICTING = (
    "deepseek_v3", "deepseek_v32", "deepseek_v4", "glm4_moe", "glm4_moe_lite", "glm_moe_dsa", "mimo", "mimo_v2_flash",
    "nemotron_h", "qwen3_5", "qwen3_5_moe", "qwen3_next",
)  # fmt: skip
"""Families whose published files hold layers that predict further tokens (num_nextn_predict_layers and mtp_num_hidden_layers
of their configs); runtimes leave them out unless told to speculate."""
NO_PREDICTION = ("mlx", "exl", "hqq", "aqlm", "vptq", "quark")
"""Their converters write the layers of a forward pass only; llm-compressor copies the others as they are
(save_mtp_tensors_to_checkpoint)."""

QUANTIZE = "https://github.com/ggml-org/llama.cpp/blob/master/src/llama-quant.cpp"
GGUF = "https://github.com/ggml-org/ggml/blob/master/docs/gguf.md"
FORK = "https://github.com/ikawrakow/ik_llama.cpp"
CONVERT = "https://github.com/ggml-org/llama.cpp/blob/master/conversion/gpt_oss.py"
LOADER = "https://github.com/ggml-org/llama.cpp/blob/master/src/llama-model.cpp"
MULTIMODAL = "https://github.com/ggml-org/llama.cpp/blob/master/docs/multimodal.md"

_BLOCKS = Assumption("block types of each tensor as llama.cpp's quantizer chooses them without an importance matrix", QUANTIZE)
_TENSORS_ONLY = Assumption("the file's header and tokenizer come on top, 1 to 15 MB by the size of the vocabulary", GGUF)
_FORK_BLOCKS = Assumption("block types of each tensor as the quantizer of ik_llama.cpp chooses them without an importance matrix", FORK)
_TEXT_ONLY = Assumption("text only: the vision or audio part is a separate mmproj file, not loaded", MULTIMODAL)
_MXFP4_INSIDE = Assumption("the experts stay in MXFP4 whatever the file is called: only the other tensors are in this type", CONVERT)
_PREDICTION = Assumption("the layers that predict further tokens are in the file and not loaded")


class Weights(NamedTuple):
    """Sizes in bytes.

    `file_bytes`: what is downloaded, without the tokenizer in it. `resident_bytes`: what the weights take once loaded.
    Of those `input_bytes` are looked up at the input only, `table_bytes` is the token table alone (needed again where a
    tied output layer stands on another device), `layer_bytes` stand inside the layers. `uncertainty_bytes`: how far the
    sum may be off. `host_bytes` is the part of the file a format leaves in main memory. `largest_matrix`: weights of the
    largest quantized matrix (some kernels unpack it). `expert_bytes` are the routed experts, all of them; `tower_bytes`
    the vision and audio parts. `output_bytes`: an output layer of its own, 0 where the token table serves.
    """

    file_bytes: int
    resident_bytes: int
    input_bytes: int
    table_bytes: int
    layer_bytes: int
    largest_matrix: int
    uncertainty_bytes: int = 0
    host_bytes: int = 0
    assumptions: tuple[Assumption, ...] = ()
    expert_bytes: int = 0
    tower_bytes: int = 0
    output_bytes: int = 0


Sizes = dict[str, int]
"""Bytes by role of tensor."""


@lru_cache(maxsize=65536)
def weigh(model: ModelFacts, quantization: str, runtime: str) -> Weights:
    """The weights of `model` in `quantization`, in the file the runtime reads (GGUF for llama.cpp, else a checkpoint).

    Raises `MissingFact` where no rule or no fact says how many bytes.
    """
    made = shapes(model)
    if model.file is not None:
        return _of_file(made, model.file)
    if _is_gguf(quantization, runtime):
        return _gguf(model, made, gguf_file_type(model, quantization))
    if runtime == "vllm" and not _packed_by_runtime(model, quantization):
        return weigh(model, quantization, "transformers")
    return _checkpoint(model, made, quantization, runtime)


def _packed_by_runtime(model: ModelFacts, quantization: str) -> bool:
    """True where vLLM holds the same checkpoint otherwise than Transformers: padded MXFP4, experts under bitsandbytes."""
    return model.native_dtype == "mxfp4" or (model.experts is not None and quantization.startswith("bnb"))


def _is_gguf(quantization: str, runtime: str) -> bool:
    """True where the weights come from a GGUF file; what llama.cpp cannot read is counted as the checkpoint it is."""
    return quantization in GGUF_ONLY or (runtime == "llama.cpp" and (quantization in GGUF_DEFAULT_TYPE or quantization == "native"))


def _of_file(made: Shapes, file: WeightFile) -> Weights:
    """The bytes that lie in the file; what no runtime loads of it is downloaded only."""
    loaded = [tensor for tensor in file.tensors if tensor.loaded]
    sizes = _sizes_in(file)
    said = [Assumption("weights are the tensors of the file, each in its own type")]
    if len(loaded) < len(file.tensors):
        said.append(Assumption("the layers that predict further tokens (MTP) stay in the file", LOADER))
    return _weights(made, sizes, sum(sizes.values()), file.file_bytes, said)


def _sizes_in(file: WeightFile) -> Sizes:
    sizes: Sizes = {}
    for tensor in file.tensors:
        if tensor.loaded:
            sizes[tensor.role] = sizes.get(tensor.role, 0) + tensor.size_bytes
    return sizes


def gguf_file_type(model: ModelFacts, quantization: str) -> str:
    """The GGUF file that answers to a quantization: 'native' of a checkpoint GGUF has no type for is its bf16 conversion."""
    if quantization != "native":
        return quantization
    from llmops_catalog.fit.checkpoint_formats import native_format

    native = native_format(model)
    return native if native in GGUF_DEFAULT_TYPE else "bf16"


def _gguf_sizes(model: ModelFacts, made: Shapes, file_type: str) -> tuple[str, Mix, Sizes]:
    """The default type of a file, what its rules ask, and the bytes of each role."""
    forked = file_type in FORK_DEFAULT_TYPE
    base = FORK_DEFAULT_TYPE[file_type] if forked else GGUF_DEFAULT_TYPE[file_type]
    mix = made.mix._replace(file_type=file_type, native_mxfp4=_keeps_mxfp4(model.native_dtype, base))
    return base, mix, gguf_sizes(made.text_shapes, _forked(mix) if forked else choices(mix), base)


def _gguf(model: ModelFacts, made: Shapes, file_type: str) -> Weights:
    """The tensors convert_hf_to_gguf.py writes, each in the type the quantizer gives it."""
    forked = file_type in FORK_DEFAULT_TYPE
    base, mix, sizes = _gguf_sizes(model, made, file_type)
    resident = sum(sizes.values())
    file_bytes, said = resident, [*made.notes]
    if model.other_modality_parameters:
        said.append(_TEXT_ONLY)
    said.append(_FORK_BLOCKS if forked else _BLOCKS)
    said.append(_TENSORS_ONLY)
    if mix.native_mxfp4 and file_type != "mxfp4":
        said.append(_MXFP4_INSIDE)
    extra = _prediction(model) if model.model_type in PREDICTION_IN_GGUF else 0
    if extra:
        file_bytes += row_bytes(base, extra)
        said.append(_PREDICTION)
    return _weights(made, sizes, resident, file_bytes, said)


def _keeps_mxfp4(native: str | None, base: str) -> bool:
    """Experts shipped in MXFP4 stay so (llama-quantize requantizes nothing); of DeepSeek V4 files of fewer bits are made all the same."""
    weights, octets = GGUF_BLOCKS[base]
    return native == "mxfp4" or (native == "fp8+fp4" and 8 * octets >= MXFP4_BITS * weights)


def _forked(mix: Mix) -> Choices:
    from llmops_catalog.fit.gguf_fork import fork_choices

    return fork_choices(mix)


def gguf_sizes(tensors: tuple[Shape, ...], table: Choices, base: str) -> Sizes:
    """Bytes by role in a GGUF file; `base` is the type its name promises. Raises `MissingFact` where llama.cpp makes no such file."""
    sizes: Sizes = {}
    usual = table[""]
    for shape in tensors:
        role, rows, cols, places = shape[:4]
        choice = table.get(role, usual)
        if choice.raised or role in OUTPUTS:
            size = sum(number * row_bytes(kind, cols) for kind, number in block_types(shape, choice, base))
        else:
            size = places * row_bytes(fitting(choice.base, cols), cols)
        sizes[role] = sizes.get(role, 0) + size * rows
    return sizes


def block_types(shape: Shape, choice: Choice, base: str) -> list[tuple[str, int]]:
    """The types of a kind of tensor, each with the number of places it is in."""
    cols, counted, types = shape.cols, 0, []
    if choice.base == "Q5_K" != base and shape.role in OUTPUTS and cols % GGUF_BLOCKS[base][0]:
        return [("Q8_0", shape.places)]  # an output whose rows are no whole number of the base type's blocks
    for place, kind in choice.raised:
        number = shape.counts[place] if shape.counts else 0
        types.append((fitting(kind, cols), number - counted))
        counted = number
    return [*types, (fitting(choice.base, cols), shape.places - counted)]


def _checkpoint(model: ModelFacts, made: Shapes, quantization: str, runtime: str) -> Weights:
    """A safetensors checkpoint, as published and as the runtime holds it."""
    how = _recipe(model, quantization, runtime)
    sizes = _packed_sizes(made, how.loaded)
    resident = file_bytes = sum(sizes.values())
    if how.file is not how.loaded:
        file_bytes = sum(_packed_sizes(made, how.file).values())
    said = [*made.notes, *how.notes]
    extra = _beyond(model, quantization)
    if extra:
        file_bytes += extra
        said.append(_PREDICTION)
    weights = _weights(made, sizes, resident, file_bytes, said)
    if how.unsure_share:
        weights = weights._replace(uncertainty_bytes=max(weights.uncertainty_bytes, int(resident * how.unsure_share)))
    return weights._replace(host_bytes=file_bytes - resident) if how.in_main_memory else weights


def _recipe(model: ModelFacts, quantization: str, runtime: str) -> "Recipe":
    from llmops_catalog.fit.checkpoint_formats import recipe  # questions about GGUF files need not load it

    return recipe(model, quantization, runtime)


def _packed_sizes(made: Shapes, table: "Mapping[str, Packing]") -> Sizes:
    """Bytes of each role as a checkpoint holds it; `table` says how, by role."""
    from llmops_catalog.fit.packing import packed_bytes

    usual, sizes = table[""], Sizes()
    for shape in made.shapes:
        role = shape.role
        sizes[role] = sizes.get(role, 0) + packed_bytes(shape, table.get(role, usual))
    return sizes


def _prediction(model: ModelFacts) -> int:
    """Weights of the layers that predict further tokens, by what the published files hold beyond the model."""
    if model.model_type not in PREDICTING or model.checkpoint_parameters is None:
        return 0
    return max(0, model.checkpoint_parameters - model.total_parameters)


def _beyond(model: ModelFacts, quantization: str) -> int:
    """Bytes of those layers in the file: as shipped, in 8 bit where a developer publishes fp8; some formats leave them out."""
    extra = _prediction(model)
    if not extra or quantization.startswith(NO_PREDICTION):
        return 0
    octets = {"fp32": 4, "fp16": 2, "bf16": 2}.get(model.native_dtype or "", 1)
    return extra * (1 if quantization in ("fp8", "fp8-block") else octets)


def _weights(made: Shapes, sizes: Mapping[str, int], resident: int, file_bytes: int, notes: list[Assumption]) -> Weights:
    table, position, per_layer = sizes.get("token_embd", 0), sizes.get("position", 0), sizes.get("per_layer_token_embd", 0)
    tower, output = sizes.get("tower", 0), sizes.get("output", 0)
    inputs = table + position + per_layer
    return Weights(
        file_bytes=file_bytes,
        resident_bytes=resident,
        input_bytes=inputs,
        table_bytes=table,
        layer_bytes=resident - inputs - tower - output,
        largest_matrix=made.largest_matrix,
        uncertainty_bytes=int(resident * UNDERIVED_SHARE) if made.guessed else 0,
        assumptions=tuple(notes),
        expert_bytes=sizes.get("expert_ffn_gate", 0) + sizes.get("expert_ffn_up", 0) + sizes.get("expert_ffn_down", 0),
        tower_bytes=tower,
        output_bytes=output,
    )


@lru_cache(maxsize=4096)
def largest_tensors(model: ModelFacts, quantization: str) -> tuple[int, int]:
    """Bytes of the largest tensor one layer holds in llama.cpp, of all and of the experts': all experts of a kind are one.

    It visits a card where layers stay in main memory. Nothing else asks for it, so it is no part of `Weights`.
    """
    made = shapes(model)
    if model.file is not None:
        sizes = _sizes_in(model.file)
    elif _is_gguf(quantization, "llama.cpp"):
        sizes = _gguf_sizes(model, made, gguf_file_type(model, quantization))[2]
    else:
        sizes = _packed_sizes(made, _recipe(model, quantization, "llama.cpp").loaded)
    each = [(role, sizes.get(role, 0) * one // every) for role, one, every in made.of_one_layer]
    of_experts = [size for role, size in each if role.startswith("expert_")]
    return max((size for _, size in each), default=0), max(of_experts, default=0)

"""Bytes of a model's weights in one quantization: a sum over its tensors, never parameters times nominal bits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from llmops_catalog.fit import checkpoint_formats
from llmops_catalog.fit.architectures import derive_tensors
from llmops_catalog.fit.assumptions import Assumption, MissingFact, once
from llmops_catalog.fit.facts import ModelFacts
from llmops_catalog.fit.formats import CHECKPOINT_FORMATS, GGUF_ONLY, NO_RULE_YET, blocks_bytes
from llmops_catalog.fit.gguf_mix import Mix, block_type, depends_on_layer
from llmops_catalog.fit.tensors import Tensor, count

INPUT_ROLES = ("token_embd", "position", "per_layer_token_embd")
"""Looked up row by row before the first layer; llama.cpp leaves them in main memory."""
OUTSIDE_ROLES = (*INPUT_ROLES, "output", "tower")
NO_GGUF = tuple(name for name in CHECKPOINT_FORMATS if name != "native")
UNDERIVED_SHARE = 0.02
"""How far the weights may be off, as a share, where the family is not described tensor by tensor."""
OFFLOADED_SHARE = 0.05
"""As above, where scales travel through the card: the one published reading lies 4 % over the bytes that stay there
(12,997 MiB after loading, https://github.com/DJCordhose/llm-ops/blob/aeae8700bf/Future.ipynb)."""
EXPLAINED_SHARE = 0.005
"""A difference between tensors and recorded count up to this is a detail; beyond it one of the two is wrong."""

QUANTIZE = "https://github.com/ggml-org/llama.cpp/blob/master/src/llama-quant.cpp"
LOADER = "https://github.com/ggml-org/llama.cpp/blob/master/src/llama-model.cpp"
MULTIMODAL = "https://github.com/ggml-org/llama.cpp/blob/master/docs/multimodal.md"


class Weights(NamedTuple):
    """Sizes in bytes.

    `file_bytes`: what is downloaded, without the tokenizer in it. `resident_bytes`: what the weights take once loaded.
    Of those `input_bytes` are looked up at the input only, `table_bytes` is the token table alone (needed again where a
    tied output layer stands on another device), `layer_bytes` stand inside the layers. `uncertainty_bytes`: how far the
    sum may be off. `host_bytes` is the part of the file a format leaves in main memory. `largest_matrix`: weights of the
    largest quantized matrix (some kernels unpack it).
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
    """Of `layer_bytes`, the routed experts."""
    largest_tensor_bytes: int = 0
    """The largest tensor of one layer, all experts of a kind being one tensor as in GGUF."""
    largest_expert_tensor_bytes: int = 0


@lru_cache(maxsize=65536)
def weigh(model: ModelFacts, quantization: str, runtime: str) -> Weights:
    """The weights of `model` in `quantization`, in the file the runtime reads (GGUF for llama.cpp, else a checkpoint).

    Raises `MissingFact` where no rule or no fact says how many bytes.
    """
    if quantization in NO_RULE_YET:
        raise MissingFact(
            "quantization-not-modelled",
            f"how many bytes {quantization} takes is not modelled yet",
            "ask for one of those that are: q4_k_m, q8_0, bnb-nf4, awq-int4, gptq-int4, fp8, bf16",
        )
    tensors, guessed, notes = known_tensors(model)
    if runtime == "llama.cpp" and quantization not in NO_GGUF:
        tensors, said = _without_towers(tensors)
        sizes = _gguf_sizes(model, gguf_file_type(model, quantization), tensors)
        file_bytes = sum(sizes.values())
        said.append(
            Assumption(
                "block types of each tensor as llama.cpp's quantizer chooses them without an importance matrix",
                QUANTIZE,
            )
        )
    elif quantization in GGUF_ONLY:
        return weigh(model, quantization, "llama.cpp")
    else:
        sizes, file_bytes, said = checkpoint_formats.sizes(model, quantization, tensors)
    weights = _weights(tensors, sizes, file_bytes, guessed, once([*notes, *said]))
    if quantization in checkpoint_formats.SCALES_IN_MAIN_MEMORY:
        offloaded, unsure = file_bytes - weights.resident_bytes, int(weights.resident_bytes * OFFLOADED_SHARE)
        return weights._replace(host_bytes=offloaded, uncertainty_bytes=unsure)
    return weights


def gguf_file_type(model: ModelFacts, quantization: str) -> str:
    """The GGUF file that answers to a quantization: 'native' of an fp8 checkpoint is its bf16 conversion."""
    if quantization != "native":
        return quantization
    native = checkpoint_formats.native_format(model)
    return {"fp8": "bf16"}.get(native, native)


@lru_cache(maxsize=4096)
def known_tensors(model: ModelFacts) -> tuple[tuple[Tensor, ...], bool, tuple[Assumption, ...]]:
    """The tensors of the model completed to its recorded count, whether they are guessed, and what was assumed."""
    derived = derive_tensors(model)
    if derived is None:
        text = f"the tensors of {model.model_type} are not described one by one: weights follow from the parameter count"
        return _from_total(model), True, (Assumption(text),)
    missing = model.total_parameters - count(derived)
    if missing == 0:
        return derived, False, ()
    if abs(missing) > model.total_parameters * EXPLAINED_SHARE:
        text = f"the architecture adds up to {count(derived):,} parameters, the record says {model.total_parameters:,}"
        return _from_total(model), True, (Assumption(f"{text}: weights follow from the record"),)
    if missing < 0:
        return derived, False, ()
    note = Assumption(f"{missing:,} recorded parameters are in no tensor we know of; they are counted in 16 bit")
    return (*derived, Tensor("remainder", 1, missing)), False, (note,)


def _from_total(model: ModelFacts) -> tuple[Tensor, ...]:
    """Embeddings from the facts, everything else as matrices: a third of it like `ffn_down`, as in most decoders."""
    hidden, layers = model.hidden_size, range(model.num_hidden_layers)
    tables = [Tensor("token_embd", model.vocab_size, hidden)]
    if model.is_decoder and not model.tie_word_embeddings:
        tables.append(Tensor("output", model.vocab_size, hidden))
    if model.per_layer_embedding_size:
        tables.append(Tensor("per_layer_token_embd", model.vocab_size, model.per_layer_embedding_size * model.num_hidden_layers))
    if model.other_modality_parameters:
        tables.append(Tensor("tower", 1, model.other_modality_parameters))
    rest = max(0, model.total_parameters - count(tables))
    rows = rest // hidden // len(layers)
    down = rows // 3
    blocks = [Tensor("linear", rows - down, hidden, layers), Tensor("ffn_down", down, hidden, layers)]
    left = rest - count(blocks)
    return tuple(tensor for tensor in (*tables, *blocks, Tensor("vector", 1, left)) if tensor.parameters)


def _without_towers(tensors: Sequence[Tensor]) -> tuple[tuple[Tensor, ...], list[Assumption]]:
    text = tuple(tensor for tensor in tensors if tensor.role != "tower")
    if len(text) == len(tensors):
        return text, []
    return text, [Assumption("text only: the vision or audio part is a separate mmproj file, not loaded", MULTIMODAL)]


def _gguf_sizes(model: ModelFacts, file_type: str, tensors: Sequence[Tensor]) -> dict[str, int]:
    """Bytes by role in a GGUF file of this type."""
    shared = model.num_attention_heads // max(1, model.num_key_value_heads)
    mix = Mix(
        file_type=file_type,
        layers=model.num_hidden_layers,
        heads_per_key_head=shared,
        experts=model.experts.count if model.experts else 1,
        tied=not any(tensor.role == "output" for tensor in tensors),
        falcon=model.model_type == "falcon",
        is_70b=model.model_type in ("llama", "qwen2") and model.num_hidden_layers == 80 and shared > 1,
        native_mxfp4=model.native_dtype == "mxfp4",
    )
    sizes: dict[str, int] = {}
    for tensor in tensors:
        size = sum(blocks_bytes(kind, tensor.rows, tensor.cols) * times for kind, times in _types(tensor, mix).items())
        sizes[tensor.role] = sizes.get(tensor.role, 0) + size * tensor.copies
    return sizes


def _types(tensor: Tensor, mix: Mix) -> Mapping[str, int]:
    """How many layers hold this tensor in which block type."""
    places = len(tensor.layers)
    if not depends_on_layer(tensor.role, mix.file_type):
        return {block_type(tensor, 0, tensor.layers[0], places, mix): places}
    kinds: dict[str, int] = {}
    for place, layer in enumerate(tensor.layers):
        kind = block_type(tensor, place, layer, places, mix)
        kinds[kind] = kinds.get(kind, 0) + 1
    return kinds


def _weights(tensors: Sequence[Tensor], sizes: Mapping[str, int], file_bytes: int, guessed: bool, notes: tuple[Assumption, ...]) -> Weights:
    resident = sum(sizes.values())
    matrices = [tensor.rows * tensor.cols for tensor in tensors if tensor.role not in (*OUTSIDE_ROLES, "vector", "remainder")]
    return Weights(
        file_bytes=file_bytes,
        resident_bytes=resident,
        input_bytes=sum(sizes.get(role, 0) for role in INPUT_ROLES),
        table_bytes=sizes.get("token_embd", 0),
        layer_bytes=sum(size for role, size in sizes.items() if role not in OUTSIDE_ROLES),
        largest_matrix=max(matrices, default=0),
        uncertainty_bytes=int(resident * UNDERIVED_SHARE) if guessed else 0,
        assumptions=notes,
        expert_bytes=sum(size for role, size in sizes.items() if role.startswith("expert_")),
        largest_tensor_bytes=_largest(tensors, sizes, ""),
        largest_expert_tensor_bytes=_largest(tensors, sizes, "expert_"),
    )


def _largest(tensors: Sequence[Tensor], sizes: Mapping[str, int], prefix: str) -> int:
    """Bytes of the largest tensor one layer holds, of those whose role starts with `prefix`."""
    parameters: dict[str, int] = {}
    for tensor in tensors:
        parameters[tensor.role] = parameters.get(tensor.role, 0) + tensor.parameters
    return max(
        (
            sizes.get(tensor.role, 0) * (tensor.parameters // len(tensor.layers)) // parameters[tensor.role]
            for tensor in tensors
            if tensor.role not in OUTSIDE_ROLES and tensor.role.startswith(prefix)
        ),
        default=0,
    )

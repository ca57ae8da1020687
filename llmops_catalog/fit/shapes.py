"""A model's tensors made ready for counting bytes in any format: once per model, not once per quantization."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from llmops_catalog.fit.architectures import derive_tensors
from llmops_catalog.fit.assumptions import Assumption
from llmops_catalog.fit.facts import RECURRENT_LAYERS, ModelFacts, WeightFile
from llmops_catalog.fit.gguf_mix import Mix
from llmops_catalog.fit.gguf_places import Counts, counts
from llmops_catalog.fit.tensors import Tensor, count

EXPLAINED_SHARE = 0.005
"""A difference between tensors and recorded count up to this is a detail; beyond it one of the two is wrong."""
RULES_CHANGED = "2026-03"
"""Models published from then on are taken to be quantized by llama.cpp's rules of today (see `gguf_mix`)."""
NO_HEADS_IN_FIRST_LAYER = ("granitemoehybrid", "jamba", "lfm2", "lfm2_moe", "nemotron_h", "kimi_linear", "mamba", "falcon_mamba")
"""Their GGUF names the key heads layer by layer, 0 in recurrent ones, and the quantizer looks at the first
(`n_gqa` in src/llama-hparams.cpp; head_count_kv in conversion/granite.py, jamba.py, lfm2.py, nemotron.py, kimi_linear.py)."""
WITHOUT_HEADS = (*RECURRENT_LAYERS, "feed_forward")
PREDICTION_IN_GGUF = ("glm4_moe",)
"""Families whose GGUF files have always held the layers that predict further tokens, which nothing loads by default
(conversion/glm.py: block_count + num_nextn_predict_layers)."""

OUTPUT_IN_GGUF = ("falcon", "gpt_bigcode")
"""Families whose published files hold the output layer beside the table it is tied to, and whose converters write both."""


class Shape(NamedTuple):
    """Alike matrices: `places` layers with `rows` x `cols` weights each (copies stacked); `matrices` counts them singly.

    `counts` says how many of those places are early, late and so on, where the type in a GGUF file depends on it.
    """

    role: str
    rows: int
    cols: int
    places: int
    matrices: int
    weights: int
    counts: Counts | None


class Shapes(NamedTuple):
    """What formats ask about a model: all shapes, and those of a GGUF file (`text_shapes`).

    `guessed`: not derived tensor by tensor; `mix`: what the GGUF rules ask, file type left open.
    """

    shapes: tuple[Shape, ...]
    text_shapes: tuple[Shape, ...]
    guessed: bool
    notes: tuple[Assumption, ...]
    mix: Mix
    largest_matrix: int
    of_one_layer: tuple[tuple[str, int, int], ...] = ()


OUTSIDE_LAYERS = ("token_embd", "position", "per_layer_token_embd", "output", "tower")


@lru_cache(maxsize=4096)
def shapes(model: ModelFacts) -> Shapes:
    """The tensors of the model, completed to its recorded count."""
    tensors, guessed, notes = known_tensors(model)
    experts = model.experts.count if model.experts else 1
    recent = model.released is None or model.released >= RULES_CHANGED
    layers = model.num_hidden_layers + (1 if model.model_type in PREDICTION_IN_GGUF else 0)
    found = counts(tensors, layers, experts, recent)
    made = tuple(shape_of(tensor, places, latent=model.latent is not None) for tensor, places in zip(tensors, found, strict=True))
    text = [shape for shape in made if shape.role != "tower"]
    if model.model_type in OUTPUT_IN_GGUF:
        text += [shape._replace(role="output") for shape in text if shape.role == "token_embd" and model.tie_word_embeddings]
    matrices = [one.rows * one.cols for one in tensors if one.role not in (*OUTSIDE_LAYERS, "vector", "remainder")]
    return Shapes(
        shapes=made,
        text_shapes=tuple(text),
        guessed=guessed,
        notes=notes,
        mix=_mix(model, text, experts, recent),
        largest_matrix=max(matrices, default=0),
        of_one_layer=_of_one_layer(made),
    )


def _of_one_layer(made: Sequence[Shape]) -> tuple[tuple[str, int, int], ...]:
    found: dict[str, tuple[int, int]] = {}
    for shape in made:
        if shape.role not in (*OUTSIDE_LAYERS, "vector"):
            one, every = found.get(shape.role, (0, 0))
            found[shape.role] = max(one, shape.weights // shape.places), every + shape.weights
    return tuple((role, one, every) for role, (one, every) in found.items() if every)


def shape_of(tensor: Tensor, places: Counts | None = None, *, latent: bool) -> Shape:
    """The tensor as formats count it; the stacked up-projections of latent attention have a name of their own."""
    role = "stacked" if latent and tensor.role == "linear" and tensor.copies > 1 else tensor.role
    number = len(tensor.layers)
    rows = tensor.rows * tensor.copies
    return Shape(role, rows, tensor.cols, number, tensor.copies * number, rows * tensor.cols * number, places)


def _mix(model: ModelFacts, text: Sequence[Shape], experts: int, recent: bool) -> Mix:
    shared = model.num_attention_heads // max(1, model.num_key_value_heads)
    if model.model_type in NO_HEADS_IN_FIRST_LAYER and model.layer_types and model.layer_types[0] in WITHOUT_HEADS:
        shared = 0
    large = model.num_hidden_layers == 80 and (model.model_type in ("qwen2", "olmo") or (model.model_type == "llama" and shared > 1))
    return Mix(
        file_type="",
        heads_per_key_head=shared,
        experts=experts,
        tied=not any(shape.role == "output" for shape in text),
        falcon=model.model_type == "falcon",
        is_70b=large,
        recent=recent,
    )


@lru_cache(maxsize=4096)
def known_tensors(model: ModelFacts) -> tuple[tuple[Tensor, ...], bool, tuple[Assumption, ...]]:
    """The tensors of the model completed to its recorded count, whether they are guessed, and what was assumed."""
    if model.file is not None:
        return _listed(model.file), False, ()
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


def _listed(file: WeightFile) -> tuple[Tensor, ...]:
    return tuple(Tensor(one.role, one.rows, one.cols, (one.layer or 0,)) for one in file.tensors if one.loaded)


def _from_total(model: ModelFacts) -> tuple[Tensor, ...]:
    """Embeddings and experts from the facts, everything else as matrices: a third of it like `ffn_down`, as in most decoders."""
    hidden, layers = model.hidden_size, range(model.num_hidden_layers)
    tables = [Tensor("token_embd", model.vocab_size, hidden)]
    if model.is_decoder and not model.tie_word_embeddings:
        tables.append(Tensor("output", model.vocab_size, hidden))
    if model.per_layer_embedding_size:
        tables.append(Tensor("per_layer_token_embd", model.vocab_size, model.per_layer_embedding_size * model.num_hidden_layers))
    if model.other_modality_parameters:
        tables.append(Tensor("tower", 1, model.other_modality_parameters))
    rest = max(0, model.total_parameters - count(tables))
    routed = _experts_from_total(model, rest)
    rows = (rest - count(routed)) // hidden // len(layers)
    down = rows // 3
    blocks = [*routed, Tensor("linear", rows - down, hidden, layers), Tensor("ffn_down", down, hidden, layers)]
    left = rest - count(blocks)
    return tuple(tensor for tensor in (*tables, *blocks, Tensor("vector", 1, left)) if tensor.parameters)


def _experts_from_total(model: ModelFacts, most: int) -> list[Tensor]:
    """The routed experts by their recorded number of weights, or as three matrices each; at most what there is."""
    experts = model.experts
    if experts is None:
        return []
    layers, hidden, size = range(experts.first_dense_layers, model.num_hidden_layers), model.hidden_size, experts.intermediate_size
    if not layers:
        return []
    width = hidden
    if experts.routed_parameters:
        width = experts.routed_parameters // (3 * size * experts.count * len(layers))
    if not 0 < 3 * size * width * experts.count * len(layers) <= most:
        return []
    return [
        Tensor("expert_ffn_gate", size, width, layers, experts.count),
        Tensor("expert_ffn_up", size, width, layers, experts.count),
        Tensor("expert_ffn_down", width, size, layers, experts.count),
    ]

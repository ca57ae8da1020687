"""Which layers of a model stand on which card in llama.cpp, and the weights that come with them.

Read in https://github.com/ggml-org/llama.cpp/blob/master/src/llama-model.cpp (`load_tensors`).
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from llmops_catalog.fit.facts import ModelFacts, WeightFile
from llmops_catalog.fit.question import Question
from llmops_catalog.fit.weights import Weights


class Placement(NamedTuple):
    """Which layers stand on which card; what comes before the first card's stays in main memory."""

    cards: tuple[range, ...]
    output_card: int | None
    whole: bool
    """All layers and the output layer are on cards."""


def placed(layers: int, cards: int, gpu_layers: int | None, output_last: bool = False) -> Placement:
    """Layers from the end, and the output layer counted as one, spread evenly over equal cards; the first ones stay outside.

    `output_last`: the output layer comes to a card only where all others are there already, as in older builds.
    """
    if output_last and gpu_layers is not None and 0 < gpu_layers <= layers:
        first = layers - gpu_layers
        bounds = [first + -(-card * gpu_layers // cards) for card in range(cards + 1)]
        return Placement(tuple(range(start, end) for start, end in pairwise(bounds)), None, False)
    places = layers + 1 if gpu_layers is None else min(gpu_layers, layers + 1)
    first = layers + 1 - places
    bounds = [first + -(-card * places // cards) for card in range(cards + 1)]
    spans = tuple(range(min(start, layers), min(end, layers)) for start, end in pairwise(bounds))
    output = (places - 1) * cards // places if places else None
    return Placement(spans, output, first == 0)


def weights_by_card(model: ModelFacts, weights: Weights, loaded: int, placement: Placement, question: Question) -> list[int]:
    """Weights of each card: its layers without the experts kept in main memory, and the output layer on the last."""
    if placement.whole and len(placement.cards) == 1 and not question.engine.cpu_expert_layers:
        return [loaded]
    if model.file is not None:
        return _file_by_card(model.file, loaded, placement, question.engine.cpu_expert_layers)
    layers, experts = model.num_hidden_layers, model.experts
    sparse = [layer for layer in range(layers) if experts and experts.has_layer(layer)]
    plain = weights.layer_bytes - weights.expert_bytes

    def before(layer: int) -> int:
        held = sum(question.engine.cpu_expert_layers <= index < layer for index in sparse)
        return plain * layer // layers + weights.expert_bytes * held // max(1, len(sparse))

    cards = [before(span.stop) - before(span.start) for span in placement.cards]
    if placement.output_card is not None:
        cards[placement.output_card] += loaded - weights.layer_bytes
    return cards


def _file_by_card(file: WeightFile, loaded: int, placement: Placement, experts_outside: int) -> list[int]:
    """The same of one file, whose layers have sizes of their own; what stands in no layer goes with the output layer."""
    sizes = _layer_sizes(file)
    cards = [
        sum(plain + (experts if layer >= experts_outside else 0) for layer, (plain, experts) in sizes.items() if layer in span)
        for span in placement.cards
    ]
    if placement.output_card is not None:
        cards[placement.output_card] += loaded - sum(plain + experts for plain, experts in sizes.values())
    return cards


@lru_cache(maxsize=64)
def _layer_sizes(file: WeightFile) -> dict[int, tuple[int, int]]:
    """Bytes of each layer: routed experts, and everything else."""
    sizes: dict[int, tuple[int, int]] = {}
    for tensor in file.tensors:
        if tensor.layer is None or not tensor.loaded:
            continue
        plain, experts = sizes.get(tensor.layer, (0, 0))
        routed = tensor.role.startswith("expert_")
        sizes[tensor.layer] = (plain + tensor.size_bytes * (not routed), experts + tensor.size_bytes * routed)
    return sizes

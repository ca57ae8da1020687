"""What a quantization costs in quality, where somebody published it for this model or for one of its size."""

from collections.abc import Mapping, Sequence
from math import log
from typing import NamedTuple

from llmops_catalog.fit.facts import ModelFacts

LOSSLESS = ("f32", "f16", "bf16", "native")
"""What models are made in, and the format their developer vouches for: nothing to compare with."""
SAME_FAMILY = 2.5
"""Sizes of one family up to this many times apart are taken as alike."""
OTHER_FAMILY = 1.6
"""Sizes of different families: small models lose more than large ones, and newer more than older ones of the same size
(Llama 3 8B in q4_k_m diverges two and a half times as far as Llama 2 7B:
https://github.com/ggml-org/llama.cpp/blob/master/tools/perplexity/README.md)."""


class QualityFacts(NamedTuple):
    """One published figure: how a model in a quantization differs from itself unquantized, in the same table.

    `difference` is relative for perplexity (0.01 is one percent more, worse) and in points of the score for tests
    (-0.5 is half a point less, worse).
    """

    model: str
    model_name: str
    family: str
    released: str
    parameters: int
    quantization: str
    measure: str
    metric: str
    difference: float
    source: str


class QualityCost(NamedTuple):
    """The nearest published figure for an answer; `exact` where it was measured on the very model."""

    facts: QualityFacts
    exact: bool

    def as_json(self) -> Mapping[str, object]:
        """The object of `quality`."""
        facts = self.facts
        return {
            "measure": facts.measure,
            "difference": facts.difference,
            "unit": "relative" if facts.measure == "perplexity" else "points",
            "of_model": facts.model,
            "exact": self.exact,
            "metric": facts.metric,
            "source": facts.source,
        }


def quality_cost(model: ModelFacts, quantization: str, published: Sequence[QualityFacts]) -> QualityCost | None:
    """The figure of this model, else of the nearest size of its family, else of the nearest size at all; None where there is none."""
    if quantization in LOSSLESS:
        return None
    found = [
        (distance, facts) for facts in published if facts.quantization == quantization and (distance := _distance(model, facts)) is not None
    ]
    if not found:
        return None
    facts = min(found, key=lambda pair: pair[0])[1]
    return QualityCost(facts, facts.model == model.id)


def _distance(model: ModelFacts, facts: QualityFacts) -> tuple[int, int, float] | None:
    """How far the model of a published figure is from ours, smaller is nearer; None where it says nothing about ours.

    Among other families the newest comes first, whatever the quantization: figures of one list then come from one table.
    """
    ratio = abs(log(model.total_parameters / facts.parameters))
    if facts.model == model.id:
        return 0, 0, 0.0
    if model.family and facts.family == model.family:
        return (1, 0, ratio) if ratio <= log(SAME_FAMILY) else None
    return (2, -int(facts.released[:4] or 0), ratio) if ratio <= log(OTHER_FAMILY) else None

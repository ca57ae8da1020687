"""From published readings to questions the estimator can answer, and why some are left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from llmops_catalog.accuracy.comparison import PARTS, PER_CARD, WEIGHTS_PART, Comparison, comparisons, size_bytes
from llmops_catalog.accuracy.readings import Reading, readings
from llmops_catalog.accuracy.training import LOADED, training_asked
from llmops_catalog.catalog import Catalog, Record
from llmops_catalog.errors import FitInputError
from llmops_catalog.fit import Engine, Estimate, GpuFacts, ModelFacts, estimate
from llmops_catalog.fit.question import ask
from llmops_catalog.fit.runtimes import settled

USABLE_GRADES = (None, "log", "table")
"""Read off a log, or printed by those who measured. A reading without a grade was saved in a notebook, beside the code that made it."""

ENGINE = ("runtime_version", "flash_attention", "micro_batch_tokens", "gpu_layers", "cpu_expert_layers")
"""Settings of the engine that a reading may name, by the estimator's word."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One reading of one measurement record beside its estimate."""

    record: Record
    reading: Reading
    model: ModelFacts
    estimate: Estimate
    context_stated: bool
    comparison: Comparison

    @property
    def model_id(self) -> str:
        """Id of the model measured."""
        return self.model.id

    @property
    def context_tokens(self) -> int:
        """The context the estimate was asked at."""
        return self.estimate.question.context_tokens


@dataclass(frozen=True, slots=True)
class Bound:
    """A figure known only as a bound: the need lies at or below `bound_bytes`, so our low estimate must."""

    record: Record
    model: ModelFacts
    estimate: Estimate
    bound_bytes: float

    @property
    def respected(self) -> bool:
        """Whether our interval begins at or below the bound."""
        return self.estimate.memory.low_bytes <= self.bound_bytes


@dataclass(frozen=True, slots=True)
class Checks:
    """All comparisons, the bounds apart, and how many readings of memory were left out for what reason."""

    compared: tuple[Checked, ...]
    bounds: tuple[Bound, ...]
    left_out: Mapping[str, int]


def check(catalog: Catalog) -> Checks:
    """Every published reading of memory that names model, quantization and runtime, beside our estimate."""
    models = {facts.id: facts for facts in catalog.models()}
    cards = {facts.id: facts for facts in catalog.gpus()}
    contexts = _contexts_of_uses(catalog)
    compared: list[Checked] = []
    bounds: list[Bound] = []
    left_out: Counter[str] = Counter()
    for record in catalog.records("measurements"):
        if record.data["kind"] not in ("memory", "training"):
            continue  # speeds and scores are not bytes
        context = contexts.get(record.id)
        for reading in readings(record):
            if reading["measure"] not in (*PARTS, "bound") or size_bytes(reading) <= 0:
                continue
            reason = _unusable(record, reading, models)
            answer = None if reason else _estimate(models[reading["model"]], reading, context, cards.get(reading.get("gpu", "")))
            if answer is None:
                left_out[reason or "the estimator has no rule for it"] += 1
            elif reading["measure"] == "bound":
                bounds.append(Bound(record, answer.model, answer, size_bytes(reading)))
            else:
                compared += _checked(record, reading, answer, context)
    return Checks(tuple(compared), tuple(bounds), dict(left_out.most_common()))


def _unusable(record: Record, reading: Reading, models: Mapping[str, ModelFacts]) -> str:
    """Why a reading cannot be compared, in words; empty where it can."""
    if record.data.get("grade") not in (*USABLE_GRADES, "bound"):
        return f"grade {record.data['grade']}: not measured by those who publish it"
    if record.data["kind"] == "training" and reading["measure"] not in LOADED and not reading.get("task"):
        return "how it was trained is not said"
    if reading["measure"] == WEIGHTS_PART and PER_CARD not in reading.get("note", ""):
        return "a part of the weights that is no card's share"
    if reading.get("model") not in models:
        return "the model has no record"
    if not reading.get("quantization"):
        return "the quantization is a mix of its own, or not said"
    if not reading.get("runtime"):
        return "measured in software that is none of the three runtimes"
    return ""


def _estimate(model: ModelFacts, reading: Reading, context_of_use: int | None, card: GpuFacts | None) -> Estimate | None:
    """Our answer to the question the reading answers, with what the runtime chooses on that card; None where we have none."""
    stated = reading.get("context_tokens") or context_of_use
    asked: dict[str, Any] = {
        "quantization": reading["quantization"],
        "runtime": reading["runtime"],
        "context_tokens": stated or None,
        "prompt_tokens": min(reading["prompt_tokens"], stated) if stated and reading.get("prompt_tokens") else None,
        "concurrency": reading.get("concurrency") or 1,
        "kv_cache_type": reading.get("cache_type"),
        "gpu_count": reading.get("gpus") or 1,
        "engine": Engine(**{name: reading[name] for name in ENGINE if name in reading}),
        **training_asked(reading),
    }
    try:
        if card is not None:
            asked["engine"] = settled(ask(model, **asked), card).engine
        return estimate(model, **asked)
    except FitInputError:
        return None


def _checked(record: Record, reading: Reading, answer: Estimate, context_of_use: int | None) -> Iterator[Checked]:
    stated = bool(reading.get("context_tokens") or context_of_use)
    for one in comparisons([reading], answer.memory):
        yield Checked(record, reading, answer.model, answer, stated, one)


def _contexts_of_uses(catalog: Catalog) -> dict[str, int]:
    """The context of the notebook that saved a measurement, where the reading itself does not say."""
    uses: list[Any] = [use for record in catalog.records("notebooks") for use in record.data.get("uses", ())]
    return {use["measurement"]: use["context_tokens"] for use in uses if use.get("measurement") and use.get("context_tokens")}

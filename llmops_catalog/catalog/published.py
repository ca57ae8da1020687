"""Published readings with their whole setup, and what they say a quantization costs, boiled down to what the estimator looks up."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from math import exp
from typing import Any

from llmops_catalog.fit.quality import QualityFacts
from llmops_catalog.schema.evidence import Setup

SETUP = tuple(Setup.model_fields)
EITHER = (("model", "model_name"), ("quantization", "quantization_name"), ("gpu", "gpu_name"))
"""A record's id, or the source's words where there is no record: naming one in a row replaces the other of the table."""
AVERAGES = ("average of", "OpenLLM v1 average", "OpenLLM v1 recovery")
"""Metrics that sum several tests up: steadier than any one of them."""
MMLU = "MMLU"

Data = Mapping[str, Any]
Reading = Mapping[str, Any]


def readings(data: Data) -> Iterator[Reading]:
    """Every reading of a measurement with its whole setup: what the record says for all rows, and what the row says for itself."""
    common = {key: data[key] for key in SETUP if data.get(key) is not None}
    for reading in data["readings"]:
        setup = dict(common)
        for one, other in EITHER:
            if one in reading or other in reading:
                setup.pop(one, None)
                setup.pop(other, None)
        yield setup | reading


def quality_facts(measurements: Iterable[Data], models: Mapping[str, Data]) -> list[QualityFacts]:
    """For every table, model and quantization the one figure that says most, beside the unquantized model of the same table."""
    found: list[QualityFacts] = []
    for data in measurements:
        if data["kind"] != "quality":
            continue
        best: dict[tuple[str, str], tuple[int, Reading]] = {}
        for reading in readings(data):
            key = (reading.get("model") or reading.get("model_name") or "", reading.get("quantization") or "")
            rank = _rank(reading)
            if all(key) and rank is not None and (key not in best or rank < best[key][0]):
                best[key] = (rank, reading)
        sized = ((reading, _sized(reading, models)) for _, reading in best.values())
        found += [_facts(reading, *model, data["url"]) for reading, model in sized if model]
    return found


def _sized(reading: Reading, models: Mapping[str, Data]) -> tuple[str, str, str, int] | None:
    """Name, family, day of release and parameters of the model: its record's, or the size its name states where it has no record."""
    if reading.get("model"):
        model = models[reading["model"]]
        return model["name"], model.get("family", ""), str(model.get("released", "")), model["parameters"]["total"]
    stated = re.search(r"\b(\d+(?:\.\d+)?)B\b", reading["model_name"], re.IGNORECASE)
    return (reading["model_name"], "", "", round(float(stated[1]) * 1e9)) if stated else None


def _rank(reading: Reading) -> int | None:
    """Lower says more; None where the reading has no unquantized model beside it."""
    measure, metric = reading["measure"], reading.get("metric") or ""
    if measure == "perplexity-ratio":
        return 1
    if not reading.get("baseline"):
        return None
    if measure == "perplexity":
        return 0 if ", " not in metric.partition(")")[2] else 1  # a metric that goes on names an importance matrix
    if measure in ("task-score", "task-recovery"):
        if "loss" in metric:
            return None
        return 2 if metric.startswith(AVERAGES) else 3 if metric.startswith(MMLU) else 4
    return None


def _facts(reading: Reading, name: str, family: str, released: str, parameters: int, url: str) -> QualityFacts:
    measure, value, baseline = reading["measure"], float(reading["value"]), float(reading["baseline"] or 0)
    if measure == "perplexity":
        difference = value / baseline - 1
    elif measure == "perplexity-ratio":
        measure, difference = "perplexity", exp(value) - 1
    else:
        difference = (value - baseline) * (100 if reading["unit"] == "share" else 1)
    return QualityFacts(
        model=reading.get("model") or name,
        model_name=name,
        family=family,
        released=released,
        parameters=parameters,
        quantization=reading["quantization"],
        measure=measure,
        metric=reading.get("metric") or measure,
        difference=difference,
        source=reading.get("url") or url,
    )

"""WHAT a record is: one strict Pydantic model per collection. Nothing here reads a file."""

from __future__ import annotations

from llmops_catalog.schema.base import Record
from llmops_catalog.schema.evidence import Benchmark, Claim, Dataset, Measurement, SourceList
from llmops_catalog.schema.hardware import Gpu, GpuArchitecture, Provider
from llmops_catalog.schema.learning import Concept, Course, LearningPath, Notebook, Prerequisite, Resource
from llmops_catalog.schema.model import Family, Model
from llmops_catalog.schema.software import Framework, Quantization, Rule

COLLECTIONS: dict[str, type[Record]] = {
    model.collection: model
    for model in (
        Model, Family, Gpu, GpuArchitecture, Quantization, Framework, Rule, Provider, Course, Notebook, Resource, Concept, LearningPath,
        Dataset, Benchmark, Claim, Measurement, SourceList, Prerequisite,
    )
}  # fmt: skip
"""Every collection by the name of its folder, in the order the site shows them."""

SINGULAR = {collection: "family" if collection == "families" else collection.removesuffix("s") for collection in COLLECTIONS}
"""The word for one record, as codes of findings use it: ``unknown-gpu``."""

__all__ = ["COLLECTIONS", "SINGULAR", "Record"]

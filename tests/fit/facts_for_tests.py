"""Models and cards the tests of the estimator ask about: golden records, and cards with their published readings."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from llmops_catalog.catalog.facts import model_facts, rule_facts
from llmops_catalog.fit import GpuFacts, ModelFacts, RentalFacts
from llmops_catalog.fit.support import Support

GOLDEN = Path(__file__).parent.parent / "golden"
CATALOG = GOLDEN.parent.parent / "catalog"


def vectors(name: str) -> dict[str, Any]:
    """The golden file of this name."""
    return json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))


def _records(collection: str) -> dict[str, Any]:
    folder = CATALOG / collection
    read = {path: yaml.load(path.read_bytes(), yaml.CSafeLoader) for path in sorted(folder.rglob("*.yaml"))}
    return {path.relative_to(folder).as_posix().removesuffix(".yaml"): data for path, data in read.items()}


@cache
def support() -> Support:
    """What the catalog's own records say of runtimes, formats and cards."""
    loaded_by = {record_id: tuple(data.get("runtimes", ())) for record_id, data in _records("quantizations").items()}
    return Support(loaded_by, (rule_facts(record_id, data) for record_id, data in _records("rules").items()))


@cache
def models() -> dict[str, ModelFacts]:
    """Every golden model by id."""
    return {record_id: model_facts(record_id, data, support()) for record_id, data in vectors("models")["models"].items()}


@cache
def catalog_models() -> dict[str, ModelFacts]:
    """Every model of the catalog by id, read from the records as they stand in the tree."""
    return {record_id: model_facts(record_id, data, support()) for record_id, data in _records("models").items()}


LLAMA_8B = models()["meta-llama/llama-3.1-8b-instruct"]
GEMMA_2 = models()["google/gemma-2-9b-it"]
R1 = models()["deepseek-ai/deepseek-r1"]
GPT_OSS = models()["openai/gpt-oss-20b"]

T4 = GpuFacts(
    id="nvidia/t4",
    name="Tesla T4",
    vendor="nvidia",
    sold_gb=16,
    driver_mib=15360,
    cuda_gib=14.741,
    compute_capability="7.5",
    bf16="none",
    rental=RentalFacts(0.35, "google", "2026-08"),
)
L4 = GpuFacts(
    id="nvidia/l4",
    name="NVIDIA L4",
    vendor="nvidia",
    sold_gb=24,
    driver_mib=23034,
    cuda_gib=22.161,
    compute_capability="8.9",
    bf16="native",
    fp8="native",
)
A100_80 = GpuFacts(
    id="nvidia/a100-80gb-sxm",
    name="NVIDIA A100 80GB",
    vendor="nvidia",
    sold_gb=80,
    driver_mib=81920,
    cuda_gib=79.318,
    compute_capability="8.0",
    bf16="native",
)
M1 = GpuFacts(
    id="apple/m1-16gb",
    name="Apple M1",
    vendor="apple",
    sold_gb=16,
    system_limit_low_gib=10.67,
    system_limit_high_gib=12.0,
    bf16="emulated",
)
CARDS = {card.id: card for card in (T4, L4, A100_80, M1)}

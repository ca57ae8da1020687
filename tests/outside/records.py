"""Facts of the catalog's own records, which what is read from files must agree with."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from llmops_catalog.catalog.facts import model_facts
from llmops_catalog.fit import ModelFacts

MODELS = Path(__file__).parents[2] / "catalog" / "models"


@cache
def record(model_id: str) -> dict[str, Any]:
    return yaml.load((MODELS / f"{model_id}.yaml").read_bytes(), Loader=yaml.CSafeLoader)


def facts(model_id: str) -> ModelFacts:
    return model_facts(model_id, record(model_id))

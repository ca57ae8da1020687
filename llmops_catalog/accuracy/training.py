"""How a published reading of a training was trained, as the estimator is asked."""

from __future__ import annotations

from typing import Any

from llmops_catalog.accuracy.readings import Reading
from llmops_catalog.fit import Training

SETTINGS = ("optimizer", "precision", "gradient_checkpointing", "lora_rank", "lora_targets", "fused_loss", "gradient_accumulation")
"""Words a reading and the estimator share; what the source does not say is the estimator's default."""
LOADED = ("driver-used-loaded", "allocated-loaded", "weights", "file")
"""What training has in common with running a model: it is loaded first."""


def training_asked(reading: Reading) -> dict[str, Any]:
    """The arguments `task` and `training` of an estimate; none for a reading of inference, or taken before the first step."""
    if not reading.get("task") or reading["measure"] in LOADED:
        return {}
    said = {name: reading[name] for name in SETTINGS if reading.get(name) is not None}
    return {"task": reading["task"], "training": Training(**said)}

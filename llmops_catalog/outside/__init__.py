"""Models that are in no catalog: a GGUF file, a config.json or an answer of the Hub becomes facts the estimator computes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llmops_catalog.outside.config import model_from_config as model_from_config
    from llmops_catalog.outside.gguf_model import model_from_gguf as model_from_gguf
    from llmops_catalog.outside.hub import model_from_hub as model_from_hub

_HOME = {"model_from_config": "config", "model_from_gguf": "gguf_model", "model_from_hub": "hub"}

__all__ = ["model_from_config", "model_from_gguf", "model_from_hub"]


def __getattr__(name: str) -> Any:
    """Each way in is loaded when it is first taken: a GGUF file needs no network client."""
    from importlib import import_module

    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)

"""Models that are in no catalog: a GGUF file, a config.json or an answer of the Hub becomes facts the estimator computes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llmops_catalog.outside.gguf_model import model_from_gguf as model_from_gguf

_HOME = {"model_from_gguf": "gguf_model"}

__all__ = ["model_from_gguf"]


def __getattr__(name: str) -> Any:
    """Each way in is loaded when it is first taken: a GGUF file needs no network client."""
    from importlib import import_module

    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)

"""llmops-catalog: sourced facts about running large language models, and an estimator of the memory they need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llmops_catalog.catalog import Catalog as Catalog
    from llmops_catalog.catalog import load_catalog as load_catalog
    from llmops_catalog.errors import AmbiguousName as AmbiguousName
    from llmops_catalog.errors import CatalogError as CatalogError
    from llmops_catalog.errors import CatalogInvalid as CatalogInvalid
    from llmops_catalog.errors import FitInputError as FitInputError
    from llmops_catalog.errors import RecordNotFound as RecordNotFound
    from llmops_catalog.fit import estimate as estimate
    from llmops_catalog.fit import fit as fit
    from llmops_catalog.outside import model_from_config as model_from_config
    from llmops_catalog.outside import model_from_gguf as model_from_gguf
    from llmops_catalog.outside import model_from_hub as model_from_hub
    from llmops_catalog.problems import Problem as Problem

__version__ = "0.1.0"

_HOME = {
    "Catalog": "catalog", "load_catalog": "catalog", "estimate": "fit", "Problem": "problems", "CatalogError": "errors",
    "CatalogInvalid": "errors", "RecordNotFound": "errors", "AmbiguousName": "errors", "FitInputError": "errors",
    "model_from_config": "outside", "model_from_gguf": "outside", "model_from_hub": "outside",
}  # fmt: skip

__all__ = [*sorted(_HOME), "fit", "__version__"]


def __getattr__(name: str) -> Any:
    """Public names are loaded when they are first used: `import llmops_catalog` costs nothing."""
    from importlib import import_module

    if name == "fit":  # a callable module: the function and the room of the same name
        return import_module(f"{__name__}.fit")
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value

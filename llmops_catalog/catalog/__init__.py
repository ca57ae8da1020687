"""FROM files TO one trusted, immutable Catalog. Importing this loads neither YAML nor Pydantic."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from llmops_catalog.catalog.store import Catalog, Record, Referrer

if TYPE_CHECKING:
    from pathlib import Path

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PACKAGED = os.path.join(_PACKAGE, "_catalog")
"""The copy of the records inside an installed wheel."""


def catalog_folder(chosen: str | os.PathLike[str] | None = None) -> Path:
    """The catalog folder to use: the chosen one, else ./catalog where it exists, else the packaged copy (in a checkout: its own)."""
    from pathlib import Path

    return Path(_located(chosen))


def _located(chosen: str | os.PathLike[str] | None) -> str:
    if chosen is not None:
        return os.fspath(chosen)
    if os.path.isdir("catalog"):
        return "catalog"
    return PACKAGED if os.path.isdir(PACKAGED) else os.path.join(os.path.dirname(_PACKAGE), "catalog")


def load_catalog(path: str | os.PathLike[str] | None = None) -> Catalog:
    """The catalog at `path` (see `catalog_folder` for the default), checked and ready to answer.

    Raises `CatalogInvalid` with every problem where records are wrong, `CatalogNotFound` where there is no such folder.
    """
    from llmops_catalog.catalog.compiled import open_compiled

    folder = _located(path)
    return Catalog(open_compiled(folder), folder)


__all__ = ["Catalog", "Record", "Referrer", "catalog_folder", "load_catalog"]

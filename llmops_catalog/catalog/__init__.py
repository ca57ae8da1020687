"""FROM files TO one trusted, immutable Catalog. Importing this loads neither YAML nor Pydantic."""

from __future__ import annotations

import os
from pathlib import Path

from llmops_catalog.catalog.search import Hit
from llmops_catalog.catalog.store import Catalog, Record, Referrer

PACKAGED = Path(__file__).parent.parent / "_catalog"
"""The copy of the records inside an installed wheel."""


def catalog_folder(chosen: str | os.PathLike[str] | None = None) -> Path:
    """The catalog folder to use: the chosen one, else ./catalog where it exists, else the packaged copy (in a checkout: its own)."""
    if chosen is not None:
        return Path(chosen)
    local = Path("catalog")
    if local.is_dir():
        return local
    return PACKAGED if PACKAGED.is_dir() else PACKAGED.parent.parent / "catalog"


def load_catalog(path: str | os.PathLike[str] | None = None) -> Catalog:
    """The catalog at `path` (see `catalog_folder` for the default), checked and ready to answer.

    Raises `CatalogInvalid` with every problem where records are wrong, `CatalogNotFound` where there is no such folder.
    """
    from llmops_catalog.catalog.compiled import open_compiled

    folder = catalog_folder(path)
    return Catalog(open_compiled(folder), folder)


__all__ = ["Catalog", "Hit", "Record", "Referrer", "catalog_folder", "load_catalog"]

"""The readings of a measurement, each with its whole setup."""

from __future__ import annotations

from collections.abc import Iterator

from llmops_catalog.catalog import Record, published
from llmops_catalog.catalog.published import SETUP, Reading

__all__ = ["SETUP", "Reading", "readings"]


def readings(record: Record) -> Iterator[Reading]:
    """Every reading of a measurement with its whole setup: what the record says for all rows, and what the row says for itself."""
    return published.readings(record.data)

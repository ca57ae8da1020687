"""The readings of a measurement, each with its whole setup."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from llmops_catalog.catalog import Record
from llmops_catalog.schema.evidence import Setup

SETUP = tuple(Setup.model_fields)
EITHER = (("model", "model_name"), ("quantization", "quantization_name"), ("gpu", "gpu_name"))
"""A record's id, or the source's words where there is no record: naming one in a row replaces the other of the table."""

Reading = Mapping[str, Any]


def readings(record: Record) -> Iterator[Reading]:
    """Every reading of a measurement with its whole setup: what the record says for all rows, and what the row says for itself."""
    common = {key: record.data[key] for key in SETUP if record.data.get(key) is not None}
    for reading in record.data["readings"]:
        setup = dict(common)
        for one, other in EITHER:
            if one in reading or other in reading:
                setup.pop(one, None)
                setup.pop(other, None)
        yield setup | reading

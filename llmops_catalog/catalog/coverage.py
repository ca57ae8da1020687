"""What became of the source lists: how many of their items a record carries, how many none does and why, how many are missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from llmops_catalog.catalog.store import Catalog


class ListCoverage(NamedTuple):
    """One source list. `items` is what the document has; mapped + explained + missing add up to it."""

    list: str
    title: str
    items: int
    mapped: int
    explained: int
    missing: int
    corrected: int
    flagged: int

    def as_json(self) -> dict[str, Any]:
        """The object of `coverage --format json`."""
        return self._asdict()


def coverage(catalog: Catalog) -> Iterator[ListCoverage]:
    """Every source list, by id."""
    return (list_coverage(record.id, record.data) for record in catalog.records("lists"))


def list_coverage(record_id: str, data: Mapping[str, Any]) -> ListCoverage:
    """One list record: items beyond those it names are missing; corrections that are only likely or open are flagged."""
    items = data.get("items") or ()
    mapped = sum(bool(item.get("record")) for item in items)
    total = max(data["item_count"], len(items))
    corrections = [item.get("correction_status", "confirmed") for item in items if item.get("correction")]
    corrected = corrections.count("confirmed")
    return ListCoverage(
        record_id, data["title"], total, mapped, len(items) - mapped, total - len(items), corrected, len(corrections) - corrected
    )


def total(lists: Iterable[ListCoverage]) -> ListCoverage:
    """All lists together."""
    columns = list(zip(*(entry[2:] for entry in lists), strict=True)) or [(0,)] * 6
    return ListCoverage("all", "All lists", *(sum(column) for column in columns))

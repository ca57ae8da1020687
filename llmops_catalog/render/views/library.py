"""Every record of the catalog at hand while pages are made: labels for links, facts for answers, read once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType

from llmops_catalog.catalog import Catalog, Record
from llmops_catalog.fit.facts import GpuFacts, ModelFacts
from llmops_catalog.render.views.parts import Span

REPOSITORY = "https://github.com/llmops-catalog/llmops-catalog"


class Library:
    """The catalog's records by collection and id, with the links pages make to them."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.records: Mapping[str, Mapping[str, Record]] = MappingProxyType(
            {collection: {record.id: record for record in catalog.records(collection)} for collection in catalog.counts}
        )

    @cached_property
    def models(self) -> Mapping[str, ModelFacts]:
        """The estimator's facts of every model, by id."""
        return {facts.id: facts for facts in self.catalog.models()}

    @cached_property
    def gpus(self) -> Mapping[str, GpuFacts]:
        """The estimator's facts of every card, by id."""
        return {facts.id: facts for facts in self.catalog.gpus()}

    def get(self, collection: str, record_id: str) -> Record | None:
        """The record, or None."""
        return self.records.get(collection, {}).get(record_id)

    def link(self, collection: str, record_id: str, text: str = "", css: str = "") -> Span:
        """A link to the record's page; plain text where there is no such record."""
        record = self.get(collection, record_id)
        if record is None:
            return Span(text or record_id, css=css)
        return Span(text or record.label, page=f"{collection}/{record_id}/", css=css)

    def link_any(self, key: str, text: str = "") -> Span:
        """As `link`, for ``collection/id``."""
        collection, _, record_id = key.partition("/")
        return self.link(collection, record_id, text)


def record_json(collection: str, record_id: str) -> str:
    """The site path of a record's JSON."""
    return f"api/v1/{collection}/{record_id}.json"


def edit_url(collection: str, record_id: str) -> str:
    """Where the record's file can be changed by anybody."""
    return f"{REPOSITORY}/edit/main/catalog/{collection}/{record_id}.yaml"

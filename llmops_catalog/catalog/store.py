"""The trusted, immutable Catalog: records by id, names people type, who refers to whom, full-text search. Reads SQLite only."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from llmops_catalog.catalog.facts import gpu_facts, model_facts
from llmops_catalog.catalog.names import name_key
from llmops_catalog.errors import AmbiguousName, RecordNotFound
from llmops_catalog.fit.facts import GpuFacts, ModelFacts, RentalFacts
from llmops_catalog.problems import nearest

COLLECTION_WORDS = {"gpus": "GPU"}
"""How a collection's records are called in a sentence, where it is not just the folder name without its 's'."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record as written, with its place: `data` holds exactly the keys of the YAML file (plain JSON types)."""

    collection: str
    id: str
    label: str
    path: str
    data: Mapping[str, Any]

    @property
    def key(self) -> str:
        """``collection/id``: the form references to any collection use."""
        return f"{self.collection}/{self.id}"

    def as_json(self) -> dict[str, Any]:
        """The record with its id first, for JSON output."""
        return {"id": self.id, **self.data}


@dataclass(frozen=True, slots=True)
class Referrer:
    """A record that points at another one, and from which field (``uses[].model``)."""

    collection: str
    id: str
    label: str
    field: str


@dataclass(frozen=True, slots=True)
class Hit:
    """One search result; a lower `rank` is better."""

    collection: str
    id: str
    label: str
    summary: str
    rank: float


class Catalog:
    """All records of one catalog folder. Made by `load_catalog`; safe to share, never changes."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self.path = path

    # --- records ------------------------------------------------------------------------------------------------------

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """Number of records by collection, in the order the site shows collections."""
        return dict(self._connection.execute("SELECT name, total FROM collections ORDER BY position"))

    def ids(self, collection: str) -> list[str]:
        """All ids of a collection, sorted."""
        return [row[0] for row in self._connection.execute("SELECT id FROM records WHERE collection = ? ORDER BY id", (collection,))]

    def record(self, collection: str, record_id: str) -> Record:
        """The record with exactly this id. Raises `RecordNotFound`."""
        row = self._connection.execute(
            "SELECT collection, id, label, path, data FROM records WHERE collection = ? AND id = ?", (collection, record_id)
        ).fetchone()
        if row is None:
            raise RecordNotFound(singular(collection), record_id, nearest(record_id, self.ids(collection)))
        return _record(row)

    def records(self, collection: str) -> Iterator[Record]:
        """Every record of a collection, by id."""
        rows = self._connection.execute("SELECT collection, id, label, path, data FROM records WHERE collection = ? ORDER BY id", (collection,))
        return map(_record, rows)

    def referrers(self, collection: str, record_id: str) -> list[Referrer]:
        """Who points at this record, sorted by collection and id."""
        rows = self._connection.execute(
            "SELECT r.collection, r.id, r.label, l.field FROM refs l JOIN records r ON r.collection = l.from_collection AND r.id = l.from_id"
            " WHERE l.to_collection = ? AND l.to_id = ? ORDER BY r.collection, r.id, l.field",
            (collection, record_id),
        )
        return [Referrer(*row) for row in rows]

    # --- names --------------------------------------------------------------------------------------------------------

    def resolve(self, collection: str, name: str) -> str:
        """The id that `name` stands for: an id, a Hub id, a name or an alias, in any case.

        Raises `AmbiguousName` where several records answer to it, `RecordNotFound` with the nearest names where none does.
        """
        key = name_key(name)
        rows = self._connection.execute(
            "SELECT id, MIN(tier) FROM names WHERE collection = ? AND key = ? GROUP BY id ORDER BY 2, 1", (collection, key)
        ).fetchall()
        best = [record_id for record_id, tier in rows if tier == rows[0][1]]
        if len(best) == 1:
            return str(best[0])
        if len(best) > 1:
            raise AmbiguousName(singular(collection), name, best)
        raise self._not_found(collection, name, key)

    def _not_found(self, collection: str, name: str, key: str) -> AmbiguousName | RecordNotFound:
        """Records whose names contain every word typed are listed; else those spelled most alike."""
        words = set(key.split())
        known: dict[str, str] = {}
        for spelled, record_id in self._connection.execute("SELECT key, id FROM names WHERE collection = ? ORDER BY tier, id", (collection,)):
            known.setdefault(spelled, record_id)
        holding = sorted({record_id for spelled, record_id in known.items() if words and words <= set(spelled.split())})
        if 1 < len(holding) <= 12:
            return AmbiguousName(singular(collection), name, holding)
        suggestions = holding if len(holding) == 1 else list(dict.fromkeys(known[spelled] for spelled in nearest(key, known, 6)))[:3]
        return RecordNotFound(singular(collection), name, suggestions, f"see them all with 'llmops-catalog list {collection}'")

    def find(self, name: str) -> Record:
        """The record of whatever collection that answers to `name` or to ``collection/id``."""
        collection, _, rest = name.partition("/")
        if rest and collection in self.counts:
            return self.record(collection, self.resolve(collection, rest))
        rows = self._connection.execute("SELECT collection, id, MIN(tier) FROM names WHERE key = ? GROUP BY collection, id ORDER BY 3", (name_key(name),)).fetchall()
        best = [f"{row[0]}/{row[1]}" for row in rows if row[2] == rows[0][2]]
        if len(best) > 1:
            raise AmbiguousName("record", name, best)
        if best:
            return self.record(rows[0][0], rows[0][1])
        known = {key: f"{collection}/{record_id}" for key, collection, record_id in self._connection.execute("SELECT key, collection, id FROM names")}
        suggestions = list(dict.fromkeys(known[key] for key in nearest(name_key(name), known, 6)))[:3]
        raise RecordNotFound("record", name, suggestions, "search for it with 'llmops-catalog search WORDS'")

    # --- facts for the estimator --------------------------------------------------------------------------------------

    def model(self, name: str) -> ModelFacts:
        """The facts of one model the estimator needs. Raises `RecordNotFound` or `AmbiguousName`."""
        record = self.record("models", self.resolve("models", name))
        return model_facts(record.id, record.data)

    def gpu(self, name: str) -> GpuFacts:
        """The facts of one card the estimator needs. Raises `RecordNotFound` or `AmbiguousName`."""
        record = self.record("gpus", self.resolve("gpus", name))
        return gpu_facts(record.id, record.data, self._lowest_rentals.get(record.id))

    def models(self) -> Iterator[ModelFacts]:
        """The facts of every model."""
        return (model_facts(record.id, record.data) for record in self.records("models"))

    def gpus(self) -> Iterator[GpuFacts]:
        """The facts of every card."""
        rentals = self._lowest_rentals
        return (gpu_facts(record.id, record.data, rentals.get(record.id)) for record in self.records("gpus"))

    @cached_property
    def _lowest_rentals(self) -> Mapping[str, RentalFacts]:
        """The lowest known on-demand price of one card-hour, by card."""
        rows = self._connection.execute(
            "SELECT gpu, MIN(usd_per_gpu_hour), provider, as_of, source FROM rentals WHERE kind = 'on-demand' GROUP BY gpu"
        )
        return {gpu: RentalFacts(amount, provider, as_of, "USD", source) for gpu, amount, provider, as_of, source in rows}

    # --- search -------------------------------------------------------------------------------------------------------

    def search(self, words: str, limit: int = 20) -> list[Hit]:
        """Records that contain all words (by prefix), best first; names weigh more than text. Any input is safe."""
        terms = re.findall(r"[^\W_]+(?:\.[^\W_]+)*", words.casefold())[:12]
        if not terms:
            return []
        query = " AND ".join(f'"{term[:60]}"*' for term in terms)
        rows = self._connection.execute(
            "SELECT collection, id, label, summary, bm25(texts, 0, 0, 10.0, 8.0, 2.0, 1.0) AS rank FROM texts WHERE texts MATCH ?"
            " ORDER BY rank, collection, id LIMIT ?",
            (query, limit),
        )
        return [Hit(*row) for row in rows]


def singular(collection: str) -> str:
    """The word for one record of a collection."""
    return COLLECTION_WORDS.get(collection, collection.removesuffix("s"))


def _record(row: tuple[str, str, str, str, str]) -> Record:
    return Record(*row[:4], data=json.loads(row[4]))

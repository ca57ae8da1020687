"""The trusted, immutable Catalog: records by id, names people type, who refers to whom, full-text search. Reads SQLite only."""

import contextlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from llmops_catalog.catalog.facts import gpu_facts, model_facts
from llmops_catalog.catalog.names import name_key
from llmops_catalog.errors import AmbiguousName, RecordNotFound
from llmops_catalog.fit.facts import GpuFacts, ModelFacts, RentalFacts
from llmops_catalog.fit.quality import QualityFacts
from llmops_catalog.fit.support import Rule, Support
from llmops_catalog.problems import nearest

if TYPE_CHECKING:
    from pathlib import Path

    from llmops_catalog.catalog.search import Hit

COLLECTION_WORDS = {"gpus": "GPU"}
"""How a collection's records are called in a sentence, where it is not just the folder name without its 's'."""

THINGS = ("models/", "gpus/")
"""What people mean by a name that other collections use too."""


class Record(NamedTuple):
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


class Referrer(NamedTuple):
    """A record that points at another one, and from which field (``uses[].model``)."""

    collection: str
    id: str
    label: str
    field: str


class Catalog:
    """All records of one catalog folder. Made by `load_catalog`; safe to share, never changes."""

    def __init__(self, connection: sqlite3.Connection, folder: str) -> None:
        self._connection = connection
        self._folder = folder

    @property
    def path(self) -> "Path":
        """The folder the records lie in."""
        from pathlib import Path

        return Path(self._folder)

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy, or the same catalog in another process, is opened anew: two never share a file handle."""
        from llmops_catalog.catalog import load_catalog

        return load_catalog, (self.path.absolute(),)

    def __del__(self) -> None:
        """Gives the file back; nobody has to think of closing a catalog."""
        with contextlib.suppress(AttributeError, sqlite3.Error):
            self._connection.close()

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
        """Every record of a collection, by id. The catalog stays open as long as somebody reads on."""
        rows = self._connection.execute(
            "SELECT collection, id, label, path, data FROM records WHERE collection = ? ORDER BY id", (collection,)
        )
        for row in rows:
            yield _record(row)

    def referrers(self, collection: str, record_id: str) -> list[Referrer]:
        """Who points at this record, sorted by collection and id."""
        rows = self._connection.execute(
            "SELECT r.collection, r.id, r.label, l.field FROM refs l"
            " JOIN records r ON r.collection = l.from_collection AND r.id = l.from_id"
            " WHERE l.to_collection = ? AND l.to_id = ? ORDER BY r.collection, r.id, l.field",
            (collection, record_id),
        )
        return [Referrer(*row) for row in rows]

    # --- names --------------------------------------------------------------------------------------------------------

    def resolve(self, collection: str, name: str) -> str:
        """The id that `name` stands for: an id, a Hub id, an alias or a name, in any case.

        Raises `AmbiguousName` where several records answer to it, `RecordNotFound` with the nearest names where none does.
        """
        exact = self._connection.execute("SELECT key, id, tier FROM names WHERE key = ? AND collection = ?", (name_key(name), collection))
        return _only(exact) or _judged(
            singular(collection), name, self._connection.execute("SELECT key, id, tier FROM names WHERE collection = ?", (collection,)),
            f"see them all with 'llmops-catalog list {collection}'",
        )  # fmt: skip

    def find(self, name: str) -> Record:
        """The record of whatever collection that answers to `name` or to ``collection/id``; a name means the model or card before a family
        or a notebook called after it. Raises as `resolve`.
        """
        collection, _, rest = name.partition("/")
        if rest and collection in self.counts:
            return self.record(collection, self.resolve(collection, rest))
        exact = self._connection.execute("SELECT key, collection || '/' || id, tier FROM names WHERE key = ?", (name_key(name),)).fetchall()
        if things := [row for row in exact if row[1].startswith(THINGS)]:
            exact = things
        answer = _only(exact) or _judged(
            "record", name, exact or self._connection.execute("SELECT key, collection || '/' || id, tier FROM names"),
            "search for it with 'llmops-catalog search WORDS'",
        )  # fmt: skip
        found, _, record_id = answer.partition("/")
        return self.record(found, record_id)

    # --- facts for the estimator --------------------------------------------------------------------------------------

    def model(self, name: str) -> ModelFacts:
        """The facts of one model the estimator needs. Raises `RecordNotFound` or `AmbiguousName`."""
        record = self.record("models", self.resolve("models", name))
        return model_facts(record.id, record.data, self.support, self._mentions.get(record.id, 0))

    def gpu(self, name: str) -> GpuFacts:
        """The facts of one card the estimator needs. Raises `RecordNotFound` or `AmbiguousName`."""
        record = self.record("gpus", self.resolve("gpus", name))
        return gpu_facts(record.id, record.data, self._offers.get(record.id, ()))

    def models(self) -> Iterator[ModelFacts]:
        """The facts of every model."""
        mentions = self._mentions
        return (model_facts(record.id, record.data, self.support, mentions.get(record.id, 0)) for record in self.records("models"))

    def gpus(self) -> Iterator[GpuFacts]:
        """The facts of every card."""
        offers = self._offers
        return (gpu_facts(record.id, record.data, offers.get(record.id, ())) for record in self.records("gpus"))

    @cached_property
    def support(self) -> Support:
        """Which runtime loads which quantization, the rules of hardware and software, and what quantizations cost in quality."""
        row = self._connection.execute("SELECT written FROM support").fetchone()
        written = json.loads(row[0]) if row else {"loaded_by": {}, "rules": [], "quality": []}
        rules = (Rule._make(tuple(value) if isinstance(value, list) else value for value in rule) for rule in written["rules"])
        loaded_by = {name: tuple(runtimes) for name, runtimes in written["loaded_by"].items()}
        return Support(loaded_by, rules, map(QualityFacts._make, written["quality"]))

    @cached_property
    def _mentions(self) -> Mapping[str, int]:
        """How many records refer to each model."""
        rows = self._connection.execute(
            "SELECT to_id, COUNT(DISTINCT from_collection || '/' || from_id) FROM refs WHERE to_collection = 'models' GROUP BY to_id"
        )
        return dict(rows.fetchall())

    @cached_property
    def _offers(self) -> Mapping[str, tuple[RentalFacts, ...]]:
        """The lowest known on-demand prices of one card-hour, by card and number of cards in the instance: with and without a day."""
        rows = self._connection.execute(
            "SELECT gpu, MIN(usd_per_gpu_hour), provider, as_of, source, gpus FROM rentals WHERE kind = 'on-demand'"
            " GROUP BY gpu, gpus, as_of IS NULL ORDER BY gpu, usd_per_gpu_hour, gpus"
        )
        offers: dict[str, tuple[RentalFacts, ...]] = {}
        for gpu, amount, provider, as_of, source, gpus in rows:
            offers[gpu] = (*offers.get(gpu, ()), RentalFacts(amount, provider, as_of, "USD", source, gpus))
        return offers

    # --- search -------------------------------------------------------------------------------------------------------

    def search(self, words: str, limit: int = 20) -> "list[Hit]":
        """Records that contain all words (by prefix), best first; a record called just that comes first. Any input is safe."""
        from llmops_catalog.catalog.search import search

        return search(self._connection, words, limit)

    def spelled_alike(self, words: str) -> str:
        """What to search for instead where nothing holds all words; empty where nothing is near."""
        from llmops_catalog.catalog.search import spelled_alike

        return spelled_alike(self._connection, words)


def _only(rows: Iterable[tuple[str, str, int]]) -> str | None:
    """The one record of the best tier among (key, id, tier) rows, if there is just one."""
    best = sorted((tier, record_id) for _, record_id, tier in rows)
    return best[0][1] if best and all(record_id == best[0][1] for tier, record_id in best if tier == best[0][0]) else None


def _judged(kind: str, name: str, rows: Iterable[tuple[str, str, int]], hint: str) -> str:
    """The only record of the best tier that answers to `name`; `rows` are (key, id, tier) of all there are.

    Raises `AmbiguousName` with several, or with those whose names contain every word typed; else `RecordNotFound` with those spelled
    most alike.
    """
    wanted = name_key(name)
    known = sorted(rows, key=lambda row: (row[2], row[1]))
    answering = [row for row in known if row[0] == wanted]
    if only := _only(answering):
        return only
    words = set(wanted.split())
    best = {record_id for _, record_id, tier in answering if tier == answering[0][2]}
    holding = sorted(best or {record_id for key, record_id, _ in known if words and words <= set(key.split())})
    if len(holding) > 1:
        raise AmbiguousName(kind, name, holding)
    spelled = {key: record_id for key, record_id, _ in reversed(known)}
    suggestions = holding if len(holding) == 1 else list(dict.fromkeys(spelled[key] for key in nearest(wanted, spelled, 6)))[:3]
    raise RecordNotFound(kind, name, suggestions, hint)


def singular(collection: str) -> str:
    """The word for one record of a collection."""
    return COLLECTION_WORDS.get(collection, collection.removesuffix("s"))


def _record(row: tuple[str, str, str, str, str]) -> Record:
    return Record(*row[:4], data=json.loads(row[4]))

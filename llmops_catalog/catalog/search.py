"""Full-text search over the compiled catalog: all words by their beginnings, what is called so first. Any input is safe."""

import re
import sqlite3
from typing import NamedTuple

from llmops_catalog.catalog.names import TIER_ALIAS, name_key
from llmops_catalog.problems import nearest

MOST_TERMS, MOST_CHARACTERS = 12, 60
_TERM = r"[^\W_]+(?:\.[^\W_]+)*"
_NAME_THEN_NUMBER = r"([^\W\d_]{2,})(\d.*)"

_EXACT = 1000
"""A record called just that comes before everything else; twice this for an alias, which somebody chose."""
_FAVOURED = {
    "models": 3.0, "gpus": 3.0, "families": 2.0, "concepts": 2.0, "quantizations": 2.0, "frameworks": 2.0, "courses": 1.0, "resources": 1.0,
    "notebooks": 1.0, "paths": 1.0, "providers": 1.0, "measurements": -2.0, "claims": -2.0, "lists": -4.0, "prerequisites": -2.0,
}  # fmt: skip
"""How far a collection is moved up: who types a name means the thing before what was measured or said about it."""
_PER_REFERENCE, _MOST_REFERENCES = 0.15, 20
"""What other records point at is what people mean: among equals the one with more references comes first."""


class Hit(NamedTuple):
    """One search result; a lower `rank` is better."""

    collection: str
    id: str
    label: str
    summary: str
    rank: float


def search(connection: sqlite3.Connection, words: str, limit: int = 20) -> list[Hit]:
    """Records that contain all words, best first."""
    terms = _terms(words)
    if not terms:
        return []
    favour = " ".join(f"WHEN '{collection}' THEN {weight}" for collection, weight in _FAVOURED.items())
    rows = connection.execute(
        "SELECT t.collection, t.id, t.label, t.summary, bm25(texts, 0, 0, 10.0, 8.0, 2.0, 1.0)"  # noqa: S608  (constants only)
        f" - CASE t.collection {favour} ELSE 0 END"
        f" - {_PER_REFERENCE} * MIN({_MOST_REFERENCES}, "
        "   (SELECT COUNT(*) FROM refs r WHERE r.to_collection = t.collection AND r.to_id = t.id))"
        f" - {_EXACT} * COALESCE("
        "   (SELECT MAX(tier = ?) + 1 FROM names n WHERE n.key = ? AND n.collection = t.collection AND n.id = t.id), 0)"
        " AS score FROM texts t WHERE texts MATCH ? ORDER BY score, LENGTH(t.label), t.collection, t.id LIMIT ?",
        (TIER_ALIAS, name_key(words), " AND ".join(map(_expression, terms)), limit),
    )
    return [Hit(*row) for row in rows]


def spelled_alike(connection: sqlite3.Connection, words: str) -> str:
    """The words with each one the catalog does not hold replaced by the nearest it does; empty where none is near."""
    terms = _terms(words)
    known = {term: _is_known(connection, term) for term in terms}
    if not terms or all(known.values()):
        return ""
    vocabulary = {word for (key,) in connection.execute("SELECT DISTINCT key FROM names") for word in key.split() if len(word) > 2}
    corrected = [term if known[term] else next(iter(nearest(term, sorted(vocabulary), 1)), "") for term in terms]
    return " ".join(corrected) if all(corrected) else ""


def _is_known(connection: sqlite3.Connection, term: str) -> bool:
    return connection.execute("SELECT 1 FROM texts WHERE texts MATCH ? LIMIT 1", (_expression(term),)).fetchone() is not None


def _terms(words: str) -> list[str]:
    return [term[:MOST_CHARACTERS] for term in re.findall(_TERM, words[:1000].casefold())[:MOST_TERMS]]


def _expression(term: str) -> str:
    """A word by its beginning; a name run together with its number also apart: ``rtx4090`` finds RTX 4090."""
    together = f'"{term}"*'
    if apart := re.fullmatch(_NAME_THEN_NUMBER, term):
        return f'({together} OR ("{apart[1]}" AND "{apart[2]}"*))'
    return together

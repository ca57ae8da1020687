"""What only shows between records: references that lead nowhere or in a circle, names and addresses claimed twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from llmops_catalog.catalog.load import RecordFile
from llmops_catalog.catalog.names import name_key, names_of
from llmops_catalog.problems import Problem, did_you_mean, nearest
from llmops_catalog.schema import COLLECTIONS, SINGULAR
from llmops_catalog.schema.references import reference_fields, values_at
from llmops_catalog.schema.urls import canonical_url

NO_CIRCLES = {
    "models": ("base_model", "replaced_by"), "families": ("successor_of", "built_on"), "architectures": ("successor_of",),
    "frameworks": ("superseded_by",), "paths": ("after",), "prerequisites": ("needs",),
}  # fmt: skip
"""References that must not lead back to where they started, by collection."""


@dataclass(frozen=True, slots=True)
class Reference:
    """One id standing in one record: from where, at which place in the file, to which record."""

    source: RecordFile
    place: tuple[str | int, ...]
    field: str
    collection: str
    id: str
    written: str

    @property
    def to_any(self) -> bool:
        """True where the field may point into any collection, so that ids are written ``collection/id``."""
        return self.written != self.id

    def problem(self, code: str, message: str, hint: str) -> Problem:
        """A finding at the reference's place."""
        at = self.source.document.place(self.place)
        return Problem(self.source.path, at.line, at.column, code, message, hint)


def references(records: Iterable[RecordFile]) -> Iterator[Reference]:
    """Every reference of every record, whether or not its target exists."""
    for record in records:
        for field in reference_fields(record.collection):
            for place, value in values_at(record.document.data, field.path):
                if isinstance(value, (dict, list, bool)):
                    continue  # of the wrong type, and reported as that
                text = str(getattr(value, "as_written", value))
                collection, target = (field.collection, text) if field.collection != "*" else _split(text)
                yield Reference(record, place, field.name, collection, target, text)


def _split(text: str) -> tuple[str, str]:
    collection, _, target = text.partition("/")
    return collection, target


def check_references(records: tuple[RecordFile, ...], known_ids: dict[str, set[str]]) -> Iterator[Problem]:
    """Dangling references, then circles. `known_ids` holds every id by collection, those of invalid files too."""
    edges: dict[tuple[str, str], list[tuple[str, Reference]]] = {}
    for reference in references(records):
        if reference.collection not in COLLECTIONS:
            yield _no_collection(reference, known_ids)
        elif reference.id not in known_ids[reference.collection]:
            yield _dangling(reference, known_ids[reference.collection])
        elif reference.field.removesuffix("[]") in NO_CIRCLES.get(reference.source.collection, ()):
            edges.setdefault((reference.source.collection, reference.field), []).append((reference.source.id, reference))
    for (_, field), arrows in sorted(edges.items(), key=lambda item: item[0]):
        yield from _circles(field, arrows)


def _no_collection(reference: Reference, known_ids: dict[str, set[str]]) -> Problem:
    """A reference to anything that does not start with a collection: most often only the id was written."""
    homes = [f"{collection}/{reference.written}" for collection, ids in known_ids.items() if reference.written in ids]
    spelled = [f"{collection}/{reference.id}" if reference.id else collection for collection in nearest(reference.collection, COLLECTIONS)]
    hint = did_you_mean(homes[:3]) or did_you_mean(spelled) or "write collection/id, for example models/qwen/qwen3-8b"
    return reference.problem("unknown-collection", f"{reference.written[:120]!r} does not start with a collection", hint)


def _dangling(reference: Reference, ids: set[str]) -> Problem:
    singular = SINGULAR[reference.collection]
    near = [f"{reference.collection}/{known}" if reference.to_any else known for known in _nearest_ids(reference.id, ids)]
    hint = (
        did_you_mean(near)
        or f"see 'llmops-catalog list {reference.collection}', or add catalog/{reference.collection}/{reference.id[:80]}.yaml"
    )
    return reference.problem(f"unknown-{singular}", f"{reference.id[:120]!r} is not in catalog/{reference.collection}", hint)


def _nearest_ids(wanted: str, ids: set[str]) -> list[str]:
    """Ids spelled alike, or those whose last part is the one asked for (`l4` for `nvidia/l4`)."""
    tail = wanted.rpartition("/")[2].casefold()
    same_tail = sorted(known for known in ids if known.rpartition("/")[2] == tail)
    return same_tail[:3] or nearest(wanted, sorted(ids))


def _circles(field: str, arrows: list[tuple[str, Reference]]) -> Iterator[Problem]:
    """Each circle once, reported at its smallest id."""
    out: dict[str, list[Reference]] = {}
    for start, reference in arrows:
        out.setdefault(start, []).append(reference)
    finished: set[str] = set()
    for start in sorted(out):
        if start in finished:
            continue
        trail: dict[str, Reference | None] = {start: None}  # the nodes walked, each with the reference that leads on from it
        steps = [iter(out[start])]
        while steps:
            onward = next(steps[-1], None)
            if onward is None:
                steps.pop()
                finished.add(trail.popitem()[0])
                continue
            trail[onward.source.id] = onward
            if onward.id in trail:
                nodes = list(trail)
                yield _circle(field, {node: trail[node] for node in nodes[nodes.index(onward.id) :]})
            elif onward.id not in finished:
                trail[onward.id] = None
                steps.append(iter(out.get(onward.id, ())))


def _circle(field: str, arrows: dict[str, Reference | None]) -> Problem:
    nodes = list(arrows)
    first = nodes.index(min(nodes))
    nodes = [*nodes[first:], *nodes[:first]]
    shown = " -> ".join([*nodes[:6], "..." if len(nodes) > 6 else nodes[0]])
    reference = arrows[nodes[0]]
    assert reference is not None  # noqa: S101  (every node of a circle leads on)
    return reference.problem("reference-circle", f"{field.removesuffix('[]')} leads in a circle: {shown}", "remove one of these references")


def check_names(records: tuple[RecordFile, ...]) -> Iterator[Problem]:
    """An alias belongs to one record, and is no other record's id or name, unless that is the model it was tuned from: who says
    "llama 3.1 8b" means the one that answers.
    """
    owners: dict[tuple[str, str], str] = {}
    for record in records:
        for key, _ in names_of(record.collection, record.id, {**record.document.data, "aliases": ()}):
            owners.setdefault((record.collection, key), record.id)
    claims: dict[tuple[str, str], RecordFile] = {}
    for record in records:
        seen: set[str] = set()
        for place, alias in values_at(record.document.data, ("aliases", "*")):
            key = name_key(str(getattr(alias, "as_written", alias)))
            at = record.document.place(place)
            owner = owners.get((record.collection, key))
            first = claims.setdefault((record.collection, key), record)
            if key in seen:
                yield Problem(
                    record.path, at.line, at.column, "duplicate-alias", f"the alias {str(alias)[:80]!r} stands here twice", "keep one"
                )
            elif first is not record:
                yield Problem(
                    record.path,
                    at.line,
                    at.column,
                    "duplicate-alias",
                    f"the alias {str(alias)[:80]!r} is claimed by {first.path} too",
                    "give it to one of them",
                )
            elif owner is not None and owner not in (record.id, record.document.data.get("base_model")):
                yield Problem(
                    record.path,
                    at.line,
                    at.column,
                    "duplicate-alias",
                    f"the alias {str(alias)[:80]!r} is the name of {owner} already",
                    "remove it here",
                )
            seen.add(key)


def check_addresses(records: tuple[RecordFile, ...]) -> Iterator[Problem]:
    """Two records of one collection that are identified by one address are one record."""
    owners: dict[tuple[str, str, str], RecordFile] = {}
    for record in sorted(records, key=lambda record: not _is_named_after_address(record)):
        for field in COLLECTIONS[record.collection].url_fields:
            address = _identity(record.document.data.get(field))
            if address is None:
                continue
            first = owners.setdefault((record.collection, field, address), record)
            if first is not record:
                at = record.document.place((field,))
                yield Problem(
                    record.path,
                    at.line,
                    at.column,
                    "duplicate-address",
                    f"{field} is the same as in {first.path}{_as_spelled(first, field, record)}",
                    "make them one record, or correct one of the two",
                )


def _is_named_after_address(record: RecordFile) -> bool:
    """True for a model in the file that its Hub id asks for: of two with one Hub id, the other one has copied it."""
    return record.id == str(record.document.data.get("hub_id", "")).casefold()


def _identity(value: Any) -> str | None:
    """What makes an address field unique: the canonical URL, a Hub id in any case, a file in a repository at a commit."""
    if isinstance(value, dict):
        return "|".join(str(_identity(value.get(part)) or "") for part in ("repository", "path", "commit"))
    if not isinstance(value, str):
        return None
    try:
        return canonical_url(value) if value.startswith("http") else value.casefold()
    except ValueError:
        return None  # no address at all, and reported as that


def _as_spelled(first: RecordFile, field: str, record: RecordFile) -> str:
    """The other record's spelling, where the two only mean the same."""
    other = first.document.data[field]
    return "" if isinstance(other, dict) or other == record.document.data[field] else f" (written {str(other)[:120]!r} there)"


def known_ids(records: Iterable[RecordFile]) -> dict[str, set[str]]:
    """Every id by collection; a record that is invalid in itself still exists for those who refer to it."""
    ids: dict[str, set[str]] = {collection: set() for collection in COLLECTIONS}
    for record in records:
        ids[record.collection].add(record.id)
    return ids

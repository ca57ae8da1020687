"""Where a family of models comes from and what came of it: its line, its members, and the tree of what was tuned from what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache

from llmops_catalog.catalog import Record
from llmops_catalog.render import text
from llmops_catalog.render.views.library import Library
from llmops_catalog.render.views.parts import Block, Cell, Column, Items, Node, Row, Span, Table, Tree, joined, plain, without_empty

MOST_CHILDREN = 40
"""Of one node of a tree; famous models have more offspring than a page should list."""


class Lineage:
    """Who descends from whom, read once off all models and families."""

    def __init__(self, library: Library) -> None:
        self.library = library

    @staticmethod
    @lru_cache(maxsize=1)
    def of(library: Library) -> Lineage:
        """The lineage of this library's records, made once."""
        return Lineage(library)

    @cached_property
    def members(self) -> Mapping[str, tuple[Record, ...]]:
        """The models of each family, small ones first."""
        found: dict[str, list[Record]] = {}
        for record in self.library.records["models"].values():
            found.setdefault(record.data["family"], []).append(record)
        return {family: tuple(sorted(records, key=_by_size)) for family, records in found.items()}

    @cached_property
    def tuned_from(self) -> Mapping[str, tuple[Record, ...]]:
        """The models whose `base_model` is this one."""
        return self._children("models", "base_model")

    @cached_property
    def successors(self) -> Mapping[str, tuple[Record, ...]]:
        """The families that continue this one."""
        return self._children("families", "successor_of")

    @cached_property
    def built_on(self) -> Mapping[str, tuple[Record, ...]]:
        """The families of others that started from the weights of this one."""
        return self._children("families", "built_on")

    def _children(self, collection: str, field: str) -> Mapping[str, tuple[Record, ...]]:
        found: dict[str, list[Record]] = {}
        for record in self.library.records[collection].values():
            parents = record.data.get(field) or ()
            for parent in (parents,) if isinstance(parents, str) else parents:
                found.setdefault(parent, []).append(record)
        return {parent: tuple(sorted(records, key=_by_date)) for parent, records in found.items()}

    def line(self, family: Record) -> list[Record]:
        """The families of the same line, oldest first, this one among them: all it continues, and all that continue it."""
        before: list[Record] = []
        earlier: Record | None = family
        while earlier is not None and earlier not in before:
            before.insert(0, earlier)
            earlier = self.library.get("families", earlier.data.get("successor_of") or "")
        after: list[Record] = []
        ahead = [*self.successors.get(family.id, ())]
        while ahead:
            later = ahead.pop(0)
            if later not in (*before, *after):
                after.append(later)
                ahead += self.successors.get(later.id, ())
        return before + sorted(after, key=_by_date)


def family_sections(library: Library, lineage: Lineage, record: Record) -> Iterator[Block]:
    """The sections of a family's page."""
    members = lineage.members.get(record.id, ())
    if members:
        yield _members(library, members)
    line = lineage.line(record)
    if len(line) > 1:
        yield Items(tuple((_step(library, entry, record),) for entry in line), title="The line, oldest first", anchor="line", ordered=True)
    if roots := tuple(_roots(library, lineage, record, members)):
        note = plain("Each model hangs on the one it was tuned, distilled or merged from, as far as its developer says so.")
        yield Tree(roots, title="What came from what", anchor="lineage", note=note)
    if offspring := lineage.built_on.get(record.id):
        links = joined(((library.link("families", child.id),) for child in offspring), ", ")
        yield Items((links,), title="Families built on it", anchor="built-on", css="plain")


def _members(library: Library, members: tuple[Record, ...]) -> Table:
    rows = tuple(_member(library, member) for member in members)
    columns = (
        Column("Model"), Column("Parameters", "n"), Column("Active", "n"), Column("Context", "n"), Column("Tuned for"),
        Column("Released", "d"),
    )  # fmt: skip
    return without_empty(Table("Models of the family", columns, rows, title="Its models", anchor="models", tools=len(rows) > 8, stack=True))


def _member(library: Library, member: Record) -> Row:
    parameters, context = member.data["parameters"], member.data["context"].get("maximum")
    active = parameters.get("active")
    return Row((
        Cell((library.link("models", member.id),), sort=member.label),
        Cell(plain(text.billions(parameters["total"])), sort=parameters["total"], css="n"),
        Cell(plain(text.billions(active)), sort=active, css="n") if active else Cell(css="n"),
        Cell(plain(text.short_tokens(context)), sort=context, css="n") if context else Cell(css="n"),
        Cell(plain(member.data.get("tuning") or "")),
        Cell(plain(member.data.get("released") or ""), sort=member.data.get("released"), css="d"),
    ))  # fmt: skip


def _step(library: Library, entry: Record, here: Record) -> Span:
    released = f" ({entry.data['released'][:4]})" if entry.data.get("released") else ""
    if entry.id == here.id:
        return Span(f"{entry.label}{released}", css="b")
    return library.link("families", entry.id, f"{entry.label}{released}")


def _roots(library: Library, lineage: Lineage, family: Record, members: tuple[Record, ...]) -> Iterator[Node]:
    """Trees of the family: from its own bases, and from models of other families that its members were made from."""
    inside = {member.id for member in members}
    foreign: dict[str, list[Record]] = {}
    for member in members:
        parent = member.data.get("base_model")
        if parent is None:
            children = lineage.tuned_from.get(member.id, ())
            if children or len(members) > 1:
                yield _branch(library, lineage, member, family.id, set())
        elif parent not in inside:
            foreign.setdefault(parent, []).append(member)
    for parent, children_here in sorted(foreign.items()):
        origin = library.get("models", parent)
        spans = _named(library, origin, family.id) if origin else plain(parent)
        yield Node(spans, tuple(_branch(library, lineage, child, family.id, {parent}) for child in children_here))


def _branch(library: Library, lineage: Lineage, model: Record, family: str, above: set[str]) -> Node:
    children = [child for child in lineage.tuned_from.get(model.id, ()) if child.id not in above]
    branches = [_branch(library, lineage, child, family, {*above, model.id}) for child in children[:MOST_CHILDREN]]
    if len(children) > MOST_CHILDREN:
        branches.append(Node(plain(f"and {len(children) - MOST_CHILDREN} more")))
    return Node(_named(library, model, family), tuple(branches))


def _named(library: Library, model: Record, family: str) -> tuple[Span, ...]:
    """The model, and its family where that is another one."""
    spans = (library.link("models", model.id),)
    if model.data["family"] == family:
        return spans
    return (*spans, Span(" of "), library.link("families", model.data["family"], css="muted"))


def _by_size(record: Record) -> tuple[int, str]:
    return record.data["parameters"]["total"], record.id


def _by_date(record: Record) -> tuple[str, str]:
    return record.data.get("released") or "9999", record.id

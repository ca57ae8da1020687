"""What runs where: support tables of frameworks, the same read from a quantization's side, and rules of hardware and software."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from llmops_catalog.catalog import Record
from llmops_catalog.render.views import wording
from llmops_catalog.render.views.library import Library
from llmops_catalog.render.views.parts import Block, Cell, Column, Prose, Row, Span, Table, joined, plain, web_link, without_empty

STATES = {"native": ("runs", "v vf"), "emulated": ("emulated", "v vt"), "unsupported": ("no", "v vn"), "unknown": ("unknown", "v vq")}

Data = Mapping[str, Any]


def framework_sections(library: Library, record: Record) -> Iterator[Block]:
    """Least hardware, formats by hardware, cache types; each row with the version it was read for."""
    if floors := record.data.get("floors"):
        rows = tuple(
            Row((Cell(plain(wording.platform(floor["platform"]))), Cell(plain(floor["requirement"])), *_read_for(floor)))
            for floor in floors
        )
        columns = (Column("Hardware"), Column("Needs at least"), *_READ_FOR)
        yield without_empty(Table("Least hardware", columns, rows, title="Least hardware", anchor="floors", stack=True))
    if cells := record.data.get("format_support"):
        rows = tuple(
            Row((Cell(plain(cell["format"])), _quantizations(library, cell), *_hardware(cell), _state(cell), *_read_for(cell)))
            for cell in cells
        )
        across = (Column("Format"), Column("Here called"), *_HARDWARE, Column("State", facet=True), *_READ_FOR)
        note = plain(
            "Emulated: it loads, but computes through another precision than the checkpoint means. Each row is one version's table."
        )
        title, tools = "Formats by hardware", len(rows) > 8
        yield without_empty(Table(title, across, rows, title=title, anchor="format-support", note=note, tools=tools, stack=True))
    if caches := record.data.get("cache_support"):
        rows = tuple(
            Row((
                Cell(plain(cache["cache_type"])), Cell(plain(wording.platform(cache["platform"]))),
                Cell(plain(cache.get("requirement") or "")),
                *_read_for(cache),
            ))
            for cache in caches
        )  # fmt: skip
        kinds = (Column("Cache type"), Column("Hardware"), Column("Needs"), *_READ_FOR)
        yield without_empty(Table("Key/value cache", kinds, rows, title="Types of key/value cache", anchor="cache-support", stack=True))


def quantization_sections(library: Library, record: Record) -> Iterator[Block]:
    """Which software runs it on which hardware, gathered from the frameworks' tables."""
    rows = [
        Row((Cell((library.link("frameworks", framework.id),), sort=framework.label), *_hardware(cell), _state(cell), *_read_for(cell)))
        for framework in library.records["frameworks"].values()
        for cell in framework.data.get("format_support", ())
        if record.id in cell.get("quantizations", ())
    ]
    if rows:
        columns = (Column("Software", facet=True), *_HARDWARE, Column("State", facet=True), *_READ_FOR)
        yield without_empty(
            Table("Which software runs it where", columns, tuple(rows), title="Which software runs it where", anchor="support",
                  tools=len(rows) > 8, stack=True)
        )  # fmt: skip


def rule_sections(library: Library, record: Record) -> Iterator[Block]:
    """The rule as a sentence: when it applies, what it asks for, what happens otherwise."""
    data = record.data
    scope, needs = data["applies_to"], data.get("needs") or {}
    applies = [
        ("in", tuple(plain(wording.named("runtime", name)) for name in scope.get("runtimes", ()))),
        ("with", tuple((library.link("quantizations", name),) for name in scope.get("quantizations", ()))),
        ("with a cache in", tuple(plain(name) for name in scope.get("cache_types", ()))),
        ("on cards of", tuple(plain(wording.named("vendor", name)) for name in scope.get("vendors", ()))),
        ("for models of the kind", tuple(plain(name) for name in scope.get("model_kinds", ()))),
    ]
    said = (
        [Span("It is about every question", css="b")]
        if not any(names for _, names in applies)
        else [Span("It is about questions", css="b")]
    )
    for word, names in applies:
        if names:
            said += [Span(f" {word} "), *joined(names, ", ")]
    asks = []
    if needs.get("min_compute_capability"):
        asks.append(f"compute capability {needs['min_compute_capability']} or more")
    if needs.get("architectures"):
        asks.append(f"a card of {_listed(needs['architectures'])}")
    if needs.get("flash_attention"):
        asks.append("flash attention")
    if needs.get("number_formats"):
        asks.append(f"a card that has {_listed(needs['number_formats'])}")
    if needs.get("vendors"):
        asks.append(f"a card of {_listed(wording.named('vendor', name) for name in needs['vendors'])}")
    if needs.get("cache_types"):
        asks.append(f"a cache in {_listed(needs['cache_types'])}")
    said.append(Span(f". It asks for {' and '.join(asks)}. Otherwise " if asks else ". Then "))
    outcome = {
        "refused": "it does not run, and our answers say unsupported.",
        "emulated": "it runs emulated, and our answers say so.",
        "slower": "it runs, slower, and our answers say so.",
        "advice": "take care: our answers do not depend on it.",
    }[data["otherwise"]]
    said.append(Span(f"{outcome} What to do: {data['instead']}." if data.get("instead") else outcome))
    yield Prose(tuple(said), title="When it applies", anchor="applies")


def _listed(names: Any) -> str:
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last


def _quantizations(library: Library, cell: Data) -> Cell:
    return Cell(joined(((library.link("quantizations", name, name),) for name in cell.get("quantizations", ())), ", "))


_HARDWARE = (Column("Hardware", facet=True), Column("Generations"), Column("Capability from", "n"))
_READ_FOR = (Column("Version"), Column("Note"), Column("Source"))


def _hardware(cell: Data) -> tuple[Cell, Cell, Cell]:
    return (
        Cell(plain(wording.platform(cell["platform"]))),
        Cell(plain(", ".join(cell.get("architectures", ())))),
        Cell(plain(cell.get("min_compute_capability") or ""), css="n"),
    )


def _state(cell: Data) -> Cell:
    words, css = STATES[cell["state"]]
    return Cell((Span(words, css=css),), sort=words)


def _read_for(cell: Data) -> tuple[Cell, Cell, Cell]:
    return Cell(plain(cell["version"])), Cell(plain(cell.get("note") or "")), Cell((web_link(cell["source"], "source"),))

"""Sections only one collection has: steps of a path, items of a list, readings of a measurement, comparisons, prices."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from llmops_catalog.catalog import Record
from llmops_catalog.render import text
from llmops_catalog.render.views import wording
from llmops_catalog.render.views.facts import FactReader
from llmops_catalog.render.views.library import Library
from llmops_catalog.render.views.parts import Block, Cell, Column, Items, Prose, Row, Span, Table, plain, web_link


def own_sections(library: Library, reader: FactReader, record: Record) -> Iterator[Block]:
    """The collection's own sections, in reading order; most collections have none."""
    if maker := _MAKERS.get(record.collection):
        yield from maker(library, reader, record)


def _path(library: Library, reader: FactReader, record: Record) -> Iterator[Block]:
    for position, step in enumerate(record.data["steps"], 1):
        if step.get("summary"):
            yield Prose(plain(step["summary"]), title=f"{position}. {step['title']}", anchor=f"step-{position}")
        items = tuple((library.link_any(key), *_about(library, key)) for key in step.get("items", ()))
        yield Items(
            items,
            title="" if step.get("summary") else f"{position}. {step['title']}",
            anchor="" if step.get("summary") else f"step-{position}",
            ordered=True,
            css="steps",
        )


def _about(library: Library, key: str) -> tuple[Span, ...]:
    """What kind of thing an item is, and its first sentence."""
    collection, _, record_id = key.partition("/")
    record = library.get(collection, record_id)
    if record is None:
        return ()
    summary = text.first_sentence(str(record.data.get("summary") or ""), 140)
    return (
        Span(" "),
        Span(wording.REFERRERS[collection].removesuffix("s").lower(), css="kind"),
        *([Span(f" {summary}", css="about")] if summary else []),
    )


def _list(library: Library, reader: FactReader, record: Record) -> Iterator[Block]:
    items = record.data.get("items", [])
    linked = sum("record" in item and item["record"] is not None for item in items)
    corrected = sum(bool(item.get("correction")) for item in items)
    rows = []
    for item in items:
        carried = (library.link_any(item["record"]),) if item.get("record") else plain(f"none: {item.get('why_none') or ''}", "lc-gap")
        correction = plain(item.get("correction") or "")
        if item.get("correction_source"):
            correction = (*correction, Span(" "), web_link(item["correction_source"], "shown here"))
        rows.append(
            Row(
                (Cell(plain(item["item_id"], "mono")), Cell(plain(item["text"])), Cell(carried), Cell(correction)),
                anchor=f"item-{item['item_id']}",
            )
        )
    columns = (Column("Item"), Column("In the list"), Column("Record"), Column("Correction"))
    intro = plain(
        f"{len(items)} items in the list's own order: "
        f"{linked} carried by a record, {len(items) - linked} by none (with the reason), {corrected} corrected."
    )
    yield Table("Items of the list", columns, tuple(rows), title="Item by item", anchor="items", intro=intro, tools=True, stack=True)


def _measurement(library: Library, reader: FactReader, record: Record) -> Iterator[Block]:
    rows = []
    for reading in record.data["readings"]:
        of = f" of {text.number(reading['of'])}" if reading.get("of") is not None else ""
        rows.append(
            Row(
                (
                    Cell(plain(wording.FORMATS["measure"](reading["measure"]))),
                    Cell(plain(f"{text.number(reading['value'])}{of} {reading['unit']}{_in_gib(reading)}"), css="n"),
                    Cell(plain(text.tokens(reading["context_tokens"]) if reading.get("context_tokens") is not None else "")),
                    Cell(plain(str(reading.get("concurrency") or "")), css="n"),
                    Cell((Span(reading["quote"], css="quote"),) if reading.get("quote") else ()),
                    Cell(plain(reading.get("note") or "")),
                )
            )
        )
    columns = (
        Column("What was read"),
        Column("Value", "n"),
        Column("Context"),
        Column("Sequences", "n"),
        Column("As logged"),
        Column("Note"),
    )
    yield _without_empty(Table("Readings", columns, tuple(rows), title="Readings", anchor="readings", stack=True))


def _in_gib(reading: dict[str, object]) -> str:
    value = reading["value"]
    return f" ({value / 1024:,.2f} GiB)" if reading["unit"] == "MiB" and isinstance(value, int | float) else ""


def _without_empty(table: Table) -> Table:
    """The table without columns in which no cell says anything."""
    kept = [index for index in range(len(table.columns)) if any(any(span.text for span in row.cells[index].spans) for row in table.rows)]
    rows = tuple(Row(tuple(row.cells[index] for index in kept), row.anchor) for row in table.rows)
    return Table(
        table.label,
        tuple(table.columns[index] for index in kept),
        rows,
        table.title,
        table.anchor,
        table.intro,
        table.note,
        table.tools,
        table.searchable,
        table.css,
        table.stack,
    )


def _provider(library: Library, reader: FactReader, record: Record) -> Iterator[Block]:
    if not record.data.get("rents"):
        return
    rows = []
    for rental in record.data["rents"]:
        price = rental.get("price")
        rows.append(
            Row(
                (
                    Cell((library.link("gpus", rental["gpu"]),)),
                    Cell(plain(rental["gpus"]), sort=rental["gpus"], css="n"),
                    Cell(plain(rental.get("instance") or "")),
                    Cell(plain(rental["kind"])),
                    Cell(plain(rental.get("region") or "")),
                    Cell(plain(text.money(price)) if price else (), sort=price["amount"] if price else None, css="n"),
                    Cell((web_link(rental["source"], "source"),)),
                )
            )
        )
    columns = (
        Column("Card"),
        Column("Cards", "n"),
        Column("Instance"),
        Column("Kind"),
        Column("Region"),
        Column("Per hour", "n"),
        Column("Seen at"),
    )
    note = plain("Prices age: each is what the source showed on the day given, for the whole instance, not an offer.")
    yield _without_empty(
        Table("Cards for rent", columns, tuple(rows), title="Cards for rent", anchor="rents", note=note, tools=len(rows) > 8, stack=True)
    )


def _concept(library: Library, reader: FactReader, record: Record) -> Iterator[Block]:
    if record.data.get("matters_because"):
        yield Prose(plain(record.data["matters_because"]), title="Why it matters", anchor="why")
    if comparison := record.data.get("comparison"):
        width = 1 + len(comparison["columns"])
        rows = tuple(Row(tuple(Cell(plain(cell)) for cell in row) + (Cell(),) * (width - len(row))) for row in comparison["rows"])
        columns = (Column(""), *(Column(name) for name in comparison["columns"]))
        yield Table("Side by side", columns, rows, title="Side by side", anchor="comparison", searchable=True)
    if record.data.get("read_more"):
        items = tuple((library.link_any(key), *_about(library, key)) for key in record.data["read_more"])
        yield Items(items, title="Read more", anchor="read-more", css="steps")


def _claim(library: Library, reader: FactReader, record: Record) -> Iterator[Block]:
    words = {
        "confirmed": "The evidence agrees.",
        "contradicted": "The evidence says otherwise.",
        "dated": "True once, no longer.",
        "open": "Not decided yet.",
    }
    status = record.data["status"]
    yield Prose(plain(f"{words[status]} {record.data['because']}"), title="What came of it", anchor="because")
    if record.data.get("evidence"):
        yield Items(tuple((library.link_any(key),) for key in record.data["evidence"]), title="Evidence", anchor="evidence")


def _course(library: Library, reader: FactReader, record: Record) -> Iterator[Block]:
    if record.data.get("parts"):
        yield Items(tuple(plain(part) for part in record.data["parts"]), title="Parts", anchor="parts", ordered=True)


_MAKERS: dict[str, Callable[[Library, FactReader, Record], Iterator[Block]]] = {
    "paths": _path,
    "lists": _list,
    "measurements": _measurement,
    "providers": _provider,
    "concepts": _concept,
    "claims": _claim,
    "courses": _course,
}

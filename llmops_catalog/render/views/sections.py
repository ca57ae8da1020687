"""Sections only one collection has: steps of a path, items of a list, comparisons, prices; the larger ones have rooms of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from llmops_catalog.catalog import Record
from llmops_catalog.catalog.coverage import list_coverage
from llmops_catalog.render import text
from llmops_catalog.render.views import wording
from llmops_catalog.render.views.facts import FactReader
from llmops_catalog.render.views.library import Library
from llmops_catalog.render.views.lineage import Lineage, family_sections
from llmops_catalog.render.views.measured import measurement_sections, quality_sections
from llmops_catalog.render.views.parts import Block, Cell, Column, Items, Prose, Row, Span, Table, joined, plain, web_link, without_empty
from llmops_catalog.render.views.software import framework_sections, quantization_sections, rule_sections


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
        Span(wording.kind_of(collection, record.data), css="kind"),
        *([Span(f" {summary}", css="about")] if summary else []),
    )


def _list(library: Library, reader: FactReader, record: Record) -> Iterator[Block]:
    """The document in its own order, one table per heading; what was corrected stands beside the item."""
    counted = list_coverage(record.id, record.data)
    words = [f"{counted.items} items in the document's own order", f"{counted.mapped} carried by a record",
             f"{counted.explained} by none, with the reason"]  # fmt: skip
    words += [f"{counted.missing} missing"] if counted.missing else []
    words += [f"{counted.corrected} corrected"] if counted.corrected else []
    words += [f"{counted.flagged} in doubt and flagged"] if counted.flagged else []
    yield Prose(plain(f"{', '.join(words)}."), title="Item by item", anchor="items")
    section, rows = "", list[Row]()
    for item in record.data.get("items", ()):
        if item.get("section") and rows:
            yield _list_table(section, rows)
            rows = []
        section = item.get("section") or section
        rows.append(_list_row(library, item))
    if rows:
        yield _list_table(section, rows)


def _kind(library: Library, key: str) -> tuple[Span, ...]:
    collection, _, record_id = key.partition("/")
    record = library.get(collection, record_id)
    return (Span(wording.kind_of(collection, record.data), css="kind"),) if record else ()


def _list_table(section: str, rows: list[Row]) -> Table:
    columns = (Column("In the document"), Column("Here"), Column("What we corrected"))
    label = f"Items under {section}" if section else "Items of the list"
    return without_empty(Table(label, columns, tuple(rows), title=section, anchor=f"from-{rows[0].anchor}", css="lc-list", stack=True))


def _list_row(library: Library, item: Mapping[str, Any]) -> Row:
    said = (Span(item["text"]), Span(item["item_id"], css="sub mono"))
    if item.get("record"):
        links = [library.link_any(key) for key in (item["record"], *item.get("also", ()))]
        here: tuple[Span, ...] = (links[0], *_kind(library, item["record"]))
        here = (*here, Span(" also "), *joined(((link,) for link in links[1:]), ", ")) if links[1:] else here
    else:
        here = plain(f"no record: {item.get('why_none') or ''}", "lc-gap")
    correction: tuple[Span, ...] = plain(item["correction"]) if item.get("correction") else ()
    if correction and item.get("correction_status", "confirmed") != "confirmed":
        correction = (Span(item["correction_status"], css="badge badge-doubt"), Span(" "), *correction)
    if item.get("correction_source"):
        correction = (*correction, Span(" "), web_link(item["correction_source"], "shown here"))
    return Row((Cell(said), Cell(here), Cell(correction)), anchor=f"item-{item['item_id']}")


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
    yield without_empty(
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
    yield from _read_more(library, record)


def _read_more(library: Library, record: Record) -> Iterator[Block]:
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


def _family(library: Library, reader: FactReader, record: Record) -> Iterator[Block]:
    yield from family_sections(library, Lineage.of(library), record)
    yield from _read_more(library, record)


def _quantization(library: Library, reader: FactReader, record: Record) -> Iterator[Block]:
    yield from quality_sections(library, record.id)
    yield from quantization_sections(library, record)


_MAKERS: dict[str, Callable[[Library, FactReader, Record], Iterator[Block]]] = {
    "families": _family,
    "quantizations": _quantization,
    "frameworks": lambda library, reader, record: framework_sections(library, record),
    "rules": lambda library, reader, record: rule_sections(library, record),
    "measurements": lambda library, reader, record: measurement_sections(library, record),
    "paths": _path,
    "lists": _list,
    "providers": _provider,
    "concepts": _concept,
    "claims": _claim,
    "courses": _course,
}

"""The index page of each collection: one table row per record, with the columns people choose by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from llmops_catalog.catalog import Record
from llmops_catalog.catalog.coverage import list_coverage
from llmops_catalog.render import text
from llmops_catalog.render.views import wording
from llmops_catalog.render.views.library import Library
from llmops_catalog.render.views.parts import Cell, Column, PageView, Row, Span, Table, joined, plain

Data = Mapping[str, Any]
CellMaker = Callable[[Library, Record], Cell]


@dataclass(frozen=True, slots=True)
class IndexColumn:
    """A column and how its cell is made of a record."""

    column: Column
    cell: CellMaker


def index_page(library: Library, collection: str, extra: tuple[IndexColumn, ...] = ()) -> PageView:
    """The index of one collection; `extra` columns (computed answers) stand after the name."""
    columns = (IndexColumn(Column("Name"), _name), *extra, *COLUMNS[collection])
    records = sorted(library.records[collection].values(), key=lambda record: (record.label.casefold(), record.id))
    rows = tuple(Row(tuple(column.cell(library, record) for column in columns)) for record in records)
    title = wording.TITLES[collection]
    count = f"{len(rows)} {'record' if len(rows) == 1 else 'records'}"
    note = (
        Span("As data: "),
        Span("JSON", page=f"api/v1/{collection}.json"),
        Span(" · "),
        Span("JSON Schema", page=f"api/v1/schemas/{collection}.json"),
    )
    table = Table(
        f"{title}: {count}",
        tuple(column.column for column in columns),
        rows,
        tools=True,
        note=note,
        css="index",
        stack=collection not in ("models", "gpus"),
    )
    intro = wording.INTROS[collection]
    return PageView(f"{collection}/index.md", title, text.first_sentence(intro, 200), (table,), lead=intro, hide=("navigation", "toc"))


def _name(library: Library, record: Record) -> Cell:
    return Cell((library.link(record.collection, record.id),), sort=record.label)


def _value(data: Data, path: str) -> Any:
    value: Any = data
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _text(title: str, path: str, *, facet: bool = False) -> IndexColumn:
    def cell(_: Library, record: Record) -> Cell:
        value = _value(record.data, path)
        if value in (None, []):
            return Cell()
        key = path.rpartition(".")[2]
        return Cell(plain(", ".join(wording.named(key, entry) for entry in (value if isinstance(value, list) else [value]))))

    return IndexColumn(Column(title, facet=facet), cell)


def _first(title: str, path: str) -> IndexColumn:
    """The main one of several values, offered as a choice."""

    def cell(_: Library, record: Record) -> Cell:
        values = _value(record.data, path) or ()
        return Cell(plain(text.words(wording.named(path, values[0])))) if values else Cell()

    return IndexColumn(Column(title, facet=True), cell)


def _number(title: str, path: str, shown: Callable[[Any], str] = text.number) -> IndexColumn:
    def cell(_: Library, record: Record) -> Cell:
        value = _value(record.data, path)
        return Cell(plain(shown(value)), sort=value, css="n") if value is not None else Cell(css="n")

    return IndexColumn(Column(title, "n"), cell)


def _date(title: str, path: str) -> IndexColumn:
    def cell(_: Library, record: Record) -> Cell:
        value = _value(record.data, path)
        return Cell(plain(value), sort=value, css="d") if value else Cell(css="d")

    return IndexColumn(Column(title, "d"), cell)


def _reference(title: str, path: str, collection: str, *, facet: bool = False) -> IndexColumn:
    def cell(library: Library, record: Record) -> Cell:
        value = _value(record.data, path)
        values = value if isinstance(value, list) else [value] if value else []
        return Cell(joined(((library.link(collection, entry),) for entry in values), ", "))

    return IndexColumn(Column(title, facet=facet), cell)


def _summary(title: str = "In short", path: str = "summary") -> IndexColumn:
    def cell(_: Library, record: Record) -> Cell:
        return Cell(plain(text.first_sentence(str(_value(record.data, path) or ""))), css="about")

    return IndexColumn(Column(title, "about"), cell)


def _licence(_: Library, record: Record) -> Cell:
    licence = record.data.get("license")
    return Cell(plain(licence.get("name") or licence["id"].removeprefix("LicenseRef-"))) if licence else Cell()


def _commercial(_: Library, record: Record) -> Cell:
    use = (record.data.get("license") or {}).get("commercial_use")
    return Cell(plain(wording.COMMERCIAL[use])) if use else Cell()


def _access(_: Library, record: Record) -> Cell:
    mode = (record.data.get("gated") or {}).get("mode")
    return Cell(plain({"no": "free", "auto": "accept terms", "manual": "on request"}[mode])) if mode else Cell()


def _used(field: str, collection: str) -> CellMaker:
    def cell(library: Library, record: Record) -> Cell:
        ids = dict.fromkeys(use[field] for use in record.data.get("uses", ()) if use.get(field))
        return Cell(joined(((library.link(collection, entry),) for entry in ids), ", "))

    return cell


def _availability(_: Library, record: Record) -> Cell:
    state = (record.data.get("status") or {}).get("state")
    return Cell(plain(state)) if state else Cell()


def _claim_status(_: Library, record: Record) -> Cell:
    return Cell((Span(record.data["status"], css=f"badge st-{record.data['status']}"),), sort=record.data["status"])


def _length(field: str) -> CellMaker:
    return lambda _, record: Cell(plain(len(record.data.get(field, ()))), sort=len(record.data.get(field, ())), css="n")


def _covered(field: str) -> CellMaker:
    def cell(_: Library, record: Record) -> Cell:
        number = getattr(list_coverage(record.id, record.data), field)
        return Cell(plain(number), sort=number, css="n")

    return cell


def _read_by_a_program(_: Library, record: Record) -> Cell:
    memory = record.data["memory"]
    if memory.get("cuda_gib"):
        return Cell(plain(f"{memory['cuda_gib']:,.2f}"), sort=memory["cuda_gib"], css="n")
    if memory.get("driver_mib"):
        return Cell(plain(f"≤ {memory['driver_mib'] / 1024:,.2f}"), sort=memory["driver_mib"] / 1024, css="n")
    if limit := memory.get("system_limit"):
        return Cell(plain(f"{limit['low_gib']:,.1f}–{limit['high_gib']:,.1f}"), sort=limit["low_gib"], css="n")
    return Cell(css="n")


_STATE = IndexColumn(Column("Address", facet=True), _availability)
COLUMNS: dict[str, tuple[IndexColumn, ...]] = {
    "models": (
        _text("Developer", "developer", facet=True),
        _number("Parameters", "parameters.total", text.billions),
        _number("Active", "parameters.active", text.billions),
        _number("Context", "context.maximum", text.short_tokens),
        IndexColumn(Column("Licence"), _licence),
        IndexColumn(Column("Commercial use", facet=True), _commercial),
        IndexColumn(Column("Download", facet=True), _access),
        _date("Released", "released"),
    ),
    "gpus": (
        _text("Vendor", "vendor", facet=True),
        _text("Segment", "segment", facet=True),
        _number("Sold as (GB)", "memory.sold_gb"),
        IndexColumn(Column("A program sees (GiB)", "n"), _read_by_a_program),
        _number("Bandwidth (GB/s)", "bandwidth_gb_s"),
        _reference("Architecture", "architecture", "architectures", facet=True),
        _number("CUDA capability", "compute_capability", str),
        _text("Colab", "colab", facet=True),
        _date("Released", "released"),
    ),
    "families": (
        _text("Developer", "developer", facet=True),
        _reference("Continues", "successor_of", "families"),
        _reference("Built on", "built_on", "families"),
        _date("Released", "released"),
        _summary(),
    ),
    "rules": (_text("About", "kind", facet=True), _text("Otherwise", "otherwise", facet=True), _summary()),
    "architectures": (
        _text("Vendor", "vendor", facet=True),
        _text("CUDA capability", "compute_capabilities"),
        _date("Released", "released"),
        _summary(),
    ),
    "quantizations": (
        _text("Family", "method", facet=True),
        _number("Bits per weight", "bits_per_weight"),
        _text("Runtimes", "runtimes"),
        _summary(),
    ),
    "frameworks": (
        _first("Used for", "categories"),
        _text("State", "status.state", facet=True),
        IndexColumn(Column("Licence"), _licence),
        _summary(),
    ),
    "providers": (_first("Kind", "kinds"), IndexColumn(Column("Offers listed", "n"), _length("rents")), _summary()),
    "courses": (
        _text("By", "authors"),
        _text("Level", "level", facet=True),
        _text("Free", "free", facet=True),
        _text("Length", "length"),
        _date("Published", "published"),
        _STATE,
        _summary(),
    ),
    "notebooks": (
        IndexColumn(Column("Models"), _used("model", "models")),
        IndexColumn(Column("Cards"), _used("gpu", "gpus")),
        _number("Minutes", "minutes"),
        _date("Published", "published"),
        _summary(),
    ),
    "resources": (
        _text("Kind", "kind", facet=True),
        _text("By", "authors"),
        _text("Level", "level", facet=True),
        _date("Published", "published"),
        _STATE,
        _summary(),
    ),
    "concepts": (_summary(),),
    "paths": (IndexColumn(Column("Steps", "n"), _length("steps")), _text("For whom", "audience"), _summary()),
    "datasets": (
        _text("By", "authors"),
        _text("Size", "size"),
        IndexColumn(Column("Licence"), _licence),
        _date("Published", "published"),
        _summary(),
    ),
    "benchmarks": (_text("Kind", "kind", facet=True), _text("State", "state", facet=True), _summary()),
    "claims": (IndexColumn(Column("Status", facet=True), _claim_status), _date("Said in", "as_of"), _summary("Why", "because")),
    "measurements": (
        _text("Kind", "kind", facet=True),
        _reference("Model", "model", "models"),
        _reference("Quantization", "quantization", "quantizations", facet=True),
        _reference("Card", "gpu", "gpus", facet=True),
        _text("Runtime", "runtime", facet=True),
        IndexColumn(Column("Readings", "n"), _length("readings")),
        _date("Measured", "measured"),
    ),
    "lists": (
        _text("By", "authors"),
        IndexColumn(Column("Items", "n"), _covered("items")),
        IndexColumn(Column("With a record", "n"), _covered("mapped")),
        IndexColumn(Column("Explained", "n"), _covered("explained")),
        IndexColumn(Column("Corrected", "n"), _covered("corrected")),
        _summary(),
    ),
    "prerequisites": (
        _text("Kind", "kind", facet=True),
        _text("Costs", "costs"),
        _reference("Needs first", "needs", "prerequisites"),
        _summary(),
    ),
}

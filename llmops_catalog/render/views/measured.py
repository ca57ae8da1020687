"""Published tables, row by row: on a measurement's own page, and on the page of a quantization what it costs in quality."""

from __future__ import annotations

from collections.abc import Iterator

from llmops_catalog.accuracy import SETUP, Reading, readings
from llmops_catalog.catalog import Record
from llmops_catalog.render import text
from llmops_catalog.render.views import wording
from llmops_catalog.render.views.library import Library
from llmops_catalog.render.views.parts import Block, Cell, Column, Row, Span, Table, plain, web_link, without_empty

QUALITY = ("accuracy", "task-score", "task-recovery", "perplexity", "perplexity-ratio", "kl-divergence", "probability-change",
           "same-top-token")  # fmt: skip
"""Measures of how good the answers are."""
MOST_ROWS = 40
"""Of one table on the page of something else; the measurement's own page has them all."""


def measurement_sections(library: Library, record: Record) -> Iterator[Block]:
    """The readings of a measurement's page."""
    varying = {key for key in SETUP if any(key in reading for reading in record.data["readings"])}
    rows = tuple(_row(library, reading, varying) for reading in readings(record))
    table = Table("Readings", _columns(), rows, title="Readings", anchor="readings", tools=len(rows) > 12, stack=True)
    yield without_empty(table)


def _columns() -> tuple[Column, ...]:
    return (
        Column("Model"), Column("Quantization"), Column("On"), Column("With"), Column("What was read", facet=True), Column("Value", "n"),
        Column("Unquantized", "n"), Column("Bits per weight", "n"), Column("Context", "n"), Column("Prompt", "n"), Column("Sequences", "n"),
        Column("Cache"), Column("As logged"), Column("Note"), Column("Seen at"),
    )  # fmt: skip


def _row(library: Library, reading: Reading, varying: set[str]) -> Row:
    """Setup that is the same for the whole record stands among its facts, not in every row."""
    own = {key: value for key, value in reading.items() if key not in SETUP or key in varying}
    value = reading["value"]
    of = f" of {text.number(reading['of'])}" if reading.get("of") is not None else ""
    return Row((
        Cell(_model(library, own)),
        Cell(_named(library, own, "quantizations", "quantization")),
        Cell((*_named(library, own, "gpus", "gpu"), *(plain(f" × {own['gpus']}") if own.get("gpus", 1) > 1 else ()))),
        Cell(plain(" ".join(filter(None, (wording.named("runtime", own.get("runtime") or ""), own.get("runtime_version")))))),
        Cell(plain(what_was_read(reading))),
        Cell(plain(f"{figure(value)}{of}{_unit(reading['unit'])}{_in_gib(reading)}"), sort=value, css="n"),
        _figure_cell(reading.get("baseline")),
        _figure_cell(reading.get("bits_per_weight")),
        _tokens_cell(reading.get("context_tokens")),
        _tokens_cell(reading.get("prompt_tokens")),
        Cell(plain(str(own.get("concurrency") or "")), css="n"),
        Cell(plain(reading.get("cache_type") or "")),
        Cell((Span(reading["quote"], css="quote"),) if reading.get("quote") else ()),
        Cell(plain(reading.get("note") or "")),
        Cell((web_link(reading["url"], "source"),) if reading.get("url") else ()),
    ))  # fmt: skip


def _model(library: Library, own: Reading) -> tuple[Span, ...]:
    return _named(library, own, "models", "model")


def _named(library: Library, own: Reading, collection: str, field: str) -> tuple[Span, ...]:
    """A link to the record, or the source's own words where there is none."""
    if own.get(field):
        return (library.link(collection, own[field]),)
    return plain(own[f"{field}_name"]) if own.get(f"{field}_name") else ()


def what_was_read(reading: Reading) -> str:
    """The test in the source's words, or the kind of reading."""
    return str(reading.get("metric") or wording.FORMATS["measure"](reading["measure"]))


def figure(value: float) -> str:
    """A published figure with the digits it has."""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.10g}"


def _unit(unit: str) -> str:
    return "" if unit in ("perplexity", "score", "share") else " %" if unit == "percent" else f" {unit}"


def _figure_cell(value: float | None) -> Cell:
    return Cell(css="n") if value is None else Cell(plain(figure(value)), sort=value, css="n")


def _tokens_cell(value: int | None) -> Cell:
    return Cell(css="n") if value is None else Cell(plain(text.short_tokens(value)), sort=value, css="n")


def _in_gib(reading: Reading) -> str:
    value = reading["value"]
    return f" ({value / 1024:,.2f} GiB)" if reading["unit"] == "MiB" and value >= 1024 else ""


# --- what a quantization costs in quality -----------------------------------------------------------------------------


def quality_sections(library: Library, quantization: str) -> Iterator[Block]:
    """Each published table that scored this quantization, by itself: figures of two tables are not comparable."""
    first = True
    for record in library.records["measurements"].values():
        if record.data["kind"] != "quality" and record.data.get("quantization") != quantization:
            continue
        found = [reading for reading in readings(record) if reading.get("quantization") == quantization and reading["measure"] in QUALITY]
        if found:
            yield _quality_table(library, record, found, first)
            first = False


def _quality_table(library: Library, record: Record, found: list[Reading], first: bool) -> Table:
    rows = tuple(_quality_row(library, reading) for reading in found[:MOST_ROWS])
    columns = (
        Column("Model"), Column("Test"), Column("Unquantized", "n"), Column("Quantized", "n"), Column("Change", "n"),
        Column("Bits per weight", "n"),
    )  # fmt: skip
    words = "Compare within this table only: other tables differ in text, context and code."
    more = f" {len(found) - MOST_ROWS} more rows there." if len(found) > MOST_ROWS else ""
    intro = (library.link("measurements", record.id), Span(f". {words}{more}"))
    title, anchor = ("What it costs in quality", "quality") if first else ("", "")
    return without_empty(Table(f"Quality, {record.label}", columns, rows, title=title, anchor=anchor, intro=intro, stack=True))


def _quality_row(library: Library, reading: Reading) -> Row:
    value, baseline = reading["value"], reading.get("baseline")
    return Row((
        Cell(_model(library, reading)),
        Cell(plain(what_was_read(reading))),
        _figure_cell(baseline),
        _figure_cell(value),
        _change_cell(value, baseline),
        _figure_cell(reading.get("bits_per_weight")),
    ))  # fmt: skip


def _change_cell(value: float, baseline: float | None) -> Cell:
    if baseline is None:
        return Cell(css="n")
    share = f" ({(value - baseline) / baseline:+.2%})" if baseline else ""
    return Cell(plain(f"{value - baseline:+,.4g}{share}"), sort=value - baseline, css="n")

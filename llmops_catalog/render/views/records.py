"""The page of one record: what it is, its facts, doubts, sources and what refers to it; collections add sections of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from llmops_catalog.catalog import Record
from llmops_catalog.render import text
from llmops_catalog.render.views import chosen, wording
from llmops_catalog.render.views.facts import FactReader
from llmops_catalog.render.views.library import Library, edit_url, record_json
from llmops_catalog.render.views.parts import (
    Block,
    Cell,
    Column,
    Facts,
    Items,
    PageView,
    Prose,
    Row,
    Span,
    Table,
    joined,
    plain,
    web_link,
)
from llmops_catalog.render.views.sections import own_sections

MAX_REFERRERS = 60


def record_page(library: Library, reader: FactReader, record: Record, answers: tuple[Block, ...] = ()) -> PageView:
    """The whole page; `answers` are the fit tables that stand before the facts."""
    data = record.data
    summary = str(data.get("summary") or "")
    blocks: list[Block] = [*_warnings(data), *answers, *own_sections(library, reader, record)]
    if groups := reader.groups(data):
        blocks.append(Facts(groups))
    blocks += [*_doubts(data), _sources(data), *_referrers(library, record), *_names(data)]
    return PageView(
        path=f"{record.collection}/{record.id}.md",
        title=record.label,
        description=text.first_sentence(
            summary or str(data.get("because") or "") or f"{wording.TITLES[record.collection]}: {record.label}", 200
        ),
        lead=summary,
        trail=(Span(wording.TITLES[record.collection], page=f"{record.collection}/"),),
        badges=tuple(_badges(data)),
        actions=tuple(_actions(record)),
        blocks=tuple(blocks),
        edit_url=edit_url(record.collection, record.id),
        record_json=record_json(record.collection, record.id),
        boost=chosen.search_boost(record.collection, record.id),
    )


def _badges(data: Mapping[str, Any]) -> Iterator[Span]:
    if "status" in data and isinstance(data["status"], str):
        yield Span(data["status"], css=f"badge st-{data['status']}")
    if data["confidence"] != "high":
        yield Span(f"confidence: {data['confidence']}", css="badge badge-doubt")


def _actions(record: Record) -> Iterator[Span]:
    data = record.data
    if hub_id := data.get("hub_id"):
        yield web_link(f"https://huggingface.co/{hub_id}", "Model card")
    run = data.get("run") or {}
    for key, name in (("colab", "Open in Colab"), ("kaggle", "Open on Kaggle")):
        if run.get(key):
            yield web_link(run[key], name, "primary")
    for key, name in (("url", "Open"), ("repository", "Repository"), ("docs", "Documentation")):
        if isinstance(data.get(key), str):
            yield web_link(data[key], name)
    yield Span("Edit this record", href=edit_url(record.collection, record.id))
    yield Span("JSON", page=record_json(record.collection, record.id))


def _warnings(data: Mapping[str, Any]) -> Iterator[Block]:
    if watch_out := data.get("watch_out"):
        yield Items(tuple(plain(entry) for entry in watch_out), title="Watch out", css="warning")


def _names(data: Mapping[str, Any]) -> Iterator[Block]:
    """Other names and tags: to be found by, not to be read first."""
    spans = [Span(name, css="alias") for name in data.get("aliases", ())] + [Span(tag, css="tag") for tag in data.get("tags", ())]
    if spans:
        yield Prose(joined(((span,) for span in spans), " "), title="Also found as", anchor="names", css="lc-names")


def _doubts(data: Mapping[str, Any]) -> Iterator[Block]:
    items = [
        (Span(wording.label(doubt["field"]), css="b"), Span(f" ({doubt['confidence']}): {doubt['why']}"))
        for doubt in data.get("doubts", ())
    ]
    items += [(Span(wording.label(gap["field"]), css="b"), Span(f" (not known): {gap['why']}")) for gap in data.get("not_known", ())]
    if data["confidence"] != "high":
        items.insert(
            0, (Span("The record as a whole", css="b"), Span(f" ({data['confidence']}): {wording.CONFIDENCE[data['confidence']]}"))
        )
    if items:
        yield Items(tuple(items), title="Doubts and gaps", anchor="doubts", css="doubts", searchable=False)


def _sources(data: Mapping[str, Any]) -> Block:
    rows = tuple(
        Row((
            Cell((web_link(source["url"]),)),
            Cell(plain(", ".join(wording.label(field) for field in source["supports"]))),
            Cell(plain(text.day(source["checked"])), sort=source["checked"], css="d"),
            Cell(plain(source.get("note") or "")),
        ))
        for source in data["sources"]
    )  # fmt: skip
    columns = [Column("Source"), Column("Backs"), Column("Compared on"), Column("Note")]
    if not any(row.cells[3].spans[0].text for row in rows):
        columns, rows = columns[:3], tuple(Row(row.cells[:3]) for row in rows)
    return Table("Sources", tuple(columns), rows, title="Sources", anchor="sources", css="sources", stack=True)


def _referrers(library: Library, record: Record) -> Iterator[Block]:
    found: dict[str, dict[str, str]] = {}
    for referrer in library.catalog.referrers(record.collection, record.id):
        found.setdefault(referrer.collection, {}).setdefault(referrer.id, referrer.label)
    items: list[tuple[Span, ...]] = []
    for collection in library.catalog.counts:
        if not (referring := found.get(collection)):
            continue
        spans = [Span(f"{wording.REFERRERS[collection]} ", css="b")]
        for position, record_id in enumerate(list(referring)[:MAX_REFERRERS]):
            spans += [Span(", ")] if position else []
            spans.append(library.link(collection, record_id))
        if len(referring) > MAX_REFERRERS:
            spans.append(Span(f" and {len(referring) - MAX_REFERRERS} more"))
        items.append(tuple(spans))
    if items:
        yield Items(tuple(items), title="Referred to by", anchor="referrers", css="plain", searchable=False)

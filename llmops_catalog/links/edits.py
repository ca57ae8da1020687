"""Which characters of a file to replace so that some of its values change and nothing else does; and the proof that it is so.

Text in, edits out: no file is read or written here. Quotes, folding, comments and line ends stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from llmops_catalog.catalog.folder import SourceError
from llmops_catalog.catalog.source import Document, read_document
from llmops_catalog.links.collect import ADDRESS, Lines, Steps, address_values
from llmops_catalog.links.markdown_links import bare_addresses, markdown_addresses
from llmops_catalog.links.scalars import Layout, Scalar, layout_of

QUOTATIONS = frozenset({"quote", "says"})
"""Fields that repeat what somebody else wrote."""
HUB_ID, ALIASES = "hub_id", "aliases"
_PLAIN_IN_FLOW = re.compile(r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+|https?://[^\s,\[\]{}#\"'?]*[^\s,\[\]{}#\"'?:]")
_FLOW_MARKS = re.compile(r"[,\[\]{}]")


class Edit(NamedTuple):
    """``text[start:end]`` becomes `written`, so that `new` stands where `old` stood; `why_not` where that cannot be done."""

    start: int
    end: int
    written: str
    old: str
    new: str
    why_not: str = ""


class Plan(NamedTuple):
    """The edits of one file, and what every changed value of a record has to be read back as."""

    edits: tuple[Edit, ...]
    values: dict[Steps, str]


def applied(text: str, edits: Sequence[Edit]) -> str:
    """`text` with all edits that can be done."""
    pieces, position = [], 0
    for edit in sorted(edits):
        if not edit.why_not:
            pieces += [text[position : edit.start], edit.written]
            position = edit.end
    return "".join([*pieces, text[position:]])


# --- pages ------------------------------------------------------------------------------------------------------------


def page_plan(text: str, better: Mapping[str, str]) -> Plan:
    """The edits that write better addresses into a Markdown page."""
    found = [one for one in markdown_addresses(text) if one.url in better]
    return Plan(tuple(Edit(one.start, one.end, better[one.url], one.url, better[one.url]) for one in found), {})


def page_is_as_planned(text: str, result: str, better: Mapping[str, str]) -> bool:
    """True where the page holds the same addresses as before, in the same order, but for the better ones."""
    return [better.get(one.url, one.url) for one in markdown_addresses(text)] == [one.url for one in markdown_addresses(result)]


# --- records ----------------------------------------------------------------------------------------------------------


def record_plan(text: str, better: Mapping[str, str], true_ids: Mapping[str, str]) -> Plan:
    """The edits that write better addresses, and the ids models have now, into a record. Raises `SourceError`."""
    document, layout = read_document(text.encode()), layout_of(text)
    edits: list[Edit] = []
    values: dict[Steps, str] = {}
    for steps, value in address_values(document):
        for edit, changed in _value_edits(text, steps, value, _scalar(document, layout, steps), better):
            edits.append(edit)
            if not edit.why_not:
                values[steps] = changed
    hub_id = document.data.get(HUB_ID)
    scalar = _scalar(document, layout, (HUB_ID,))
    if isinstance(hub_id, str) and hub_id in true_ids and scalar:
        true_id = true_ids[hub_id]
        edits.append(Edit(scalar.start, scalar.end, _token(scalar, true_id), hub_id, true_id))
        values[HUB_ID,] = true_id
        aliases = document.data.get(ALIASES) or []
        if hub_id.casefold() not in {str(known).casefold() for known in (*aliases, true_id)}:
            edits.append(_alias_edit(text, document, layout, hub_id))
            values[ALIASES, len(aliases)] = hub_id
    return Plan(tuple(edits), values)


def record_is_as_planned(text: str, result: str, values: Mapping[Steps, str]) -> bool:
    """True where the strict reader finds exactly the planned values changed, in type and spelling too."""
    try:
        before, after = (dict(_leaves(read_document(version.encode()).data)) for version in (text, result))
    except SourceError:
        return False
    if any(steps[0] == ALIASES for steps in values):
        before.pop((ALIASES,), None)  # an empty list, which holds something now
    return before | {steps: _leaf(value) for steps, value in values.items()} == after


def _leaves(value: Any, steps: Steps = ()) -> Iterator[tuple[Steps, str]]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not children:
        yield steps, _leaf(value)
    for key, child in children:
        yield from _leaves(child, (*steps, key))


def _leaf(value: Any) -> str:
    return f"{type(value).__name__} {getattr(value, 'as_written', value)!r}"


def _scalar(document: Document, layout: Layout, steps: Steps) -> Scalar | None:
    at = document.place(steps)
    return layout.scalars.get((at.line, at.column))


def _value_edits(text: str, steps: Steps, value: str, scalar: Scalar | None, better: Mapping[str, str]) -> Iterator[tuple[Edit, str]]:
    """The edits of one value, and what it is afterwards."""
    whole = bool(ADDRESS.fullmatch(value))
    wanted = [value] if whole and value in better else [] if whole else [one.url for one in bare_addresses(value) if one.url in better]
    if not wanted:
        return
    if scalar is None or QUOTATIONS.intersection(steps):
        why_not = "it is part of a quotation" if scalar else "its place in the file is not clear"
        start = scalar.start if scalar else 0
        yield from ((Edit(start, start, "", url, better[url], why_not), value) for url in dict.fromkeys(wanted))
    elif whole and scalar.style not in ("|", ">"):
        yield Edit(scalar.start, scalar.end, _token(scalar, better[value]), value, better[value]), better[value]
    else:
        yield from _prose_edits(text, value, scalar, wanted, better)


def _prose_edits(text: str, value: str, scalar: Scalar, wanted: list[str], better: Mapping[str, str]) -> Iterator[tuple[Edit, str]]:
    """Edits within a longer text: only where the file shows each address as it reads."""
    literal = [one for one in bare_addresses(text, scalar.start, scalar.end) if one.url in better]
    news = [better[one.url] for one in literal]
    unclear = [one.url for one in literal] != wanted
    if unclear or (scalar.in_flow and not scalar.style and any(map(_FLOW_MARKS.search, news))):
        why_not = "it does not stand there in one piece" if unclear else "the text around it would need quotes"
        yield from ((Edit(scalar.start, scalar.start, "", url, better[url], why_not), value) for url in dict.fromkeys(wanted))
        return
    changed, position = [], 0
    for one in bare_addresses(value):
        changed += [value[position : one.start], better.get(one.url, one.url)]
        position = one.end
    result = "".join([*changed, value[position:]])
    for one, new in zip(literal, news, strict=True):
        yield Edit(one.start, one.end, new.replace("'", "''") if scalar.style == "'" else new, one.url, new), result


def _token(scalar: Scalar, new: str) -> str:
    """`new` as a whole value: in the quotes there were, or in some where it cannot do without."""
    if scalar.style == "'":
        return "'" + new.replace("'", "''") + "'"
    plain = _PLAIN_IN_FLOW.fullmatch(new) if scalar.in_flow else not new.endswith(":")
    return new if plain and not scalar.style else f'"{new}"'


def _alias_edit(text: str, document: Document, layout: Layout, alias: str) -> Edit:
    """The edit that adds one alias to a record: to the list there is, or as a new list where `fmt` would put it."""
    newline = "\r\n" if "\r\n" in text else "\n"
    at = document.place((ALIASES,))
    known = layout.sequences.get((at.line, at.column)) if ALIASES in document.data else None
    if known and known.in_flow:
        position = known.last_item.end if known.last_item else known.start + 1
        return Edit(position, position, f", {alias}" if known.last_item else alias, "", alias)
    if known and known.last_item:
        position = _line_end(text, known.last_item.end)
        return Edit(position, position, f"{newline}{' ' * (at.column - 1)}- {alias}", "", alias)
    if ALIASES in document.data:
        return Edit(0, 0, "", "", alias, "its aliases are no list")
    position = _before_next_key(text, document, "summary" if "summary" in document.data else HUB_ID)
    lead = newline if position and text[position - 1] not in "\r\n" else ""
    return Edit(position, position, f"{lead}{ALIASES}: [{alias}]{newline}", "", alias)


def _line_end(text: str, position: int) -> int:
    match = re.compile(r"[^\r\n]*").match(text, position)
    return match.end() if match else position


def _before_next_key(text: str, document: Document, key: str) -> int:
    """Where the top-level key after `key` begins, with the comments above it; the end of the text after the last one."""
    line = document.place((key,)).key_line
    following = [place.key_line for place in map(document.place, ((name,) for name in document.data)) if place.key_line > line]
    if not following:
        return len(text)
    starts = Lines(text).starts
    number = min(following) - 1
    while number > line and re.compile(r"#|[ \t]*[\r\n]").match(text, starts[number - 1]):
        number -= 1
    return starts[number]

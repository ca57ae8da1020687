"""Addresses in Markdown and in plain prose, each with the exact characters it stands at. Every pass is linear, whatever the text.

Markdown: inline links and images, reference definitions, autolinks, `href` and `src` of raw HTML, bare addresses; not what stands in
fenced or indented code, in code spans or in HTML comments. The rules are those of https://spec.commonmark.org/0.31.2/ and of
https://github.github.com/gfm/#autolinks-extension-. Placeholders (``https://host/<name>``, ``https://host/{id}``) are no addresses.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_left
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlsplit


class Found(NamedTuple):
    """An address and the characters ``text[start:end]`` it is written with (escapes and entities are undone in `url`)."""

    url: str
    start: int
    end: int


_SCHEME = re.compile(r"(?<![A-Za-z0-9+.-])https?://", re.IGNORECASE)
_CLOSERS = {")": "(", "]": "["}
_STOPS = frozenset(
    '<>"`{}|\\^\u3002\uff0c\u3001\uff1b\uff1a\uff01\uff1f\uff08\uff09\u3010\u3011\u300a\u300b\u300c\u300d\u300e\u300f\u201c\u201d'
)
"""In no address (https://datatracker.ietf.org/doc/html/rfc3986#appendix-C), and the full-width marks that follow one in prose."""
_TRAILING = "?!.,:;*_~'([\u2018\u2019\u2026\u2013\u2014"
_PLACEHOLDER = re.compile(r"[{<`]|\$[A-Z]|(?:\.\.\.|\u2026)(?:/|$)")

_FENCE = re.compile(r"(`{3,})[^`]*$|(~{3,})")
_LIST_ITEM = re.compile(r"(?:[-*+]|[0-9]{1,9}[.)])(?:[ \t]+|$)")
_ADMONITION = ("!!!", "???", "===")
"""Blocks of Python-Markdown extensions: what they hold is indented by four spaces and is no code."""
_TICKS = re.compile(r"`+")
_DEFINITION = re.compile(r"^[ \t>]{0,12}\[(?!\^)(?:[^\]\[\n\\]|\\.){1,999}\]:[ \t]{0,99}(?:\n[ \t>]{0,99})?(?=<?https?://)", re.M | re.I)
_START = re.compile(r"\]\([ \t\n]{0,99}(?=<?https?://)|<(?=[A-Za-z])|(?<![A-Za-z0-9+.-])https?://", re.IGNORECASE)
_IN_ANGLES = re.compile(r"<(https?://[^\s<>]*)>", re.IGNORECASE)
_SPACED = re.compile(r"<[^<>\n]*>")
_TAG = re.compile(r"<[A-Za-z](?:[^<>\n]|\n(?![ \t]*\n))*>")
_ATTRIBUTE = re.compile(r"""\s(?:href|src)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")


def bare_addresses(text: str, start: int = 0, end: int | None = None) -> Iterator[Found]:
    """The addresses in plain prose: without the punctuation around them, with balanced brackets, with a host that has a dot."""
    position, end = start, len(text) if end is None else end
    while match := _SCHEME.search(text, position, end):
        stop = _bare_end(text, match.end(), end)
        if found := _bare(text, match.start(), stop, end):
            yield found
        position = max(stop, match.end())


def markdown_addresses(text: str) -> Iterator[Found]:
    """The addresses in a Markdown page, in order."""
    shown = _without_code(text)
    definitions = {match.end() for match in _DEFINITION.finditer(shown)}
    position = 0
    while match := _START.search(shown, position):
        start, position = match.start(), match.end()
        if shown[start] == "]" or start in definitions:
            inline = shown[start] == "]"
            found, position = _destination(text, shown, match.end() if inline else start, inline)
            yield from found
        elif shown[start] == "<":
            if angles := _IN_ANGLES.match(shown, start):
                yield Found(text[angles.start(1) : angles.end(1)], angles.start(1), angles.end(1))
                position = angles.end()
            elif (tag := _TAG.match(shown, start)) and "=" in tag[0]:
                yield from _attributes(tag, start)
                position = tag.end()
        else:
            stop = _bare_end(shown, match.end(), len(shown))
            if bare := _bare(shown, start, stop, len(shown)):
                yield bare._replace(url=_entities_undone(bare.url))
            position = max(stop, match.end())


# --- one address ------------------------------------------------------------------------------------------------------


def _bare_end(text: str, position: int, end: int) -> int:
    """Where an address that begins before `position` ends: at white space, at a mark no address holds, at a bracket it did not open."""
    open_brackets: list[str] = []
    while position < end:
        char = text[position]
        if char in _STOPS or char.isspace() or (not char.isprintable()):
            break
        if char in "([":
            open_brackets.append(char)
        elif char in _CLOSERS and (not open_brackets or open_brackets.pop() != _CLOSERS[char]):
            break
        position += 1
    return position


def _bare(text: str, start: int, stop: int, end: int) -> Found | None:
    url = text[start:stop]
    following = text[stop] if stop < end else ""
    if _PLACEHOLDER.search(url) or following == "{" or (following in ("<", "`") and url[-1:] in ("/", "=", "-", "@", ":")):
        return None
    url = re.sub(r"&[A-Za-z0-9]{2,31};$", "", url).rstrip(_TRAILING)
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return None
    return Found(url, start, start + len(url)) if ("." in host.strip(".") or ":" in host) and any(map(str.isalnum, host)) else None


def _destination(text: str, shown: str, start: int, inline: bool) -> tuple[list[Found], int]:
    """The address of an inline link or of a definition, which stands there whole, and where to go on."""
    if angles := _IN_ANGLES.match(shown, start):
        first, stop = angles.span(1)
        return [Found(_undone(text[first:stop]), first, stop)], angles.end()
    if spaced := _SPACED.match(shown, start):  # a link to browsers, but no address anybody can mean
        return [], spaced.end()
    stop, depth = start, 0
    while stop < len(shown) and not shown[stop].isspace() and shown[stop] not in "<>":
        char = shown[stop]
        if char == "\\" and stop + 1 < len(shown) and shown[stop + 1] in "()\\":
            stop += 1
        elif inline and char == "(":
            depth += 1
        elif inline and char == ")":
            if not depth:
                break
            depth -= 1
        stop += 1
    url = _undone(text[start:stop])
    is_placeholder = _PLACEHOLDER.search(url) or shown[stop : stop + 1] == "<"
    return ([] if is_placeholder else [Found(url, start, stop)]), max(stop, start + 1)


def _attributes(tag: re.Match[str], start: int) -> Iterator[Found]:
    for attribute in _ATTRIBUTE.finditer(tag[0]):
        group = attribute.lastindex or 1
        written = attribute[group]
        if _SCHEME.match(written):
            yield Found(_entities_undone(written), start + attribute.start(group), start + attribute.end(group))


def _undone(written: str) -> str:
    return _entities_undone(_ESCAPED.sub(r"\1", written))


def _entities_undone(written: str) -> str:
    """Only entities that end in a semicolon: ``?a=1&copy=2`` holds none."""
    return _ENTITY.sub(lambda match: html.unescape(match[0]), written)


# --- what is no text --------------------------------------------------------------------------------------------------


def _without_code(text: str) -> str:
    """`text` with every character of code and comments made a backquote or a space, so that all else keeps its place."""
    pieces: list[str] = []
    for is_code, part in _blocks(text):
        pieces.append(_blank(part, " ") if is_code else _without_spans(part))
    return _without_comments("".join(pieces))


def _blocks(text: str) -> Iterator[tuple[bool, str]]:
    """The text in pieces: lines of code, and paragraphs (a code span never reaches beyond one)."""
    lines: list[str] = []
    fence, indents, was_blank, in_code = "", [0], True, False
    for line in text.splitlines(keepends=True):
        stripped = line.strip()
        indent = len(line[: len(line) - len(line.lstrip())].expandtabs(4)) if stripped else 0
        if fence:
            yield True, line
            closing = stripped.lstrip("> \t")
            fence = "" if closing.startswith(fence) and not closing.strip(fence[0]) else fence
            continue
        while stripped and indent < indents[-1] and (was_blank or _LIST_ITEM.match(stripped)):
            indents.pop()
        in_code = bool(stripped) and (was_blank or in_code) and indent - indents[-1] >= 4
        opening = None if in_code else _FENCE.match(_content(stripped))
        if (lines and (not stripped or in_code)) or opening:
            yield False, "".join(lines)
            lines = []
        was_blank = not stripped
        if opening:
            fence, was_blank = opening[1] or opening[2], True
        if opening or in_code:
            yield True, line
            continue
        lines.append(line)
        if len(indents) < 40 and (item := _LIST_ITEM.match(stripped)) and indent >= indents[-1]:
            indents.append(indent + min(len(item[0]), 4))
        elif len(indents) < 40 and stripped.startswith(_ADMONITION):
            indents.append(indent + 4)
    yield False, "".join(lines)


def _content(line: str) -> str:
    """A line without the marks of the quotation and the list item it begins."""
    line = line.lstrip("> \t")
    item = _LIST_ITEM.match(line)
    return line[item.end() :] if item else line


def _without_spans(paragraph: str) -> str:
    """Code spans made backquotes: a run of them closes at the next run of the same length."""
    runs = [(match.start(), match.end()) for match in _TICKS.finditer(paragraph)]
    by_length: dict[int, list[int]] = {}
    for start, end in runs:
        by_length.setdefault(end - start, []).append(start)
    pieces, position = [], 0
    for start, end in runs:
        escaped = start > 0 and paragraph[start - 1] == "\\" and end - start == 1
        if start < position or escaped:
            continue
        same = by_length[end - start]
        following = bisect_left(same, end)
        if following < len(same):
            close = same[following] + end - start
            pieces += [paragraph[position:start], _blank(paragraph[start:close], "`")]
            position = close
    return "".join([*pieces, paragraph[position:]])


def _without_comments(text: str) -> str:
    pieces, position = [], 0
    while (start := text.find("<!--", position)) >= 0 and (end := text.find("-->", start + 4)) >= 0:
        pieces += [text[position:start], _blank(text[start : end + 3], " ")]
        position = end + 3
    return "".join([*pieces, text[position:]])


def _blank(part: str, char: str) -> str:
    return "".join("\n" if old == "\n" else char for old in part)

"""What libyaml stumbled over, said for the person who wrote the file: what is wrong, where it began, what to write instead."""

from __future__ import annotations

import re

import yaml

from llmops_catalog.catalog.folder import SourceError

_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_QUOTED_VALUE = re.compile(r"""(?:^|[:\-\[{,]\s)\s*(["'])""")

_PLAIN = (
    ("block sequence entries", "a list entry ('- ') cannot start here", "start the list on the next line"),
    ("expected '-' indicator", "this line does not belong to the list above", "start every entry with '- ' at the same indentation"),
    ("escape", "this escape is not known in double quotes", "use single quotes, or write the character itself"),
    ("comment or line break", "nothing may follow '|' or '>' on its line", "write '>-' and start the text on the next line"),
    ("YAML document", "a record has no line that starts with '%'", "remove it"),
    ("directive", "a record has no line that starts with '%'", "remove it"),
)
"""A part of libyaml's sentence, and our own for it; what needs a look at the text is in the functions below."""


def syntax_error(error: yaml.MarkedYAMLError, text: str) -> SourceError:
    """The finding for what is not YAML, at the place where the mistake was made rather than where it was noticed."""
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    opened = (error.context_mark.line + 1, error.context_mark.column + 1) if error.context_mark else (line, column)
    problem = str(error.problem or error.context or "this is not YAML")
    lines = text.splitlines() or [""]
    char = _char(lines, line, column)
    if char == "\t" or "tab character" in problem:
        return _found("this line is indented with a tab", "indent with spaces", line, column)
    if "mapping values" in problem:
        return _colon(lines, line, column)
    if "expected ':'" in problem:
        return _found("this line has no colon", "write 'key: value', or indent it as part of the text above", *opened)
    if "end of stream" in problem:
        return _found("the quote that opens here is never closed", "close it at the end of the text", *opened)
    if "expected ',' or" in problem:
        return _bracket(lines, (line, column), opened)
    if "cannot start any token" in problem or (char and "node content" in problem):
        return _needs_quotes(char, line, column)
    if "node content" in problem:
        return _found("the file ends inside a bracket", "close every '[' with ']' and every '{' with '}'", line, column)
    if "alphabetic or numeric" in problem or "expected '>'" in problem or "scanning a tag" in str(error.context):
        return _needs_quotes(_char(lines, *opened), *opened)
    if "expected key" in problem:
        return _line_out_of_place(lines, line, column)
    for sign, message, hint in _PLAIN:
        if sign in problem:
            return _found(message, hint, line, column)
    return _found(problem, "check indentation, quotes and brackets around this place", line, column)


def deep_bracket(text: str, depth: int) -> tuple[int, int]:
    """Line and column of the bracket that opens level `depth`, the file itself being the first: where a parser that looks ahead
    gave up later. The last bracket where none is that deep outside of quotes.
    """
    level, quote, found = 1, "", (1, 1)
    for number, line in enumerate(text.splitlines(), start=1):
        for column, char in enumerate(line, start=1):
            if quote or char in "'\"":
                quote = "" if char == quote else quote or char
            elif char in "[{":
                level, found = level + 1, (number, column)
                if level > depth:
                    return found
            elif char in "]}":
                level -= 1
    return found


def unseen_character(text: str, error: yaml.reader.ReaderError) -> SourceError:
    """The finding for a character that no text editor shows."""
    character = _UNSEEN.search(text)
    if character is None:
        return SourceError("control-character", f"the file cannot be read as text: {error.reason}", "save it as plain UTF-8 text")
    offset = character.start()
    line, column = text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
    hint = "the file looks like UTF-16: save it as UTF-8" if text.count("\0") * 3 > len(text) else "delete it"
    return SourceError("control-character", f"the file contains the invisible character U+{ord(character[0]):04X}", hint, line, column)


def _found(message: str, hint: str, line: int, column: int) -> SourceError:
    return SourceError("yaml-syntax", message, hint, line, column)


def _line(lines: list[str], number: int) -> str:
    return lines[number - 1] if number <= len(lines) else ""


def _char(lines: list[str], line: int, column: int) -> str:
    return _line(lines, line)[column - 1 : column]


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _needs_quotes(char: str, line: int, column: int) -> SourceError:
    return _found(f"a value cannot start with {char!r}" if char else "the value is missing", "put the value in quotes", line, column)


def _colon(lines: list[str], line: int, column: int) -> SourceError:
    """A colon where no key can be: a second one on the line, a line indented under a finished value, or none on the line before."""
    here = _line(lines, line)
    if here.lstrip().startswith(":"):
        return _found("the key before this colon is missing", "write 'key: value'", line, _indent(here) + 1)
    if re.search(r":\s", here[: column - 1]):
        return _found("a second ': ' on one line", "put the value in quotes", line, column)
    before = next((number for number in range(line - 1, 0, -1) if _line(lines, number).strip()), line)
    if before < line and not re.search(r":(\s|$)", _line(lines, before)) and not _line(lines, before).lstrip().startswith("- "):
        return _found("this line has no colon", "write 'key: value'", before, _indent(_line(lines, before)) + 1)
    return _found("this line is indented too far", "indent it like the line above, or remove the value there", line, _indent(here) + 1)


def _bracket(lines: list[str], noticed: tuple[int, int], opened: tuple[int, int]) -> SourceError:
    if noticed[0] == opened[0]:
        return _found(
            "a comma is missing before this, or the text needs quotes",
            "separate entries with ', '; quote text that holds , [ ] { } or ': '",
            *noticed,
        )
    return _found(f"the {_char(lines, *opened)!r} that opens here is not closed", "close it, and put a comma between entries", *opened)


def _line_out_of_place(lines: list[str], line: int, column: int) -> SourceError:
    """Where a key was expected: an open quote further up swallowed lines, text follows a finished value, or the indentation is wrong."""
    for number in range(1, line):
        text = _line(lines, number)
        quote = _QUOTED_VALUE.search(text)
        if quote and text.count(quote[1]) % 2:
            return _found(
                "the quote that opens here is not closed on its line", "close it at the end of the text", number, quote.start(1) + 1
            )
    if _line(lines, line)[: column - 1].strip():
        return _found("the value ends before this text", "put the whole value in quotes; a quote inside it is written twice", line, column)
    return _found("this line does not belong to the lines above", "check its indentation", line, column)

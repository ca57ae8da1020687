"""What all commands share: finding the catalog, printing, colour on a terminal, saying what went wrong in one place."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any, TextIO

from llmops_catalog.errors import CatalogError, CatalogInvalid

if TYPE_CHECKING:
    from llmops_catalog.catalog import Catalog
    from llmops_catalog.report.tables import Style

PROGRAM = "llmops-catalog"
"""The place of what is wrong with the question itself."""
SHOWN_PROBLEMS = 10
"""Of an invalid catalog, when the question was another one."""


def open_catalog(folder: str | None) -> Catalog:
    """The compiled catalog of this run: `--catalog`, else ./catalog, else the packaged copy. Raises `CatalogError`."""
    from llmops_catalog.catalog import load_catalog

    return load_catalog(folder)


def print_json(value: Any) -> None:
    """Indented JSON on standard output, text as it is."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


_COLOURS = {
    "fits": "1;32", "tight": "1;33", "does-not-fit": "31", "unsupported": "35", "unknown": "2", "header": "1", "title": "1", "place": "1",
    "error": "31", "warning": "33", "help": "2", "note": "2",
}  # fmt: skip
"""ANSI codes by the role of a text."""


def style_for(stream: TextIO) -> Style:
    """Colour where `stream` is a terminal that wants it (NO_COLOR, https://no-color.org/), nothing elsewhere."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not stream.isatty():
        from llmops_catalog.report.tables import plain

        return plain
    return lambda text, role: f"\x1b[{_COLOURS[role]}m{text}\x1b[0m" if role in _COLOURS else text


def terminal_width(stream: TextIO) -> int | None:
    """Columns of the terminal `stream` is; None where it is none, so that a pipe gets everything."""
    if not stream.isatty():
        return None
    try:
        return os.get_terminal_size(stream.fileno()).columns or None
    except OSError:
        return None


def report_error(error: CatalogError) -> int:
    """Prints an error in the form ``place: level[code]: message`` with its help line; returns the exit code."""
    if isinstance(error, CatalogInvalid):
        from llmops_catalog.report.problems import as_text

        shown = error.problems[:SHOWN_PROBLEMS]
        sys.stderr.write(as_text(shown, style_for(sys.stderr)))
        if len(error.problems) > len(shown):
            sys.stderr.write(f"... and {len(error.problems) - len(shown)} more\n")
    code = "".join(f"-{char.lower()}" if char.isupper() else char for char in type(error).__name__).lstrip("-")
    fail(code, error.message, error.hint, getattr(error, "place", PROGRAM))
    return error.exit_code


def fail(code: str, message: str, hint: str = "", place: str = PROGRAM) -> None:
    """One error line, and one help line where there is something to do."""
    from llmops_catalog.report.tables import printable

    sys.stderr.write(f"{printable(place)}: error[{code}]: {printable(message)}\n")
    if hint:
        sys.stderr.write(f"help: {printable(hint)}\n")

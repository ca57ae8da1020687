"""What all commands share: finding the catalog, printing JSON, saying what went wrong in one place."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from llmops_catalog.errors import CatalogError, CatalogInvalid
from llmops_catalog.report.tables import printable

if TYPE_CHECKING:
    from pathlib import Path

    from llmops_catalog.catalog import Catalog


SHOWN_PROBLEMS = 10
"""Of an invalid catalog, when the question was another one."""


def chosen_folder(context: click.Context) -> Path:
    """The catalog folder of this run: `--catalog`, else ./catalog, else the packaged copy."""
    from llmops_catalog.catalog import catalog_folder

    return catalog_folder((context.find_root().obj or {}).get("catalog"))


def open_catalog(context: click.Context) -> Catalog:
    """The compiled catalog of this run. Raises `CatalogError`."""
    from llmops_catalog.catalog import load_catalog

    return load_catalog(chosen_folder(context))


def print_json(value: Any) -> None:
    """Indented JSON on standard output, text as it is."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def style(text: str, role: str) -> str:
    """`text` in the colour of its role; `click.echo` removes the colour again where output is no terminal."""
    return click.style(text, **_ROLES[role]) if role in _ROLES else text


_ROLES: dict[str, dict[str, Any]] = {
    "fits": {"fg": "green", "bold": True}, "tight": {"fg": "yellow", "bold": True}, "does-not-fit": {"fg": "red"}, "unsupported": {"fg": "magenta"},
    "unknown": {"dim": True}, "header": {"bold": True}, "title": {"bold": True}, "place": {"bold": True}, "error": {"fg": "red"},
    "warning": {"fg": "yellow"}, "help": {"dim": True}, "note": {"dim": True},
}  # fmt: skip


def report_error(error: CatalogError) -> int:
    """Prints an error in the form ``place: level[code]: message`` with its help line; returns the exit code."""
    if isinstance(error, CatalogInvalid):
        from llmops_catalog.report.problems import as_text

        shown = error.problems[:SHOWN_PROBLEMS]
        click.echo(as_text(shown, style), err=True, nl=False)
        if len(error.problems) > len(shown):
            click.echo(f"... and {len(error.problems) - len(shown)} more", err=True)
    code = "".join(f"-{char.lower()}" if char.isupper() else char for char in type(error).__name__).lstrip("-")
    fail(code, error.message, error.hint)
    return error.exit_code


def fail(code: str, message: str, hint: str = "") -> None:
    """One error line, and one help line where there is something to do."""
    sys.stderr.write(f"llmops-catalog: error[{code}]: {printable(message)}\n")
    if hint:
        sys.stderr.write(f"help: {printable(hint)}\n")

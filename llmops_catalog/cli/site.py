"""`build`, `serve`, `render`: from records to pages. Long work says what it is doing."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from llmops_catalog.catalog import catalog_folder
from llmops_catalog.cli.arguments import Parser, UsageError, whole_number
from llmops_catalog.cli.common import open_catalog


@contextmanager
def _step(doing: str) -> Iterator[list[str]]:
    """Shows what is being done while it is done, then one line that says what came of it (the first item put into the list)."""
    from rich.console import Console

    console = Console(stderr=True)
    started = time.monotonic()
    outcome: list[str] = []
    with console.status(f"{doing} ..."):
        yield outcome
    console.print(f"{outcome[0] if outcome else doing} [dim]{time.monotonic() - started:.1f} s[/dim]", highlight=False)


def _outside_catalog(folder: str | None, target: Path) -> Path:
    """`target`, unless it would put pages among the records."""
    records = catalog_folder(folder).resolve()
    if target.resolve().is_relative_to(records):
        raise UsageError(f"{str(target)!r} lies in the catalog folder, which holds records only", "choose a folder outside it")
    return target.absolute()


def build_arguments(parser: Parser) -> None:
    """Options of `build`."""
    parser.add_argument("--site-dir", type=Path, default=Path("site"), metavar="DIR", help="where the finished site goes (default: site)")


def build_command(folder: str | None, options: Any) -> None:
    """Build the site: check the records, render pages and JSON, build them strictly with MkDocs."""
    from llmops_catalog.render.build import build_site

    site_dir = _outside_catalog(folder, options.site_dir)
    with _step("checking the records") as outcome:
        counts = open_catalog(folder).counts
        outcome.append(f"{sum(counts.values()):,} records are valid")
    with _step("rendering and building the site") as outcome:
        report = build_site(catalog_folder(folder).absolute(), Path.cwd(), site_dir)
        outcome.append(f"{report.total:,} files rendered, {report.written:,} of them new")
    sys.stdout.write(f"The site is in {options.site_dir}.\n")


def serve_arguments(parser: Parser) -> None:
    """Options of `serve`."""
    parser.add_argument("--port", type=whole_number(1, 65535), default=8000, metavar="N", help="port on 127.0.0.1 (default: 8000)")


def serve_command(folder: str | None, options: Any) -> None:
    """Serve the site on this machine and rebuild it when a record changes. Ctrl-C stops."""
    from llmops_catalog.render.build import serve_site

    sys.stderr.write(f"building; then open http://127.0.0.1:{options.port}/ (Ctrl-C stops)\n")
    serve_site(catalog_folder(folder).absolute(), Path.cwd(), f"127.0.0.1:{options.port}")


def render_arguments(parser: Parser) -> None:
    """Options of `render`."""
    parser.add_argument("--to", type=Path, required=True, metavar="DIR", help="folder for the pages")


def render_command(folder: str | None, options: Any) -> None:
    """Write the pages as plain Markdown and JSON files, for any other site builder."""
    from llmops_catalog.render.tree import render_plain

    target = _outside_catalog(folder, options.to)
    with _step("rendering") as outcome:
        report = render_plain(open_catalog(folder), target)
        outcome.append(f"{report.total:,} files rendered, {report.written:,} of them new")
    sys.stdout.write(f"The pages are in {options.to}.\n")

"""`build`, `serve`, `render`: from records to pages. Long work says what it is doing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from llmops_catalog.cli.common import chosen_folder, open_catalog


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


@click.command("build")
@click.option("--site-dir", type=click.Path(path_type=Path), default=Path("site"), show_default=True, metavar="DIR", help="Where the finished site goes.")
@click.pass_context
def build_command(context: click.Context, site_dir: Path) -> None:
    """Build the site: check the records, render pages and JSON, build them strictly with MkDocs."""
    from llmops_catalog.render.build import build_site

    folder = chosen_folder(context).absolute()
    with _step("checking the records") as outcome:
        counts = open_catalog(context).counts
        outcome.append(f"{sum(counts.values()):,} records are valid")
    with _step("rendering and building the site") as outcome:
        report = build_site(folder, Path.cwd(), site_dir.absolute())
        outcome.append(f"{report.total:,} files rendered, {report.written:,} of them new")
    click.echo(f"The site is in {site_dir}. Open {site_dir / 'index.html'}, or see it served with 'llmops-catalog serve'.")


@click.command("serve")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="Port on 127.0.0.1.")
@click.pass_context
def serve_command(context: click.Context, port: int) -> None:
    """Serve the site on this machine and rebuild it when a record changes. Ctrl-C stops."""
    from llmops_catalog.render.build import serve_site

    click.echo(f"building; then open http://127.0.0.1:{port}/ (Ctrl-C stops)", err=True)
    serve_site(chosen_folder(context).absolute(), Path.cwd(), f"127.0.0.1:{port}")


@click.command("render")
@click.option("--to", "destination", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Folder for the pages.")
@click.pass_context
def render_command(context: click.Context, destination: Path) -> None:
    """Write the pages as plain Markdown and JSON files, for any other site builder."""
    from llmops_catalog.render.tree import render_plain

    with _step("rendering") as outcome:
        report = render_plain(open_catalog(context), destination.absolute())
        outcome.append(f"{report.total:,} files rendered, {report.written:,} of them new")
    click.echo(f"The pages are in {destination}.")

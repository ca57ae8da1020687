"""`validate`: all problems of all records, each with its place."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from llmops_catalog.cli.common import chosen_folder, print_json, style
from llmops_catalog.problems import Problem, has_errors


@click.command("validate")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--format", "format_", type=click.Choice(["text", "json", "github"]), default="text", show_default=True, help="How problems are printed.")
@click.pass_context
def validate_command(context: click.Context, paths: tuple[str, ...], format_: str) -> int:
    """All problems of all records (or of those at PATH), with file, line and column.

    Exits 0 where there is no error, 1 where there is one.
    """
    from llmops_catalog.catalog.check import check_folder
    from llmops_catalog.report.problems import as_github, as_json, as_text, summary

    folder = chosen_folder(context).absolute()
    wanted = [_below(folder, path) for path in paths]
    checked = check_folder(folder)
    problems = [problem for problem in checked.problems if not wanted or _is_wanted(problem, wanted)]
    records = sum(not wanted or _inside(record.path, wanted) for record in checked.records)
    if format_ == "json":
        print_json(as_json(problems, records))
    elif format_ == "github":
        sys.stdout.write(as_github(problems))
    else:
        click.echo(as_text(problems, style), err=True, nl=False)
        sys.stdout.write(summary(problems, records) + "\n")
    return 1 if has_errors(problems) else 0


def _below(folder: Path, path: str) -> str:
    """`path` as problems name it: relative to the catalog's parent. Refuses what is missing or elsewhere."""
    full = Path(path).absolute()
    if not full.exists() and not full.is_symlink():
        inside = folder.parent / path
        if not inside.exists():
            raise click.UsageError(f"there is no file or folder {path!r}")
        full = inside
    try:
        return Path(_normal(full)).relative_to(_normal(folder.parent)).as_posix()
    except ValueError:
        raise click.UsageError(f"{path!r} is not inside the catalog {folder.name!r}; name its folder with --catalog DIR") from None


def _normal(path: Path) -> str:
    import os.path

    return os.path.normpath(path)


def _is_wanted(problem: Problem, wanted: list[str]) -> bool:
    return _inside(problem.path, wanted)


def _inside(path: str, wanted: list[str]) -> bool:
    return any(prefix == "." or path == prefix or path.startswith(f"{prefix}/") for prefix in wanted)

"""`validate`: all problems of all records, each with its place."""

from __future__ import annotations

import os.path
import sys
from pathlib import Path
from typing import Any

from llmops_catalog.cli.arguments import Parser, UsageError, add_format
from llmops_catalog.cli.common import print_json, style_for


def validate_arguments(parser: Parser) -> None:
    """Options of `validate`."""
    parser.add_argument("paths", nargs="*", metavar="PATH", help="only problems of these files and folders")
    add_format(parser, "text", "json", "github")


def validate_command(folder: str | None, options: Any) -> int:
    """All problems of all records (or of those at PATH), with file, line and column. Exits 1 where there is an error."""
    from llmops_catalog.catalog import catalog_folder
    from llmops_catalog.catalog.check import check_folder
    from llmops_catalog.problems import has_errors
    from llmops_catalog.report.problems import as_github, as_json, as_text, summary

    root = catalog_folder(folder).absolute()
    wanted = [below(root, path) for path in options.paths]
    checked = check_folder(root)
    problems = [problem for problem in checked.problems if inside(problem.path, wanted)]
    records = sum(inside(record.path, wanted) for record in checked.records)
    if options.format == "json":
        print_json(as_json(problems, records))
    elif options.format == "github":
        sys.stdout.write(as_github(problems))
    else:
        sys.stderr.write(as_text(problems, style_for(sys.stderr)))
        sys.stdout.write(summary(problems, records) + "\n")
    return 1 if has_errors(problems) else 0


def below(root: Path, path: str) -> str:
    """`path` as problems name it: relative to the catalog's parent. Refuses what is missing or elsewhere."""
    full = Path(path).absolute()
    if not full.exists() and not full.is_symlink():
        full = root.parent / path
        if not full.exists():
            raise UsageError(f"there is no file or folder {path!r}")
    try:
        return Path(os.path.normpath(full)).relative_to(os.path.normpath(root.parent)).as_posix()
    except ValueError:
        raise UsageError(f"{path!r} is not inside the catalog {root.name!r}", "name its folder with --catalog DIR") from None


def inside(path: str, wanted: list[str]) -> bool:
    """True where nothing special is wanted, or `path` is one of the wanted files or lies in one of the wanted folders."""
    return not wanted or any(prefix == "." or path == prefix or path.startswith(f"{prefix}/") for prefix in wanted)

"""`fmt`: records in their one form."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from llmops_catalog.cli.arguments import Parser
from llmops_catalog.cli.common import style_for
from llmops_catalog.cli.validate import below, inside


def fmt_arguments(parser: Parser) -> None:
    """Options of `fmt`."""
    parser.add_argument("paths", nargs="*", metavar="PATH", help="only these files and folders")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 where a file is not in form")


def fmt_command(folder: str | None, options: Any) -> int:
    """Rewrites records whose keys or lines are not in canonical form, comments kept. Exits 1 where a file cannot be read."""
    from llmops_catalog.catalog import catalog_folder
    from llmops_catalog.catalog.folder import SourceError, read_folder
    from llmops_catalog.catalog.layout import in_form
    from llmops_catalog.files import write_text
    from llmops_catalog.problems import Problem, in_order
    from llmops_catalog.report.problems import as_text
    from llmops_catalog.schema import COLLECTIONS

    root = catalog_folder(folder).absolute()
    wanted = [below(root, path) for path in options.paths]
    files = read_folder(root)
    problems: list[Problem] = [problem for problem in files.problems if inside(problem.path, wanted)]
    changed, seen = [], 0
    for path, raw in sorted(files.files.items()):
        collection, shown = path.partition("/")[0], files.shown(path)
        if collection not in COLLECTIONS or not inside(shown, wanted):
            continue
        seen += 1
        try:
            text = raw.decode("utf-8", "replace")
            formed = in_form(raw, collection)
        except SourceError as error:
            problems.append(error.problem(shown))
            continue
        if formed != text:
            changed.append(shown)
            if not options.check:
                write_text(Path(root, path), formed)
    sys.stderr.write(as_text(in_order(problems), style_for(sys.stderr)))
    verb = "not in form" if options.check else "rewritten"
    sys.stdout.write("".join(f"{shown}: {verb}\n" for shown in changed))
    sys.stdout.write(f"{seen:,} records, {len(changed)} {verb}\n")
    if changed and options.check:
        sys.stderr.write("help: run 'llmops-catalog fmt'\n")
    return 1 if problems or (changed and options.check) else 0

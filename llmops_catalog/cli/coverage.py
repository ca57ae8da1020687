"""`coverage`: what became of every item of the source lists."""

from __future__ import annotations

import sys
from typing import Any

from llmops_catalog.cli.arguments import Parser, add_format
from llmops_catalog.cli.common import fail, open_catalog, print_json, style_for


def coverage_arguments(parser: Parser) -> None:
    """Options of `coverage`."""
    add_format(parser, "text", "json")


def coverage_command(folder: str | None, options: Any) -> int:
    """Per source list: items, carried by a record, explained, missing. Exits 1 where one is missing."""
    from llmops_catalog.catalog.coverage import coverage, total
    from llmops_catalog.report.tables import table

    lists = list(coverage(open_catalog(folder)))
    together = total(lists)
    if options.format == "json":
        print_json({
            "schema": "llmops-catalog/coverage/1",
            "lists": [entry.as_json() for entry in lists],
            "total": {key: value for key, value in together.as_json().items() if key not in ("list", "title")},
        })  # fmt: skip
    else:
        header = ("list", "items", "mapped", "explained", "missing", "corrected", "flagged")
        rows = [(entry.list, *(str(number) for number in entry[2:])) for entry in (*lists, together)]
        sys.stdout.write(table(header, rows, style=style_for(sys.stdout)))
    if together.missing:
        gaps = ", ".join(f"{entry.list} lacks {entry.missing}" for entry in lists if entry.missing)
        fail("missing-items", f"items without a record or a reason: {gaps}", "add them to the list's record in catalog/lists")
    return 1 if together.missing else 0

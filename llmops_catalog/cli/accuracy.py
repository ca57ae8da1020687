"""`accuracy`: how far our estimates are from what was published."""

from __future__ import annotations

import sys
from typing import Any

from llmops_catalog.cli.arguments import Parser, add_format
from llmops_catalog.cli.common import open_catalog, print_json, style_for


def accuracy_arguments(parser: Parser) -> None:
    """Options of `accuracy`."""
    add_format(parser, "text", "json")


def accuracy_command(folder: str | None, options: Any) -> None:
    """Every published memory reading beside our estimate: errors by term, runtime, quantization and family, the worst ten and why."""
    from llmops_catalog.accuracy import accuracy_json
    from llmops_catalog.report.accuracy import accuracy_text

    found = accuracy_json(open_catalog(folder))
    if options.format == "json":
        print_json(found)
    else:
        sys.stdout.write(accuracy_text(found, style_for(sys.stdout)))

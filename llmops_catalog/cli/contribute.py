"""`schema`: for contributors and their editors."""

from __future__ import annotations

import sys
from typing import Any

from llmops_catalog.cli.arguments import Parser, unknown


def schema_arguments(parser: Parser) -> None:
    """Options of `schema`."""
    parser.add_argument("collection", nargs="?", metavar="COLLECTION", help="left out: the names of all of them")
    parser.add_argument("--write", action="store_true", help="write the schemas into the catalog's schemas/ folder instead of printing")


def schema_command(folder: str | None, options: Any) -> None:
    """The JSON Schema of one collection, or the names of all of them."""
    from llmops_catalog.catalog import catalog_folder
    from llmops_catalog.schema import COLLECTIONS
    from llmops_catalog.schema.jsonschema import schema_text

    chosen = options.collection
    if chosen is not None and chosen not in COLLECTIONS:
        raise unknown("collection", chosen, COLLECTIONS, "llmops-catalog schema")
    if options.write:
        from llmops_catalog.files import write_text

        target = catalog_folder(folder) / "schemas"
        for name in [chosen] if chosen else COLLECTIONS:
            write_text(target / f"{name}.json", schema_text(name))
        sys.stdout.write(f"wrote {'1 schema' if chosen else f'{len(COLLECTIONS)} schemas'} to {target}\n")
    elif chosen:
        sys.stdout.write(schema_text(chosen))
    else:
        sys.stdout.write("".join(f"{name}: {(model.__doc__ or '').strip().splitlines()[0]}\n" for name, model in COLLECTIONS.items()))

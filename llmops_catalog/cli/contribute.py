"""`schema`: for contributors and their editors."""

from __future__ import annotations

import sys

import click

from llmops_catalog.cli.common import chosen_folder
from llmops_catalog.problems import did_you_mean, nearest


@click.command("schema")
@click.argument("collection", required=False)
@click.option("--write", is_flag=True, help="Write the schemas into the catalog's schemas/ folder instead of printing.")
@click.pass_context
def schema_command(context: click.Context, collection: str | None, write: bool) -> None:
    """The JSON Schema of one COLLECTION, or the names of all of them."""
    from llmops_catalog.schema import COLLECTIONS
    from llmops_catalog.schema.jsonschema import schema_text

    if collection is not None and collection not in COLLECTIONS:
        raise click.UsageError(" ".join(filter(None, [f"there is no collection {collection[:60]!r}.", did_you_mean(nearest(collection, COLLECTIONS))])))
    if write:
        from llmops_catalog.files import write_text

        folder = chosen_folder(context) / "schemas"
        for name in [collection] if collection else COLLECTIONS:
            write_text(folder / f"{name}.json", schema_text(name))
        sys.stdout.write(f"wrote {'1 schema' if collection else f'{len(COLLECTIONS)} schemas'} to {folder}\n")
    elif collection:
        sys.stdout.write(schema_text(collection))
    else:
        sys.stdout.write("".join(f"{name}: {(model.__doc__ or '').strip().splitlines()[0]}\n" for name, model in COLLECTIONS.items()))

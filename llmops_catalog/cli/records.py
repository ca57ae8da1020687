"""`list`, `show`, `search`: the records themselves."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Mapping
from typing import Any

from llmops_catalog.catalog import Catalog, Record
from llmops_catalog.catalog.store import singular
from llmops_catalog.cli.arguments import Parser, UsageError, add_format, whole_number
from llmops_catalog.cli.common import open_catalog, print_json
from llmops_catalog.problems import did_you_mean, nearest
from llmops_catalog.report.tables import printable, table

COLUMNS: dict[str, tuple[str, ...]] = {
    "models": ("name", "parameters.total", "context.maximum", "license.id", "released"),
    "families": ("name", "developer", "released", "successor_of"),
    "rules": ("label", "kind", "otherwise"),
    "gpus": ("name", "memory.sold_gb", "memory.driver_mib", "bandwidth_gb_s", "compute_capability", "architecture"),
    "quantizations": ("name", "bits_per_weight", "method", "runtimes"),
    "frameworks": ("name", "categories", "status.state", "license.id"),
    "providers": ("name", "kinds", "url"),
    "architectures": ("name", "vendor", "released"),
    "measurements": ("label", "kind", "gpu"),
    "claims": ("label", "status"),
    "lists": ("label", "url"),
    "prerequisites": ("label", "kind"),
    "concepts": ("label",),
    "paths": ("label", "audience"),
}
"""What `list` shows beside the id; other collections show their label and date."""


def list_arguments(parser: Parser) -> None:
    """Options of `list`."""
    parser.add_argument("collection", metavar="COLLECTION", help="models, gpus, quantizations, frameworks ...")
    parser.add_argument(
        "--where",
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="only records whose field (dots for nested ones) is or holds VALUE; repeatable",
    )
    parser.add_argument("--sort", metavar="FIELD", help="sort by this field; -FIELD reverses")
    add_format(parser, "text", "json", "csv")


def list_command(folder: str | None, options: Any) -> None:
    """The records of one collection."""
    catalog = open_catalog(folder)
    collection = known_collection(catalog, options.collection)
    records = list(catalog.records(collection))
    for condition in options.where:
        field, separator, value = condition.partition("=")
        if not separator:
            raise UsageError(f"--where takes FIELD=VALUE, not {condition!r}")
        _require_field(field, records, collection)
        records = [record for record in records if _matches(values(record, field), value)]
    if options.sort:
        field = options.sort.removeprefix("-")
        _require_field(field, records, collection)
        records = _sorted(records, field, backwards=options.sort.startswith("-"))
    if options.format == "json":
        print_json(
            {
                "schema": "llmops-catalog/records/1",
                "collection": collection,
                "total": len(records),
                "records": [record.as_json() for record in records],
            }
        )
        return
    columns = COLUMNS.get(collection, ("label", "published"))
    cell = _raw if options.format == "csv" else _cell
    rows = [[record.id, *(cell(values(record, column)) for column in columns)] for record in records]
    if options.format == "csv":
        sys.stdout.write(_csv([["id", *columns], *rows]))
    else:
        sys.stdout.write(table(["id", *(column.replace("_", " ") for column in columns)], rows))
        sys.stdout.write(f"{len(rows):,} {collection if len(rows) != 1 else singular(collection)}\n")


def known_collection(catalog: Catalog, name: str) -> str:
    """The collection called `name` (its singular will do). Raises a usage error with the nearest ones."""
    wanted = name.casefold()
    for collection in catalog.counts:
        if wanted in (collection, collection.removesuffix("s")):
            return collection
    suggestion = did_you_mean(nearest(wanted, catalog.counts)) or f"There are: {', '.join(catalog.counts)}."
    raise UsageError(f"there is no collection {name[:60]!r}. {suggestion}")


def values(record: Record, field: str) -> list[Any]:
    """What stands at a dotted field, lists spread out; `id` and `label` too."""
    if field in ("id", "label"):
        return [record.id if field == "id" else record.label]
    current: list[Any] = [record.data]
    for step in field.split("."):
        current = [item[step] for item in current if isinstance(item, Mapping) and step in item]
        current = [inner for item in current for inner in (item if isinstance(item, list) else [item])]
    return current


def _require_field(field: str, records: list[Record], collection: str) -> None:
    """A field no record has is a typing mistake, not an empty answer."""
    if not records or any(values(record, field) for record in records):
        return
    from llmops_catalog.schema import COLLECTIONS

    top = list(COLLECTIONS[collection].model_fields)
    if field.split(".")[0] in top:
        return
    raise UsageError(" ".join(filter(None, [f"{collection} have no field {field[:60]!r}.", did_you_mean(nearest(field, top))])))


def _matches(found: list[Any], wanted: str) -> bool:
    return any(_text(value).casefold() == wanted.casefold() for value in found)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _sorted(records: list[Record], field: str, backwards: bool) -> list[Record]:
    """By the field: numbers by size, then text by letters; what lacks it comes last either way."""
    found = [(record, next(iter(values(record, field)), None)) for record in records]
    known = sorted((pair for pair in found if pair[1] is not None), key=lambda pair: _sort_key(pair[1]), reverse=backwards)
    return [record for record, _ in known] + [record for record, value in found if value is None]


def _sort_key(value: Any) -> tuple[int, float, str]:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return (0, float(value), "")
    return (1, 0.0, _text(value).casefold())


def _cell(found: list[Any]) -> str:
    return ", ".join(
        f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) and value > 9999 else _text(value) for value in found
    )


def _raw(found: list[Any]) -> str:
    return "; ".join(map(_text, found))


def _csv(rows: list[list[str]]) -> str:
    """Comma-separated; a cell that a spreadsheet would run as a formula is quoted with an apostrophe."""
    output = io.StringIO()
    writer = csv.writer(output, lineterminator="\n")
    writer.writerows([f"'{cell}" if cell[:1] in "=+-@\t\r" and cell[:1] else cell for cell in row] for row in rows)
    return output.getvalue()


def show_arguments(parser: Parser) -> None:
    """Options of `show`."""
    parser.add_argument("name", metavar="NAME", help="an id, a Hugging Face id, an alias, or collection/id")
    add_format(parser, "text", "json", "yaml")


def show_command(folder: str | None, options: Any) -> None:
    """One record with everything that refers to it."""
    catalog = open_catalog(folder)
    record = catalog.find(options.name)
    referrers = catalog.referrers(record.collection, record.id)
    if options.format == "json":
        referred = [{"collection": ref.collection, "id": ref.id, "label": ref.label, "field": ref.field} for ref in referrers]
        print_json(
            {
                "schema": "llmops-catalog/record/1",
                "collection": record.collection,
                "path": record.path,
                "record": record.as_json(),
                "referred_to_by": referred,
            }
        )
    elif options.format == "yaml":
        sys.stdout.write(f"# {record.path}\n{_yaml(record.data)}")
    else:
        sys.stdout.write(f"{printable(record.label)}\n{record.path}\n\n{outline(record.data)}")
        if referrers:
            sys.stdout.write("\nreferred to by\n" + "".join(f"  {ref.collection}/{ref.id} ({ref.field})\n" for ref in referrers))


def _yaml(data: Mapping[str, Any]) -> str:
    import yaml

    return yaml.safe_dump(dict(data), sort_keys=False, allow_unicode=True, width=120)


def outline(value: Any, indent: int = 0) -> str:
    """A record as indented plain lines."""
    margin = "  " * indent
    if isinstance(value, Mapping):
        return "".join(
            f"{margin}{key}:\n{outline(item, indent + 1)}" if isinstance(item, (Mapping, list)) else f"{margin}{key}: {_line(item)}\n"
            for key, item in value.items()
        )
    lines = []
    for item in value:
        if isinstance(item, Mapping):
            lines.append(f"{margin}- {outline(item, indent + 1).lstrip()}")
        else:
            lines.append(f"{margin}- {_line(item) if not isinstance(item, list) else ' | '.join(map(_line, item))}\n")
    return "".join(lines)


def _line(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and value > 9999:
        return f"{value:,}"
    return printable(_text(value)) if value is not None else "none"


def search_arguments(parser: Parser) -> None:
    """Options of `search`."""
    parser.add_argument("words", nargs="+", metavar="WORD", help="all of them must occur; beginnings of words will do")
    parser.add_argument("--limit", type=whole_number(1, 200), default=20, metavar="N", help="most results shown (default: 20)")
    add_format(parser, "text", "json")


def search_command(folder: str | None, options: Any) -> None:
    """Records of every collection that contain all words, best first."""
    words = " ".join(options.words)
    catalog = open_catalog(folder)
    hits = catalog.search(words, options.limit)
    if options.format == "json":
        results = [{"collection": hit.collection, "id": hit.id, "label": hit.label, "summary": hit.summary} for hit in hits]
        print_json({"schema": "llmops-catalog/search/1", "query": words, "total": len(results), "results": results})
    elif not hits:
        sys.stdout.write(f"nothing holds all of: {printable(words)}\n")
        if instead := catalog.spelled_alike(words):
            sys.stderr.write(f"help: search for '{printable(instead)}'\n")
    else:
        sys.stdout.write(table(["record", "name", "about"], [[f"{hit.collection}/{hit.id}", hit.label, hit.summary] for hit in hits], 70))

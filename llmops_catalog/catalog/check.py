"""Every problem of every file: what `validate` prints, and what must be clean before a catalog is trusted."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from llmops_catalog.catalog.crossref import check_addresses, check_names, check_references, known_ids
from llmops_catalog.catalog.folder import Folder, read_folder
from llmops_catalog.catalog.load import Loaded, RecordFile, load_records, proper_id
from llmops_catalog.catalog.semantics import check_contexts, check_record
from llmops_catalog.problems import Problem, in_order, nearest


@dataclass(frozen=True, slots=True)
class Checked:
    """The records of one folder with all their problems, sorted by place."""

    folder: Folder
    records: tuple[RecordFile, ...]
    problems: tuple[Problem, ...]


def check_folder(root: Path) -> Checked:
    """Reads and checks the whole catalog folder. Raises `CatalogNotFound` where there is none."""
    with _collector_paused():
        return check_loaded(load_records(read_folder(root)))


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Everything read is kept and none of it is circular: the cycle collector would only walk it over and over (a fifth of the time),
    and once more when the program ends (another fifth), unless what is there by then is set aside for good.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()


def check_loaded(loaded: Loaded) -> Checked:
    """Adds what shows only within valid records and between all of them."""
    problems = list(loaded.problems)
    for record in loaded.records:
        if record.record is not None:
            problems.extend(check_record(record))
    problems.extend(check_references(loaded.records, _all_ids(loaded)))
    problems.extend(check_names(loaded.records))
    problems.extend(check_addresses(loaded.records))
    problems.extend(check_contexts(loaded.records))
    return Checked(loaded.folder, loaded.records, tuple(in_order(problems)))


def _all_ids(loaded: Loaded) -> dict[str, set[str]]:
    """A file that cannot be read, parsed or found under its right name still means a record: one mistake is not reported at every
    place that refers to it.
    """
    ids = known_ids(loaded.records)
    unread = (problem.path.removeprefix(f"{loaded.folder.root.name}/") for problem in loaded.folder.problems)
    for path in (*loaded.folder.files, *unread):
        collection, _, rest = path.partition("/")
        if rest and collection not in ids:
            collection = next(iter(nearest(collection, ids, 1)), "")
        if rest and collection:
            name = rest.removesuffix(".yaml").removesuffix(".yml")
            ids[collection].update((name, proper_id(name)))
    return ids

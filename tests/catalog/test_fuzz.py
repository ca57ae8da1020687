"""Valid records bent in every way: whatever a file holds, checking it ends in findings with a place, never in an exception."""

from __future__ import annotations

import copy
import random
from pathlib import Path
from typing import Any

import pytest
import yaml

from llmops_catalog.catalog.check import check_folder, check_loaded
from llmops_catalog.catalog.folder import Folder, read_folder
from llmops_catalog.catalog.load import load_records
from llmops_catalog.problems import CODES
from llmops_catalog.report.problems import as_github, as_json, as_text

ODD = (
    None, True, False, 0, -1, 1, 2.5, -0.5, 10**18, float("inf"), float("nan"), "", " ", "x", "no", "2024", "2024-13-01", "a: b",
    "{{ x }}", "<script>", "\u202e",
    "é" * 400, "https://", "http://[", "https://example.org:99999/", "http://[::1]/x", "//x", "javascript:alert(1)", [], [None], [[]],
    [{}], {}, {"": 1}, {"int": 1},
    {"a[b": {}}, "models/x", "x/y/z", "../../etc/passwd", "\ud7ff\ue000", [1, "a", {"b": []}],
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(inner for key, item in items for inner in places(item, (*path, key)))]


def bend(data: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """The record with one to three values replaced, removed, doubled or put under another key."""
    data = copy.deepcopy(data)
    for _ in range(chance.randint(1, 3)):
        path = chance.choice(places(data)[1:] or [("name",)])
        container: Any = data
        for step in path[:-1]:
            container = container[step]
        action = chance.randrange(4)
        if action == 0 and path[-1] in (container if isinstance(container, dict) else range(len(container))):
            del container[path[-1]]
        elif action == 1 and isinstance(container, dict):
            container[chance.choice(["int", "float", "name", "hub_id", "sources", "aliases", "[x]", "0"])] = chance.choice(ODD)
        elif action == 2 and isinstance(container, list):
            container.append(copy.deepcopy(chance.choice([*container, *ODD])))
        else:
            container[path[-1]] = copy.deepcopy(chance.choice(ODD))
    return data


@pytest.mark.parametrize("seed", range(6))
def test_bent_records_end_in_findings(shared_catalog: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  (repeatable, not secret)
    folder = read_folder(shared_catalog)
    records = {path: yaml.load(raw, Loader=yaml.BaseLoader) and yaml.safe_load(raw) for path, raw in folder.files.items()}  # noqa: S506
    found: set[str] = set()
    for _ in range(25):
        files = {
            path: yaml.safe_dump(bend(data, chance), allow_unicode=True, sort_keys=False).encode("utf-8", "replace")
            for path, data in records.items()
        }
        checked = check_loaded(load_records(Folder(folder.root, files, ())))
        for problem in checked.problems:
            assert problem.code in CODES
            assert problem.line >= 1 <= problem.column
            assert problem.message
            assert problem.line <= files[problem.path.removeprefix("catalog/")].count(b"\n") + 1
        for text in (as_text(checked.problems), as_github(checked.problems)):
            assert text.count("\n") >= len(checked.problems)
        assert len(as_json(checked.problems, 1)["problems"]) == len(checked.problems)
        found |= {problem.code for problem in checked.problems}
    assert len(found) > 10


def test_a_record_that_is_everything_at_once(shared_catalog: Path, tmp_path: Path) -> None:
    """Each file of the catalog holding each other file's content."""
    folder = read_folder(shared_catalog)
    texts = list(folder.files.values())
    for number, path in enumerate(folder.files):
        target = tmp_path / "catalog" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(texts[(number + 1) % len(texts)])
    problems = check_folder(tmp_path / "catalog").problems
    assert {"unknown-key", "missing-key"} <= {problem.code for problem in problems}

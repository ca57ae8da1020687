"""The corpus of bad records: each folder is laid over a small valid catalog and must get exactly the text in its expected.txt.

A folder is called after the code it shows, with `-variant` after it where there are several. Files that cannot lie in a
repository (a pipe, a link, 10 MiB of text) are made by the functions of `MADE`.
After a change of wording, WRITE_EXPECTED=1 writes the files anew: then read the difference.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from llmops_catalog.catalog.check import check_folder
from llmops_catalog.links.collect import collect
from llmops_catalog.links.exceptions import load_exceptions
from llmops_catalog.problems import CODES, Problem, in_order
from llmops_catalog.report.problems import as_text

HERE = Path(__file__).parent
CASES = sorted(folder.name for folder in HERE.iterdir() if folder.is_dir() and not folder.name.startswith(("_", ".")))
FRAMEWORK = "frameworks/sglang.yaml"


def _folder(catalog: Path) -> None:
    (catalog / FRAMEWORK).mkdir()


def _link(catalog: Path) -> None:
    (catalog / FRAMEWORK).symlink_to("/etc/hostname")


def _linked_folder(catalog: Path) -> None:
    (catalog / "more").symlink_to("/etc")


def _pipe(catalog: Path) -> None:
    os.mkfifo(catalog / FRAMEWORK)


def _ten_mebibytes(catalog: Path) -> None:
    (catalog / FRAMEWORK).write_bytes(b"summary: " + b"word " * (2 * 2**20))


def _brackets(catalog: Path) -> None:
    (catalog / FRAMEWORK).write_text("name: " + "[" * 100_000)


def _utf_16(catalog: Path) -> None:
    (catalog / FRAMEWORK).write_bytes("name: SGLang\n".encode("utf-16"))


def _utf_16_without_mark(catalog: Path) -> None:
    (catalog / FRAMEWORK).write_bytes("name: SGLang\n".encode("utf-16-le"))


L4 = "gpus/nvidia/l4.yaml"
"""A record others refer to: whatever is wrong with it is told once, at its own place."""


def _unreadable_but_wanted(catalog: Path) -> None:
    (catalog / L4).unlink()
    (catalog / L4).symlink_to("/etc/hostname")


def _upper_case_but_wanted(catalog: Path) -> None:
    (catalog / L4).rename(catalog / "gpus/nvidia/L4.yaml")


def _yml_but_wanted(catalog: Path) -> None:
    (catalog / L4).rename(catalog / "gpus/nvidia/l4.yml")


def _misspelled_collection(catalog: Path) -> None:
    (catalog / "gpus").rename(catalog / "gpu")


MADE: dict[str, Callable[[Path], None]] = {
    "not-a-file": _folder, "not-a-file-link": _link, "not-a-file-pipe": _pipe, "not-a-file-linked-folder": _linked_folder,
    "too-large": _ten_mebibytes, "too-deep": _brackets,
    "not-a-file-referenced": _unreadable_but_wanted, "bad-file-name-referenced": _upper_case_but_wanted,
    "bad-file-name-yml-referenced": _yml_but_wanted, "unknown-collection-referenced": _misspelled_collection,
    "not-utf-8-utf-16": _utf_16, "control-character-utf-16": _utf_16_without_mark,
}  # fmt: skip


def _by_the_link_check(catalog: Path) -> tuple[Problem, ...]:
    return load_exceptions(catalog).unused(link.url for link in collect(catalog).links)


BEYOND_VALIDATE = {"unused-exception": _by_the_link_check}
"""What only another command can know."""


def code_of(case: str) -> str:
    """The code a folder is named after: the longest one its name begins with."""
    return max((code for code in CODES if case == code or case.startswith(f"{code}-")), key=len, default="")


def broken_catalog(case: str, to: Path) -> Path:
    catalog = to / "catalog"
    shutil.copytree(HERE / "_base" / "catalog", catalog)
    if (HERE / case / "catalog").is_dir():
        shutil.copytree(HERE / case / "catalog", catalog, dirs_exist_ok=True)
    if case in MADE:
        MADE[case](catalog)
    return catalog


@pytest.mark.parametrize("case", CASES)
def test_a_bad_record_gets_exactly_this_message(case: str, tmp_path: Path) -> None:
    catalog = broken_catalog(case, tmp_path)
    problems = [*check_folder(catalog).problems, *(BEYOND_VALIDATE[case](catalog) if case in BEYOND_VALIDATE else ())]
    text = as_text(problems)
    if os.environ.get("WRITE_EXPECTED"):
        (HERE / case / "expected.txt").write_text(text, encoding="utf-8")
    assert text == (HERE / case / "expected.txt").read_text(encoding="utf-8")
    assert problems == in_order(problems)
    if case != "several-problems":
        assert code_of(case) in {problem.code for problem in problems}

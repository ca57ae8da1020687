"""Problems as text, JSON and GitHub annotations: nothing a record or a file name holds steers the terminal or the build."""

from __future__ import annotations

import json

import pytest

from llmops_catalog.problems import Problem, did_you_mean, has_errors, in_order, nearest
from llmops_catalog.report.problems import as_github, as_json, as_text, summary
from llmops_catalog.report.tables import printable, table

ERROR = Problem(
    "catalog/gpus/nvidia/l4.yaml",
    12,
    3,
    "unknown-architecture",
    "'ada-lovelase' is not in catalog/architectures",
    "Did you mean 'ada-lovelace'?",
)
WARNING = Problem("catalog/notes.txt", 1, 1, "stray-file", "'notes.txt' is no record", level="warning")


def test_text_is_the_line_of_the_house() -> None:
    assert as_text([ERROR, WARNING]) == (
        "catalog/gpus/nvidia/l4.yaml:12:3: error[unknown-architecture]: "
        "'ada-lovelase' is not in catalog/architectures. Did you mean 'ada-lovelace'?\n"
        "  help: https://llmops-catalog.github.io/llmops-catalog/problems/#unknown-architecture\n"
        "catalog/notes.txt:1:1: warning[stray-file]: 'notes.txt' is no record\n"
        "  help: https://llmops-catalog.github.io/llmops-catalog/problems/#stray-file\n"
    )


def test_json_is_the_contract() -> None:
    assert as_json([ERROR], 7) == {
        "schema": "llmops-catalog/problems/1",
        "records": 7,
        "problems": [
            {"path": "catalog/gpus/nvidia/l4.yaml", "line": 12, "column": 3, "level": "error", "code": "unknown-architecture",
             "message": "'ada-lovelase' is not in catalog/architectures", "hint": "Did you mean 'ada-lovelace'?"},
        ],
    }  # fmt: skip
    assert json.dumps(as_json([ERROR], 7))


def test_github_shows_it_beside_the_line() -> None:
    assert as_github([ERROR, WARNING]) == (
        "::error file=catalog/gpus/nvidia/l4.yaml,line=12,col=3,title=unknown-architecture::"
        "'ada-lovelase' is not in catalog/architectures. Did you mean 'ada-lovelace'?\n"
        "::warning file=catalog/notes.txt,line=1,col=1,title=stray-file::'notes.txt' is no record\n"
    )


@pytest.mark.parametrize(
    "evil", ["a\n::error::owned", "a\r\n::set-env name=X::1", "50% off", "a,line=1::b", "\x1b[31mred", "\u202eright", "::stop-commands::x"]
)
def test_github_lines_cannot_be_broken_out_of(evil: str) -> None:
    text = as_github([Problem(evil, 1, 1, "stray-file", evil, evil)])
    assert text.count("\n") == 1
    assert text.startswith("::error file=")
    properties, _, data = text.removeprefix("::error file=").partition("::")
    assert properties.count(",") == 3
    assert properties.count(":") == 0
    assert "%" not in data.replace("%25", "")
    assert "\x1b" not in text
    assert "\u202e" not in text


@pytest.mark.parametrize("evil", ["a\nb", "\x1b[2J", "\r", "\u202e", "\x07", "\u2028", "\x9b31m", "\udcff"])
def test_text_stays_on_its_line(evil: str) -> None:
    text = as_text([Problem(evil, 1, 1, "stray-file", evil, evil)])
    assert text.count("\n") == 2
    assert all(char.isprintable() or char == "\n" for char in text)
    assert printable(evil).isprintable()


def test_summary_counts() -> None:
    assert summary([], 0) == "0 records: 0 errors, 0 warnings"
    assert summary([ERROR, WARNING], 1) == "1 record: 1 error, 1 warning"
    assert summary([ERROR, ERROR], 1234) == "1,234 records: 2 errors, 0 warnings"


def test_problems_are_sorted_by_place_and_told_once() -> None:
    other = Problem("catalog/a.yaml", 10, 1, "stray-file", "x")
    early = Problem("catalog/a.yaml", 9, 9, "stray-file", "x")
    assert in_order([ERROR, other, early, ERROR]) == [early, other, ERROR]
    assert not has_errors([WARNING])
    assert has_errors([WARNING, ERROR])


def test_nearest_names_are_bounded_work() -> None:
    known = [f"model-{number}" for number in range(2000)]
    assert nearest("MODEL-77", known)[0] == "model-77"
    assert nearest("x" * 100_000, known) == []
    assert did_you_mean([]) == ""
    assert did_you_mean(["a"]) == "Did you mean 'a'?"
    assert did_you_mean(["a", "b", "c"]) == "Did you mean 'a', 'b' or 'c'?"


def test_tables_align_and_cut() -> None:
    text = table(["id", "count"], [["a", "1,000"], ["bb\x1b", "2"], ["c" * 99, "-"]], widest=10)
    assert text.splitlines() == ["id          count", "a           1,000", "bb\\x1b          2", "ccccccc...      -"]
    assert table(["id"], []) == "id\n"

"""`coverage` and `fmt`: what they print, and when they exit 1."""

from __future__ import annotations

from pathlib import Path

from commands import ROOT, Run, run_in

LIST = "lists/llm-ops.yaml"


def test_coverage_counts_items_by_list(run: Run) -> None:
    answer = run("coverage")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.splitlines() == [
        "list     items  mapped  explained  missing  corrected  flagged",
        "llm-ops      1       1          0        0          0        0",
        "all          1       1          0        0          0        0",
    ]


def test_coverage_as_json(run: Run) -> None:
    numbers = {"items": 1, "mapped": 1, "explained": 0, "missing": 0, "corrected": 0, "flagged": 0}
    assert run("coverage", "--format", "json").json == {
        "schema": "llmops-catalog/coverage/1",
        "lists": [{"list": "llm-ops", "title": "llm-ops", **numbers}],
        "total": numbers,
    }


def test_a_missing_item_is_a_finding(small_catalog: Path) -> None:
    path = small_catalog / LIST
    path.write_text(path.read_text().replace("item_count: 1", "item_count: 3").replace("present}", "present, correction: moved}"))
    answer = run_in(small_catalog, "coverage")
    assert answer.code == 1
    assert answer.out.splitlines()[-1] == "all          3       1          0        2          1        0"
    assert answer.err == (
        "llmops-catalog: error[missing-items]: items without a record or a reason: llm-ops lacks 2\n"
        "help: add them to the list's record in catalog/lists\n"
    )


def test_doubtful_corrections_are_flagged_not_counted(small_catalog: Path) -> None:
    path = small_catalog / LIST
    path.write_text(path.read_text().replace("present}", "present, correction: perhaps moved, correction_status: open}"))
    assert run_in(small_catalog, "coverage").out.splitlines()[-1].split()[-2:] == ["0", "1"]


def test_fmt_check_names_the_files_and_changes_nothing(small_catalog: Path) -> None:
    path = small_catalog / LIST
    before = path.read_bytes()
    path.write_bytes(b"summary: Notes.\n" + before.replace(b"summary: Notes of a workshop.\n", b""))
    jumbled = path.read_bytes()
    answer = run_in(small_catalog, "fmt", "--check", str(path))
    assert (answer.code, answer.out) == (1, f"catalog/{LIST}: not in form\n1 records, 1 not in form\n")
    assert answer.err == "help: run 'llmops-catalog fmt'\n"
    assert path.read_bytes() == jumbled


def test_fmt_rewrites_and_is_then_content(small_catalog: Path) -> None:
    path = small_catalog / LIST
    path.write_bytes(b"# a note\nsummary: Notes.\n" + path.read_bytes().replace(b"summary: Notes of a workshop.\n", b""))
    assert run_in(small_catalog, "fmt", str(path)).code == 0
    assert path.read_text().startswith("# a note\ntitle: llm-ops\nsummary: Notes.\n")
    assert run_in(small_catalog, "fmt", "--check", str(path)).out == "1 records, 0 not in form\n"
    assert run_in(small_catalog, "validate").code == 0


def test_fmt_says_what_it_cannot_read(small_catalog: Path) -> None:
    path = small_catalog / LIST
    path.write_text("title: [")
    answer = run_in(small_catalog, "fmt")
    assert answer.code == 1
    assert f"catalog/{LIST}:2:" in answer.err
    assert path.read_text() == "title: ["


def test_the_catalog_itself_is_complete() -> None:
    answer = run_in(ROOT / "catalog", "coverage", "--format", "json").json
    assert (answer["total"]["items"], answer["total"]["missing"]) == (786, 0)

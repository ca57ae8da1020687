"""`validate` as contributors and CI meet it: places, formats, exit codes."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from commands import MESSAGE, ROOT, Run, break_card, run_in


def test_validate_says_all_is_well(run: Run) -> None:
    answer = run("validate")
    assert (answer.code, answer.out, answer.err) == (0, "26 records: 0 errors, 0 warnings\n", "")


def test_validate_names_the_place_and_exits_1(small_catalog: Path) -> None:
    break_card(small_catalog)
    answer = run_in(small_catalog, "validate")
    assert (answer.code, answer.out, answer.err) == (1, "26 records: 1 error, 0 warnings\n", MESSAGE)


def test_validate_works_from_inside_and_with_parts_of_the_catalog(small_catalog: Path, tmp_path: Path) -> None:
    break_card(small_catalog)
    for part, code in (
        ("catalog/gpus", 1),
        ("catalog/gpus/nvidia/l4.yaml", 1),
        ("catalog", 1),
        (".", 1),
        ("catalog/models", 0),
        ("catalog/gpus/nvidia/rtx-4090.yaml", 0),
    ):
        assert run_in(None, "validate", part, cwd=tmp_path).code == code, part
    assert run_in(small_catalog, "validate", "gpus", "catalog/models", cwd=tmp_path).code == 2
    assert run_in(small_catalog, "validate", "catalog/gpus", "catalog/models", cwd=tmp_path / "catalog").code == 1
    several = run_in(None, "validate", "catalog/models", "catalog/providers", cwd=tmp_path)
    assert several.out == "4 records: 0 errors, 0 warnings\n"


def test_validate_refuses_what_lies_elsewhere(small_catalog: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    answer = run_in(small_catalog, "validate", str(tmp_path.parent))
    assert answer.code == 2
    assert "is not inside the catalog 'catalog'\nhelp: name its folder with --catalog DIR" in answer.err
    assert run_in(small_catalog, "validate", "/etc/hostname").code == 2


def test_validate_json(small_catalog: Path) -> None:
    break_card(small_catalog)
    answer = run_in(small_catalog, "validate", "--format", "json")
    assert answer.code == 1
    assert answer.json == {
        "schema": "llmops-catalog/problems/1",
        "records": 26,
        "problems": [
            {"path": "catalog/gpus/nvidia/l4.yaml", "line": 3, "column": 15, "level": "error", "code": "unknown-architecture",
             "message": "'ada-lovelase' is not in catalog/architectures", "hint": "Did you mean 'ada-lovelace'?"},
        ],
    }  # fmt: skip


def test_validate_github_escapes(small_catalog: Path) -> None:
    (small_catalog / "gpus" / "a%0A::error::b,c.txt").write_text("x")
    answer = run_in(small_catalog, "validate", "--format", "github")
    assert answer.code == 0
    assert answer.out == (
        "::warning file=catalog/gpus/a%250A%3A%3Aerror%3A%3Ab%2Cc.txt,line=1,col=1,title=stray-file::"
        "'a%250A::error::b,c.txt' is no record. Move it out of the catalog folder\n"
    )


def test_warnings_alone_exit_0(small_catalog: Path) -> None:
    (small_catalog / "notes.txt").write_text("x")
    answer = run_in(small_catalog, "validate")
    assert (answer.code, answer.out) == (0, "26 records: 0 errors, 1 warning\n")


def test_another_question_on_a_broken_catalog_says_why(small_catalog: Path) -> None:
    break_card(small_catalog)
    answer = run_in(small_catalog, "list", "gpus")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err == (
        MESSAGE
        + "llmops-catalog: error[catalog-invalid]: the catalog has 1 error\nhelp: run 'llmops-catalog validate' for the whole list\n"
    )


def test_only_the_first_problems_are_shown_then(small_catalog: Path) -> None:
    for number in range(30):
        (small_catalog / "gpus" / f"card-{number:02}.yaml").write_text("")
    answer = run_in(small_catalog, "list", "gpus")
    assert answer.code == 1
    assert answer.err.count("error[empty-file]") == 10
    assert "... and 20 more\n" in answer.err


def test_validate_can_be_stopped() -> None:
    """Ctrl-C while the records of the checkout are read."""
    script = "import llmops_catalog.cli as cli; print('ready', flush=True); cli.main(['validate'])"
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err.strip()) == (130, "", "llmops-catalog: stopped")

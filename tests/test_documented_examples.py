"""What the pages show is true: their commands run, their Python runs, the records they offer for copying are valid."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from llmops_catalog.catalog.check import check_folder
from llmops_catalog.cli import run

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "docs/cli.md")
SLOW = ("build", "serve")
"""Commands that other tests run: `tests/browser` builds the site."""


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of one language on a page."""
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


COMMANDS = [
    pytest.param(words[1:], id=" ".join(words[1:]))
    for page in PAGES
    for block in blocks(page, "sh")
    for line in block.splitlines()
    if (words := shlex.split(line, comments=True))[:1] == ["llmops-catalog"] and words[1] not in SLOW
]


@pytest.mark.parametrize("arguments", COMMANDS)
def test_documented_commands_answer(arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    assert run(arguments) == 0
    assert capsys.readouterr().out or "github" in arguments  # no annotations where nothing is wrong


def test_there_are_documented_commands() -> None:
    assert len(COMMANDS) >= 12


def test_documented_python_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    (example,) = blocks("README.md", "python")
    exec(compile(example, "README.md", "exec"), {})  # noqa: S102 (our own page)
    size, verdict = capsys.readouterr().out.split()
    assert 5 * 2**30 < int(size) < 7 * 2**30
    assert verdict == "fits"


@pytest.mark.parametrize("example", [block for block in blocks("CONTRIBUTING.md", "yaml") if block.startswith("# catalog/")])
def test_records_offered_for_copying_are_valid(example: str, tmp_path: Path) -> None:
    """In the place the first line names, beside the records they refer to."""
    shutil.copytree(ROOT / "catalog", tmp_path / "catalog")
    place = example.partition("\n")[0].removeprefix("# ").split()[0]
    (tmp_path / place).write_text(example, encoding="utf-8")
    assert [problem for problem in check_folder(tmp_path / "catalog").problems if problem.path == place] == []


def test_make_targets_of_the_pages_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {
        target
        for page in (*PAGES, "CONTRIBUTING.md", "docs/architecture.md")
        for target in re.findall(r"\bmake ([a-z]+)\b", (ROOT / page).read_text(encoding="utf-8"))
    }
    assert named - {"sure", "it", "them"} <= targets


def test_the_architecture_page_names_every_room() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = [path for path in (ROOT / "llmops_catalog").iterdir() if path.name[0] not in "._" and path.name != "py.typed"]
    assert [room.name for room in rooms if f"`{room.name}{'/' if room.is_dir() else ''}`" not in text] == []

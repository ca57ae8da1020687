"""The written tree: only what changed, whole files, no stale pages, nobody else's files."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmops_catalog.errors import RenderError
from llmops_catalog.render.write import MANIFEST, write_tree


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST
    }


def test_writes_all_then_nothing_then_only_the_change(tmp_path: Path) -> None:
    first = write_tree({"a.md": "a", "b/c.json": "c"}, tmp_path / "out")
    assert (first.written, first.unchanged, first.removed) == (2, 0, 0)
    before = {path: (tmp_path / "out" / path).stat().st_mtime_ns for path in ("a.md", "b/c.json", MANIFEST)}
    second = write_tree({"a.md": "a", "b/c.json": "c"}, tmp_path / "out")
    assert (second.written, second.unchanged) == (0, 2)
    assert before == {path: (tmp_path / "out" / path).stat().st_mtime_ns for path in before}
    third = write_tree({"a.md": "changed", "b/c.json": "c"}, tmp_path / "out")
    assert (third.written, third.unchanged) == (1, 1)
    assert tree(tmp_path / "out") == {"a.md": b"changed", "b/c.json": b"c"}


def test_pages_that_are_gone_are_removed_with_their_empty_folders(tmp_path: Path) -> None:
    write_tree({"a.md": "a", "b/c/d.md": "d"}, tmp_path)
    report = write_tree({"a.md": "a"}, tmp_path)
    assert report.removed == 1
    assert tree(tmp_path) == {"a.md": b"a"}
    assert not (tmp_path / "b").exists()


def test_a_page_may_become_a_folder_and_back(tmp_path: Path) -> None:
    write_tree({"a": "file"}, tmp_path)
    write_tree({"a/b": "inside"}, tmp_path)
    assert tree(tmp_path) == {"a/b": b"inside"}
    write_tree({"a": "file"}, tmp_path)
    assert tree(tmp_path) == {"a": b"file"}


def test_files_of_others_stay_and_are_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    (tmp_path / "index.md").write_text("mine")
    with pytest.raises(RenderError, match="was not written by this program"):
        write_tree({"index.md": "generated"}, tmp_path)
    assert tree(tmp_path) == {"mine.txt": b"keep", "index.md": b"mine"}
    (tmp_path / "index.md").unlink()
    write_tree({"index.md": "generated"}, tmp_path)
    assert tree(tmp_path)["mine.txt"] == b"keep"


def test_an_interrupted_run_leaves_whole_files_the_next_one_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replaced: list[object] = []
    real = Path.replace

    def stop_at_the_third(source: Path, target: Path) -> Path:
        replaced.append(target)
        if len(replaced) == 3:
            raise KeyboardInterrupt
        return real(source, target)

    monkeypatch.setattr(Path, "replace", stop_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        write_tree({f"{n}.md": "x" * 1000 for n in range(9)}, tmp_path)
    monkeypatch.undo()
    assert all(content == b"x" * 1000 for content in tree(tmp_path).values())
    assert not list(tmp_path.glob(".part-*"))
    write_tree({"0.md": "y"}, tmp_path)
    assert tree(tmp_path) == {"0.md": b"y"}


@pytest.mark.parametrize("path", ["/etc/x", "../x", "a/../../x", "", "a\\b", "a\0b"])
def test_paths_outside_the_folder_are_refused(path: str, tmp_path: Path) -> None:
    with pytest.raises(RenderError, match="not a path inside"):
        write_tree({path: "x"}, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_a_file_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("x")
    with pytest.raises(RenderError, match="cannot write"):
        write_tree({"a": "x"}, tmp_path / "out")


def test_a_damaged_manifest_is_said_plainly(tmp_path: Path) -> None:
    write_tree({"a.md": "a"}, tmp_path)
    (tmp_path / MANIFEST).write_text("{")
    with pytest.raises(RenderError, match="is damaged"):
        write_tree({"a.md": "a"}, tmp_path)

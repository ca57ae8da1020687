"""Files are written whole or not at all, and only where their bytes change."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from llmops_catalog import files
from llmops_catalog.files import write_bytes, write_text


def test_writes_makes_folders_and_says_whether_anything_changed(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "page.md"
    assert write_text(path, "eins: ü\n") is True
    assert path.read_bytes() == "eins: ü\n".encode()
    before = path.stat()
    assert write_text(path, "eins: ü\n") is False
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (before.st_mtime_ns, before.st_ino)
    assert write_text(path, "zwei: ü\n") is True


def test_new_files_follow_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_text(tmp_path / "page.md", "x")
    finally:
        os.umask(before)
    assert (tmp_path / "page.md").stat().st_mode & 0o777 == 0o640


def test_an_interruption_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "page.md"
    write_text(path, "old")

    def interrupted(self: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_text(path, "new")
    monkeypatch.undo()
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["page.md"]


def test_a_full_disk_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "page.md"
    write_text(path, "old")
    real = os.fdopen

    class Full:
        def __init__(self, descriptor: int) -> None:
            self.file = real(descriptor, "wb")

        def __enter__(self) -> Full:
            return self

        def __exit__(self, *_: object) -> None:
            self.file.close()

        def write(self, raw: bytes) -> int:
            self.file.write(raw[:1])
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fdopen", lambda descriptor, mode: Full(descriptor))
    with pytest.raises(OSError, match="No space left"):
        write_bytes(path, b"new and longer")
    monkeypatch.undo()
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["page.md"]


def test_a_place_that_cannot_be_written_is_an_os_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OSError, match="file"):
        write_text(tmp_path / "file" / "page.md", "x")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        write_text(tmp_path / "folder", "x")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["file", "folder"]


def test_a_reader_never_meets_half_a_file(tmp_path: Path) -> None:
    """Another process rewrites the file all the time; every look finds one of the two whole texts."""
    path = tmp_path / "page.md"
    texts = ["a" * 300_000, "b" * 300_000]
    write_text(path, texts[0])
    script = (
        "import sys; from pathlib import Path; from llmops_catalog.files import write_text\n"
        "for number in range(80): write_text(Path(sys.argv[1]), 'ab'[number % 2] * 300_000)"
    )
    writer = subprocess.Popen([sys.executable, "-c", script, str(path)])
    looks = 0
    while writer.poll() is None:
        assert path.read_text() in texts
        looks += 1
    assert writer.returncode == 0
    assert looks > 1

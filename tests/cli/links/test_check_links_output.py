"""Where the report goes: to a file, to what a link points at, to a pipe, to standard output; a device is never replaced."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "llmops_catalog", "check-links", "--no-hub", "--url", "http://127.0.0.9:1/", "--output"]
REPORT = "1 link: 0 pass, 0 fail, 1 unknown\n"


def ran(target: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, str(target)], capture_output=True, text=True, timeout=60, check=False, cwd=folder)


@pytest.mark.parametrize("target", ["-", "/dev/stdout"])
def test_standard_output_by_its_names(tmp_path: Path, target: str) -> None:
    before = Path("/dev/stdout").is_symlink()
    told = ran(target, tmp_path)
    assert (told.returncode, told.stdout.endswith(REPORT)) == (0, True)
    assert Path("/dev/stdout").is_symlink() == before
    assert list(tmp_path.iterdir()) == []


def test_a_device_that_is_full_is_told_and_stays(tmp_path: Path) -> None:
    assert stat.S_ISCHR(Path("/dev/full").stat().st_mode)
    assert ran("/dev/full", tmp_path).returncode == 3
    assert stat.S_ISCHR(Path("/dev/full").stat().st_mode)


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "report").symlink_to(tmp_path / "real" / "report.txt")
    assert ran("report", tmp_path).returncode == 0
    assert (tmp_path / "report").is_symlink()
    assert (tmp_path / "real" / "report.txt").read_text().endswith(REPORT)

"""Programs we are compared with, installed on first use into `build/bench`, each version in a folder of its own.

A folder of its own, because npm takes away what a folder holds beside the package it is asked for.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parent.parent.parent
BENCH = PROJECT / "build" / "bench"


def from_npm(name: str, version: str) -> Path:
    """The command of an npm package."""
    folder = BENCH / f"{name}-{version}"
    npm = shutil.which("npm")
    if npm is None:
        sys.exit(f"this benchmark needs npm, to install {name}")
    return installed(
        folder / "node_modules" / ".bin" / name,
        [npm, "install", "--silent", "--no-save", "--prefix", str(folder), f"{name}@{version}"],
    )


def from_pypi(package: str, version: str, command: str) -> Path:
    """`command` (or ``python``) of a virtual environment that holds the package and nothing of ours."""
    folder = BENCH / f"{package}-{version}"
    if not folder.exists():
        BENCH.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"{package}=={version}"]
    done = folder / "installed"
    installed(done, pip)
    done.touch()
    return folder / "bin" / command


def installed(entry: Path, command: list[str]) -> Path:
    """`entry`, which `command` makes where it is missing."""
    if not entry.exists():
        entry.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(command, check=True)
    return entry

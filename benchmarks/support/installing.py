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


def from_npm(package: str, version: str) -> Path:
    """The command of an npm package, which bears its name."""
    folder = BENCH / f"{package}-{version}"
    command = folder / "node_modules" / ".bin" / package
    if not command.exists():
        npm = shutil.which("npm")
        if npm is None:
            sys.exit(f"this benchmark needs npm, to install {package}")
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([npm, "install", "--silent", "--no-save", "--prefix", str(folder), f"{package}@{version}"], check=True)
    return command


def from_pypi(package: str, version: str, command: str) -> Path:
    """`command` of a virtual environment that holds the package and nothing of ours."""
    folder = BENCH / f"{package}-{version}"
    is_whole = folder / "installed"
    if not is_whole.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, f"{package}=={version}"], check=True)
        is_whole.touch()
    return folder / "bin" / command

"""How the tests of the command line run it: in this process, or as one of its own; and a card to break."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from unittest.mock import patch

import pytest

from llmops_catalog.cli import main

ROOT = Path(__file__).parent.parent.parent
HELP = "help: see 'llmops-catalog{} --help'\n"


@dataclass
class Answer:
    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        assert self.err == ""
        return json.loads(self.out)


Run = Callable[..., Answer]


def run_in(catalog: Path | None, *arguments: str, cwd: Path | None = None, **environment: str) -> Answer:
    """The command in this process: quick, and an exception it lets through fails the test."""
    out, err = io.StringIO(), io.StringIO()
    chosen = ["--catalog", str(catalog)] if catalog else []
    with (
        redirect_stdout(out),
        redirect_stderr(err),
        chdir(cwd or Path.cwd()),
        patch.dict(os.environ, environment),
        pytest.raises(SystemExit) as stop,
    ):
        main([*chosen, *arguments])
    return Answer(int(stop.value.code or 0), out.getvalue(), err.getvalue())


def run_process(*arguments: str, cwd: Path | None = None, stdout: int | IO[str] = subprocess.PIPE, **environment: str) -> Answer:
    """The command as a process of its own, as a shell starts it."""
    process = subprocess.run(
        [sys.executable, "-m", "llmops_catalog", *arguments],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        cwd=cwd,
        env={**os.environ, **environment},
        timeout=60,
        stdin=subprocess.DEVNULL,
    )
    assert "Traceback" not in process.stderr
    assert "Exception ignored" not in process.stderr
    return Answer(process.returncode, process.stdout or "", process.stderr)


def break_card(catalog: Path) -> None:
    card = catalog / "gpus" / "nvidia" / "l4.yaml"
    card.write_text(card.read_text().replace("ada-lovelace", "ada-lovelase"))


MESSAGE = (
    "catalog/gpus/nvidia/l4.yaml:3:15: error[unknown-architecture]: "
    "'ada-lovelase' is not in catalog/architectures. Did you mean 'ada-lovelace'?\n"
    "  help: https://llmops-catalog.github.io/llmops-catalog/problems/#unknown-architecture\n"
)

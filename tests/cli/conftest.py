"""What the tests of the command line share."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import Run, run_in


@pytest.fixture
def run(shared_catalog: Path) -> Run:
    """Runs a command on the small catalog, which nobody changes."""
    return lambda *arguments, **more: run_in(shared_catalog, *arguments, **more)

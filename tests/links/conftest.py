"""Lets these tests import the loopback hosts of `tests/servers`, and gives them one for each file, a double of the Hub for each test."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "servers"))

from hub_double import HubDouble, serving_hub
from misbehaving import Host
from raw_server import Scripted, scripted, serving


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    """A host with pages; whatever has none is 404."""
    with serving() as made:
        yield made


@pytest.fixture(scope="module")
def server() -> Iterator[Scripted]:
    """A host that does what a test's script says."""
    with scripted() as made:
        yield made


@pytest.fixture
def hub() -> Iterator[HubDouble]:
    with serving_hub() as double:
        yield double

"""What all tests share: a cache of their own, and a small catalog of valid records to copy and break."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.load_profile("repeatable")

TESTS = Path(__file__).parent
CACHE_VARIABLE = "LLMOPS_CATALOG_CACHE"


@pytest.fixture(autouse=True, scope="session")
def _cache_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads or writes the cache of the person who runs it."""
    before = os.environ.get(CACHE_VARIABLE)
    os.environ[CACHE_VARIABLE] = str(tmp_path_factory.mktemp("cache"))
    yield
    if before is None:
        del os.environ[CACHE_VARIABLE]
    else:
        os.environ[CACHE_VARIABLE] = before


def copy_small_catalog(to: Path) -> Path:
    """A fresh `catalog` folder below `to`: one valid record per collection, and a few more models and cards with names alike."""
    catalog = to / "catalog"
    shutil.copytree(TESTS / "broken" / "_base" / "catalog", catalog)
    shutil.copytree(TESTS / "cli" / "_more" / "catalog", catalog, dirs_exist_ok=True)
    return catalog


@pytest.fixture
def small_catalog(tmp_path: Path) -> Path:
    """A folder of valid records this test may change."""
    return copy_small_catalog(tmp_path)


@pytest.fixture(scope="session")
def shared_catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, for tests that only read."""
    return copy_small_catalog(tmp_path_factory.mktemp("shared"))

"""What the tests of `check-links` share: loopback hosts, a catalog whose addresses lead to one of them, a double of the Hub."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "links"))
sys.path.insert(0, str(Path(__file__).parents[2] / "servers"))

from catalog_site import L4, STANDING, Site
from hub_double import HubDouble, answering, serving_hub
from live_world import live
from misbehaving import World
from page_answers import page, redirect


@pytest.fixture(autouse=True)
def _no_tokens_of_the_person_who_runs_this(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_TOKEN", "HF_ENDPOINT", "GITHUB_TOKEN", "GH_TOKEN", "GITHUB_API_URL", "GITLAB_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def world() -> Iterator[World]:
    with live() as made:
        yield made


@pytest.fixture
def site(small_catalog: Path, world: World) -> Site:
    return Site(small_catalog, world)


@pytest.fixture
def named(small_catalog: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> Site:
    """The same under a name that records may carry (no record is valid that names a private address)."""
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))])
    return Site(small_catalog, world, "site-of-nobody.org")


@pytest.fixture
def mixed(site: Site, world: World) -> Site:
    """One dead, one walled, one moved, the rest well."""
    site.host.page("/example.org/gone", page("", 404))
    site.edit(L4, site.host.url("/example.org/l4"), site.host.url("/example.org/gone"))
    site.host.page("/example.org/mmlu", page("", 403))
    site.host.page("/example.org/alpaca", redirect("/new", 301))
    world.start()
    return site


@pytest.fixture
def hub() -> Iterator[HubDouble]:
    with serving_hub() as double:
        for name, facts in STANDING.items():
            double.add(f"org/{name}", **facts)
        double.add("new/name")
        double.answers["/api/models/org/unknown"] = answering(b"{}", 400)
        yield double

"""One misbehaving link: what is true of it, what may be said of it, and what its host may be put through."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Literal, NamedTuple

from misbehaving import Host, World

Truth = Literal["alive", "dead", "wall", "refuse", "unclear"]
PASS, FAIL, UNKNOWN = "pass", "fail", "unknown"
EVERY_OUTCOME = frozenset({PASS, FAIL, UNKNOWN})
PERMANENT, TEMPORARY = frozenset({"redirected-permanent"}), frozenset({"redirected-temporary"})
MEGABYTES_24 = 24 * 2**20
"""What an endless answer may get rid of: a body's limit and the kernel's buffers, for a few tries. Without a limit it is gigabytes."""


class Case(NamedTuple):
    """`verdicts` empty means any. The limits are about all of `host`, so a case that has some has a host of its own."""

    name: str
    url: str
    truth: Truth
    outcomes: frozenset[str]
    verdicts: frozenset[str] = frozenset()
    host: Host | None = None
    most_requests: int | None = None
    most_bytes: int | None = None
    most_seconds: float | None = None
    least_wait_seconds: float | None = None
    head_first: Host | None = None
    needs_resolver: bool = False


class Setting(NamedTuple):
    """Where the cases live. `canary` stands at every address of this machine that was not allowed."""

    world: World
    canary: Host
    contexts: Mapping[str, ssl.SSLContext]
    ipv6: bool

    def secure_host(self, certificate: str) -> Host:
        return self.world.host(f"tls {certificate}", tls=self.contexts.get(certificate), secure=True)


def alive(name: str, url: str, **more: object) -> Case:
    """Well and simple: anything but a pass is a mistake."""
    return Case(name, url, "alive", frozenset({PASS}))._replace(**more)


def living(name: str, url: str, **more: object) -> Case:
    """It lives, but so oddly that a checker may be unsure; it may never fail."""
    return Case(name, url, "alive", frozenset({PASS, UNKNOWN}))._replace(**more)


def dead(name: str, url: str, **more: object) -> Case:
    """Proven gone, as a careful person would agree."""
    return Case(name, url, "dead", frozenset({FAIL}))._replace(**more)


def wall(name: str, url: str, **more: object) -> Case:
    """Nobody can tell from outside."""
    return Case(name, url, "wall", frozenset({UNKNOWN}))._replace(**more)


def refuse(name: str, url: str, **more: object) -> Case:
    """Must not be followed; the outcome is the checker's choice, but it is no pass."""
    return Case(name, url, "refuse", frozenset({FAIL, UNKNOWN}), frozenset({"refused"}))._replace(**more)


def unclear(name: str, url: str, *outcomes: str, **more: object) -> Case:
    """People would disagree; the case is here because of what it does to the checker. By default it may not pass."""
    return Case(name, url, "unclear", frozenset(outcomes or (FAIL, UNKNOWN)))._replace(**more)

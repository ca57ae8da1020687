"""A check without a network, or with one that knows few names: what cannot be reached from here is not dead."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest
from live_world import live, ran, results
from page_answers import FILE

from llmops_catalog.errors import LinkCheckUnavailable


def broken_resolver(kind: int) -> Callable[..., Any]:
    def look_up(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(kind, "as without a network")

    return look_up


@pytest.mark.parametrize("kind", [socket.EAI_NONAME, socket.EAI_AGAIN])
def test_a_machine_that_resolves_no_name_could_not_check(monkeypatch: pytest.MonkeyPatch, kind: int) -> None:
    """EAI_AGAIN is what glibc says where no name server can be reached."""
    monkeypatch.setattr(socket, "getaddrinfo", broken_resolver(kind))
    with pytest.raises(LinkCheckUnavailable) as raised:
        ran(["https://huggingface.co/a", "https://site-of-nobody.org/"])
    assert (raised.value.exit_code, raised.value.message) == (3, "this machine resolves no names: nothing could be checked")
    assert raised.value.hint == "check its network"


def test_one_answer_is_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", broken_resolver(socket.EAI_NONAME))
    with live() as world:
        url = world.host("here").page("/page", FILE)
        world.start()
        assert results([url, "https://site-of-nobody.org/"])[url].judgement.outcome == "pass"


def test_a_name_that_does_not_exist_is_proof_where_others_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(host: str, *_: Any, **__: Any) -> Any:
        if host == "site-of-nobody.org":
            raise socket.gaierror(socket.EAI_NONAME, "not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    told = results(["https://site-of-nobody.org/"])["https://site-of-nobody.org/"]
    assert told.judgement[:3] == ("fail", "broken", "there is no host site-of-nobody.org")
    assert told.attempts == 2


def test_names_that_surely_exist_are_not_dead_where_no_name_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network whose own names alone are known (a company's, a sandbox's) answers "no such name" to all others: every link was dead."""

    def look_up(host: str, *_: Any, **__: Any) -> Any:
        if host == "wiki.company-of-nobody.org":
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with live() as world:
        host = world.host("inside")
        host.page("/page", FILE)
        inside = f"http://wiki.company-of-nobody.org:{host.port}/page"
        world.start()
        outside = ["https://github.com/", "https://en.wikipedia.org/", "https://site-of-nobody.org/"]
        told = results([inside, *outside])
        assert {url: result.judgement.outcome for url, result in told.items()} == {inside: "pass", **dict.fromkeys(outside, "unknown")}

"""A loopback server that plays any site: it answers what a test set for the real address, and the `ask` here leads there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from plain_http import QuietHandler, answering_with, ask_at

from llmops_catalog.links.hosts import Answer, HostAdapter
from llmops_catalog.links.results import Judgement

FIXTURES = Path(__file__).parent / "fixtures"


class Asked(NamedTuple):
    method: str
    url: str
    token: str | None
    body: bytes


class Reply(NamedTuple):
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = {}


SILENT = Reply(0)
"""Hang up without a word."""
Rule = Reply | Callable[[Asked], Reply]


def fixture(name: str, status: int = 200) -> Reply:
    """A recorded answer."""
    return Reply(status, (FIXTURES / name).read_bytes())


class Site:
    """`replies` by real address; whatever has none gets `otherwise`."""

    def __init__(self) -> None:
        self.port = 0
        self.replies: dict[str, Rule] = {}
        self.otherwise: Rule = Reply(501)
        self.asked: list[Asked] = []

    @property
    def urls(self) -> list[str]:
        return [asked.url for asked in self.asked]

    def reply(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        rule = self.replies.get(asked.url, self.otherwise)
        return rule(asked) if callable(rule) else rule

    async def ask(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        token: str | None = None,
    ) -> Answer:
        parts = urlsplit(url)
        assert parts.scheme == "https"
        assert not parts.fragment
        target = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~") + (f"?{parts.query}" if parts.query else "")
        sent = {**(headers or {}), "Host": parts.netloc, "Accept-Encoding": "identity"}
        return await ask_at(f"127.0.0.1:{self.port}", url, target, method, sent, body, token)


@contextmanager
def site() -> Iterator[Site]:
    """The server, on this machine only."""
    double = Site()

    class Handler(QuietHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            token = (self.headers.get("Authorization") or "").removeprefix("Bearer ") or None
            reply = double.reply(Asked(self.command, f"https://{self.headers['Host']}{self.path}", token, body))
            if reply.status == 0:
                return
            self.send_response(reply.status)
            for name, value in {**reply.headers, "Content-Length": str(len(reply.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.body)

        do_GET = do_HEAD = do_POST = answer

    with answering_with(Handler) as double.port:
        yield double


def judged(adapter: HostAdapter, urls: list[str], ask: Any) -> dict[str, Judgement | None]:
    """What an adapter says of each address; it has to say it exactly once."""
    told: dict[str, Judgement | None] = {}

    def settle(url: str, judgement: Judgement | None) -> None:
        assert url not in told, f"{url} is settled twice"
        told[url] = judgement

    asyncio.run(adapter.judge(urls, ask, settle))
    assert set(told) == set(urls)
    return {url: told[url] for url in urls}


def verdicts(told: Mapping[str, Judgement | None]) -> dict[str, str | None]:
    """Only the verdicts, None where the page is to tell."""
    return {url: judgement.verdict if judgement else None for url, judgement in told.items()}

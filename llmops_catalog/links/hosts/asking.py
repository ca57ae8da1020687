"""What all adapters have in common: every address is settled once whatever comes back, and answers are read with mistrust."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar
from urllib.parse import unquote, urlsplit

from llmops_catalog.links.hosts import Answer, Settle, Unreachable
from llmops_catalog.links.results import Judgement

AT_ONCE = 8
"""Questions one adapter keeps going; the host's own queue in the transport is the narrower door."""
LONGEST_URL, LONGEST_QUOTE = 2_000, 160
LARGEST_JSON_BYTES = 2**20
"""A hundred repositories are 50 kB; parsed, hostile JSON grows to thirty times its size."""
_WEB_PORTS = (None, 80, 443)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

_log = logging.getLogger(__name__)
Item = TypeVar("Item")
Key = TypeVar("Key", bound=Hashable)


class Address(NamedTuple):
    """An address taken apart: host in lower case, the parts of the path decoded and without empty ones, the rest as written."""

    host: str
    parts: tuple[str, ...]
    path: str
    query: str
    fragment: str


@lru_cache(maxsize=64)
def address(url: str) -> Address | None:
    """The parts of a plain web address; None for everything an adapter should keep its hands off. Never raises.

    Each adapter asks in turn about the same address, hence the small memory.
    """
    try:
        url.encode()
        found = urlsplit(url)
        host, port = found.hostname or "", found.port
        parts = tuple(unquote(part, errors="strict") for part in found.path.split("/") if part)
    except ValueError:
        return None
    odd = found.scheme not in ("http", "https") or found.username is not None or port not in _WEB_PORTS or len(url) > LONGEST_URL
    if odd or any(part in (".", "..") or _CONTROL.search(part) for part in parts):
        return None
    return Address(host.casefold(), parts, found.path, found.query, found.fragment)


async def settling(urls: Sequence[str], settle: Settle, look: Callable[[Settle], Awaitable[None]]) -> None:
    """Run `look` and see to it that each address is settled exactly once: what it leaves open, for whatever reason, is left to the page.

    A mistake in an adapter costs that adapter's answers and never the run; it is logged.
    """
    waiting = dict.fromkeys(urls)

    def once(url: str, judgement: Judgement | None) -> None:
        if url in waiting:
            del waiting[url]
            settle(url, judgement)

    try:
        await look(once)
    except Unreachable as error:
        _log.debug("no answer: %s", error.reason)
    except Exception:
        _log.warning("an adapter failed", exc_info=True)
    for url in tuple(waiting):
        once(url, None)


async def each(items: Iterable[Item], work: Callable[[Item], Awaitable[None]]) -> None:
    """Await `work` for every item, a few at a time; an item whose site gives no answer is passed over."""
    waiting = iter(tuple(items))

    async def worker() -> None:
        for item in waiting:
            try:
                await work(item)
            except Unreachable as error:
                _log.debug("no answer: %s", error.reason)

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(worker())


def grouped(urls: Iterable[str], key: Callable[[str], Key | None]) -> dict[Key, list[str]]:
    """The addresses by what has to be asked about; those without a question are left out."""
    groups: dict[Key, list[str]] = {}
    for url in dict.fromkeys(urls):
        question = key(url)
        if question is not None:
            groups.setdefault(question, []).append(url)
    return groups


def parsed(answer: Answer) -> Any:
    """The JSON of an answer; None where it is none, or larger, deeper or with longer numbers than any honest one."""
    if len(answer.body) > LARGEST_JSON_BYTES:
        return None
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        return None


def inside(value: Any, *keys: str) -> Any:
    """What lies under `keys`; None where the shape is another one."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def quote_of(value: Any) -> str:
    """A text as it may be repeated in a sentence: one line, not too long; empty where it is no text."""
    line = " ".join(value.split()) if isinstance(value, str) else ""
    return line if len(line) <= LONGEST_QUOTE else line[: LONGEST_QUOTE - 1] + "…"


def alive(hint: str = "", http_status: int | None = None, final_url: str | None = None) -> Judgement:
    """It is there."""
    return Judgement("pass", "ok", hint=hint, http_status=http_status, final_url=final_url)


def gone(reason: str, hint: str, http_status: int | None = None) -> Judgement:
    """It is proved not to be there."""
    return Judgement("fail", "broken", reason, hint, http_status)


def walled(reason: str, hint: str, http_status: int | None = None) -> Judgement:
    """Some may see it, we may not."""
    return Judgement("unknown", "login-wall", reason, hint, http_status)


def limited(site: str) -> Judgement:
    """The site asks to wait."""
    return Judgement("unknown", "rate-limited", f"{site} asks to wait: too many requests", "it is asked again by the next check")

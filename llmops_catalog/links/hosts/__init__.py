"""Sites that tell more than their pages do: one adapter each, which answers for the addresses it claims by asking the site's own API."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from llmops_catalog.links.results import Judgement


class Answer(NamedTuple):
    """What a site's API sent back. `headers` by lower-case name; `body` whole and inflated, at most 5 MiB."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


class Unreachable(Exception):
    """The API gave no whole answer (no such host, refused, time-out, too large, not HTTP); `reason` is one sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Ask(Protocol):
    """One request through the polite and bounded transport: the host's queue, retries, rate limits and address rules apply.

    Follows no redirect: a 3xx is an answer, its target under `location`. `token` goes as ``Authorization: Bearer`` with this
    request alone. Raises `Unreachable`.
    """

    async def __call__(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        token: str | None = None,
    ) -> Answer: ...


Settle = Callable[[str, "Judgement | None"], None]
"""Called once for each address: with the judgement, or with None where the API cannot tell and the page itself should be looked at."""


class HostAdapter(Protocol):
    """One site. `claims` looks at the address alone; `judge` settles every address it is given, in any order."""

    def claims(self, url: str) -> bool: ...

    async def judge(self, urls: Sequence[str], ask: Ask, settle: Settle) -> None: ...

"""One request to a site's API, as the adapters make it: the same gates, limits and address rules as for links, and no redirect followed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from random import uniform

from llmops_catalog.links.exchange import NoAnswer
from llmops_catalog.links.fetch import Fetcher, Request
from llmops_catalog.links.hosts import Answer, Unreachable
from llmops_catalog.links.inflate import ACCEPTED
from llmops_catalog.links.limits import USER_AGENT, Budget
from llmops_catalog.links.policy import RETRIED_STATUSES, RETRIED_TROUBLES
from llmops_catalog.links.target import BadAddress, Target, parse_target


class ApiAsk:
    """The `Ask` of adapters. A token is sent with one request, to the host that request names, encrypted or to where it was told to go."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher

    async def __call__(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        token: str | None = None,
    ) -> Answer:
        """Raises `Unreachable`, also where a token would go unencrypted to a host nobody named."""
        try:
            target = parse_target(url)
        except BadAddress as error:
            raise Unreachable(error.reason) from None
        if token and not (token.isascii() and token.isprintable() and " " not in token):
            raise Unreachable("the token has characters that no token has: was it copied whole, and alone?")
        if token and target.scheme != "https" and target.origin not in self._fetcher.trusted:
            raise Unreachable("a token is not sent over an open connection")
        sent = {"User-Agent": USER_AGENT, "Accept-Encoding": ACCEPTED, **(headers or {})}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        request = Request(method, target, tuple(sent.items()), body or b"", to_api=True)
        return await self._with_retries(request, target)

    async def _with_retries(self, request: Request, target: Target) -> Answer:
        settings = self._fetcher.settings
        for number in range(len(settings.retry_seconds) + 1):
            is_last = number == len(settings.retry_seconds)
            try:
                head, body = await self._fetcher.whole(request._replace(fresh=number > 0), Budget(settings.timeout_seconds))
            except NoAnswer as error:
                if is_last or error.trouble.kind not in RETRIED_TROUBLES:
                    raise Unreachable(error.trouble.sentence) from None
            else:
                is_closed = head.status == 429 and not self._fetcher.gate(target).is_closed
                if is_last or head.status not in RETRIED_STATUSES or is_closed:
                    return Answer(head.status, dict(head.headers), body, target.url)
            await asyncio.sleep(settings.retry_seconds[number] * uniform(0.7, 1.3))  # noqa: S311 (jitter, no secret)
        raise AssertionError("the last attempt returns or raises")

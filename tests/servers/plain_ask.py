"""The simplest `Ask` there can be: one real connection for each request, no retries, no redirects, no limits but a time-out and 5 MiB."""

from __future__ import annotations

import asyncio
import http.client
from collections.abc import Mapping
from urllib.parse import urlsplit

from llmops_catalog.links.hosts import Answer, Unreachable

MOST_BYTES = 5 * 2**20


async def plain_ask(
    url: str, *, method: str = "GET", headers: Mapping[str, str] | None = None, body: bytes | None = None, token: str | None = None
) -> Answer:
    """An `Ask` over http.client in a thread."""
    sent = {**(headers or {}), **({"Authorization": f"Bearer {token}"} if token else {})}
    return await asyncio.to_thread(_asked, url, method, sent, body)


def _asked(url: str, method: str, headers: dict[str, str], body: bytes | None) -> Answer:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=5)
    try:
        connection.request(method, url.removeprefix(f"{parts.scheme}://{parts.netloc}"), body, headers)
        response = connection.getresponse()
        data = response.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise Unreachable("the answer is longer than 5 MiB")
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, data, url)
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(f"{type(error).__name__}: {error}") from None
    finally:
        connection.close()

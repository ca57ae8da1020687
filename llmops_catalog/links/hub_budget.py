"""What is left of the Hub's rate limit, by its own headers: waited for before a request is sent, never longer than we have patience.

`RateLimit: "api";r=0;t=55` and `RateLimit-Policy: "fixed window";"api";q=500;w=300`: the form of IETF draft 9
(https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/09/) as https://huggingface.co/docs/hub/rate-limits describes it.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from time import monotonic
from typing import NamedTuple

MOST_WAIT_SECONDS = 60.0
"""In all, for one run."""
LONGEST_HEADER = 1000
SAME_WINDOW_SECONDS = 2.0
"""Two answers whose windows end this close to each other speak of the same one."""
_ITEM = re.compile(r'"?([A-Za-z][\w -]{0,39})"?((?:\s*;\s*[a-z]{1,8}\s*=\s*[0-9]{1,9})+)', re.ASCII)
_PARAMETER = re.compile(r"([a-z]+)\s*=\s*([0-9]+)")


class Left(NamedTuple):
    """Requests that may still be sent before `resets_at` (of the monotonic clock)."""

    requests: int
    resets_at: float


class BudgetSpent(Exception):
    """The Hub allows no request for longer than we wait."""


class Budget:
    """One count for each bucket of the Hub (`api`, `resolvers`); nothing is known, and nothing waited for, before the first answer."""

    def __init__(self, most_wait_seconds: float = MOST_WAIT_SECONDS) -> None:
        self.most_wait_seconds = most_wait_seconds
        self.waited_seconds = 0.0
        self._left: dict[str, Left] = {}
        self._in_flight: Counter[str] = Counter()
        self._door = asyncio.Lock()

    @asynccontextmanager
    async def room(self, bucket: str) -> AsyncIterator[None]:
        """Lets one request through when there is room for it. Raises `BudgetSpent`."""
        async with self._door:  # one waits for the window, the others for the one: the same minute is not counted eight times
            await self._wait(bucket)
            if (left := self._left.get(bucket)) is not None:
                self._left[bucket] = left._replace(requests=left.requests - 1)
            self._in_flight[bucket] += 1
        try:
            yield
        finally:
            self._in_flight[bucket] -= 1

    def learn(self, headers: Mapping[str, str]) -> None:
        """Takes what an answer says is left; what makes no sense is passed over."""
        windows = {bucket: told["w"] for bucket, told in parsed(headers.get("ratelimit-policy", "")).items() if "w" in told}
        for bucket, told in parsed(headers.get("ratelimit", "")).items():
            seconds = told.get("t", windows.get(bucket))
            if "r" not in told or seconds is None:
                continue
            requests, resets_at, before = told["r"], monotonic() + seconds, self._left.get(bucket)
            if before is not None and abs(before.resets_at - resets_at) < SAME_WINDOW_SECONDS:
                requests = min(requests, before.requests)  # answers overtake each other; our own count does not
            else:
                requests -= max(self._in_flight[bucket] - 1, 0)
            self._left[bucket] = Left(requests, resets_at)

    async def _wait(self, bucket: str) -> None:
        left = self._left.get(bucket)
        if left is None:
            return
        pause_seconds = left.resets_at - monotonic()
        if pause_seconds > 0:
            if left.requests > 0:
                return
            if self.waited_seconds + pause_seconds > self.most_wait_seconds:
                raise BudgetSpent(f"the Hub allows no further request for {pause_seconds:.0f} s")
            self.waited_seconds += pause_seconds
            await asyncio.sleep(pause_seconds)
        self._left.pop(bucket, None)


def parsed(header: str) -> dict[str, dict[str, int]]:
    """The parameters of each named bucket in a header of that form; nothing where it has another."""
    items = _ITEM.findall(header[:LONGEST_HEADER])
    return {name.strip(): {key: int(value) for key, value in _PARAMETER.findall(parameters)} for name, parameters in items}

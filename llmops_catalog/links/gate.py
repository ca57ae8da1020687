"""Politeness towards one host: how many at once, how fast, and how long it wants to be left alone."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from time import monotonic

from llmops_catalog.links.exchange import Hop, NoAnswer, Trouble
from llmops_catalog.links.limits import LONGEST_PAUSE_SECONDS, MOST_PAGES_READ, PAGES_SAMPLED

FIRST_INTERVAL, LONGEST_INTERVAL, SHORTEST_INTERVAL = 0.25, 5.0, 0.03
"""Seconds between two requests after the first complaint, at most, and below which there is none."""
CALMED = 0.8
"""What is left of the interval after an answer without complaint."""
MOST_REFUSALS = 5
"""Answers in a row that ask to wait, after all waiting is used up: then the host is left alone for the rest of the run."""
SPREAD_SECONDS = 2.0
"""Longest interval chosen to spread what is left of a rate limit."""
FOR_EVER_SECONDS = 10.0**12
_EPOCH = 10**8
"""A reset above this is a moment, below it a number of seconds (GitHub sends the one, others the other)."""


class Gate:
    """The queue before one host; `async with gate:` is one turn.

    Also what is known of the host: how many of its pages the run is about and how many were read; what it answers to paths that cannot
    exist (`elsewhere`, by folder), and whether that is a page which says so itself (`hides_loss`).
    """

    def __init__(self, at_once: int) -> None:
        self._places = asyncio.Semaphore(at_once)
        self._closed_until = 0.0
        self._next_at = 0.0
        self._interval = 0.0
        self._refusals = 0
        self.pause_left = LONGEST_PAUSE_SECONDS
        self.pages = 0
        self.pages_read = 0
        self.hides_loss = False
        self.elsewhere: dict[str, Hop | None] = {}
        self.asks: dict[str, asyncio.Lock] = {}

    async def __aenter__(self) -> None:
        await self._places.acquire()
        try:
            while True:
                if self._refusals > MOST_REFUSALS and self.pause_left <= 0:
                    raise NoAnswer(Trouble("given-up", "the host asks to be left alone for longer than we wait"))
                wait = max(self._closed_until, self._next_at) - monotonic()
                if wait <= 0:
                    break
                await asyncio.sleep(wait)
            self._next_at = monotonic() + self._interval
        except BaseException:
            self._places.release()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._places.release()

    @property
    def reads_no_more(self) -> bool:
        """True once enough of the host's pages were opened: of the others the status has to do."""
        return self.pages > MOST_PAGES_READ and self.pages_read >= PAGES_SAMPLED

    @property
    def closed_seconds(self) -> float:
        """Seconds until the host may be asked again."""
        return max(self._closed_until - monotonic(), 0.0)

    @property
    def is_closed(self) -> bool:
        """True while the host is left alone because it asked for it."""
        return self._closed_until > monotonic()

    def answered(self, status: int, headers: Mapping[str, str]) -> None:
        """Learns from an answer: closes the gate for as long as the host asks, widens the interval when it complains."""
        if is_limited(status, headers):
            self._refusals += 1
            if not self.is_closed:  # what was under way when it closed says nothing new
                self._interval = min(max(2 * self._interval, FIRST_INTERVAL), LONGEST_INTERVAL)
            self._pause(wait_seconds(headers) or self._interval * 4)
            return
        self._refusals = 0
        self._interval = self._interval * CALMED if self._interval > SHORTEST_INTERVAL else 0.0
        if allowance := remaining(headers):
            left, seconds = allowance
            if left <= 0:
                self._pause(seconds)
            elif left < 20:
                self._interval = max(self._interval, min(seconds / left, SPREAD_SECONDS))

    def _pause(self, seconds: float) -> None:
        now = monotonic()
        already = max(self._closed_until - now, 0.0)
        more = min(max(seconds - already, 0.0), self.pause_left)
        self.pause_left -= more
        self._closed_until = now + already + more


def is_limited(status: int, headers: Mapping[str, str]) -> bool:
    """True where an answer asks to come back later: 429, or 403 and 503 that say when."""
    if status == 429:
        return True
    if status == 503:
        return "retry-after" in headers
    return status == 403 and ("retry-after" in headers or (remaining(headers) or (1, 0.0))[0] <= 0)


def wait_seconds(headers: Mapping[str, str]) -> float | None:
    """How long the host asks to wait: `Retry-After` in seconds or as a date, else when its limit is reset. None where it does not say."""
    text = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]+(?:\.[0-9]+)?", text):
        return float(text) if len(text) < 13 else FOR_EVER_SECONDS
    if moment := _moment(text):
        return max((moment - (_moment(headers.get("date", "")) or datetime.now(UTC))).total_seconds(), 0.0)
    allowance = remaining(headers)
    return allowance[1] if allowance and allowance[0] <= 0 else None


def _moment(text: str) -> datetime | None:
    """An HTTP date; None for anything else."""
    try:
        moment = parsedate_to_datetime(text[:100])
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _limits(text: str) -> list[str]:
    """The items of `RateLimit`, one for each policy; in older drafts the commas stand within the one item."""
    return text.split(",") if ";" in text else [text]


def _limit(item: str) -> tuple[int, float] | None:
    left, seconds = re.search(r"\b(?:r|remaining)=([0-9]{1,9})", item), re.search(r"\b(?:t|reset)=([0-9]{1,9})", item)
    return (int(left[1]), float(seconds[1])) if left and seconds else None


def remaining(headers: Mapping[str, str]) -> tuple[int, float] | None:
    """Requests left and seconds until there are more, by `RateLimit` (https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/)
    or the older ``RateLimit-Remaining`` and ``X-RateLimit-Remaining``; None where the host says neither.
    """
    limits = [found for item in _limits(headers.get("ratelimit", "")[:500]) if (found := _limit(item))]
    if limits:
        return min(limits, key=lambda limit: (limit[0], -limit[1]))
    for prefix in ("ratelimit-", "x-ratelimit-", "x-rate-limit-"):
        left_text, reset = headers.get(f"{prefix}remaining", "").strip(), headers.get(f"{prefix}reset", "").strip()
        if re.fullmatch(r"\d{1,9}", left_text) and re.fullmatch(r"\d{1,12}(?:\.\d+)?", reset):
            seconds_left = float(reset) - datetime.now(UTC).timestamp() if float(reset) > _EPOCH else float(reset)
            return int(left_text), max(seconds_left, 0.0)
    return None

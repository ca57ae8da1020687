"""How much a run may take, and who it says it is. Every bound of the checker has its one home here."""

from __future__ import annotations

from time import monotonic
from typing import NamedTuple

from llmops_catalog import __version__
from llmops_catalog.links.addresses import Network
from llmops_catalog.links.exchange import NoAnswer, Trouble
from llmops_catalog.problems import DOCUMENTATION

USER_AGENT = f"llmops-catalog/{__version__} (+{DOCUMENTATION}/links/)"
MOST_HOPS = 20
MOST_BODY_BYTES = 1024 * 1024
MOST_INFLATED_BYTES = 5 * 1024 * 1024
BODY_SECONDS = 10.0
"""For the body of a page of which only the title is wanted."""
LONGEST_PAUSE_SECONDS = 60.0
"""What a host may make us wait, all pauses of a run together."""
MOST_PAGES_READ, PAGES_SAMPLED = 900, 100
"""All pages of a host are opened to see their title as long as a run has no more than so many; of a larger number the first hundred."""
RETRY_SECONDS = (1.0, 4.0)
"""Waits before the second and the third attempt."""


class Settings(NamedTuple):
    """What a maintainer sets. `timeout_seconds` bounds one link with all its attempts, hops and bodies, besides waiting for its turn and
    the waits a host asked for. `deadline_seconds` bounds the whole run. `keeps_everything`: all headers of all hops, for one to look at.
    """

    concurrency: int = 64
    per_host: int = 4
    timeout_seconds: float = 20.0
    deadline_seconds: float | None = None
    allowed: tuple[Network, ...] = ()
    retry_seconds: tuple[float, ...] = RETRY_SECONDS
    keeps_everything: bool = False


class Budget:
    """Seconds left for the requests of one attempt; only what runs inside ``with budget:`` is counted, waiting for one's turn is not.

    `pause_left`: seconds that hosts may ask the link to wait; it is carried over from attempt to attempt.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._since: float | None = None
        self.pause_left = LONGEST_PAUSE_SECONDS

    def pause(self, seconds: float) -> None:
        """Takes a wait that a host asks for. Raises `NoAnswer` where all hosts of one link together ask for more than we wait."""
        if seconds > self.pause_left:
            raise NoAnswer(Trouble("given-up", "the hosts of this link ask to be left alone for longer than we wait"))
        self.pause_left -= seconds

    @property
    def left(self) -> float:
        """Seconds left, at least 0."""
        running = monotonic() - self._since if self._since is not None else 0.0
        return max(self._seconds - running, 0.0)

    def __enter__(self) -> None:
        self._since = monotonic()

    def __exit__(self, *_: object) -> None:
        self._seconds = self.left
        self._since = None

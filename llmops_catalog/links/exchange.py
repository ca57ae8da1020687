"""What was asked and what came back, hop by hop: the evidence a judgement rests on. Plain values."""

from __future__ import annotations

from typing import Literal, NamedTuple

REDIRECTS = (301, 302, 303, 307, 308)
"""Statuses that send everybody elsewhere."""

TroubleKind = Literal[
    "bad-address", "forbidden-address", "no-such-host", "resolver", "no-network", "refused", "reset", "unreachable", "certificate",
    "incomplete-chain", "tls", "timeout", "protocol", "too-large", "redirect-circle", "too-many-redirects", "given-up",
]  # fmt: skip
"""Why there is no answer to judge. Proof, after retries: no-such-host, refused, reset, certificate."""


class Trouble(NamedTuple):
    """What stood in the way of an answer; `sentence` is fit for a reader and may quote a server, `about` is the host where that matters."""

    kind: TroubleKind
    sentence: str
    about: str = ""


class Page(NamedTuple):
    """What the body of an answer shows: enough to judge by, never the body itself.

    `text` is the beginning of what a reader sees, white space folded; `text_length` all of it. `anchors` and `texts` are those of the
    wanted ones that were found, `mentioned` those that stand in a script. `has_ids`: the markup carries anchors of its own.
    `loaded_scripts`: those of `scripts` that are files of their own.
    `is_shell`: it draws itself by script. `marks` are traces of walls. `complete`: nothing was cut off.
    """

    title: str = ""
    heading: str = ""
    text: str = ""
    text_length: int = 0
    anchors: frozenset[str] = frozenset()
    texts: frozenset[str] = frozenset()
    has_ids: bool = False
    scripts: int = 0
    loaded_scripts: int = 0
    is_shell: bool = False
    refresh: str | None = None
    marks: frozenset[str] = frozenset()
    mentioned: frozenset[str] = frozenset()
    complete: bool = True
    is_html: bool = True


class Hop(NamedTuple):
    """One request and its answer. `headers` are as the server sent them, lower-case names; `address` is what was connected to."""

    method: str
    url: str
    address: str
    status: int
    headers: tuple[tuple[str, str], ...]
    page: Page | None = None
    elapsed_ms: int = 0
    browser_like: bool = False

    def passed(self) -> Hop:
        """What is worth keeping of a hop that led on: a chain of twenty long ones, for each of a thousand hosts, would fill the memory."""
        refresh = Page(refresh="led on") if self.page is not None and self.page.refresh else None
        return self._replace(url=self.url[:200], headers=(), page=refresh)

    def header(self, name: str) -> str:
        """The first value of a header, by its lower-case name."""
        return next((value for known, value in self.headers if known == name), "")


class Exchange(NamedTuple):
    """All of one attempt: the hops in order, and the trouble that ended it, if any. `elsewhere` is what the host answers to a path
    that cannot exist, where that was asked.
    """

    url: str
    hops: tuple[Hop, ...] = ()
    trouble: Trouble | None = None
    elsewhere: Hop | None = None

    @property
    def last(self) -> Hop | None:
        """The answer everything ended with."""
        return self.hops[-1] if self.hops else None


class NoAnswer(Exception):
    """A request that ended in trouble."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.sentence)
        self.trouble = trouble

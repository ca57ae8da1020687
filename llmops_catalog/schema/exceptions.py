"""catalog/link-exceptions.yaml: addresses the link check judges differently, each with a reason and an end.

A pattern is matched against every address by a machine that backtracks, and whoever proposes a change proposes patterns too: so only a
part of the language is allowed, in which the ways to try can be counted beforehand (`ways_to_match`). A limit on nested quantifiers
alone would not do: ``(a|a)*b`` has none and takes exponential time, ``.*.*.*.*b`` takes the fourth power of the length.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from llmops_catalog.schema.base import Day, Line, Many, StrictModel, described, optional, several

MAX_PATTERN, MAX_MATCHED = 200, 1000
"""Characters of a pattern, and of an address that is compared with one."""
MOST_WAYS = 4 * MAX_MATCHED**2
"""Two open quantifiers (``.*``) and a few choices: a tenth of a second for the worst address."""
_ATOM = r"(?:[^\\\[\](){}*+?.^$|]|\\[dw]|\\[^A-Za-z0-9]|\.|\[\^?(?:(?!--|&&|\|\||~~)[^\\\[\]]|\\[dw]|\\[^A-Za-z0-9])+\])"
_PART = re.compile(
    rf"{_ATOM}(?:(?P<quantifier>[*+?])|\{{(?P<least>\d{{1,3}})(?P<comma>,(?P<most>\d{{1,3}})?)?\}})?"
    rf"|\((?:\?:)?(?P<choices>{_ATOM}*(?:\|{_ATOM}*)*)\)(?P<optional>\?)?"
)


def ways_to_match(pattern: str) -> int:
    """How many ways there are, at most, to lay a pattern over an address. Raises `ValueError` for what has no such bound.

    Allowed: characters, classes and dots, each with a quantifier or without, and groups of choices without any but ``?``.
    """
    position, ways = 0, 1
    while position < len(pattern):
        part = _PART.match(pattern, position)
        if part is None:
            raise ValueError(pattern[position : position + 20])
        position = part.end()
        if part["choices"] is not None:
            ways *= part["choices"].count("|") + 1 + bool(part["optional"])
        elif part["quantifier"]:
            ways *= 2 if part["quantifier"] == "?" else MAX_MATCHED
        elif part["comma"]:
            ways *= int(part["most"]) - int(part["least"]) + 1 if part["most"] else MAX_MATCHED
    return ways


def _harmless(pattern: str) -> str:
    try:
        ways = ways_to_match(pattern)
        re.compile(pattern)
    except (ValueError, re.error):
        message = "this pattern uses more than characters, classes, dots, their quantifiers, and groups that are not repeated"
        raise PydanticCustomError("invalid-value", message, {"hint": "write several exceptions, or a 'prefix'"}) from None
    if not 1 <= ways <= MOST_WAYS:
        message = "this pattern could take too long: two of '*', '+' or '{1,}' are the most"
        raise PydanticCustomError("invalid-value", message, {"hint": "write out more of the address, or several exceptions"})
    return pattern


Pattern = Annotated[Line, Field(max_length=MAX_PATTERN), AfterValidator(_harmless)]


class LinkException(StrictModel):
    """One address, or all that start alike, for which a verdict is expected for a while."""

    prefix: Line | None = optional("Addresses that start with this", "https://www.example.org/private/")
    pattern: Pattern | None = optional("Regular expression the whole address matches", r"https://example\.org/\d+")
    expect: Literal["fail", "unknown", "skip"] = described("What the check may find", "unknown")
    reason: Line = described("Why", "shows a challenge to every robot")
    since: Day = described("From when", "2026-11-20")
    until: Day = described("Until when; an expired exception is a problem", "2027-05-20")
    owner: Line = described("Who looks at it again", "maintainers")

    @model_validator(mode="after")
    def _names_one_target(self) -> LinkException:
        if (self.prefix is None) == (self.pattern is None):
            raise PydanticCustomError("invalid-value", "an exception has either 'prefix' or 'pattern'", {"hint": "remove one of them"})
        if self.until <= self.since:
            raise PydanticCustomError("invalid-value", "'until' is not after 'since'", {"hint": "give it an end in the future"})
        return self

    def covers(self, url: str) -> bool:
        """True for the addresses it is about."""
        if self.prefix is not None:
            return url.startswith(self.prefix)
        return len(url) <= MAX_MATCHED and re.fullmatch(self.pattern or "", url) is not None


class LinkExceptions(StrictModel):
    """The whole file."""

    exceptions: Many[LinkException] = several("The exceptions; the aim is that there are nearly none", [])

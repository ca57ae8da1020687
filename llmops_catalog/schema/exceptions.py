"""catalog/link-exceptions.yaml: addresses the link check judges differently, each with a reason and an end."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from llmops_catalog.schema.base import Day, Line, Many, StrictModel, described, optional, several


class LinkException(StrictModel):
    """One address, or all that start alike, for which a verdict is expected for a while."""

    prefix: Line | None = optional("Addresses that start with this", "https://www.example.org/private/")
    pattern: Line | None = optional("Regular expression the whole address matches", r"https://example\.org/\d+")
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


class LinkExceptions(StrictModel):
    """The whole file."""

    exceptions: Many[LinkException] = several("The exceptions; the aim is that there are nearly none", [])

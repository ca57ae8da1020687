"""What an answer rests on: assumptions with their sources, and the refusal to guess where a fact is missing."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from llmops_catalog.errors import FitInputError


class Assumption(NamedTuple):
    """One thing taken as given, in a sentence, and the page that says so (None: it is the asker's own choice)."""

    text: str
    source: str | None = None

    def as_json(self) -> Mapping[str, str | None]:
        """The object of `assumptions`."""
        return {"text": self.text, "source": self.source}


class Reason(NamedTuple):
    """Why a verdict is what it is: a stable code and a sentence with the next thing to try."""

    code: str
    message: str

    def as_json(self) -> Mapping[str, str]:
        """The object of `reasons`."""
        return {"code": self.code, "message": self.message}


class MissingFact(FitInputError):
    """Memory cannot be said because a fact or a rule is missing: `fit` answers `unknown`, `estimate` raises this."""

    def __init__(self, code: str, message: str, hint: str = "add the fact to the record, with its source") -> None:
        super().__init__(message, hint)
        self.code = code

    @property
    def reason(self) -> Reason:
        """The same as a reason of the verdict `unknown`."""
        return Reason(self.code, self.message)


def once(assumptions: Iterable[Assumption]) -> tuple[Assumption, ...]:
    """Each assumption once, in the order first made."""
    return tuple(dict.fromkeys(assumptions))

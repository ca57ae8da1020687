"""The exception tree: raised when a question could not be answered at all. Findings about records are `Problem` values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llmops_catalog.problems import Problem, did_you_mean


class CatalogError(Exception):
    """Base of everything this package raises on purpose; `hint` is the next thing to try."""

    exit_code = 3

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[Any, ...]:
        """Errors travel between processes (`multiprocessing`), whatever their constructors take."""
        return _revived, (type(self), self.args, self.__dict__)


def _revived(kind: type[CatalogError], args: tuple[Any, ...], state: dict[str, Any]) -> CatalogError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


class CatalogInvalid(CatalogError):
    """The records do not form a trusted catalog; `problems` says why, sorted by place."""

    exit_code = 1

    def __init__(self, problems: Sequence[Problem]) -> None:
        errors = sum(problem.level == "error" for problem in problems)
        super().__init__(f"the catalog has {errors} error{'s' * (errors != 1)}", "run 'llmops-catalog validate' for the whole list")
        self.problems = tuple(problems)


class CatalogNotFound(CatalogError):
    """There is no catalog where one was asked for."""

    exit_code = 2


class RecordNotFound(CatalogError):
    """No record answers to this name; `suggestions` are the nearest ones."""

    exit_code = 2

    def __init__(self, kind: str, name: str, suggestions: Sequence[str], hint: str = "") -> None:
        shown = name if len(name) <= 80 else name[:77] + "..."
        sentence = " ".join(filter(None, [f"no {kind} is called {shown!r}.", did_you_mean(list(suggestions))]))
        super().__init__(sentence, hint)
        self.kind, self.name, self.suggestions = kind, name, tuple(suggestions)


class AmbiguousName(CatalogError):
    """Several records answer to this name; `matches` lists them. One is never picked silently."""

    exit_code = 2
    shown = 12

    def __init__(self, kind: str, name: str, matches: Sequence[str]) -> None:
        more = f" and {len(matches) - self.shown} more" if len(matches) > self.shown else ""
        listed = ", ".join(matches[: self.shown])
        super().__init__(f"{name!r} could be several {kind}s: {listed}{more}", "say which one, by its id")
        self.kind, self.name, self.matches = kind, name, tuple(matches)


class FitInputError(CatalogError):
    """The question itself makes no sense: a negative size, an unknown quantization, zero cards."""

    exit_code = 2


class UnreadableModel(FitInputError):
    """No model can be read from a file or an answer; `place` names it."""

    def __init__(self, place: str, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.place = place

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class UnknownModelType(UnreadableModel):
    """The model is of a family nobody described here."""


class HubRefused(UnreadableModel):
    """The Hub answered, and the answer is no: there is no such repository, or not for us."""


class HubUnavailable(CatalogError):
    """The Hub could not be asked: no network, no answer in time, an answer that is none."""

    def __init__(self, place: str, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.place = place

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class RenderError(CatalogError):
    """The pages could not be made or written."""


class WrongSetting(CatalogError):
    """A variable of the environment says what makes no sense."""

    exit_code = 2


class LinkCheckUnavailable(CatalogError):
    """The link check could not run at all (no network, no state file to read)."""

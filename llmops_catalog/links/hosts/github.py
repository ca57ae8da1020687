"""GitHub by its GraphQL API, a hundred questions in one request: repositories that moved, were archived or are gone, and what they hold.

Fields: https://docs.github.com/en/graphql/reference/objects#repository. Without a token the API answers nothing, so pages decide.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from llmops_catalog.links.hosts import Ask, Settle
from llmops_catalog.links.hosts.asking import address, alive, each, gone, grouped, inside, parsed, settling, walled
from llmops_catalog.links.results import Judgement

API, API_VARIABLE, TOKEN_VARIABLES = "https://api.github.com", "GITHUB_API_URL", ("GITHUB_TOKEN", "GH_TOKEN")
"""Also what GitHub sets in its runners: https://docs.github.com/en/actions/reference/workflows-and-actions/variables.

Below another server's ``/api/v3`` there is no GraphQL, so a runner of GitHub Enterprise leaves the links to the pages.
"""
QUESTIONS_AT_ONCE = 100
REFUSING = (401, 403, 429)
"""A bad token, a blocked one or a spent budget: the next batch would fare no better."""

_OWNER, _NAME = re.compile(r"[A-Za-z0-9][\w-]{0,99}", re.ASCII), re.compile(r"[\w.-]{1,100}", re.ASCII)
_REVISION, _NUMBER = re.compile(r"[\w][\w.+@/-]{0,199}", re.ASCII), re.compile(r"[1-9][0-9]{0,8}")
_LINES = re.compile(r"L[0-9]+(C[0-9]+)?(-L?[0-9]+(C[0-9]+)?)?")
_FILE_VIEWS, _NUMBERED = ("blob", "tree", "raw", "blame", "edit"), {"issues": "issue", "pull": "issue", "discussions": "discussion"}
_FIELDS = {
    "object": ("String!", "object(expression: {})"),
    "issue": ("Int!", "issueOrPullRequest(number: {})"),
    "discussion": ("Int!", "discussion(number: {})"),
    "release": ("String!", "release(tagName: {})"),
}
_REPOSITORY = "fragment R on Repository { nameWithOwner isArchived archivedAt isPrivate isDisabled }"


class Question(NamedTuple):
    """A repository, and the one thing in it that a link is about: `kind` is empty where it is about the repository alone."""

    owner: str
    name: str
    kind: str = ""
    value: str = ""


class Target(NamedTuple):
    """What to ask about a link, and whether the answer is all there is to say about it."""

    question: Question
    proves: bool


def target(url: str) -> Target | None:
    """The repository a link leads into, and what of it; None where it is another site or another page. Never raises."""
    found = address(url)
    if not found or len(found.parts) < 2 or found.host not in ("github.com", "www.github.com", "raw.githubusercontent.com"):
        return None
    owner, name, *rest = found.parts
    raw = found.host.startswith("raw.")
    name = name if raw else name.removesuffix(".git")
    if not _OWNER.fullmatch(owner) or not _NAME.fullmatch(name):
        return None
    kind, value = _file(rest) if raw else _part(rest)
    shown = found.fragment == "" or (kind == "object" and bool(_LINES.fullmatch(found.fragment)))
    shown = shown or (not rest and found.fragment == "readme")
    return Target(Question(owner.casefold(), name.casefold(), kind, value), shown and (bool(kind) or not rest))


def _part(rest: Sequence[str]) -> tuple[str, str]:
    """Kind and value of what follows the repository in the address of a page."""
    view, *where = rest or [""]
    if view in _FILE_VIEWS:
        return _file(where)
    if view == "commit" and len(where) == 1:
        return _file(where)
    if view in _NUMBERED and where and _NUMBER.fullmatch(where[0]):
        return _NUMBERED[view], where[0]
    if view == "releases" and where[:1] == ["tag"] and len(where) > 1:
        return "release", "/".join(where[1:])
    return "", ""


def _file(where: Sequence[str]) -> tuple[str, str]:
    """A revision and the path after it as git writes them. A branch with a slash in its name is found by the page only."""
    count = 3 if where[:2] in (["refs", "heads"], ["refs", "tags"]) and len(where) > 2 else 1
    revision, path = "/".join(where[:count]), "/".join(where[count:])
    if not _REVISION.fullmatch(revision):
        return "", ""
    return "object", f"{revision}:{path}" if path else revision


class GitHub:
    """Links to repositories on github.com and raw.githubusercontent.com."""

    def __init__(self, api: str = API, token: str | None = None) -> None:
        self.api, self.token = api.rstrip("/"), token

    @classmethod
    def from_environment(cls) -> GitHub:
        """The API at GITHUB_API_URL with the token of GITHUB_TOKEN or GH_TOKEN."""
        tokens = (os.environ.get(name, "").strip() for name in TOKEN_VARIABLES)
        return cls(os.environ.get(API_VARIABLE, "").strip() or API, next(filter(None, tokens), None))

    def claims(self, url: str) -> bool:
        return target(url) is not None

    async def judge(self, urls: Sequence[str], ask: Ask, settle: Settle) -> None:
        async def look(told: Settle) -> None:
            if self.token is None:
                return
            questions = grouped(urls, lambda url: found.question if (found := target(url)) else None)
            waiting = sorted(questions)
            missing: list[str] = []
            while waiting:
                batch, waiting = waiting[:QUESTIONS_AT_ONCE], waiting[QUESTIONS_AT_ONCE:]
                answer = await ask(
                    f"{self.api}/graphql",
                    method="POST",
                    headers={"content-type": "application/json"},
                    body=json.dumps(query(batch)).encode(),
                    token=self.token,
                )
                if answer.status in REFUSING:
                    break
                for question, repository in found_in(parsed(answer), batch):
                    if repository is None:
                        missing.extend(questions[question])
                    else:
                        for url in questions[question]:
                            told(url, judged(url, question, repository))
            await each(missing, lambda url: _confirm(url, ask, told))

        await settling(urls, settle, look)


async def _confirm(url: str, ask: Ask, told: Settle) -> None:
    """The API knows no such repository: that is proof where the page is missing too. A page of the site itself (``/topics/llm``) is not."""
    answer = await ask(url.partition("#")[0], method="HEAD")
    if answer.status == 404:
        reason = "no such repository on GitHub, or it is private"
        told(url, gone(reason, "look for where the project went, or drop the link", answer.status))


def query(batch: Sequence[Question]) -> dict[str, Any]:
    """The body of one request. Names, paths and numbers travel as variables, so none of them can be read as a query."""
    variables: dict[str, str | int] = {}
    declared: list[str] = []
    selections: dict[tuple[str, str], list[str]] = {}
    for position, question in enumerate(batch):
        fields = selections.setdefault((question.owner, question.name), [])
        if question.kind:
            of_type, field = _FIELDS[question.kind]
            variables[f"v{position}"] = int(question.value) if of_type == "Int!" else question.value
            declared.append(f"$v{position}: {of_type}")
            fields.append(f"q{position}: {field.format(f'$v{position}')} {{ __typename }}")
    parts = []
    for number, ((owner, name), fields) in enumerate(selections.items()):
        variables |= {f"o{number}": owner, f"n{number}": name}
        declared.append(f"$o{number}: String!, $n{number}: String!")
        parts.append(f"r{number}: repository(owner: $o{number}, name: $n{number}, followRenames: true) {{ ...R {' '.join(fields)} }}")
    return {"query": f"query({', '.join(declared)}) {{ {' '.join(parts)} }} {_REPOSITORY}", "variables": variables}


def found_in(data: Any, batch: Sequence[Question]) -> list[tuple[Question, dict[str, Any] | None]]:
    """What the answer says of each question: the repository with the field ``found``, or None where GitHub knows none of that name.

    Questions it says nothing usable about are left out: any other error (a time-out, a limit, single sign-on) proves nothing.
    """
    repositories = inside(data, "data")
    if not isinstance(repositories, dict):
        return []
    errors = inside(data, "errors")
    unknown = {
        error["path"][0]
        for error in (errors if isinstance(errors, list) else ())
        if inside(error, "type") == "NOT_FOUND"
        and isinstance(inside(error, "path"), list)
        and len(error["path"]) == 1
        and isinstance(error["path"][0], str)
    }
    aliases = {repository: f"r{number}" for number, repository in enumerate(dict.fromkeys((asked.owner, asked.name) for asked in batch))}
    told: list[tuple[Question, dict[str, Any] | None]] = []
    for position, question in enumerate(batch):
        alias = aliases[question.owner, question.name]
        repository = repositories.get(alias)
        if isinstance(repository, dict):
            told.append((question, {**repository, "found": isinstance(repository.get(f"q{position}"), dict)}))
        elif alias in unknown:
            told.append((question, None))
    return told


def judged(url: str, question: Question, repository: dict[str, Any]) -> Judgement | None:
    """What the API's entry of a repository says about a link into it; None where only the page can tell."""
    name, wanted = repository.get("nameWithOwner"), target(url)
    owner, _, own_name = name.partition("/") if isinstance(name, str) else ("", "", "")
    if not _OWNER.fullmatch(owner) or not _NAME.fullmatch(own_name) or wanted is None or repository.get("isDisabled") is True:
        return None
    if repository.get("isPrivate") is True:
        return walled(f"the repository {owner}/{own_name} is private: readers see a 404", "make it public, or drop the link")
    if question.kind and not repository["found"]:
        return None
    archived = _archived(repository)
    if (owner.casefold(), own_name.casefold()) != (question.owner, question.name):
        if not question.kind and not wanted.proves:
            return None
        better = _moved(url, owner, own_name)
        hint = "; ".join(filter(None, ("write the new address", archived)))
        reason = f"the repository is called {owner}/{own_name} now"
        return Judgement("pass", "redirected-permanent", reason, hint, final_url=better, better_url=better)
    return alive(archived) if wanted.proves else None


def _archived(repository: dict[str, Any]) -> str:
    if repository.get("isArchived") is not True:
        return ""
    day = re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", str(repository.get("archivedAt")))
    return f"archived: read-only since {day[0]}" if day else "archived: read-only"


def _moved(url: str, owner: str, name: str) -> str:
    """The address with the repository's new name in it, the rest of it as written."""
    found = urlsplit(url)
    path = re.sub(r"/+[^/]+/+[^/]+", lambda _: f"/{owner}/{name}", found.path, count=1)
    return urlunsplit(("https", found.netloc, path, found.query, found.fragment))

"""GitLab by its projects API: projects that moved, were archived, or that nobody but their members can open.

Answers: https://docs.gitlab.com/api/projects/#retrieve-a-project. For what lies inside a project the page decides.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from llmops_catalog.links.exchange import REDIRECTS
from llmops_catalog.links.hosts import Answer, Ask, Settle
from llmops_catalog.links.hosts.asking import address, alive, each, gone, grouped, inside, parsed, settling, walled
from llmops_catalog.links.results import Judgement

API, TOKEN_VARIABLE = "https://gitlab.com/api/v4", "GITLAB_TOKEN"
PAGES = "https://gitlab.com"
SIGN_IN = "/users/sign_in"
"""Where anonymous readers of a missing or private project land: https://github.com/gitlabhq/gitlabhq/pull/5752."""
DEEPEST = 20

_PART = re.compile(r"[A-Za-z0-9_][\w.-]{0,254}", re.ASCII)
_NUMBER = re.compile(r"/projects/([0-9]{1,12})$")
_OLD_PAGES = frozenset(["blob", "tree", "raw", "blame", "commit", "commits", "issues", "merge_requests", "wikis", "tags", "pipelines"])
"""First part of a page inside a project in addresses from before ``/-/``."""
_NO_GROUPS = frozenset(["users", "explore", "help", "api", "dashboard", "groups", "projects", "search", "admin", "profile", "public"])


def project(url: str) -> str | None:
    """The path of the project a link leads to or into; None where it is another site or no project. Never raises."""
    found = address(url)
    if not found or found.host not in ("gitlab.com", "www.gitlab.com"):
        return None
    parts: list[str] = []
    for part in found.parts[:DEEPEST]:
        if part == "-" or (len(parts) > 1 and part in _OLD_PAGES):
            break
        parts.append(part)
    if len(parts) < 2 or parts[0] in _NO_GROUPS:
        return None
    parts[-1] = parts[-1].removesuffix(".git")
    return "/".join(parts) if all(_PART.fullmatch(part) for part in parts) else None


class GitLab:
    """Links to projects on gitlab.com."""

    def __init__(self, api: str = API, token: str | None = None) -> None:
        self.api, self.token = api.rstrip("/"), token

    @classmethod
    def from_environment(cls) -> GitLab:
        """With the token of GITLAB_TOKEN, if there is one."""
        return cls(token=os.environ.get(TOKEN_VARIABLE, "").strip() or None)

    def claims(self, url: str) -> bool:
        return project(url) is not None

    async def judge(self, urls: Sequence[str], ask: Ask, settle: Settle) -> None:
        async def one(item: tuple[str, list[str]], told: Settle) -> None:
            path, links = item
            answer = await self._entry(path, ask)
            if answer.status == 404:
                judgement = await _closed(path, ask)
                for url in links:
                    told(url, judgement)
            elif answer.status == 200:
                for url in links:
                    told(url, await _judged(url, path, parsed(answer), ask))

        async def look(told: Settle) -> None:
            await each(grouped(urls, project).items(), lambda item: one(item, told))

        await settling(urls, settle, look)

    async def _entry(self, path: str, ask: Ask) -> Answer:
        """The API's entry of a project. A moved one is answered with a redirect to its number (https://docs.gitlab.com/api/rest/#redirects),
        if the dots in the path are escaped too: https://github.com/python-gitlab/python-gitlab/issues/3299.
        """
        asked = f"{self.api}/projects/{quote(path, safe='').replace('.', '%2E')}"
        answer = await ask(asked, token=self.token)
        number = _NUMBER.search(answer.headers.get("location", "")) if answer.status in REDIRECTS else None
        if number:
            answer = await ask(f"{self.api}/projects/{number[1]}", token=self.token)
        return answer


async def _closed(path: str, ask: Ask) -> Judgement | None:
    """The API knows no such project: a group has none either, so the page has to be closed as well."""
    page = await ask(f"{PAGES}/{path}", method="HEAD")
    asks_to_sign_in = page.status in REDIRECTS and urlsplit(page.headers.get("location", "")).path == SIGN_IN
    if page.status != 404 and not asks_to_sign_in:
        return None
    return gone(f"no such project on GitLab, or it is private: {path}", "look for where the project went, or drop the link", page.status)


async def _judged(url: str, path: str, entry: Any, ask: Ask) -> Judgement | None:
    """What the API's entry of a project says about a link to it or into it; None where only the page can tell."""
    name, archived = inside(entry, "path_with_namespace"), "archived: read-only" if inside(entry, "archived") is True else ""
    if not isinstance(name, str) or not all(_PART.fullmatch(part) for part in name.split("/")):
        return None
    if inside(entry, "visibility") in ("private", "internal"):
        return walled(f"the project {name} is not public: readers are asked to sign in", "make it public, or drop the link")
    if name.casefold() == path.casefold():
        found = address(url)
        whole = found is not None and len(found.parts) == path.count("/") + 1 and not found.fragment
        return alive(archived) if whole else None
    better = _moved(url, path, name)
    if (await ask(better.partition("#")[0], method="HEAD")).status != 200:
        return None
    hint = "; ".join(filter(None, ("write the new address", archived)))
    return Judgement("pass", "redirected-permanent", f"the project is called {name} now", hint, final_url=better, better_url=better)


def _moved(url: str, path: str, name: str) -> str:
    """The address with the project's new path in it, the rest of it as written."""
    found = urlsplit(url)
    rest = re.sub(rf"(/+[^/]+){{{path.count('/') + 1}}}", "", found.path, count=1)
    return urlunsplit(("https", found.netloc, f"/{name}{rest}", found.query, found.fragment))

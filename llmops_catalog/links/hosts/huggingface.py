"""Links to repositories on the Hugging Face Hub, judged by its API: one question for each repository, one for all its files of a revision.

Its pages answer 200 for gated and withdrawn models alike, and are rate-limited hardest (https://huggingface.co/docs/hub/rate-limits). Which
files are there is told by `paths-info` (`HfApi.get_paths_info`), and what it does not list is asked for once more before it is called gone.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

from llmops_catalog.links.hosts import Answer, Ask, Settle, Unreachable
from llmops_catalog.links.hub_budget import BudgetSpent
from llmops_catalog.links.hub_client import REPOSITORY_ID, Entry, HubClient, HubEndpoint, Kind, json_of, origin, refusal
from llmops_catalog.links.results import Judgement

HOSTS = ("huggingface.co", "www.huggingface.co", "hf.co")
AT_ONCE = 8
MOST_PATHS = 100
"""Files asked about in one question."""
KINDS: Mapping[str, Kind] = {"datasets": "datasets", "spaces": "spaces"}
FILE_VIEWS = ("blob", "resolve", "raw", "blame", "tree", "edit")
OTHER_VIEWS = ("commit", "commits", "discussions", "viewer")
"""Pages of a repository whose own existence the page itself tells better than the API."""
NO_NAMESPACE = frozenset({
    "about", "agents", "api", "apps", "assets", "avatars", "billing", "blog", "brand", "buckets", "changelog", "chat", "code-of-conduct",
    "collections", "competitions", "content-guidelines", "content-policy", "course", "dashboard", "datasets", "deploy", "docs",
    "enterprise", "events", "front", "hardware", "hub", "inference", "inference-endpoints", "inference-providers", "jobs", "join",
    "kernels", "languages", "leaderboards", "learn", "libraries", "login", "logout", "mcp", "metrics", "models", "new", "new-dataset",
    "new-space", "notifications", "oauth", "organizations", "papers", "password", "playground", "posts", "pricing", "privacy", "search",
    "settings", "shop", "social", "spaces", "static", "storage", "subscribe", "support", "tasks", "terms-of-service", "transformers",
    "users", "welcome",
})  # fmt: skip
"""First steps of paths that are pages of the site, no accounts: where its navigation leads (https://huggingface.co), and more than that."""
NO_NAME = frozenset({
    "activity", "buckets", "collections", "datasets", "followers", "following", "kernels", "likes", "members", "models", "papers", "posts",
    "spaces",
})  # fmt: skip
"""Second steps that are pages of an account, no repositories."""
_SPECIAL_REVISION = re.compile(r"refs/(?:convert/[\w.-]+|pr/\d+)")
"""Revisions with slashes in them (`SPECIAL_REFS_REVISION_REGEX` of huggingface_hub)."""


class HubLink(NamedTuple):
    """What an address names: a repository, and a file of one of its revisions or another page of it."""

    url: str
    kind: Kind
    name: str
    view: str = ""
    revision: str = ""
    path: str = ""

    @property
    def fragment(self) -> str:
        """What comes after ``#``."""
        return self.url.partition("#")[2]


class HuggingFace:
    """The adapter. A `client` of the caller's shares its token, rate budget and entries with `check_models`."""

    def __init__(self, hub: HubEndpoint, client: HubClient | None = None) -> None:
        self.hub = hub
        self.client = client or HubClient(hub)

    def claims(self, url: str) -> bool:
        """Whether the address names a repository, or may do so (a single step of a path can also be an account)."""
        return self._read(url) is not None

    async def judge(self, urls: Sequence[str], ask: Ask, settle: Settle) -> None:
        """Settles every address; those of one repository together."""
        groups: dict[tuple[Kind, str], list[HubLink]] = {}
        for url in urls:
            if (link := self._read(url)) is None:
                settle(url, None)
            else:
                groups.setdefault((link.kind, link.name), []).append(link)
        free = asyncio.Semaphore(AT_ONCE)

        async def look(links: list[HubLink]) -> None:
            async with free:
                for link, told in (await self._judged(ask, links)).items():
                    settle(link.url, told)

        await asyncio.gather(*(look(links) for links in groups.values()))

    def _read(self, url: str) -> HubLink | None:
        parts = self._parts(url)
        if parts is None:
            return None
        steps = parts.path.removeprefix(urlsplit(self.hub.url).path).removeprefix("/").rstrip("/").split("/")
        kind = KINDS.get(steps[0], "models")
        steps = steps[1:] if kind != "models" else steps
        if kind == "models" and steps[0] in NO_NAMESPACE:
            return None
        views = FILE_VIEWS + OTHER_VIEWS
        length = 1 if len(steps) < 2 or steps[1] in views else 2
        name, rest = "/".join(steps[:length]), steps[length:]
        if not REPOSITORY_ID.fullmatch(name) or steps[length - 1] in NO_NAME or (rest and rest[0] not in views):
            return None
        if kind == "spaces" and length == 1:
            return None
        revision, path = _revision_and_path(rest)
        return HubLink(url, kind, name, rest[0] if rest else "", revision, path)

    def _parts(self, url: str) -> SplitResult | None:
        """The address in its parts, if it is one of the Hub's."""
        place = origin(url)
        parts = urlsplit(url) if place else None
        if place is None or parts is None or parts.username is not None:
            return None
        known = place == origin(self.hub.url) or (place[1] in HOSTS and place[2] == {"http": 80, "https": 443}[place[0]])
        return parts if known else None

    async def _judged(self, ask: Ask, links: list[HubLink]) -> dict[HubLink, Judgement | None]:
        kind, name = links[0].kind, links[0].name
        entry = await self.client.entry(ask, kind, name)
        if entry.state != "there":
            told = _gone(entry, name)
            return dict.fromkeys(links, None if told is not None and told.outcome == "fail" and "/" not in name else told)
        missing = await self._missing(ask, entry, [link for link in links if link.view in FILE_VIEWS])
        return {link: missing[link] if link in missing else _alive(link, entry) for link in links}

    async def _missing(self, ask: Ask, entry: Entry, links: Iterable[HubLink]) -> dict[HubLink, Judgement | None]:
        """Of links to files those that cannot be said to be there, each with what can be said."""
        revisions: dict[str, list[HubLink]] = {}
        for link in links:
            if link.path or link.revision not in ("", "main"):
                revisions.setdefault(link.revision, []).append(link)
        found: dict[HubLink, Judgement | None] = {}
        for revision, wanted in revisions.items():
            for start in range(0, len(wanted), MOST_PATHS):
                found.update(await self._missing_of(ask, entry, revision, wanted[start : start + MOST_PATHS]))
        return found

    async def _missing_of(self, ask: Ask, entry: Entry, revision: str, wanted: list[HubLink]) -> dict[HubLink, Judgement | None]:
        kind, safe = wanted[0].kind, quote(revision, safe="")
        paths = sorted({link.path for link in wanted if link.path})
        try:
            if not paths:
                answer = await self.client.request(ask, f"/api/{kind}/{entry.true_id}/revision/{safe}?expand[]=sha")
                return {} if answer.status == 200 else dict.fromkeys(wanted, _absent(answer, wanted[0], entry))
            body = {"paths": paths, "expand": False}
            answer = await self.client.request(ask, f"/api/{kind}/{entry.true_id}/paths-info/{safe}", method="POST", body=body)
            listed = _listed(answer)
            if listed is None:
                return {link: _absent(answer, link, entry) for link in wanted}
            unlisted = [link for link in wanted if link.path and link.path not in listed]
            return {link: await self._confirmed(ask, entry, link) for link in unlisted}
        except BudgetSpent as error:
            return dict.fromkeys(wanted, _limited(str(error)))
        except Unreachable:
            return dict.fromkeys(wanted, None)

    async def _confirmed(self, ask: Ask, entry: Entry, link: HubLink) -> Judgement | None:
        """A file that is not listed, asked for by its own address before it is called gone."""
        prefix = "" if link.kind == "models" else f"/{link.kind}"
        place = f"{prefix}/{entry.true_id}/resolve/{quote(link.revision, safe='')}/{quote(link.path)}"
        answer = await self.client.request(ask, place, method="HEAD", redirects=0)
        return None if answer.status < 400 else _absent(answer, link, entry)


def _revision_and_path(rest: Sequence[str]) -> tuple[str, str]:
    """The revision and the file that come after a view: ``blob/main/a/b.py``, ``tree/refs/pr/1/a``, ``blob/refs%2Fpr%2F1/a``."""
    after = "/".join(rest[1:])
    if special := _SPECIAL_REVISION.match(after):
        return special.group(), unquote(after[special.end() :].strip("/"))
    revision, _, path = after.partition("/")
    return unquote(revision), unquote(path)


def _gone(entry: Entry, name: str) -> Judgement | None:
    """What the entry of a repository says that is not simply there; None where the page itself should be asked."""
    if entry.state == "missing" and (entry.error_code or entry.http_status == 401):  # a bare 404 may come from what is no Hub
        hint = "look on the Hub for where it went, or take the link out"
        return Judgement("fail", "broken", f"{name}: {entry.reason}", hint, entry.http_status)
    if entry.state == "disabled":
        return Judgement("fail", "broken", f"{name}: {entry.reason}", "link to its successor, or take the link out", entry.http_status)
    if entry.state == "rate-limited":
        return _limited(entry.reason, entry.http_status)
    return None


def _alive(link: HubLink, entry: Entry) -> Judgement | None:
    """A link into a repository that is there; None where its anchor, or a page the API does not know, is still to be looked at."""
    if entry.true_id.casefold() != link.name.casefold():
        better = _renamed(link, entry.true_id)
        reason, hint = f"the repository is now {entry.true_id}", f"write {better}, or run with --fix"
        return Judgement("pass", "redirected-permanent", reason, hint, 200, better, better)
    if link.fragment or link.view in OTHER_VIEWS:
        return None
    gated = entry.gated in ("auto", "manual")
    return Judgement("pass", "ok", "", f"gated: access to its files must be asked for ({entry.gated})" if gated else "", 200)


def _renamed(link: HubLink, true_id: str) -> str:
    """The same address with the repository's name of today; everything else as it was written."""
    parts = urlsplit(link.url)
    start = parts.path.index(f"/{link.name}", 0 if link.kind == "models" else len(link.kind)) + 1
    return urlunsplit(parts._replace(path=parts.path[:start] + true_id + parts.path[start + len(link.name) :]))


def _listed(answer: Answer) -> frozenset[str] | None:
    """The paths that `paths-info` found; None where it did not answer as it should."""
    data = json_of(answer) if answer.status == 200 else None
    if not isinstance(data, list) or not all(isinstance(item, dict) for item in data):
        return None
    return frozenset(path for item in data if isinstance(path := item.get("path"), str))


def _absent(answer: Answer, link: HubLink, entry: Entry) -> Judgement | None:
    """What a refusal says of a file or revision; only the Hub's own code for it proves that it is gone."""
    code = answer.headers.get("x-error-code", "")
    if answer.status == 404 and code == "RevisionNotFound":
        reason = f"{entry.true_id} has no revision {link.revision!r}"
        return Judgement("fail", "broken", reason, "link to a branch, tag or commit that is there", 404)
    if answer.status == 404 and code == "EntryNotFound":
        reason = f"{entry.true_id} has no {link.path!r} in revision {link.revision!r}"
        return Judgement("fail", "broken", reason, "look among its files for where it went, or link to a commit that has it", 404)
    if code == "GatedRepo":
        hint = f"gated: access must be asked for ({entry.gated}); whether the file is there cannot be seen from outside"
        return Judgement("unknown", "login-wall", f"{entry.true_id} shows its files only to those with access", hint, answer.status)
    if answer.status == 429:
        return _limited(refusal(answer, with_token=False)[1], 429)
    return None


def _limited(reason: str, http_status: int | None = None) -> Judgement:
    return Judgement("unknown", "rate-limited", reason, "check again later; with HF_TOKEN the Hub allows more", http_status)

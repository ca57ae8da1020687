"""One small client of the Hugging Face Hub's API: a token proved once, a rate budget obeyed before it is used up, every answer bounded.

What the Hub answers: https://huggingface.co/docs/hub/api and `hf_raise_for_status` in
https://github.com/huggingface/huggingface_hub/blob/main/src/huggingface_hub/utils/_http.py; the answers to a missing, a gated and a renamed
repository as recorded in https://github.com/deepghs/KohakuHub (`scenario_hf_server.py`). Decided by status, `X-Error-Code` and message.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal, NamedTuple
from urllib.parse import urljoin, urlsplit

from llmops_catalog.errors import WrongSetting
from llmops_catalog.links.exchange import REDIRECTS
from llmops_catalog.links.hosts import Answer, Ask, Unreachable
from llmops_catalog.links.hub_budget import MOST_WAIT_SECONDS, Budget, BudgetSpent

ENDPOINT, ENDPOINT_VARIABLE, TOKEN_VARIABLE = "https://huggingface.co", "HF_ENDPOINT", "HF_TOKEN"
MOST_REDIRECTS = 4
LARGEST_JSON_BYTES = 2**20
"""An entry asked for by field has some kilobytes; parsed, hostile JSON grows to thirty times its size."""
LARGEST_CONFIG_BYTES = 2 * 2**20
"""The longest published config.json (a classifier with all its labels) has 2 MB."""
REPOSITORY_ID = re.compile(r"(?:[A-Za-z0-9_][\w.-]{0,95}/)?[A-Za-z0-9_][\w.-]{0,95}", re.ASCII)

Kind = Literal["models", "datasets", "spaces"]
Gating = Literal["no", "auto", "manual"]
Proof = Literal["none", "good", "invalid", "unproven"]
EntryState = Literal["there", "missing", "disabled", "gated", "token-lacks-scope", "rate-limited", "unclear"]
NOTHING: Mapping[str, Any] = MappingProxyType({})
GATING: Mapping[Any, Gating] = {False: "no", "auto": "auto", "manual": "manual"}
FIELDS: Mapping[Kind, tuple[str, ...]] = {"models": ("gated", "disabled"), "datasets": ("gated", "disabled"), "spaces": ("disabled",)}
"""What each kind of repository can be asked for (`ExpandModelProperty_T` and its sisters in
https://github.com/huggingface/huggingface_hub/blob/main/src/huggingface_hub/hf_api.py): a space is never gated."""


class HubEndpoint(NamedTuple):
    """Which Hub to ask, and the token that goes to it and to nobody else."""

    url: str = ENDPOINT
    token: str | None = None

    @classmethod
    def from_environment(cls) -> HubEndpoint:
        """What HF_ENDPOINT and HF_TOKEN say. Raises `WrongSetting` where the endpoint is no address."""
        url = os.environ.get(ENDPOINT_VARIABLE, "").strip().rstrip("/") or ENDPOINT
        if origin(url) is None or urlsplit(url).username is not None:
            raise WrongSetting(f"{ENDPOINT_VARIABLE} is {url[:80]!r}, not the address of a Hub", f"the usual one is {ENDPOINT}")
        return cls(url, os.environ.get(TOKEN_VARIABLE, "").strip() or None)


class Entry(NamedTuple):
    """What the Hub says about one repository. `true_id` is its name today; `gated` is None where it cannot be (a space) or is not said."""

    state: EntryState
    reason: str = ""
    http_status: int | None = None
    true_id: str = ""
    gated: Gating | None = None
    card: Mapping[str, Any] = NOTHING
    error_code: str = ""


class HubClient:
    """Asks one Hub for one run; what it once said about a repository is not asked again."""

    def __init__(self, hub: HubEndpoint, most_wait_seconds: float = MOST_WAIT_SECONDS) -> None:
        self.hub = hub
        self.proof: Proof = "none"
        self.notes: list[str] = []
        self.budget = Budget(most_wait_seconds)
        self._proving = asyncio.Lock()
        self._proved = False
        self._entries: dict[tuple[str, ...], Entry] = {}
        self._asking: dict[tuple[str, ...], asyncio.Lock] = {}

    async def prove_token(self, ask: Ask) -> None:
        """Asks who the token belongs to, once. An invalid one makes public models look missing, so it is not used again."""
        async with self._proving:
            if self._proved or self.hub.token is None:
                return
            self.proof, note = await self._whoami(ask)
            if note:
                self.notes.append(note)
            self._proved = True

    async def entry(self, ask: Ask, kind: Kind, name: str, more: Sequence[str] = ()) -> Entry:
        """The API's entry of a repository, with the fields of `more` besides. Says what is wrong in the answer; never raises."""
        key = (kind, name, *more)
        async with self._asking.setdefault(key, asyncio.Lock()):
            if key not in self._entries:
                self._entries[key] = await self._entry(ask, kind, name, more)
            return self._entries[key]

    async def request(self, ask: Ask, path: str, *, method: str = "GET", body: Any = None, redirects: int = MOST_REDIRECTS) -> Answer:
        """One question to the Hub, redirects followed (`redirects=0`: the redirect is the answer). Raises `Unreachable`, `BudgetSpent`."""
        await self.prove_token(ask)
        url = self.hub.url + path
        for _ in range(redirects + 1):
            answer = await self._one(ask, url, method, body)
            if answer.status not in REDIRECTS or not redirects:
                return answer
            url = _target(url, answer.headers.get("location", ""))
        raise Unreachable(f"the Hub redirects more than {redirects} times")

    async def _one(self, ask: Ask, url: str, method: str, body: Any) -> Answer:
        token = self.hub.token if self.proof == "good" and origin(url) == origin(self.hub.url) else None
        headers = {"Accept": "application/json", **({"Content-Type": "application/json"} if body is not None else {})}
        payload = None if body is None else json.dumps(body).encode()
        async with self.budget.room("resolvers" if "/resolve/" in url or "/resolve-cache/" in url else "api"):
            answer = await ask(url, method=method, headers=headers, body=payload, token=token)
            self.budget.learn(answer.headers)
            return answer

    async def _whoami(self, ask: Ask) -> tuple[Proof, str]:
        try:
            async with self.budget.room("api"):
                answer = await ask(f"{self.hub.url}/api/whoami-v2", headers={"Accept": "application/json"}, token=self.hub.token)
                self.budget.learn(answer.headers)
        except (Unreachable, BudgetSpent) as error:
            return "unproven", f"the token of {TOKEN_VARIABLE} could not be tested: going on without it ({error})"
        if answer.status == 200:
            return "good", ""
        if answer.status == 401:
            return "invalid", f"the token of {TOKEN_VARIABLE} is not valid: going on without it"
        return "unproven", f"the token of {TOKEN_VARIABLE} could not be tested: going on without it (the Hub answered {answer.status})"

    async def _entry(self, ask: Ask, kind: Kind, name: str, more: Sequence[str]) -> Entry:
        fields = "&".join(f"expand[]={field}" for field in (*FIELDS[kind], *more))
        try:
            answer = await self.request(ask, f"/api/{kind}/{name}?{fields}")
        except BudgetSpent as error:
            return Entry("rate-limited", str(error))
        except Unreachable as error:
            return Entry("unclear", error.reason)
        if answer.status == 200:
            return _described(answer, kind, name)
        state, reason = refusal(answer, with_token=self.proof == "good")
        return Entry(state, reason, answer.status, error_code=answer.headers.get("x-error-code", ""))


def refusal(answer: Answer, with_token: bool) -> tuple[EntryState, str]:
    """What a status that is not 200 says of a repository; `missing` only where it is proved."""
    status, code, message = answer.status, answer.headers.get("x-error-code", ""), message_of(answer)
    if status == 429:
        return "rate-limited", "the Hub asks to wait: too many requests"
    if code == "GatedRepo":
        return "gated", message
    if status == 403 and "resource is disabled" in message.casefold():
        return "disabled", "the Hub has disabled it"
    if status == 403 and "public gated repositories" in message.casefold():
        return "token-lacks-scope", message
    if status == 410 or (status == 404 and (code == "RepoNotFound" or "repository not found" in message.casefold())):
        return "missing", "the Hub knows no such repository" + ("" if with_token else ", or it is private")
    if status == 401 and not code and not with_token:
        return "missing", "the Hub shows no such repository without a token: it is missing or private"
    return "unclear", f"the Hub answered with status {status}" + (f": {message}" if message else "")


def message_of(answer: Answer) -> str:
    """What the Hub said, on one line: its header, else the `error` of its JSON, else the beginning of the text."""
    said = answer.headers.get("x-error-message", "")
    if not said:
        data = json_of(answer, 65536)
        told = data.get("error") if isinstance(data, dict) else None
        said = told if isinstance(told, str) else answer.body[:500].decode("utf-8", "replace")
    return " ".join(said.split())[:300]


def json_of(answer: Answer, most_bytes: int = LARGEST_JSON_BYTES) -> Any:
    """The JSON of a body; None where there is none that can be read within reason."""
    if len(answer.body) > most_bytes:
        return None
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):  # not JSON, not UTF-8, a number of a million digits; brackets without end
        return None


def origin(url: str) -> tuple[str, str, int] | None:
    """Scheme, host and port: all that a token may be sent to. None where that is no web address."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    except (ValueError, KeyError):
        return None
    return (parts.scheme, parts.hostname.casefold(), port) if parts.hostname else None


def _target(url: str, location: str) -> str:
    """Where a redirect leads, with the question asked again; never from an encrypted connection to an open one."""
    try:
        target = urljoin(url, location)
        parts = urlsplit(target)
    except ValueError:
        raise Unreachable("the Hub redirects to what is no address") from None
    open_again = parts.scheme == "http" and urlsplit(url).scheme == "https"
    if not location or origin(target) is None or open_again:
        raise Unreachable("the Hub redirects to an address that is not followed")
    query = urlsplit(url).query
    return target if parts.query or not query else f"{target.partition('#')[0]}?{query}"


def _described(answer: Answer, kind: Kind, name: str) -> Entry:
    """The entry in an answer of status 200, every field distrusted."""
    data = json_of(answer)
    if not isinstance(data, dict):
        return Entry("unclear", "the Hub's answer is no description of a repository", answer.status)
    true_id = data.get("id") or data.get("modelId") or _id_in(answer.url, kind) or name
    if not isinstance(true_id, str) or not REPOSITORY_ID.fullmatch(true_id):
        return Entry("unclear", "the Hub's answer names no repository", answer.status)
    if data.get("disabled") is True:
        return Entry("disabled", "the Hub has disabled it", answer.status, true_id)
    gated = data.get("gated")
    if kind != "spaces" and (not isinstance(gated, bool | str) or gated not in GATING):
        return Entry("unclear", "the Hub's answer does not say whether access has to be asked for", answer.status)
    card = data.get("cardData")
    gating = None if kind == "spaces" else GATING[gated]
    return Entry("there", "", answer.status, true_id, gating, card if isinstance(card, dict) else {})


def _id_in(url: str, kind: Kind) -> str:
    return urlsplit(url).path.partition(f"/api/{kind}/")[2]

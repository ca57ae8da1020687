"""How far each model of the catalog can be reached on the Hub: one of twelve states, what to do next, and where its record says otherwise.

At most two questions for a model, one where it is public: its entry, which everybody may read and which never proves access, and, where
access must be asked for and a token is there, `/auth-check` (`HfApi.auth_check` in
https://github.com/huggingface/huggingface_hub/blob/main/src/huggingface_hub/hf_api.py). The pages themselves answer 200 to everybody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

from llmops_catalog.links.hosts import Answer, Ask, Unreachable
from llmops_catalog.links.hub_budget import BudgetSpent
from llmops_catalog.links.hub_client import (
    LARGEST_CONFIG_BYTES,
    TOKEN_VARIABLE,
    Entry,
    Gating,
    HubClient,
    HubEndpoint,
    json_of,
    message_of,
    refusal,
)  # fmt: skip
from llmops_catalog.links.hub_drift import (
    ModelRecord,
    config_findings,
    gating_finding,
    licence_finding,
    missing_finding,
    name_finding,
)  # fmt: skip
from llmops_catalog.links.results import Access, Finding, ModelResult, Outcome

__all__ = ["HubEndpoint", "ModelRecord", "check_models"]

AT_ONCE = 8
OUTCOMES: dict[Access, Outcome] = {
    "public": "pass", "gated-accepted": "pass", "gated-not-tested": "pass", "renamed": "pass",
    "missing-or-private": "fail", "disabled": "fail",
}  # fmt: skip
"""The others are unknown: what keeps one account out is no defect of the record."""
HINTS: dict[Access, str] = {
    "public": "",
    "gated-not-tested": "access must be asked for ({gated}) and was not tested: set {variable} to a token of an account that has it",
    "gated-accepted": "",
    "gated-not-requested": "open {page}, accept the licence or ask for access, and check again",
    "gated-pending": "the request waits for the authors' answer: look at {page} in some days",
    "gated-rejected": "the authors said no or took access back: look at {page}, or use a model that is not gated",
    "token-invalid": "access must be asked for ({gated}) and was not tested: make a new token on {tokens} and set {variable} to it",
    "token-lacks-scope": 'on {tokens}, let the token read "public gated repos you can access", or use one of type read',
    "missing-or-private": "open {page}: find where the model went, or name its successor in replaced_by",
    "disabled": "read why on {page}, and name its successor in replaced_by",
    "renamed": "write hub_id: {true_id}, or run with --fix",
    "unknown": "check again later",
}
SENTENCES: tuple[tuple[str, Access], ...] = (
    ("public gated repositories", "token-lacks-scope"),
    ("awaiting a review", "gated-pending"),
    ("has been rejected", "gated-rejected"),
    ("has been reset", "gated-rejected"),
    ("not in the authorized list", "gated-not-requested"),
    ("ask for access", "gated-not-requested"),
    ("resource is disabled", "disabled"),
)
"""What the Hub says in a 403 to somebody it knows; the code is `GatedRepo` for most of them and cannot tell them apart."""


class Seen(NamedTuple):
    """What one model answered: its state, why, its entry, and its config.json where drift was asked about."""

    access: Access
    reason: str
    entry: Entry
    config: Any = None


async def check_models(
    models: Sequence[ModelRecord], ask: Ask, hub: HubEndpoint, drift: bool = False, client: HubClient | None = None
) -> tuple[tuple[ModelResult, ...], tuple[str, ...]]:
    """The result of each model in order, and notes about the run (a token that is not valid).

    `drift` also compares licence and config.json. A `client` of the caller's shares its token, rate budget and entries with the links.
    """
    client = client or HubClient(hub)
    free = asyncio.Semaphore(AT_ONCE)

    async def look(hub_id: str) -> Seen:
        async with free:
            return await _look(client, ask, hub_id, drift)

    names = list(dict.fromkeys(model.hub_id for model in models))
    seen = dict(zip(names, await asyncio.gather(*map(look, names)), strict=True))
    results = tuple(_result(client, model, seen[model.hub_id], drift) for model in models)
    unread = sum(_downloadable(told.access, told.entry) and not isinstance(told.config, dict) for told in seen.values()) if drift else 0
    notes = [f"{unread} of {len(names)} models have no config.json that could be compared"] if unread else []
    return results, (*client.notes, *notes)


async def _look(client: HubClient, ask: Ask, hub_id: str, drift: bool) -> Seen:
    entry = await client.entry(ask, "models", hub_id, ("cardData",) if drift else ())
    access, reason = await _access(client, ask, hub_id, entry)
    config = await _config(client, ask, entry.true_id) if drift and _downloadable(access, entry) else None
    return Seen(access, reason, entry, config)


async def _access(client: HubClient, ask: Ask, hub_id: str, entry: Entry) -> tuple[Access, str]:
    """The state of a model, and the reason where it is not told by the state alone."""
    if entry.state == "missing":
        return "missing-or-private", entry.reason
    if entry.state == "disabled":
        return "disabled", entry.reason
    if entry.state == "token-lacks-scope":
        return "token-lacks-scope", entry.reason
    if entry.state != "there":
        return "unknown", entry.reason
    if entry.true_id.casefold() != hub_id.casefold():
        return "renamed", ""
    if entry.gated == "no":
        return "public", ""
    if client.proof == "invalid":
        return "token-invalid", ""
    if client.proof != "good":
        return "gated-not-tested", ""
    try:
        answer = await client.request(ask, f"/api/models/{entry.true_id}/auth-check")
    except (Unreachable, BudgetSpent) as error:
        return "unknown", f"access could not be tested: {error}"
    return _tested(answer)


def _tested(answer: Answer) -> tuple[Access, str]:
    """What the access check says; anything it was not heard to say is unknown."""
    message = message_of(answer)
    if answer.status == 200:
        return "gated-accepted", ""
    if answer.status == 401:
        return "token-invalid", message
    if answer.status == 403:
        for words, access in SENTENCES:
            if words in message.casefold():
                return access, message
    return "unknown", f"access could not be tested: {refusal(answer, with_token=True)[1]}"


def _downloadable(access: Access, entry: Entry) -> bool:
    return access in ("public", "gated-accepted") or (access == "renamed" and entry.gated == "no")


async def _config(client: HubClient, ask: Ask, true_id: str) -> Any:
    """The config.json of a model one may download; None where it has none or it cannot be read."""
    try:
        answer = await client.request(ask, f"/{true_id}/resolve/main/config.json")
    except (Unreachable, BudgetSpent):
        return None
    return json_of(answer, LARGEST_CONFIG_BYTES) if answer.status == 200 else None


def _result(client: HubClient, model: ModelRecord, seen: Seen, drift: bool) -> ModelResult:
    entry = seen.entry
    hint = HINTS[seen.access].format(
        gated=entry.gated, page=f"{client.hub.url}/{entry.true_id or model.hub_id}", variable=TOKEN_VARIABLE,
        tokens=f"{client.hub.url}/settings/tokens", true_id=entry.true_id,
    )  # fmt: skip
    if seen.access == "gated-not-tested" and client.proof == "unproven":
        hint = f"access must be asked for ({entry.gated}) and was not tested: the Hub did not say whose the token is; check again later"
    if entry.state == "rate-limited" and client.hub.token is None:
        hint += f", or set {TOKEN_VARIABLE}: with a token the Hub allows more"
    return ModelResult(
        model.hub_id,
        seen.access,
        model.gated,
        OUTCOMES.get(seen.access, "unknown"),
        "; ".join(filter(None, (seen.reason, hint))),
        (model.place,),
        entry.true_id if entry.true_id not in ("", model.hub_id) else None,
        entry.gated,
        tuple(_findings(model, seen, drift)),
    )


def _findings(model: ModelRecord, seen: Seen, drift: bool) -> list[Finding]:
    entry = seen.entry
    if seen.access == "missing-or-private":
        return [missing_finding(model, seen.reason)]
    if entry.state != "there":
        return []
    gated: Gating = entry.gated or "no"
    found = [name_finding(model, entry.true_id), gating_finding(model, gated)]
    if drift:
        found.append(licence_finding(model, entry.card))
        if isinstance(seen.config, dict):
            found.extend(config_findings(model, seen.config))
    return [finding for finding in found if finding is not None]

"""Gated-model access against a double of the Hub: every state, who gets the token, and answers that lie."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from hub_double import GOOD_TOKEN, NARROW_TOKEN, HubDouble, answering, serving_hub
from hub_models import GATED_PLACE, PLACE, check, one, record

from llmops_catalog.errors import CatalogError
from llmops_catalog.links.hub_access import HINTS, OUTCOMES, HubEndpoint
from llmops_catalog.links.results import ACCESS_STATES, Access

INVALID = "the token of HF_TOKEN is not valid: going on without it"
STATES: tuple[tuple[Access, str, dict[str, Any], str | None], ...] = (
    ("public", "pass", {}, None),
    ("public", "pass", {}, GOOD_TOKEN),
    ("gated-not-tested", "pass", {"gated": "manual"}, None),
    ("gated-accepted", "pass", {"gated": "auto", "asked": "accepted"}, GOOD_TOKEN),
    ("gated-not-requested", "unknown", {"gated": "auto"}, GOOD_TOKEN),
    ("gated-pending", "unknown", {"gated": "manual", "asked": "pending"}, GOOD_TOKEN),
    ("gated-rejected", "unknown", {"gated": "manual", "asked": "rejected"}, GOOD_TOKEN),
    ("gated-rejected", "unknown", {"gated": "manual", "asked": "reset"}, GOOD_TOKEN),
    ("token-invalid", "unknown", {"gated": "manual"}, "hf_old"),
    ("token-lacks-scope", "unknown", {"gated": "manual"}, NARROW_TOKEN),
    ("public", "pass", {}, NARROW_TOKEN),
    ("public", "pass", {}, "hf_old"),
    ("missing-or-private", "fail", {"private": True}, None),
    ("missing-or-private", "fail", {"private": True}, NARROW_TOKEN),
    ("missing-or-private", "fail", {"private": True}, "hf_old"),
    ("disabled", "fail", {"disabled": True}, None),
    ("disabled", "fail", {"disabled": True}, GOOD_TOKEN),
    ("renamed", "pass", {"renamed_to": "c/d"}, None),
    ("renamed", "pass", {"renamed_to": "c/d"}, GOOD_TOKEN),
)


@pytest.mark.parametrize(("access", "outcome", "facts", "token"), STATES)
def test_each_state_is_told(hub: HubDouble, access: str, outcome: str, facts: dict[str, Any], token: str | None) -> None:
    hub.add("a/b", **facts)
    hub.add("c/d")
    result = one(hub, token=token)
    assert (result.access, result.outcome) == (access, outcome)
    assert access in ("public", "gated-accepted") or result.hint
    assert "{" not in result.hint
    assert hub.count("/api/models/") <= 2 + (access == "renamed")
    assert hub.count("/api/whoami-v2") == (token is not None)
    assert hub.count("/auth-check") == (facts.get("gated", False) is not False and token in (GOOD_TOKEN, NARROW_TOKEN))


def test_all_twelve_states_are_seen_here() -> None:
    assert {state for state, *_ in STATES} | {"unknown"} == set(ACCESS_STATES) == set(HINTS) == set(get_args(Access))
    assert set(OUTCOMES) < set(ACCESS_STATES)


def test_a_missing_model_is_a_finding_at_its_place(hub: HubDouble) -> None:
    result = one(hub)
    assert (result.access, [finding.code for finding in result.findings]) == ("missing-or-private", ["missing-or-private"])
    assert result.findings[0].place == PLACE
    assert result.places == (PLACE,)


@pytest.mark.parametrize(
    ("recorded", "gated", "drifts"),
    [
        (None, False, False), ("no", False, False), ("auto", "auto", False), ("manual", "manual", False),
        (None, "auto", True), ("no", "manual", True), ("auto", "manual", True), ("manual", "auto", True), ("manual", False, True),
    ],
)  # fmt: skip
def test_gating_that_differs_is_a_finding(hub: HubDouble, recorded: str | None, gated: Any, drifts: bool) -> None:
    hub.add("a/b", gated=gated)
    result = one(hub, recorded)
    assert [finding.code for finding in result.findings] == ["gating-drift"] * drifts
    assert (result.recorded, result.gated) == (recorded, gated or "no")
    if drifts:
        assert result.findings[0].place == (GATED_PLACE if recorded else PLACE)
        assert f'"{gated or "no"}"' in result.findings[0].hint


def test_a_renamed_model_tells_its_true_id(hub: HubDouble) -> None:
    hub.add("a/b", renamed_to="c/d")
    hub.add("c/d", gated="manual", asked="accepted")
    result = one(hub, "manual", GOOD_TOKEN)
    assert (result.access, result.true_id, result.gated) == ("renamed", "c/d", "manual")
    assert [finding.code for finding in result.findings] == ["renamed"]
    assert "--fix" in result.findings[0].hint
    redirected = [seen for seen in hub.seen if seen.path.startswith("/api/models/c/d")]
    assert [seen.token for seen in redirected] == [GOOD_TOKEN]
    assert "expand[]=gated" in redirected[0].path


def test_the_id_in_the_answer_tells_a_new_name_too(hub: HubDouble) -> None:
    hub.answers["/api/models/a/b"] = answering(b'{"id": "c/d", "gated": false}')
    assert (one(hub).access, one(hub).true_id) == ("renamed", "c/d")


def test_other_letter_case_is_a_finding_but_no_new_name(hub: HubDouble) -> None:
    hub.add("Qwen/Qwen3-8B", gated="auto", asked="accepted")
    hub.add("qwen/qwen3-8b", renamed_to="Qwen/Qwen3-8B")
    result = one(hub, "auto", GOOD_TOKEN, "qwen/qwen3-8b")
    assert (result.access, result.true_id) == ("gated-accepted", "Qwen/Qwen3-8B")
    assert [finding.code for finding in result.findings] == ["renamed"]


def test_the_token_goes_to_no_other_host(hub: HubDouble) -> None:
    with serving_hub() as other:
        other.add("a/b", gated="manual")
        hub.answers["/api/models/a/b"] = answering(b"", 307, Location=f"{other.url}/api/models/a/b")
        hub.add("a/b", gated="manual", asked="accepted")
        assert one(hub, token=GOOD_TOKEN).access == "gated-accepted"
        assert [seen.token for seen in other.seen] == [None]
        assert {seen.token for seen in hub.seen} == {GOOD_TOKEN}


@pytest.mark.parametrize(
    "location", ["", "file:///etc/passwd", "/api/models/a/b", "http://[", "http://host:port/", "javascript:alert(1)", "//", "http://"]
)
def test_a_redirect_that_leads_nowhere_is_unknown(hub: HubDouble, location: str) -> None:
    hub.answers["/api/models/a/b"] = answering(b"", 307, Location=location)
    result = one(hub)
    assert (result.access, result.outcome) == ("unknown", "unknown")
    assert len(hub.seen) <= 5


def test_an_invalid_token_is_said_once_and_not_used_again(hub: HubDouble) -> None:
    for number in range(6):
        hub.add(f"a/{number}")
    results, notes = check(hub, [record(f"a/{number}") for number in range(6)], "hf_old")
    assert {result.access for result in results} == {"public"}
    assert notes == (INVALID,)
    assert [seen.path for seen in hub.seen if seen.token] == ["/api/whoami-v2"]


def test_a_token_that_cannot_be_tested_is_not_used(hub: HubDouble) -> None:
    hub.answers["/api/whoami-v2"] = answering(b"", 503)
    hub.add("a/b", gated="auto")
    (result,), notes = check(hub, [record()], GOOD_TOKEN)
    assert result.access == "gated-not-tested"
    assert "check again" in result.hint
    assert len(notes) == 1
    assert "could not be tested" in notes[0]


def test_a_401_with_a_good_token_proves_nothing(hub: HubDouble) -> None:
    hub.answers["/api/models/a/b"] = answering(b"", 401)
    assert one(hub, token=GOOD_TOKEN).access == "unknown"
    assert one(hub).access == "missing-or-private"


def test_models_that_share_an_id_are_asked_about_once_and_in_order(hub: HubDouble) -> None:
    hub.add("a/b")
    hub.add("c/d", gated="auto")
    models = [record("c/d", "auto"), record("a/b"), record("a/b", "manual")]
    results, _ = check(hub, models)
    assert [(result.hub_id, result.access, len(result.findings)) for result in results] == [
        ("c/d", "gated-not-tested", 0),
        ("a/b", "public", 0),
        ("a/b", "public", 1),
    ]
    assert len(hub.seen) == 2


def test_no_models_ask_nothing(hub: HubDouble) -> None:
    assert check(hub, [], GOOD_TOKEN) == ((), ())
    assert not hub.seen


def described(**fields: Any) -> bytes:
    return json.dumps({"id": "a/b", "gated": False, **fields}).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"", b"not JSON", b"[]", b"null", b"{", b"[" * 200_000, b'{"id":' * 100_000, b"\xff\xfe\x00", b"9" * 10_000,
        described(gated=7), described(gated=None), described(gated=True), described(gated=[]), described(gated={}),
        described(gated="maybe"),
        described(gated=0), described(id="a/\x1b[31mb"), described(id="a/b\n::error"), described(id=["a"]), described(id={"a": 1}),
        described(id="a" * 10_000), described(id="../../etc"), described(id="a/b", filler="x" * 5_000_000), b"<html>a page</html>",
    ],
)  # fmt: skip
def test_hostile_descriptions_are_unknown(hub: HubDouble, body: bytes) -> None:
    hub.answers["/api/models/a/b"] = answering(body)
    result = one(hub, "no")
    assert (result.access, result.outcome, result.findings) == ("unknown", "unknown", ())
    assert result.hint


@pytest.mark.parametrize(
    "fields", [{"cardData": 7}, {"cardData": {"license": {"a": 1}}}, {"cardData": {"license": [3, None]}}, {"disabled": "yes"}]
)
def test_oddities_that_do_not_matter_are_passed_over(hub: HubDouble, fields: dict[str, Any]) -> None:
    hub.answers["/api/models/a/b"] = answering(described(**fields))
    (result,), _ = check(hub, [record(license_id="MIT")], drift=True)
    assert (result.access, result.findings) == ("public", ())


@pytest.mark.parametrize("status", [400, 403, 405, 429, 451, 500, 502, 503])
def test_other_answers_are_unknown(hub: HubDouble, status: int) -> None:
    hub.answers["/api/models/a/b"] = answering(b"trouble", status)
    result = one(hub)
    assert (result.access, result.outcome) == ("unknown", "unknown")


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (500, {}),
        (403, {}),
        (403, {"X_Error_Code": "GatedRepo", "X_Error_Message": "Something new"}),
        (404, {"X_Error_Code": "RepoNotFound"}),
        (302, {}),
    ],
)  # fmt: skip
def test_an_access_check_that_says_something_else_is_unknown(hub: HubDouble, status: int, headers: dict[str, str]) -> None:
    hub.add("a/b", gated="auto")
    hub.answers["/api/models/a/b/auth-check"] = answering(b"?" * 3000, status, **headers)
    result = one(hub, "auto", GOOD_TOKEN)
    assert result.access == "unknown"
    assert "access could not be tested" in result.hint
    assert len(result.hint) < 600


def test_a_hub_that_is_down_is_unknown() -> None:
    with serving_hub() as gone:
        pass
    result = one(gone, token=GOOD_TOKEN)
    assert (result.access, result.outcome) == ("unknown", "unknown")


def test_the_environment_names_hub_and_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    monkeypatch.setenv("HF_TOKEN", " ")
    assert HubEndpoint.from_environment() == ("https://huggingface.co", None)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:8080/")
    monkeypatch.setenv("HF_TOKEN", "hf_x\n")
    assert HubEndpoint.from_environment() == ("http://127.0.0.1:8080", "hf_x")
    for wrong in (
        "ftp://example.org",
        "huggingface.co",
        "https://",
        "https://user:pass@example.org",
        "https://example.org:port",
        "http://[",
    ):
        monkeypatch.setenv("HF_ENDPOINT", wrong)
        with pytest.raises(CatalogError) as caught:
            HubEndpoint.from_environment()
        assert caught.value.exit_code == 2

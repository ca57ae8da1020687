"""Gated-model access against a double of the Hub: every state, who gets the token, how many questions, and answers that lie."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import monotonic
from typing import Any, get_args

import pytest
from hub_double import GOOD_TOKEN, NARROW_TOKEN, HubDouble, answering, serving_hub
from plain_ask import plain_ask

from llmops_catalog.catalog.folder import read_folder
from llmops_catalog.catalog.load import load_records
from llmops_catalog.errors import CatalogError
from llmops_catalog.links.hub_access import HINTS, OUTCOMES, HubEndpoint, ModelRecord, check_models
from llmops_catalog.links.hub_budget import Budget, BudgetSpent, parsed
from llmops_catalog.links.hub_client import HubClient
from llmops_catalog.links.hub_drift import licence_finding, model_records
from llmops_catalog.links.results import ACCESS_STATES, Access, ModelResult, Place

HERE = Path(__file__)
PLACE = Place("catalog/models/a/b.yaml", 3, 9, "hub_id")
GATED_PLACE = Place("catalog/models/a/b.yaml", 7, 16, "gated.mode")
INVALID = "the token of HF_TOKEN is not valid: going on without it"


@pytest.fixture
def hub() -> Iterator[HubDouble]:
    with serving_hub() as double:
        yield double


def record(hub_id: str = "a/b", gated: str | None = None, **facts: Any) -> ModelRecord:
    return ModelRecord(hub_id, PLACE, gated, GATED_PLACE if gated else None, **facts)


def check(
    hub: HubDouble, models: Sequence[ModelRecord], token: str | None = None, drift: bool = False
) -> tuple[tuple[ModelResult, ...], tuple[str, ...]]:
    return asyncio.run(check_models(models, plain_ask, HubEndpoint(hub.url, token), drift))


def one(hub: HubDouble, gated: str | None = None, token: str | None = None, hub_id: str = "a/b") -> ModelResult:
    return check(hub, [record(hub_id, gated)], token)[0][0]


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


def test_a_spent_budget_ends_the_questions_before_the_hub_says_429(hub: HubDouble) -> None:
    for number in range(30):
        hub.add(f"a/{number}")
    hub.left, hub.window_seconds = 12, 300
    results, _ = check(hub, [record(f"a/{number}") for number in range(30)])
    spent = [result for result in results if result.access == "unknown"]
    assert len(spent) >= 18
    assert all("allows no further request" in result.hint and "HF_TOKEN" in result.hint for result in spent)
    assert all(result.outcome == "unknown" for result in spent)
    assert len(hub.seen) + len(spent) == 30  # not one was sent in vain
    assert len(hub.seen) <= 12


def test_a_window_that_ends_soon_is_waited_for(hub: HubDouble) -> None:
    hub.add("a/b")
    client = HubClient(HubEndpoint(hub.url))

    async def both() -> float:
        hub.left, hub.window_seconds = 1, 1
        started = monotonic()
        await client.entry(plain_ask, "models", "a/b")
        hub.left = 100
        entries = await asyncio.gather(*(client.entry(plain_ask, "models", f"a/{number}") for number in range(4)))
        assert [entry.state for entry in entries] == ["missing"] * 4
        return monotonic() - started

    assert asyncio.run(both()) >= 0.99
    assert client.budget.waited_seconds <= 1.0
    assert len(hub.seen) == 5


@pytest.mark.parametrize(
    "header",
    ["", "0", '"api"', '"api";r=', '"api";r=-1;t=5', '"api";t=0', "r=0;t=60", ";;;;", '"api";r=0', "\x00" * 50, 
     '"api";r=0;t=nan', '"' * 5000, '"api"' + ";r=0" * 5000, '"api";r=' + "0" * 5000 + ";t=5"],
)  # fmt: skip
def test_a_garbled_rate_limit_stops_nobody(header: str) -> None:
    async def ask() -> None:
        budget = Budget(0.0)
        budget.learn({"ratelimit": header, "ratelimit-policy": header})
        async with budget.room("api"):
            pass

    asyncio.run(ask())


def test_the_recorded_headers_are_understood() -> None:
    assert parsed('"api";r=0;t=55') == {"api": {"r": 0, "t": 55}}
    assert parsed('"fixed window";"api";q=500;w=300') == {"api": {"q": 500, "w": 300}}
    assert parsed('"api" ; r = 3 ; t = 9, "pages";r=1;t=2') == {"api": {"r": 3, "t": 9}, "pages": {"r": 1, "t": 2}}


def test_a_limit_without_a_time_lasts_for_its_window() -> None:
    async def ask() -> None:
        budget = Budget(1.0)
        budget.learn({"ratelimit": '"api";r=0', "ratelimit-policy": '"fixed window";"api";q=500;w=300'})
        with pytest.raises(BudgetSpent, match="for 300 s"):
            async with budget.room("api"):
                pass
        async with budget.room("resolvers"):
            pass

    asyncio.run(ask())


def drifting(hub: HubDouble, config: Any, token: str | None = None, **facts: Any) -> ModelResult:
    files = {"config.json": config if isinstance(config, bytes) else json.dumps(config).encode()}
    hub.add("a/b", files=files, card={"license": "apache-2.0"}, **facts)
    places = {key: Place("x.yaml", 5, 5, f"architecture.{key}") for key in ("hidden_size", "vocab_size")}
    told = record(license_id="Apache-2.0", gated=facts.get("gated"), config={"hidden_size": 64, "vocab_size": 100}, config_places=places)
    return check(hub, [told], token, drift=True)[0][0]


def test_numbers_that_differ_are_found_where_they_stand(hub: HubDouble) -> None:
    result = drifting(hub, {"hidden_size": 64, "vocab_size": 128})
    assert [(finding.code, finding.place.field) for finding in result.findings] == [("config-drift", "architecture.vocab_size")]
    assert "128" in result.findings[0].message
    assert "100" in result.findings[0].message


@pytest.mark.parametrize(
    "config",
    [
        {}, {"text_config": {"hidden_size": 64}, "hidden_size": 1}, {"hidden_size": "64", "vocab_size": [1]}, {"hidden_size": True},
        [], b"{", b"[" * 100_000, b"\xff", b"x" * 3_000_000,
    ],
)  # fmt: skip
def test_what_a_config_does_not_say_is_no_drift(hub: HubDouble, config: Any) -> None:
    assert drifting(hub, config).findings == ()


def test_a_number_without_end_is_a_finding_of_ordinary_length(hub: HubDouble) -> None:
    result = drifting(hub, b'{"hidden_size": ' + b"9" * 4000 + b"}")
    assert [len(finding.message) < 200 for finding in result.findings] == [True]


def test_the_config_of_a_gated_model_is_read_by_those_who_may(hub: HubDouble) -> None:
    assert drifting(hub, {"hidden_size": 1}, gated="auto").findings == ()
    assert not hub.count("config.json")
    assert len(drifting(hub, {"hidden_size": 1}, GOOD_TOKEN, gated="auto", asked="accepted").findings) == 1
    assert {seen.token for seen in hub.seen if "config.json" in seen.path} == {GOOD_TOKEN}


def test_a_model_without_config_is_only_a_note(hub: HubDouble) -> None:
    hub.add("a/b")
    (result,), notes = check(hub, [record(config={"hidden_size": 1})], drift=True)
    assert (result.access, result.findings) == ("public", ())
    assert notes == ("1 of 1 models have no config.json that could be compared",)


@pytest.mark.parametrize(
    ("recorded", "card", "drifts"),
    [
        ("Apache-2.0", {"license": "apache-2.0"}, False), ("Apache-2.0", {"license": "mit"}, True), ("Apache-2.0", {}, False),
        ("LicenseRef-llama3.1", {"license": "llama3.1"}, False), ("LicenseRef-llama3.1", {"license": "llama3.2"}, True),
        ("LicenseRef-kimi", {"license": "other", "license_name": "modified-mit"}, False), ("Apache-2.0", {"license": "other"}, True),
        ("Apache-2.0", {"license": "other", "license_name": "apache-2.0"}, False), ("GPL-3.0-only", {"license": "gpl-3.0"}, False),
        ("Apache-2.0 OR MIT", {"license": ["mit"]}, False), ("MIT", {"license": "unknown"}, False), (None, {"license": "mit"}, False),
        ("ODC-By-1.0", {"license": "odc-by"}, False), ("CC-BY-NC-4.0", {"license": "cc-by-4.0"}, True),
    ],
)  # fmt: skip
def test_licences_are_compared_as_both_sides_write_them(recorded: str | None, card: dict[str, Any], drifts: bool) -> None:
    finding = licence_finding(record(license_id=recorded), card)
    assert (finding is not None) == drifts


def test_records_of_the_catalog_become_models() -> None:
    files = load_records(read_folder(HERE.parent.parent / "broken" / "_base" / "catalog")).records
    models = model_records(files)
    assert models
    for model in models:
        lines = (HERE.parent.parent / "broken" / "_base" / model.place.path).read_text(encoding="utf-8").splitlines()
        assert model.hub_id in lines[model.place.line - 1]
        for key, place in model.config_places.items():
            assert str(model.config[key]) in lines[place.line - 1][place.column - 1 :]


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

"""`check-links` and the Hub: every state of access is told, and the Hub is asked only about the models that are meant."""

from __future__ import annotations

from catalog_site import HERE, STANDING, Site, models_of
from commands import Answer, run_in
from hub_double import GOOD_TOKEN, NARROW_TOKEN, HubDouble
from misbehaving import World

from llmops_catalog.links.results import ACCESS_STATES

MODEL_KEYS = {"hub_id", "access", "recorded", "outcome", "hint", "places", "true_id", "gated", "findings"}


def access(answer: Answer) -> dict[str, str]:
    models = answer.json["models"]
    assert all(set(model) == MODEL_KEYS for model in models)
    return {model["hub_id"].partition("/")[2]: model["access"] for model in models}


def test_every_state_of_access_is_told(named: Site, world: World, hub: HubDouble) -> None:
    names = [*STANDING, "missing-or-private", "unknown"]
    models_of(named, names)
    world.start()

    def asked(token: str) -> Answer:
        return run_in(named.catalog, "check-links", *HERE, "--format", "json", HF_ENDPOINT=hub.url, HF_TOKEN=token)

    good = asked(GOOD_TOKEN)
    assert access(good) == {name: name for name in names}
    assert good.code == 1
    outcomes = {model["access"]: model["outcome"] for model in good.json["models"]}
    assert {state for state, outcome in outcomes.items() if outcome == "fail"} == {"missing-or-private", "disabled"}
    assert {state for state, outcome in outcomes.items() if outcome == "pass"} == {"public", "gated-accepted", "renamed"}
    assert all(model["hint"] for model in good.json["models"] if model["outcome"] != "pass")
    place = good.json["models"][0]["places"][0]
    assert (place["line"], place["column"], place["field"]) == (2, 9, "hub_id")
    assert {seen.token for seen in hub.seen} == {GOOD_TOKEN}
    assert hub.count("/api/whoami-v2") == 1

    gated = {"gated-accepted", "gated-not-requested", "gated-pending", "gated-rejected"}
    seen = {
        "gated-not-tested": access(asked("")),
        "token-invalid": access(asked("hf_bad")),
        "token-lacks-scope": access(asked(NARROW_TOKEN)),
    }
    for state, told in seen.items():
        assert {name for name, found in told.items() if found == state} == gated
        assert told["public"] == "public"
    assert {*access(good).values(), *seen} == set(ACCESS_STATES)
    assert "the token of HF_TOKEN is not valid: going on without it" in asked("hf_bad").json["notes"]


def test_the_hub_is_not_asked_where_it_must_not_be(named: Site, world: World, hub: HubDouble) -> None:
    world.start()
    answer = named.check("--format", "json", HF_ENDPOINT=hub.url, HF_TOKEN=GOOD_TOKEN)
    assert (answer.code, answer.json["models"], hub.seen) == (0, [], [])


def test_models_of_named_files_and_of_parts(named: Site, world: World, hub: HubDouble) -> None:
    models_of(named, list(STANDING))
    world.start()
    environment = {"HF_ENDPOINT": hub.url}
    record = str(named.catalog / "models/org/public.yaml")
    assert access(run_in(named.catalog, "check-links", *HERE, "--format", "json", record, **environment)) == {"public": "public"}
    assert access(run_in(named.catalog, "check-links", *HERE, "--format", "json", str(named.catalog / "gpus"), **environment)) == {}
    parts = [
        access(run_in(named.catalog, "check-links", *HERE, "--format", "json", "--shard", f"{part}/2", **environment)) for part in (1, 2)
    ]
    assert set(parts[0]) | set(parts[1]) == set(STANDING)
    assert not set(parts[0]) & set(parts[1])


def test_what_the_record_says_otherwise_is_a_finding(named: Site, world: World, hub: HubDouble) -> None:
    models_of(named, ["gated-accepted"])
    world.start()
    answer = run_in(named.catalog, "check-links", *HERE, HF_ENDPOINT=hub.url, HF_TOKEN=GOOD_TOKEN)
    assert answer.code == 0
    assert (
        "catalog/models/org/gated-accepted.yaml:10:15: warning[gating-drift]: the Hub has org/gated-accepted as gated: 'auto';"
        in answer.out
    )

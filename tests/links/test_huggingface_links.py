"""Links to the Hub, judged by its API: which are claimed, what each state of a repository and its files becomes, how often it is asked."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hub_double import GOOD_TOKEN, SHA, HubDouble, answering, serving_hub
from plain_http import plain_ask
from site_double import judged as judged_by

from llmops_catalog.links.hosts.huggingface import HuggingFace
from llmops_catalog.links.hub_access import ModelRecord, check_models
from llmops_catalog.links.hub_client import HubClient, HubEndpoint
from llmops_catalog.links.results import Judgement, Place

SITE = "https://huggingface.co"


def judged(hub: HubDouble, *urls: str, token: str | None = None) -> dict[str, Judgement | None]:
    return judged_by(HuggingFace(HubEndpoint(hub.url, token)), list(urls), plain_ask)


def verdict(hub: HubDouble, path: str, token: str | None = None) -> tuple[str, str] | None:
    told = judged(hub, SITE + path, token=token)[SITE + path]
    return (told.outcome, told.verdict) if told else None


@pytest.mark.parametrize(
    "url",
    [
        f"{SITE}/Qwen/Qwen3-8B", f"{SITE}/Qwen/Qwen3-8B/", "http://huggingface.co/Qwen/Qwen3-8B?library=vllm", "https://hf.co/a/b",
        "https://www.huggingface.co/a/b#use", f"{SITE}/gpt2", f"{SITE}/gpt2/blob/main/config.json", f"{SITE}/datasets/squad",
        f"{SITE}/datasets/a/b/viewer", f"{SITE}/spaces/a/b", f"{SITE}/a/b/tree/refs/pr/1", f"{SITE}/a/b/raw/main/x%20y.txt",
        f"{SITE}/a/b/discussions/3", "http://127.0.0.1:8080/a/b", "https://huggingface.co:443/a/b", "https://HUGGINGFACE.co/a/b",
    ],
)  # fmt: skip
def test_repositories_are_claimed(url: str) -> None:
    assert HuggingFace(HubEndpoint("http://127.0.0.1:8080")).claims(url)


@pytest.mark.parametrize(
    "url",
    [
        SITE, f"{SITE}/", f"{SITE}/docs/transformers", f"{SITE}/blog/moe", f"{SITE}/learn/llm-course", f"{SITE}/papers/2408.00118",
        f"{SITE}/models?search=qwen", f"{SITE}/collections/Qwen/qwen3-1", f"{SITE}/spaces", f"{SITE}/spaces/a", f"{SITE}/join",
        f"{SITE}/a/activity/all", f"{SITE}/a/models", f"{SITE}/a/b/settings", f"{SITE}/a/b/c", f"{SITE}//a/b", f"{SITE}/a b/c",
        f"{SITE}/../a",
        f"{SITE}/%2e%2e/a", "https://user:pw@huggingface.co/a/b", "https://huggingface.co:8443/a/b", "https://huggingface.co.evil.org/a/b",
        "https://evil.org/huggingface.co/a/b", "ftp://huggingface.co/a/b", "https://discuss.huggingface.co/t/1", "http://127.0.0.1:8081/a/b",
        "https://[", "https://huggingface.co:port/a/b", "", "mailto:a@huggingface.co", f"{SITE}/" + "a" * 5000 + "/b",
    ],
)  # fmt: skip
def test_other_pages_are_left_to_the_page_check(url: str) -> None:
    assert not HuggingFace(HubEndpoint("http://127.0.0.1:8080")).claims(url)


@pytest.mark.parametrize(
    ("facts", "token", "expected"),
    [
        ({}, None, ("pass", "ok")),
        ({"gated": "auto"}, None, ("pass", "ok")),
        ({"gated": "manual"}, GOOD_TOKEN, ("pass", "ok")),
        ({"private": True}, None, ("fail", "broken")),
        ({"private": True}, "hf_old", ("fail", "broken")),
        ({"disabled": True}, None, ("fail", "broken")),
        ({"renamed_to": "c/d"}, None, ("pass", "redirected-permanent")),
    ],
)
@pytest.mark.parametrize("kind", ["models", "datasets", "spaces"])
def test_each_state_of_a_repository(hub: HubDouble, kind: str, facts: dict[str, Any], token: str | None, expected: tuple[str, str]) -> None:
    hub.add("a/b", kind, **facts)
    hub.add("c/d", kind)
    assert verdict(hub, "/a/b" if kind == "models" else f"/{kind}/a/b", token) == expected


def test_a_gated_repository_says_so(hub: HubDouble) -> None:
    hub.add("a/b", gated="manual")
    told = judged(hub, f"{SITE}/a/b")[f"{SITE}/a/b"]
    assert told is not None
    assert told.hint.startswith("gated: ")
    assert "manual" in told.hint


def test_a_missing_repository_is_broken(hub: HubDouble) -> None:
    assert verdict(hub, "/a/b") == ("fail", "broken")
    assert verdict(hub, "/a/b", GOOD_TOKEN) == ("fail", "broken")
    assert verdict(hub, "/datasets/a/b") == ("fail", "broken")
    assert verdict(hub, "/a/b/blob/main/x#L3") == ("fail", "broken")


def test_a_single_step_may_be_an_account(hub: HubDouble) -> None:
    hub.add("openai-community/gpt2")
    hub.add("gpt2", renamed_to="openai-community/gpt2")
    assert verdict(hub, "/togethercomputer") is None
    assert verdict(hub, "/datasets/nothing") is None
    told = judged(hub, f"{SITE}/gpt2")[f"{SITE}/gpt2"]
    assert told is not None
    assert told.better_url == f"{SITE}/openai-community/gpt2"


@pytest.mark.parametrize(
    ("kind", "written", "better"),
    [
        ("models", f"{SITE}/a/b", f"{SITE}/c/d"),
        ("models", "https://hf.co/a/b?library=x#use", "https://hf.co/c/d?library=x#use"),
        ("models", f"{SITE}/a/b/discussions/3", f"{SITE}/c/d/discussions/3"),
        ("models", f"{SITE}/a/b/blob/main/a/b.txt#L1", f"{SITE}/c/d/blob/main/a/b.txt#L1"),
        ("datasets", f"{SITE}/datasets/a/b/", f"{SITE}/datasets/c/d/"),
    ],
)
def test_a_renamed_repository_keeps_the_rest_of_the_address(hub: HubDouble, kind: str, written: str, better: str) -> None:
    hub.add("a/b", kind, renamed_to="c/d")
    hub.add("c/d", kind, files={"a/b.txt": b"x"})
    told = judged(hub, written)[written]
    assert told is not None
    assert (told.outcome, told.verdict, told.better_url, told.final_url) == ("pass", "redirected-permanent", better, better)


def test_a_name_inside_the_kind_is_not_mistaken_for_the_repository(hub: HubDouble) -> None:
    hub.add("data", "datasets", renamed_to="c/d")
    hub.add("c/d", "datasets")
    told = judged(hub, f"{SITE}/datasets/data")[f"{SITE}/datasets/data"]
    assert told is not None
    assert told.better_url == f"{SITE}/datasets/c/d"


def test_other_letter_case_is_the_same_repository(hub: HubDouble) -> None:
    hub.add("A/B")
    hub.add("a/b", renamed_to="A/B")
    assert verdict(hub, "/a/b") == ("pass", "ok")


FILES = {"config.json": b"{}", "a folder/x.txt": b"x"}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("blob/main/config.json", ("pass", "ok")),
        ("raw/main/a%20folder/x.txt", ("pass", "ok")),
        ("tree/main", ("pass", "ok")),
        ("tree/main/a%20folder", ("pass", "ok")),
        (f"blob/{SHA}/config.json", ("pass", "ok")),
        ("tree/refs/pr/2", ("pass", "ok")),
        ("resolve/refs%2Fpr%2F2/config.json?download=true", ("pass", "ok")),
        ("blob/main/gone.json", ("fail", "broken")),
        ("resolve/main/config.JSON", ("fail", "broken")),
        ("tree/gone", ("fail", "broken")),
        ("blob/gone/config.json", ("fail", "broken")),
        ("blob/main/gone.json#L1", ("fail", "broken")),
        ("blob/main/config.json#L1", None),
        ("commit/" + SHA, None),
        ("discussions/1", None),
    ],
)
def test_files_are_looked_up(hub: HubDouble, path: str, expected: tuple[str, str] | None) -> None:
    hub.add("a/b", files=FILES, revisions=("main", SHA, "refs/pr/2"))
    assert verdict(hub, f"/a/b/{path}") == expected


def test_a_missing_file_is_named(hub: HubDouble) -> None:
    hub.add("a/b", "datasets", files=FILES)
    url = f"{SITE}/datasets/a/b/blob/main/gone.json"
    told = judged(hub, url)[url]
    assert told is not None
    assert "'gone.json'" in told.reason
    assert told.http_status == 404


def test_files_of_a_gated_repository_are_listed_but_not_proved_missing(hub: HubDouble) -> None:
    hub.add("a/b", gated="manual", files=FILES)
    assert verdict(hub, "/a/b/blob/main/config.json") == ("pass", "ok")
    assert verdict(hub, "/a/b/blob/main/gone.json") == ("unknown", "login-wall")
    hub.answers["/api/models/a/b/paths-info/main"] = answering(b"", 401, X_Error_Code="GatedRepo")
    assert verdict(hub, "/a/b/blob/main/config.json") == ("unknown", "login-wall")


def test_a_list_that_forgets_a_file_is_no_proof(hub: HubDouble) -> None:
    hub.add("a/b", files=FILES)
    hub.answers["/api/models/a/b/paths-info/main"] = answering(b"[]")
    assert verdict(hub, "/a/b/blob/main/config.json") is None


@pytest.mark.parametrize(
    "body", [b"", b"{", b"7", b"[7]", b"[[]]", b"[" * 100_000, b"\xff", b'[{"path": 7}]', b"[" + b"{}," * 500_000 + b"{}]"]
)
def test_hostile_lists_of_files_fail_nothing(hub: HubDouble, body: bytes) -> None:
    hub.add("a/b", files=FILES)
    hub.answers["/api/models/a/b/paths-info/main"] = answering(body)
    assert verdict(hub, "/a/b/blob/main/config.json") is None


def test_each_repository_is_asked_about_once(hub: HubDouble) -> None:
    hub.add("a/b", files={f"{number}.txt": b"x" for number in range(10)})
    hub.add("c/d")
    urls = [f"{SITE}/a/b/blob/main/{number}.txt" for number in range(10)] + [f"{SITE}/a/b#part{number}" for number in range(10)]
    found = judged(hub, *urls, f"{SITE}/a/b", f"{SITE}/c/d", token=GOOD_TOKEN)
    assert sum(told is None for told in found.values()) == 10
    assert sorted(seen.path.partition("?")[0] for seen in hub.seen) == [
        "/api/models/a/b", "/api/models/a/b/paths-info/main", "/api/models/c/d", "/api/whoami-v2",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "expected"),
    [(429, ("unknown", "rate-limited")), (500, None), (503, None), (403, None), (404, None), (200, None), (302, None)],
)
def test_trouble_of_the_api_fails_nothing(hub: HubDouble, status: int, expected: tuple[str, str] | None) -> None:
    hub.answers["/api/models/a/b"] = answering(b"no answer of the Hub", status)
    assert verdict(hub, "/a/b") == expected


def test_a_hub_that_is_down_leaves_the_page_to_be_tried() -> None:
    with serving_hub() as gone:
        pass
    assert verdict(gone, "/a/b", GOOD_TOKEN) is None


def test_a_spent_budget_is_a_rate_limit(hub: HubDouble) -> None:
    hub.left = 1
    names = [f"a/{number}" for number in range(20)]
    for name in names:
        hub.add(name)
    found = judged(hub, f"{SITE}/a/0")
    assert found[f"{SITE}/a/0"] == Judgement("pass", "ok", "", "", 200)
    found = judged(hub, *(f"{SITE}/{name}" for name in names))
    assert {told.verdict for told in found.values() if told} == {"rate-limited"}


def test_models_and_links_share_what_was_asked(hub: HubDouble) -> None:
    hub.add("a/b", gated="auto", asked="accepted")
    endpoint = HubEndpoint(hub.url, GOOD_TOKEN)
    client = HubClient(endpoint)
    found: dict[str, Judgement | None] = {}

    async def both() -> None:
        record = ModelRecord("a/b", Place("x.yaml", 1, 1, "hub_id"))
        await asyncio.gather(
            check_models([record], plain_ask, endpoint, client=client),
            HuggingFace(endpoint, client).judge([f"{SITE}/a/b"], plain_ask, found.__setitem__),
        )

    asyncio.run(both())
    told = found[f"{SITE}/a/b"]
    assert told is not None
    assert told.verdict == "ok"
    assert (hub.count("/api/models/a/b?"), hub.count("whoami"), len(hub.seen)) == (1, 1, 3)


def test_the_token_stays_with_the_hub(hub: HubDouble) -> None:
    with serving_hub() as other:
        other.add("a/b")
        hub.answers["/api/models/a/b"] = answering(b"", 307, Location=f"{other.url}/api/models/a/b")
        assert verdict(hub, "/a/b", GOOD_TOKEN) == ("pass", "ok")
        assert [seen.token for seen in other.seen] == [None]

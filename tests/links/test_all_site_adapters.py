"""What holds for every adapter whatever a site answers: each address is settled once, nothing escapes, nonsense proves no death."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from site_double import SILENT, Reply, judged, site

from llmops_catalog.links.hosts import Answer, HostAdapter, Unreachable
from llmops_catalog.links.hosts.arxiv import Arxiv
from llmops_catalog.links.hosts.asking import LARGEST_JSON_BYTES, address
from llmops_catalog.links.hosts.colab import Colab
from llmops_catalog.links.hosts.doi import Doi
from llmops_catalog.links.hosts.github import GitHub
from llmops_catalog.links.hosts.gitlab import GitLab
from llmops_catalog.links.hosts.google import Google
from llmops_catalog.links.hosts.huggingface import HuggingFace
from llmops_catalog.links.hosts.kaggle import Kaggle
from llmops_catalog.links.hosts.registry import adapters
from llmops_catalog.links.hosts.wikipedia import Wikipedia
from llmops_catalog.links.hosts.youtube import YouTube
from llmops_catalog.links.hub_client import HubEndpoint

KEY = "secret"
COLAB = "https://colab.research.google.com"
LINKS: list[tuple[HostAdapter, list[str]]] = [
    (GitHub(token=KEY), ["https://github.com/o/r", "https://github.com/o/r/blob/main/a.md#L3", "https://github.com/o/other/issues/5"]),
    (Colab(GitHub(token=KEY)), [f"{COLAB}/github/o/r/blob/main/a.ipynb", f"{COLAB}/drive/1b6nqC7UZVt8bx4"]),
    (GitLab(), ["https://gitlab.com/o/r", "https://gitlab.com/o/r/-/issues/5"]),
    (YouTube(), ["https://youtu.be/SbXIj2T-_uk", "https://www.youtube.com/playlist?list=PLZHQObOWTQDPD3MizzM2xVFitgF8hE_ab"]),
    (Arxiv(pause_seconds=0), ["https://arxiv.org/abs/1706.03762", "https://arxiv.org/pdf/cs/0112017v1"]),
    (Doi(), ["https://doi.org/10.1000/1", "https://doi.org/10.1109/CVPR.2016.90"]),
    (Google(), ["https://docs.google.com/document/d/1b6nqC7UZVt8bx4MksX7s656GXPM/edit", "https://forms.gle/abcDEF123"]),
    (Kaggle(), ["https://www.kaggle.com/datasets/o/n", "https://www.kaggle.com/code/u/n"]),
    (Wikipedia(), ["https://en.wikipedia.org/wiki/X", "https://de.wikipedia.org/wiki/Y#z"]),
]
EACH = pytest.mark.parametrize(("adapter", "urls"), LINKS, ids=[type(adapter).__name__ for adapter, _ in LINKS])
NONSENSE = {
    "empty": b"",
    "page": b"<!doctype html><title>Oops</title>",
    "cut off": b'{"data": {"r0": {"nameWithOwner": "o/',
    "binary": b"\xff\xfe\x00\x80",
    "null": b"null",
    "number": b"9" * 10_000,
    "endless": b"1e999",
    "text": b'"data"',
    "deep list": b"[" * 200_000,
    "deep object": b'{"data":' * 100_000,
    "huge": b'{"data": "' + b"x" * LARGEST_JSON_BYTES + b'"}',
    "wrong shapes": b'{"data": [], "query": 5, "values": "x", "errors": "y"}',
    "wrong inside": b'{"data": {"r0": [], "r1": 5}, "query": {"pages": [[], 5, null], "normalized": {}}, "errors": [5, [], {"path": 3}]}',
    "wrong code": b'{"responseCode": "100", "data": {"r0": null}, "errors": [{"type": "NOT_FOUND"}, {"type": "NOT_FOUND", "path": [{}]}]}',
}


@pytest.fixture(autouse=True)
def _no_adapter_fails_inside(caplog: pytest.LogCaptureFixture) -> Any:
    """A mistake would cost the answers of one adapter only and go to the log: here it is a failure."""
    with caplog.at_level(logging.WARNING):
        yield
    assert [record.exc_info for record in caplog.get_records("call")] == []


@EACH
@pytest.mark.parametrize("status", [200, 500])
def test_nonsense_never_proves_a_death(adapter: HostAdapter, urls: list[str], status: int) -> None:
    with site() as double:
        for name, body in NONSENSE.items():
            double.otherwise = Reply(status, body)
            found = judged(adapter, urls, double.ask)
            assert "fail" not in {judgement.outcome for judgement in found.values() if judgement}, name


@EACH
def test_a_site_that_hangs_up_leaves_all_to_the_page(adapter: HostAdapter, urls: list[str]) -> None:
    with site() as double:
        double.otherwise = SILENT
        assert set(judged(adapter, urls, double.ask).values()) == {None}


@EACH
@pytest.mark.parametrize("location", [None, "https://elsewhere.test/", "///", "/projects/99999999999999"])
def test_bare_statuses_settle_every_address(adapter: HostAdapter, urls: list[str], location: str | None) -> None:
    with site() as double:
        for status in (301, 302, 401, 403, 404, 410, 429):
            double.otherwise = Reply(status, b"", {"Location": location} if location else {})
            found = judged(adapter, [*urls, *urls], double.ask)
            assert status in (404, 410) or "fail" not in {judgement.outcome for judgement in found.values() if judgement}
        assert not any("elsewhere.test" in url for url in double.urls)


KEYS = st.sampled_from([
    "data", "errors", "r0", "r1", "q0", "q1", "type", "path", "nameWithOwner", "isArchived", "archivedAt", "isPrivate", "isDisabled",
    "query", "pages", "normalized", "redirects", "from", "to", "title", "missing", "pageid", "responseCode", "values", "value",
    "path_with_namespace", "visibility", "archived",
])  # fmt: skip
WORDS = st.sampled_from(["NOT_FOUND", "o/r", "X", "r0", "https://x.test/", 100, 1])
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | WORDS
SHAPES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=25)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(shape=SHAPES, status=st.sampled_from([200, 200, 200, 302, 404, 500]), location=st.text(max_size=30))
def test_any_shape_of_answer_settles_every_address_once(shape: Any, status: int, location: str) -> None:
    body = json.dumps(shape).encode()

    async def ask(url: str, **_: Any) -> Answer:
        if len(url) % 7 == 0:
            raise Unreachable("no answer")
        return Answer(status, {"location": location}, body, url)

    for adapter, urls in LINKS:
        judged(adapter, urls, ask)


HOSTS = st.sampled_from([
    "github.com", "raw.githubusercontent.com", "gitlab.com", "youtube.com", "youtu.be", "arxiv.org", "doi.org", "docs.google.com",
    "colab.research.google.com", "www.kaggle.com", "en.wikipedia.org", "huggingface.co", "forms.gle",
])  # fmt: skip
PARTS = st.sampled_from([
    "github", "blob", "main", "o", "r", "drive", "watch?v=SbXIj2T-_uk", "abs", "1706.03762", "-", "..", ".", "%00", "%ff", "//", "wiki",
    "#", "?", "[", "]", "datasets", "10.1000",
])  # fmt: skip
PATHS = st.text(max_size=60) | st.lists(PARTS, max_size=8).map("/".join)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    url=st.text(max_size=80)
    | st.builds("https://{}/{}".format, HOSTS, PATHS)
    | st.builds("{}://{}:{}/".format, st.text(max_size=5), HOSTS, st.text(max_size=6))
)
def test_any_text_can_be_asked_about(url: str) -> None:
    claiming = [adapter for adapter, _ in LINKS if adapter.claims(url)]
    assert len(claiming) <= 1

    async def ask(asked: str, **_: Any) -> Answer:
        asked.encode()
        return Answer(404, {}, b"", asked)

    for adapter, _ in LINKS:
        judged(adapter, [url, "https://example.org/"], ask)


@EACH
def test_its_links_are_claimed_by_it_alone(adapter: HostAdapter, urls: list[str]) -> None:
    for url in urls:
        assert [type(other).__name__ for other, _ in LINKS if other.claims(url)] == [type(adapter).__name__]


def test_thousands_of_addresses_are_settled_soon() -> None:
    async def ask(url: str, **_: Any) -> Answer:
        await asyncio.sleep(0)
        return Answer(500, {}, b"", url)

    assert set(judged(Doi(), [f"https://doi.org/10.1000/{number}" for number in range(5_000)], ask).values()) == {None}


def test_the_registry_asks_the_hub_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", KEY)
    every = adapters(HubEndpoint("https://hub.example.org"))
    assert isinstance(every[0], HuggingFace)
    assert [type(adapter) for adapter, _ in LINKS] == [type(every[2]), type(every[1]), *map(type, every[3:])]
    assert every[1].github is every[2]
    assert every[2].token == KEY


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "https://",
        "https://[",
        "https://a:b@c/",
        "https://a:99999/",
        "javascript:alert(1)",
        "https://a/\ud800",
        "https://a/%ff",
        "https://a/" + "x" * 3_000,
    ],
)
def test_what_is_no_plain_address_is_left_alone(url: str) -> None:
    assert address(url) is None or address(url).host == ""

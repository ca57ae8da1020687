"""Links to Wikipedia, and copies of dead pages in the Internet Archive."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import quote

import pytest
from site_double import SILENT, Asked, Reply, fixture, judged, site, verdicts

from llmops_catalog.links.hosts.wayback import archived_copy
from llmops_catalog.links.hosts.wikipedia import Wikipedia, article

WIKI = "https://en.wikipedia.org/wiki"


def test_articles_redirects_and_what_is_missing() -> None:
    titles = [
        "Albert_Einstein",
        "albert_einstein",
        "A100",
        "Nvidia_H900",
        "Nvidia_H900#History",
        "Albert_Einstein#Life",
        "Special:Search",
        "File:Shared.svg",
        "Talk:",
    ]
    with site() as double:
        double.otherwise = fixture("wikipedia/query.json")
        found = judged(Wikipedia(), [f"{WIKI}/{title}" for title in titles], double.ask)
        assert len(double.asked) == 1
    assert list(verdicts(found).values()) == ["ok", "ok", "ok", "broken", "broken", None, None, None, None]
    hints = ["", "leads to the article 'Albert Einstein'", "leads to the article 'Ampere (microarchitecture)'"]
    assert [found[f"{WIKI}/{title}"].hint for title in titles[:3]] == hints
    assert found[f"{WIKI}/Nvidia_H900"].reason == "Wikipedia (en) has no article 'Nvidia H900'"


def test_many_articles_are_few_questions_for_each_language() -> None:
    def answer(asked: Asked) -> Reply:
        titles = asked.url.partition("titles=")[2].split("%7C")
        return Reply(200, json.dumps({"query": {"pages": [{"pageid": 1, "title": title} for title in titles]}}).encode())

    urls = [f"{WIKI}/Article{number}" for number in range(120)] + [f"https://de.m.wikipedia.org/wiki/Seite{number}" for number in range(10)]
    with site() as double:
        double.otherwise = answer
        assert set(verdicts(judged(Wikipedia(), urls, double.ask)).values()) == {"ok"}
        assert sorted(url.partition("/w/")[0] for url in double.urls) == ["https://de.wikipedia.org", *["https://en.wikipedia.org"] * 3]


def test_long_titles_in_other_scripts_make_short_questions() -> None:
    with site() as double:
        double.otherwise = Reply(200, b"{}")
        judged(Wikipedia(), [f"https://ja.wikipedia.org/wiki/{quote('大規模言語モデル' * 8)}{number}" for number in range(50)], double.ask)
        assert max(map(len, double.urls)) < 4_300


@pytest.mark.parametrize(
    "pages",
    [
        [{"title": "X"}],
        [{"title": "X", "missing": "yes"}],
        [],
        {"X": 1},
        None,
        [{"title": "Y", "missing": True}],
        [5, None, [{"title": "X"}]],
        [{"title": "X", "pageid": "12"}],
    ],
)
def test_no_other_answer_proves_anything(pages: object) -> None:
    with site() as double:
        double.otherwise = Reply(
            200, json.dumps({"query": {"pages": pages, "normalized": [5, {"from": []}], "redirects": {"from": "X"}}}).encode()
        )
        assert verdicts(judged(Wikipedia(), [f"{WIKI}/X"], double.ask)) == {f"{WIKI}/X": None}


def test_a_circle_of_redirects_ends() -> None:
    said = {"redirects": [{"from": "X", "to": "Y"}, {"from": "Y", "to": "X"}], "pages": []}
    with site() as double:
        double.otherwise = Reply(200, json.dumps({"query": said}).encode())
        assert verdicts(judged(Wikipedia(), [f"{WIKI}/X"], double.ask)) == {f"{WIKI}/X": None}


@pytest.mark.parametrize(
    "url",
    [
        f"{WIKI}/",
        f"{WIKI}/A%7CB",
        f"{WIKI}/C%23",
        "https://en.wikipedia.org/w/index.php?title=X",
        f"{WIKI}/X?action=edit",
        "https://www.wikipedia.org/wiki/X",
    ],
)
def test_other_addresses_are_not_claimed(url: str) -> None:
    assert article(url) is None


def copy_of(url: str, answer: Reply) -> tuple[str | None, list[str]]:
    with site() as double:
        double.otherwise = answer
        return asyncio.run(archived_copy(url, double.ask)), double.urls


def test_a_copy_is_offered_by_its_secure_address() -> None:
    copy, urls = copy_of("https://latimes.com/#top", fixture("wayback/found.json"))
    assert copy == "https://web.archive.org/web/20200119032503/https://www.latimes.com/"
    assert urls == ["https://archive.org/wayback/available?url=https%3A%2F%2Flatimes.com%2F"]


@pytest.mark.parametrize(
    "closest",
    [
        {"url": "http://web.archive.org/web/20200119032503/https://other.test/"},
        {"url": "https://evil.test/web/20200119032503/https://a.test/"},
        {"url": "http://web.archive.org/web/20200119032503/https://a.test/\n::error::"},
        {"status": "404"},
        {"available": False},
        {"url": 5},
        {"url": "http://web.archive.org/web/20200119032503/javascript:alert(1)"},
        {"url": "http://web.archive.org/web/2020/https://user@a.test/"},
    ],
)
def test_what_is_no_good_copy_is_not_offered(closest: dict[str, object]) -> None:
    good = {"status": "200", "available": True, "url": "http://web.archive.org/web/20200119032503/https://a.test/x"}
    answer = {"archived_snapshots": {"closest": {**good, **closest}}}
    assert copy_of("https://a.test/x", Reply(200, json.dumps(answer).encode()))[0] is None


@pytest.mark.parametrize("answer", [fixture("wayback/none.json"), Reply(200, b"["), Reply(200, b"[[]]"), Reply(429), SILENT])
def test_no_copy_and_no_answer_are_the_same(answer: Reply) -> None:
    assert copy_of("https://latimes.com/", answer)[0] is None


def test_what_is_no_address_is_not_asked_about() -> None:
    assert copy_of("file:///etc/passwd", Reply(200)) == (None, [])

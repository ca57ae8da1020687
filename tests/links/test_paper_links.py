"""Links to arXiv and to DOIs: there, withdrawn, never there."""

from __future__ import annotations

import pytest
from site_double import SILENT, Asked, Reply, fixture, judged, site, verdicts

from llmops_catalog.links.hosts.arxiv import PAPERS_AT_ONCE, Arxiv, paper, read_feed
from llmops_catalog.links.hosts.doi import Doi, doi

ARXIV = "https://arxiv.org"
QUERY = "https://export.arxiv.org/api/query?id_list={}&max_results={}"
HANDLES = "https://doi.org/api/handles"


def test_papers_are_asked_for_together_and_answered_in_any_order() -> None:
    urls = [f"{ARXIV}/abs/1706.03762", f"{ARXIV}/pdf/1706.03762.pdf", f"{ARXIV}/pdf/1706.03762", f"{ARXIV}/abs/cs.LG/0112017"]
    with site() as double:
        double.replies[QUERY.format("1706.03762,cs/0112017", 2)] = fixture("arxiv/papers.xml")
        assert set(verdicts(judged(Arxiv(), urls, double.ask)).values()) == {"ok"}
        assert len(double.asked) == 1


def test_a_withdrawn_paper_passes_with_its_authors_words() -> None:
    urls = [f"{ARXIV}/abs/2201.13452v1", f"{ARXIV}/pdf/2201.13452v1"]
    with site() as double:
        double.otherwise = fixture("arxiv/papers.xml")
        found = judged(Arxiv(), urls, double.ask)
    assert list(verdicts(found).values()) == ["ok", None]
    assert found[urls[0]].hint == "withdrawn: “This paper has been withdrawn by the author because of an error in section 3”"


def test_a_section_or_a_page_is_left_to_the_page() -> None:
    urls = [f"{ARXIV}/abs/1706.03762#S3", f"{ARXIV}/pdf/1706.03762#page=3"]
    with site() as double:
        double.otherwise = fixture("arxiv/papers.xml")
        assert set(verdicts(judged(Arxiv(), urls, double.ask)).values()) == {None}


@pytest.mark.parametrize(("status", "verdict"), [(404, "broken"), (200, None), (403, None), (503, None)])
@pytest.mark.parametrize("feed", ["empty", "error"])
def test_what_the_api_leaves_out_is_dead_only_where_the_page_is_missing_too(feed: str, status: int, verdict: str | None) -> None:
    url = f"{ARXIV}/abs/1201.56789"
    with site() as double:
        double.replies = {QUERY.format("1201.56789", 1): fixture(f"arxiv/{feed}.xml"), url: Reply(status)}
        assert verdicts(judged(Arxiv(), [url], double.ask)) == {url: verdict}


def test_a_version_that_was_never_there() -> None:
    url = f"{ARXIV}/abs/1706.03762v9"
    with site() as double:
        double.replies = {QUERY.format("1706.03762v9", 1): fixture("arxiv/papers.xml"), url: Reply(404)}
        assert judged(Arxiv(), [url], double.ask)[url].reason == "arXiv has no paper version 9 of 1706.03762"


def test_hundreds_of_papers_are_few_questions() -> None:
    def answer(asked: Asked) -> Reply:
        ids = asked.url.partition("id_list=")[2].partition("&")[0].split(",")
        entries = "".join(f"<entry><id>http://arxiv.org/abs/{name}v1</id></entry>" for name in ids)
        return Reply(200, f'<feed xmlns="http://www.w3.org/2005/Atom">{entries}</feed>'.encode())

    with site() as double:
        double.otherwise = answer
        urls = [f"{ARXIV}/abs/2401.{number:05}" for number in range(250)]
        assert set(verdicts(judged(Arxiv(pause_seconds=0.01), urls, double.ask)).values()) == {"ok"}
        assert len(double.asked) == 3
        assert max(asked.url.count(",") for asked in double.asked) == PAPERS_AT_ONCE - 1


BOMB = b'<!DOCTYPE f [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><feed xmlns="http://www.w3.org/2005/Atom">&b;</feed>'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"Rate exceeded.",
        b"<html><body>Rate exceeded.</body></html>",
        b'<feed xmlns="http://www.w3.org/2005/Atom"><entry>',
        BOMB,
        BOMB.decode().encode("utf-16"),
        b"<feed/>",
        b"<a>" * 100_000,
        b'<?xml version="1.0" encoding="no-such"?><feed/>',
        b"\xff\xfe\x00",
        b'<?xml version="1.0"?><!DOCTYPE feed SYSTEM "file:///etc/passwd"><feed xmlns="http://www.w3.org/2005/Atom"/>',
    ],
)
def test_no_feed_proves_nothing(body: bytes) -> None:
    assert read_feed(body) is None


def test_a_large_feed_is_read_without_keeping_it() -> None:
    body = (
        b'<feed xmlns="http://www.w3.org/2005/Atom">' + b"<entry><id>x</id></entry>" * 100_000 + b"<x>" + b"y" * 2_000_000 + b"</x></feed>"
    )
    assert read_feed(body) == []


@pytest.mark.parametrize("answer", [Reply(429, b"Rate exceeded."), Reply(400), SILENT])
def test_an_api_that_does_not_answer_leaves_all_to_the_page(answer: Reply) -> None:
    with site() as double:
        double.otherwise = answer
        urls = [f"{ARXIV}/abs/2401.{number:05}" for number in range(150)]
        assert set(verdicts(judged(Arxiv(), urls, double.ask)).values()) == {None}
        assert len(double.asked) == 1


@pytest.mark.parametrize(
    ("url", "name"),
    [
        (f"{ARXIV}/abs/1706.03762v7", "1706.03762v7"),
        (f"{ARXIV}/abs/math.GT/0309136v1", "math/0309136v1"),
        (f"{ARXIV}/pdf/hep-th/9711200.pdf", "hep-th/9711200"),
        (f"{ARXIV}/abs/1234.56789", None),
        (f"{ARXIV}/abs/1706.037", None),
        (f"{ARXIV}/html/1706.03762", None),
        (f"{ARXIV}/list/cs.LG/recent", None),
        (f"{ARXIV}/abs/", None),
        (f"{ARXIV}/abs/1706.03762v0", None),
        ("https://arxiv.org.evil.test/abs/1706.03762", None),
    ],
)
def test_identifiers(url: str, name: str | None) -> None:
    found = paper(url)
    assert (found.asked if found else None) == name


def test_a_registered_doi_is_alive_and_an_unknown_one_is_dead() -> None:
    urls = ["https://doi.org/10.1109/CVPR.2016.90", "http://dx.doi.org/10.1109%2Fcvpr.2016.90", "https://doi.org/10.1109/CVPR.2016.999999"]
    with site() as double:
        double.replies = {
            f"{HANDLES}/10.1109/cvpr.2016.90?type=URL": fixture("doi/found.json"),
            f"{HANDLES}/10.1109/cvpr.2016.999999?type=URL": fixture("doi/not_found.json", 404),
        }
        found = judged(Doi(), urls, double.ask)
    assert list(verdicts(found).values()) == ["ok", "ok", "broken"]
    assert found[urls[0]].final_url == "http://ieeexplore.ieee.org/document/7780459/"
    assert found[urls[2]].reason == "no such DOI is registered: 10.1109/cvpr.2016.999999"


@pytest.mark.parametrize(
    "answer",
    [
        Reply(404, b"<html>Not found"),
        Reply(404, b'{"responseCode": 1}'),
        Reply(200, b'{"responseCode": 200}'),
        Reply(500, b'{"responseCode": 2}'),
        Reply(429),
    ],
)
def test_no_other_answer_of_the_resolver_proves_anything(answer: Reply) -> None:
    with site() as double:
        double.otherwise = answer
        assert verdicts(judged(Doi(), ["https://doi.org/10.1000/1"], double.ask)) == {"https://doi.org/10.1000/1": None}


@pytest.mark.parametrize(
    "url",
    [
        "https://doi.org/",
        "https://doi.org/abs/1",
        "https://doi.org/10.1000/1#a",
        "https://doi.org/10.1000/1?x",
        "https://www.doi.org/the-identifier",
    ],
)
def test_other_addresses_are_no_dois(url: str) -> None:
    assert doi(url) is None

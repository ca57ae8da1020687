"""Links to YouTube: removed for sure, or merely not shown to us."""

from __future__ import annotations

from urllib.parse import quote_plus

import pytest
from site_double import Reply, fixture, judged, site, verdicts

from llmops_catalog.links.hosts.youtube import YouTube, shown

VIDEO, LIST = "SbXIj2T-_uk", "PLZHQObOWTQDPD3MizzM2xVFitgF8hE_ab"
PAGE = f"https://www.youtube.com/watch?v={VIDEO}"


def asked(page: str = PAGE) -> str:
    return f"https://www.youtube.com/oembed?format=json&url={quote_plus(page)}"


def test_every_way_to_write_a_video_is_one_question() -> None:
    urls = [
        PAGE,
        f"{PAGE}&t=90s",
        f"https://m.youtube.com/watch?list={LIST}&v={VIDEO}",
        f"https://youtu.be/{VIDEO}?si=abc",
        f"https://youtu.be/{VIDEO}#t=5",
    ]
    urls += [f"https://www.youtube.com/{view}/{VIDEO}" for view in ("shorts", "embed", "live", "v")]
    urls += [f"https://www.youtube-nocookie.com/embed/{VIDEO}"]
    with site() as double:
        double.replies[asked()] = fixture("youtube/video.json")
        assert set(verdicts(judged(YouTube(), urls, double.ask)).values()) == {"ok"}
        assert len(double.asked) == 1


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (Reply(404, b"Not Found"), "broken"),
        (Reply(401, b"Unauthorized"), "blocked"),
        (Reply(403, b"Forbidden"), "login-wall"),
        (Reply(429), "rate-limited"),
        (Reply(500), None),
        (Reply(302, headers={"Location": "https://consent.youtube.com/"}), None),
        (Reply(200, b"Forbidden"), None),
        (Reply(200, b"<html>Before you continue"), None),
        (Reply(200, b'{"title": 5}'), None),
    ],
)
def test_only_a_removed_video_is_dead(answer: Reply, verdict: str | None) -> None:
    with site() as double:
        double.replies[asked()] = answer
        assert verdicts(judged(YouTube(), [PAGE], double.ask)) == {PAGE: verdict}


@pytest.mark.parametrize(("picture", "verdict"), [(404, "broken"), (200, None), (503, None)])
def test_a_complaint_about_the_question_needs_a_second_witness(picture: int, verdict: str | None) -> None:
    with site() as double:
        double.replies = {asked(): Reply(400, b"Bad Request"), f"https://img.youtube.com/vi/{VIDEO}/0.jpg": Reply(picture)}
        assert verdicts(judged(YouTube(), [PAGE], double.ask)) == {PAGE: verdict}


@pytest.mark.parametrize(("status", "verdict"), [(200, "ok"), (404, None), (403, None)])
def test_a_playlist_is_proved_alive_or_left_to_the_page(status: int, verdict: str | None) -> None:
    urls = [f"https://www.youtube.com/playlist?list={LIST}", f"https://www.youtube.com/embed/videoseries?list={LIST}"]
    with site() as double:
        double.replies[asked(urls[0])] = fixture("youtube/video.json", status)
        assert set(verdicts(judged(YouTube(), urls, double.ask)).values()) == {verdict}


@pytest.mark.parametrize(
    "url",
    [
        "https://www.youtube.com/", "https://www.youtube.com/@3blue1brown", "https://www.youtube.com/channel/UCYO_jab_esuFRV4b17AJtAw",
        "https://www.youtube.com/watch?v=short", "https://www.youtube.com/watch", "https://www.youtube.com/embed/live_stream?channel=UC1",
        "https://www.youtube.com/embed/videoseries", "https://www.youtube.com/playlist?list=RDabcdefghijk", "https://youtu.be/",
        "https://notyoutube.com/watch?v=SbXIj2T-_uk", "https://www.youtube.com/results?search_query=llm",
    ],
)  # fmt: skip
def test_other_addresses_are_not_claimed(url: str) -> None:
    assert shown(url) is None

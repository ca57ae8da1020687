"""What an adapter asks a site's API: the token stays with one request to one host, retries are few, trouble is one exception."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
from misbehaving import Answer as Answering
from misbehaving import Host
from page_answers import endless, gzipped, hang, hang_up, message, page, raw, redirect, reset, start
from raw_server import SETTINGS, put, serving, with_fetcher

from llmops_catalog.links.ask import ApiAsk
from llmops_catalog.links.fetch import Fetcher
from llmops_catalog.links.hosts import Answer, Unreachable
from llmops_catalog.links.limits import USER_AGENT, Settings
from llmops_catalog.links.target import parse_target

TOKEN = "hf_neverToBeSeen"  # noqa: S105 - opens nothing
JSON = page(b"[1]", kind="application/json")
NOWHERE = SETTINGS._replace(allowed=())


def asked(
    url: str,
    *,
    settings: Settings = SETTINGS,
    trusted: tuple[str, ...] = (),
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    token: str | None = None,
) -> Answer:
    async def work(fetcher: Fetcher) -> Answer:
        fetcher.trusted = {parse_target(place).origin for place in trusted}
        return await ApiAsk(fetcher)(url, method=method, headers=headers, body=body, token=token)

    return with_fetcher(work, settings)


def requests_for(host: Host, url: str) -> list[Mapping[str, str]]:
    return [seen.headers for seen in host.seen if host.url(seen.target) == url]


def test_an_answer_is_whole_and_inflated(host: Host) -> None:
    url = put(host, page(gzipped(b'{"a": 1}'), 200, "Content-Encoding: gzip", "X-Error-Code: A", "x-UPPER: B", kind="application/json"))
    answer = asked(url)
    assert (answer.status, answer.body, answer.url) == (200, b'{"a": 1}', url)
    assert (answer.headers["x-error-code"], answer.headers["x-upper"]) == ("A", "B")
    assert requests_for(host, url)[0]["user-agent"] == USER_AGENT


def test_headers_and_body_are_sent_as_given(host: Host) -> None:
    url = put(host, JSON)
    asked(url, method="POST", headers={"Accept": "application/json", "User-Agent": "other"}, body=b"{}")
    (sent,) = requests_for(host, url)
    assert (sent["accept"], sent["user-agent"], sent["content-length"]) == ("application/json", "other", "2")
    assert "authorization" not in sent


@pytest.mark.parametrize("status", [200, 204, 301, 304, 400, 401, 403, 404, 410, 451, 501])
def test_any_answer_that_is_no_passing_trouble_is_told_as_it_is(host: Host, status: int) -> None:
    url = put(host, page(b"x", status, "Location: /elsewhere"))
    assert asked(url).status == status
    assert len(requests_for(host, url)) == 1


# --- the token --------------------------------------------------------------------------------------------------------


def test_a_token_goes_to_the_place_it_was_told_to_go_to(host: Host) -> None:
    url = put(host, JSON)
    asked(url, trusted=(host.url("/any/path"),), token=TOKEN)
    assert [sent.get("authorization") for sent in requests_for(host, url)] == [f"Bearer {TOKEN}"]


@pytest.mark.parametrize(
    "trusted", [(), ("http://127.0.0.1:1/",), ("http://localhost:{port}/",), ("https://127.0.0.1:{port}/",), ("http://127.0.0.1/",)]
)
def test_a_token_goes_over_no_open_connection_to_anybody_else(host: Host, trusted: tuple[str, ...]) -> None:
    url = put(host, JSON)
    with pytest.raises(Unreachable, match="token"):
        asked(url, trusted=tuple(place.format(port=host.port) for place in trusted), token=TOKEN)
    assert requests_for(host, url) == []


def test_a_token_does_not_stay_for_the_next_question(host: Host) -> None:
    first, second = put(host, JSON), put(host, JSON)

    async def work(fetcher: Fetcher) -> None:
        fetcher.trusted = {parse_target(host.url()).origin}
        ask = ApiAsk(fetcher)
        await ask(first, token=TOKEN)
        await ask(second)

    with_fetcher(work)
    assert "authorization" not in requests_for(host, second)[0]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(host: Host, status: int) -> None:
    with serving() as other:
        url = put(host, redirect(other.url("/stolen"), status))
        answer = asked(url, trusted=(host.url(),), token=TOKEN)
        assert (answer.status, answer.headers["location"]) == (status, other.url("/stolen"))
        assert other.seen == []


@pytest.mark.parametrize("token", ["hf_a\r\nX-Evil: 1", "hf_a\nb", "hf_\0"])
def test_a_token_that_is_no_header_is_not_sent(host: Host, token: str) -> None:
    url = put(host, JSON)
    with pytest.raises(Unreachable):
        asked(url, trusted=(host.url(),), token=token)
    assert requests_for(host, url) == []


@pytest.mark.parametrize(
    "token", ["hf_secret\n", "hf_secret\r\nX-Evil: 1", "hf_secret\0", "hf_secret\u00e4", "hf_secret\u4e2d", "hf_secret\udcff"]
)
def test_a_token_that_cannot_be_sent_is_not_shown(host: Host, token: str) -> None:
    """The reason goes to the report; characters beyond ASCII ended in a `UnicodeEncodeError` instead."""
    reason = ""
    try:
        asked(put(host, page()), trusted=(host.url(),), token=token)
    except Unreachable as error:
        reason = error.reason
    assert "hf_secret" not in reason
    assert reason or not any(char in token for char in "\r\n\0")


# --- where it may go ----------------------------------------------------------------------------------------------------


def test_a_named_place_may_be_private_and_no_other(host: Host) -> None:
    url = put(host, JSON)
    assert asked(url, settings=NOWHERE, trusted=(host.url(),)).status == 200
    for trusted in ((), ("http://127.0.0.1:1/",)):
        with pytest.raises(Unreachable, match="loopback"):
            asked(url, settings=NOWHERE, trusted=trusted)


@pytest.mark.parametrize("url", ["", "ftp://a.org/", "http://user:secret@a.org/", "http://a.org/\0", "http://[::1",
"http://169.254.169.254/latest/", "http://0x7f.1/",
                                 "http://no-such-host.invalid/"])  # fmt: skip
def test_what_cannot_be_asked_is_unreachable(url: str) -> None:
    with pytest.raises(Unreachable) as caught:
        asked(url, settings=NOWHERE)
    assert caught.value.reason
    assert "secret" not in caught.value.reason


# --- retries --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bad", [page("", 500), page("", 502), page("", 503), page("", 504), page("", 408), hang_up, reset, raw(b"\0\1\2\r\n\r\n")]
)
def test_passing_trouble_is_tried_again(host: Host, bad: Answering) -> None:
    url = put(host, bad, bad, JSON)
    answer = asked(url)
    assert (answer.status, answer.body) == (200, b"[1]")
    assert len(requests_for(host, url)) == 3


def test_lasting_trouble_is_told_after_three_tries(host: Host) -> None:
    url = put(host, page("down", 503))
    assert asked(url).status == 503
    assert len(requests_for(host, url)) == 3
    url = put(host, hang_up)
    with pytest.raises(Unreachable, match="without an answer"):
        asked(url)
    assert len(requests_for(host, url)) == 3


def test_a_host_that_hangs_is_unreachable_in_bounded_time(host: Host) -> None:
    url = put(host, hang)
    with pytest.raises(Unreachable, match="no answer in time"):
        asked(url, settings=SETTINGS._replace(timeout_seconds=0.15))
    assert len(requests_for(host, url)) == 3


def test_too_large_an_answer_is_not_fetched_again(host: Host) -> None:
    url = put(host, endless(start(200), b"x" * 60_000))
    with pytest.raises(Unreachable, match="too large"):
        asked(url)
    assert len(requests_for(host, url)) == 1


def test_a_body_that_breaks_off_is_no_answer(host: Host) -> None:
    with pytest.raises(Unreachable):
        asked(put(host, raw(message(200, b"[1, 2]")[:-3])))


def test_a_rate_limit_is_waited_for(host: Host) -> None:
    """On a host of its own: the gate of the other would be closed for all that follows."""
    with serving() as limited:
        url = put(limited, page("", 429, "Retry-After: 0.3"), JSON)
        assert asked(url).status == 200
    first, second = (seen.at_seconds for seen in limited.seen)
    assert second - first > 0.28


def test_a_rate_limit_beyond_all_patience_is_told(host: Host) -> None:
    async def work(fetcher: Fetcher) -> None:
        url = put(host, page("", 429, "Retry-After: 1"))
        fetcher.gate(parse_target(url)).pause_left = 0.0
        async with asyncio.timeout(5):
            assert (await ApiAsk(fetcher)(url)).status == 429
        assert len(requests_for(host, url)) == 1

    with_fetcher(work)

"""What was found wrong in the judging, the check and the command: each stays here as a case."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from live_world import QUICK, checked, live
from misbehaving import Host
from page_answers import PROSE, document, page, redirect, slow

from llmops_catalog.cli import run
from llmops_catalog.cli.arguments import UsageError
from llmops_catalog.errors import CatalogError, LinkCheckUnavailable
from llmops_catalog.links import run as run_module
from llmops_catalog.links.anchors import look, wanted_of
from llmops_catalog.links.check import Checker
from llmops_catalog.links.exceptions import Exceptions, load_exceptions
from llmops_catalog.links.exchange import Exchange, Hop, Page
from llmops_catalog.links.explain import explain
from llmops_catalog.links.hosts import Ask, Settle
from llmops_catalog.links.page import PageReader
from llmops_catalog.links.policy import judge
from llmops_catalog.links.results import Judgement, Link, LinkResult
from llmops_catalog.links.run import Plan, run_check
from llmops_catalog.links.soft404 import PATH_THAT_CANNOT_EXIST, says_not_found
from llmops_catalog.links.state import State
from llmops_catalog.links.target import BadAddress, parse_target

FILE = page(bytes(20_000), kind="application/pdf")
URL = "https://site.example/papers/attention.html"
HONEST = Hop("GET", f"https://site.example/papers/{PATH_THAT_CANNOT_EXIST}", "", 404, (), Page("Page not found"))


def told(shown: Page, url: str = URL, elsewhere: Hop | None = HONEST) -> Judgement:
    return judge(Exchange(url, (Hop("GET", url, "", 200, (), shown),), None, elsewhere))


def after(first: str, last: str, shown: Page, status: int = 301) -> Judgement:
    return judge(Exchange(first, (Hop("GET", first, "", status, ()), Hop("GET", last, "", 200, (), shown))))


def text_of(title: str, text: str, heading: str = "", scripts: int = 0) -> Page:
    return Page(title, heading, text[:4096], len(text), scripts=scripts)


# --- an address that grows when it is encoded -------------------------------------------------------------------------

LONG = "é" * 3000
"""Short enough to be taken, six times as long when it is asked for."""


def test_a_long_address_in_another_script_is_judged_like_any_other() -> None:
    """Or is refused for its length; it ended as "the run ended before its turn", and a server could bring that about by a redirect."""
    shorter = "é" * 2500
    with live() as world:
        host = world.host("long")
        for path in (LONG, shorter):
            host.page(f"/living/{quote(path)}", page(document()))
        living, dead = host.url(f"/living/{LONG}"), host.url(f"/dead/{LONG}")
        away, lost = host.page("/away", redirect(f"/living/{shorter}".encode(), 301)), host.page("/lost", redirect(f"/{shorter}".encode()))
        other = [host.page(f"/other/{number}", FILE) for number in range(8)]
        world.start()
        results: list[LinkResult] = []
        checker = Checker(QUICK, lambda result, _: results.append(result))
        asyncio.run(checker.run([Link(url) for url in (living, dead, away, lost, *other)]))
        verdicts = {result.url: result.judgement.verdict for result in results}
        assert checker.faults == []
        assert {verdicts[url] for url in other} == {"ok"}
        assert verdicts[living] in ("ok", "refused")
        assert verdicts[dead] in ("broken", "refused")
        assert verdicts[away] in ("redirected-permanent", "refused")
        assert verdicts[lost] in ("broken", "refused")


def test_a_long_address_can_be_explained() -> None:
    with live() as world:
        url = world.host("long").url(f"/{LONG}")
        world.start()
        assert asyncio.run(explain(url, QUICK)).judgement.verdict in ("broken", "refused")


@pytest.mark.parametrize(
    "text",
    [f"https://site.example/{LONG}", f"https://site.example/{'é' * 1300}#{'a' * 6000}", f"https://site.example/?{'<' * 3000}",
     "https://[1.2.3]/papers/a"],
    ids=["a long path", "a long fragment", "a long query", "an address in brackets that is none"],
)  # fmt: skip
def test_any_address_that_can_be_asked_can_be_judged(text: str) -> None:
    try:
        target = parse_target(text)
    except BadAddress:
        return  # to refuse it is as good
    gone, shown = Hop("GET", target.url, "", 404, ()), Hop("GET", target.url, "", 200, (), Page("Page not found"))
    assert judge(Exchange(target.page_url, (gone,))).verdict == "broken"
    assert judge(Exchange(target.page_url, (shown,))).verdict == "soft-404"


# --- a run that goes on although it cannot ------------------------------------------------------------------------------


def test_a_disk_that_is_full_in_the_middle_ends_the_run() -> None:
    """Contract: 3 where it could not run (disk full). It went on, without results on disk and with a traceback at the end."""
    with live() as world:
        host = world.host("disk")
        urls = [host.page(f"/{number}", FILE) for number in range(6)]
        world.start()
        taken: list[Any] = []

        def take(item: Any) -> None:
            taken.append(item)
            if len(taken) == 3:
                raise LinkCheckUnavailable("results cannot be written to x: No space left on device")

        with pytest.raises(LinkCheckUnavailable, match="No space left"):
            asyncio.run(run_check(Plan(tuple(map(Link, urls)), QUICK, on_item=take)))


def test_the_report_is_written_though_the_state_cannot_be(tmp_path: Path) -> None:
    """All the work of a run was lost where the file of `--state` could not be written."""
    (tmp_path / "file").write_text("in the way of a folder")
    with live() as world:
        url = world.host("state").page("/page", FILE)
        world.start()
        command = [
            "check-links",
            "--no-hub",
            "--allow-address",
            "127.0.0.1",
            "--url",
            url,
            "--state",
            str(tmp_path / "file" / "state.json"),
        ]
        ran = subprocess.run([sys.executable, "-m", "llmops_catalog", *command], capture_output=True, text=True, timeout=60, check=False)
        assert ran.returncode == 3
        assert "state" in ran.stderr
        not_asked = world.hosts["state"].connections == 0  # to refuse before anything is asked is as good
        assert not_asked or ran.stdout == "1 link: 1 pass, 0 fail, 0 unknown\n"


@pytest.mark.parametrize("stop", [False, True], ids=["deadline", "stopped"])
def test_copies_in_the_archive_are_not_looked_for_beyond_the_end(monkeypatch: pytest.MonkeyPatch, stop: bool) -> None:
    """Up to two hundred questions, one after the other, each with its tries: an hour after `--deadline`, or after SIGTERM."""
    asked: list[str] = []

    async def slow_archive(url: str, _ask: Ask) -> str | None:
        asked.append(url)
        await asyncio.sleep(0.2)
        return None

    monkeypatch.setattr(run_module, "archived_copy", slow_archive)
    with live() as world:
        host = world.host("dead")
        urls = [host.url(f"/{number}") for number in range(10)]
        world.start()
        plan = Plan(tuple(map(Link, urls)), QUICK._replace(deadline_seconds=None if stop else 0.6), archive=True)

        async def whole() -> None:
            going = asyncio.create_task(run_check(plan))
            if stop:
                while not asked:
                    await asyncio.sleep(0.02)
                os.kill(os.getpid(), signal.SIGTERM)
            await going

        asyncio.run(whole())
        assert len(asked) < 6


def test_a_link_that_somebody_else_has_settled_stops_nobody() -> None:
    """An adapter that answers for a link of a page being looked at: that page's other links, and its host's other pages, were skipped."""

    class Busybody:
        def __init__(self, own: Host, other: Host) -> None:
            self.own, self.other = own, other

        def claims(self, url: str) -> bool:
            return url.startswith(self.own.url())

        async def judge(self, _urls: Sequence[str], _ask: Ask, settle: Settle) -> None:
            while not self.other.seen:
                await asyncio.sleep(0.01)
            settle(self.other.url("/page#a"), Judgement("pass", "ok", "said the API"))

    with live() as world:
        own, other = world.host("own"), world.host("other")
        other.page("/page", slow(0.2, page(document('<h2 id="a"></h2><h2 id="b"></h2>'))))
        urls = [own.page("/x", FILE), other.url("/page#a"), other.url("/page#b"), *(other.page(f"/{number}", FILE) for number in range(4))]
        world.start()
        results = checked(urls, QUICK._replace(per_host=1), [Busybody(own, other)])
        assert {result.judgement.verdict for result in results.values()} == {"ok"}


def test_without_a_network_that_says_try_again_nothing_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """What glibc says where no name server can be reached: EAI_AGAIN, not EAI_NONAME."""

    def look_up(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(LinkCheckUnavailable):
        asyncio.run(run_check(Plan((Link("https://huggingface.co/a"), Link("https://site-of-nobody.org/")), QUICK)))


def test_names_that_surely_exist_are_not_dead_where_no_name_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network whose own names alone are known (a company's, a sandbox's) answers "no such name" to all others: every link was dead."""

    def look_up(host: str, *_: Any, **__: Any) -> Any:
        if host == "wiki.company-of-nobody.org":
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with live() as world:
        host = world.host("inside")
        host.page("/page", FILE)
        inside = f"http://wiki.company-of-nobody.org:{host.port}/page"
        world.start()
        outside = ["https://github.com/", "https://en.wikipedia.org/", "https://site-of-nobody.org/"]
        told = asyncio.run(run_check(Plan(tuple(map(Link, (inside, *outside))), QUICK))).report.links
        assert {result.url: result.judgement.outcome for result in told} == {inside: "pass", **dict.fromkeys(outside, "unknown")}


def test_an_exception_that_is_gone_is_forgotten_with_it(tmp_path: Path) -> None:
    """The memory kept the judgement as the exception had bent it: a day long nobody asked, and the report spoke of what was not there."""
    entry = "exceptions:\n  - {{prefix: '{}', expect: fail, reason: a wall, since: 2026-01-01, until: 2099-01-01, owner: maintainers}}\n"
    (tmp_path / "catalog").mkdir()
    with live() as world:
        url = world.host("gone").url("/gone")
        world.start()
        (tmp_path / "catalog/link-exceptions.yaml").write_text(entry.format(url))
        state = State({}, 1, 0)
        plan = Plan((Link(url),), QUICK, exceptions=load_exceptions(tmp_path / "catalog"), state=state)
        assert asyncio.run(run_check(plan)).report.links[0].judgement.outcome == "unknown"
        told = asyncio.run(run_check(plan._replace(exceptions=Exceptions()))).report.links[0]
        assert (told.judgement.outcome, told.remembered) == ("fail", False)
        assert "expected until" not in told.judgement.reason


# --- the command ------------------------------------------------------------------------------------------------------


def test_an_address_that_is_no_text_is_no_traceback() -> None:
    odd = "http://127.0.0.9:1/\udcff"
    for words in (["--no-hub", "--format", "json", "--url", odd], ["--explain", odd]):
        command = [sys.executable, "-m", "llmops_catalog", "check-links", *words]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert "Traceback" not in ran.stderr
        assert ran.returncode in (0, 2)


@pytest.mark.parametrize(
    ("name", "value"),
    [("GITHUB_API_URL", "http://"), ("GITHUB_API_URL", "https://a b/"), ("HF_ENDPOINT", "http://a b"), ("HF_ENDPOINT", "https://..")],
)
def test_an_environment_that_names_no_place_is_wrong_usage(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """It was a traceback."""
    monkeypatch.setenv(name, value)
    with pytest.raises(CatalogError) as raised:
        run(["check-links", "--url", "http://127.0.0.9:1/"])
    assert raised.value.exit_code == 2


@pytest.mark.parametrize("option", ["--changed-since", "--urls-from", "--shard", "--explain", "--state", "--output", "--stream"])
def test_an_empty_value_is_not_the_absence_of_the_option(tmp_path: Path, option: str) -> None:
    """In a workflow, a variable that is not set: the whole catalog was checked instead of what a pull request changes."""
    (tmp_path / "catalog").mkdir()
    with pytest.raises((UsageError, CatalogError)):
        run(["--catalog", str(tmp_path / "catalog"), "check-links", "--no-hub", option, ""])


# --- what is permanent ------------------------------------------------------------------------------------------------


def test_a_choice_among_several_is_no_permanent_move() -> None:
    """A 300 with a Location is followed like the others, and says nothing of for good; `--fix` would have written where it led."""
    hops = (Hop("GET", URL, "", 301, ()), Hop("GET", "https://site.example/b", "", 300, (("location", "/c"),)))
    end = Hop("GET", "https://site.example/c", "", 200, (), Page("C"))
    assert judge(Exchange(URL, (*hops, end))).verdict == "redirected-temporary"


# --- innocent redirects -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("https://docs.site.example/stable/", "https://docs.site.example/main/"),
        ("https://docs.site.example/latest/", "https://docs.site.example/main/"),
        ("https://comics.example/attention-is-all-you-need", "https://comics.example/3012/"),
        ("https://blog.example/a-post-with-a-long-name", "https://blog.example/20481"),
        ("https://blog.example/review-of-the-year", "https://blog.example/2025/"),
        ("https://notes.example/?p=20481", "https://notes.example/20481/"),
    ],
)
def test_a_folder_is_not_the_front_page(first: str, last: str) -> None:
    """The documentation of the main branch; the number of a post."""
    assert after(parse_target(first).page_url, last, text_of("Attention is all you need", PROSE * 5)).outcome == "pass"


@pytest.mark.parametrize(
    ("first", "last", "title"),
    [
        ("https://short.example/x1", "https://http.example/status/404", "404 Not Found - an HTTP status code explained"),
        ("https://w.example/3xk", "https://en.wiki.example/wiki/404", "404 (number) - Wiki"),
        ("https://docs.example/api/e-NotFoundError", "https://docs.example/errors/not-found", "NotFoundError - API reference"),
        ("https://docs.example/v1/http-404", "https://docs.example/v2/http/404", "What a 404 means and how to answer with one"),
    ],
)
def test_a_page_about_it_may_be_where_a_redirect_leads(first: str, last: str, title: str) -> None:
    """The path alone is no proof: the page has to say it of itself, or be what the host answers to what cannot exist."""
    assert after(first, last, text_of(title, PROSE * 5, heading=title)).outcome != "fail"


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("https://docs.example/engine/commandline/login-command", "https://docs.example/reference/cli/login/"),
        ("https://docs.example/authentication", "https://docs.example/guides/auth"),
        ("https://docs.example/single-sign-on", "https://docs.example/admin/manual/sso.html"),
        ("https://docs.example/o", "https://docs.example/docs/oauth2/"),
        ("https://wiki.example.org/wiki/Model", "https://id.wikipedia.org/wiki/Model"),
    ],
)
def test_a_guide_to_signing_in_is_no_wall(first: str, last: str) -> None:
    assert after(first, last, text_of("How to sign in from the command line", PROSE * 5)).verdict != "login-wall"


# --- innocent pages -----------------------------------------------------------------------------------------------------

SHORT = "Weights are read once, a cache grows with every token, and what is left of the card decides the batch. " * 5


@pytest.mark.parametrize(
    ("url", "title"),
    [
        ("https://thisimagedoesnotexist.com/", "This Image Does Not Exist"),
        ("https://thisrepositorydoesnotexist.com/", "This Repository Does Not Exist"),
        ("https://thiscodedoesnotexist.com/", "This Code Does Not Exist"),
        ("https://lyrics.example/songs/81923", "Here Is Gone | Lyrics"),
    ],
)
def test_what_a_page_is_called(url: str, title: str) -> None:
    """Sites of generated things are called so (thisimagedoesnotexist.com and its sisters)."""
    assert told(text_of(title, SHORT, heading=title), url).outcome != "fail"


@pytest.mark.parametrize(
    "title",
    [
        "「ページが見つかりません」と表示される原因と対処法", "GitHub Pagesで「ページが見つかりません」になるときの直し方",
        "页面不存在怎么办？五种常见原因", "部署后提示找不到页面的解决办法", "Was bedeutet „Seite nicht gefunden“ und wie behebt man das?",
        "Page introuvable : causes et solutions pour votre site", "Que significa página no encontrada y cómo se arregla",
        "Страница не найдена: как настроить сервер",
    ],
)  # fmt: skip
def test_articles_about_it_in_other_languages(title: str) -> None:
    assert not says_not_found(title)
    assert told(text_of(title, SHORT, heading=title), "https://blog.example/entry/81923").outcome == "pass"


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Domain parking - Help center", "Domain parking shows a page of ours until your site is ready. " + SHORT),
        ("Why I bought vicuna.example", "The domain name I wanted is for sale at an auction, so I wrote to its owner. " + SHORT),
        ("News", "A name that everybody in machine learning knows is for sale again. " + SHORT),
    ],
)
def test_a_short_page_that_mentions_a_sale_is_no_parked_name(title: str, text: str) -> None:
    """A parked name shows the same page for everything; on a host that says 404 to what cannot exist these words prove nothing."""
    assert told(text_of(title, text)).outcome != "fail"


@pytest.mark.parametrize(
    "title",
    ["Blocked by design", "Head-of-line blocking and unblocked streams", "What is a CAPTCHA?", "Human verification of model answers"],
)
def test_short_articles_about_walls_are_pages(title: str) -> None:
    for scripts in (0, 4):
        assert told(text_of(title, SHORT[:600], scripts=scripts)).outcome == "pass"


@pytest.mark.parametrize("heading", ["Seite nicht gefunden", "Page introuvable", "ページが見つかりません", "页面不存在"])
def test_a_heading_in_another_language_is_a_message_as_a_title_is(heading: str) -> None:
    """With the name of the site for a title; it counted until the titles of articles were let through."""
    assert told(text_of("Beispiel", SHORT, heading=heading), elsewhere=None).outcome != "pass"


def test_the_message_of_a_common_server_is_known() -> None:
    """Internet Information Services, since version 7."""
    assert says_not_found("404 - File or directory not found.")


# --- anchors that scripts make ----------------------------------------------------------------------------------------


def found(inner: str, fragment: str) -> str:
    reader = PageReader("text/html", wanted_of([fragment]))
    reader.feed(document(inner).encode())
    return look(fragment, Hop("GET", URL, "", 200, (), reader.page(True)))


@pytest.mark.parametrize(
    ("inner", "fragment"),
    [
        ('<div id="content"><h2>Getting started</h2></div><script src="/anchor.min.js"></script>', "getting-started"),
        (
            '<main id="main"><article id="post-7"></article><div id="disqus_thread"></div><script src="/embed.js"></script>',
            "comment-5012345678",
        ),
        (
            '<div id="answer-7"><div id="comments-link-7">Show 12 more comments</div></div><script src="/full.js"></script>',
            "comment123_456",
        ),
        ('<div id="app-header"></div><div id="viewer">Loading the map</div><script src="/map.js"></script>', "12/51.5/-0.1"),
    ],
    ids=["headings without ids", "comments of a service", "comments that are loaded later", "the place of a map"],
)
def test_ids_beside_a_script_do_not_prove_that_it_makes_none(inner: str, fragment: str) -> None:
    """Only a static page proves that something is missing (`policy`): a script of another file may give headings their ids."""
    assert found(inner, fragment) == "cannot-tell"

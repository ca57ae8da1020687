"""What stands behind the ``#``: found in every way people and programs write it, missing only where a static page proves it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_catalog.links.anchors import MOST_TEXTS, look, sought, wanted_of
from llmops_catalog.links.exchange import Hop, Page
from llmops_catalog.links.page import PageReader

URL = "https://docs.example/guide/install.html"
PROSE = "<p>" + "Weights are read once, a cache grows with every token, and what is left of the card decides the batch. " * 6 + "</p>"


def found(inner: str, fragment: str, url: str = URL, others: tuple[str, ...] = (), complete: bool = True) -> str:
    """What is said of `fragment` on a page with `inner` between two paragraphs."""
    reader = PageReader("text/html; charset=utf-8", wanted_of([fragment, *others]))
    reader.feed(f"<!doctype html><title>Guide</title><h1>Guide</h1>{PROSE}{inner}{PROSE}".encode())
    return look(fragment, Hop("GET", url, "", 200, (), reader.page(complete)))


@pytest.mark.parametrize(
    ("inner", "fragment"),
    [
        ('<h2 id="intro">', "intro"),
        ('<h2 id="Intro">', "intro"),
        ('<a name="intro">', "intro"),
        ('<A NAME=intro>', "Intro"),
        ('<h2 id="caf&eacute;">', "caf%C3%A9"),
        ('<h2 id="café">', "caf%c3%a9"),
        ('<h2 id="cafe\u0301">', "caf%C3%A9"),
        ('<h2 id="安装">', "%E5%AE%89%E8%A3%85"),
        ('<h2 id="安装">', "安装"),
        ('<h2 id="caf%C3%A9">', "caf%C3%A9"),
        ('<span id="Caf.C3.A9">', "Caf.C3.A9"),
        ('<h2 id="100%">', "100%"),
        ('<h2 id="100%">', "100%25"),
        ('<h2 id="a b">', "a%20b"),
        ('<h2 id="c++">', "c++"),
        ('<a id="user-content-intro">', "intro"),
        ('<a id="user-content-intro">', "user-content-intro"),
        ('<h2 id="intro">', "user-content-intro"),
        ('<h2 id="-🚀-start">', "-%F0%9F%9A%80-start"),
        ('<dt id="torch.nn.Linear">', "torch.nn.Linear"),
        ('<dt id="torch.nn.Linear.forward">', "torch.nn.linear.forward"),
        ('<section id="append(java.lang.String)">', "append(java.lang.String)"),
        ('<a name="append-java.lang.String-">', "append-java.lang.String-"),
        ('<section id="method.new">', "method.new"),
        ('<li id="cite_note-Vaswani2017-1">', "cite_note-Vaswani2017-1"),
        ('<input id="__tabbed_1_2" type="radio">', "__tabbed_1_2"),
        ('<tr id="41234567">', "41234567"),
        ('<h2 id="3">', "3"),
        ('<span id="L10">', "L10"),
        ('<h2 id="a=b">', "a=b"),
        ('<div id="tag/pets/operation/add">', "tag/pets/operation/add"),
        ('<h2 class="x" data-x="<b>" id="intro">', "intro"),
        ('<h2 id="intro">Weights here', "intro:~:text=Weights"),
        ("<div id=intro/>", "intro/"),
    ],
)  # fmt: skip
def test_anchors_that_are_there(inner: str, fragment: str) -> None:
    assert found(inner, fragment) == "found"


@pytest.mark.parametrize(
    ("inner", "fragment"),
    [
        ("", "intro"),
        ('<h2 id="introduction">', "intro"),
        ('<h2 id="the-intro">', "intro"),
        ('<h2 class="intro">', "intro"),
        ('<a href="#intro">', "intro"),
        ('<!-- <h2 id="intro"> -->', "intro"),
        ('<h2 data-id="intro">', "intro"),
        ('<h2 id="cafe">', "caf%C3%A9"),
        ("<style>#intro {color: red}</style>", "intro"),
        ('<h2 id="user-content-other">', "intro"),
        ('<h2 id="intro">', "user-content-other"),
        ("<p>intro</p>", "intro"),
        ("", "a" * 3000),
        ("", "%3Cscript%3E"),
        ("", "\x1b[31m"),
    ],
)
def test_anchors_that_a_static_page_lacks(inner: str, fragment: str) -> None:
    assert found(inner, fragment) == "missing"


@pytest.mark.parametrize("fragment", ["", "top", "TOP", "%74op", "%20", ":~:", ":~:text", ":~:text=", ":~:selector(type=x)"])
def test_fragments_that_ask_for_nothing(fragment: str) -> None:
    assert found("", fragment) == "nothing-sought"


@pytest.mark.parametrize(
    "fragment",
    [
        "/", "/a/b", "!/a", "!a", "/search?q=x", "%2Fa", "page=2", "page=3&zoom=100", "t=30", "gid=0", "slide=id.p", "a&b", "L10",
        "L10-L20", "L10C3-L12C9", "L10-20", "line-10", "lines-3", "LC7", "10", "10-20", "10:12", "l10", "tab=readme-ov-file",
        "activation=tanh&batch=10", "_=_", "scrollTo=abc", "map=5/51.5/-0.1",
    ],
)  # fmt: skip
def test_fragments_nobody_can_judge_on_a_page_that_lacks_them(fragment: str) -> None:
    """Routes, states and lines: a script reads them, or the server drew something else."""
    if fragment == "l10":
        assert found("", fragment) == "missing"  # lines are written with a capital
    else:
        assert found("", fragment) == "cannot-tell"


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/o/r/blob/main/a.py", "https://gitlab.example/o/r/-/blob/main/a.py",
        "https://codeberg.org/o/r/src/branch/main/a.py", "https://bitbucket.org/o/r/src/main/a.py",
        "https://git.kernel.org/pub/scm/x.git/tree/a.c", "https://github.com/o/r/blame/main/a.py",
        "https://huggingface.co/o/r/blob/main/config.json", "https://git.example/cgit/x/plain/a.c",
    ],
)  # fmt: skip
@pytest.mark.parametrize("fragment", ["L10", "L10-L20", "L10-20", "L1C2-L3C4"])
def test_lines_of_code_hosts_are_the_viewers_business(url: str, fragment: str) -> None:
    assert found("<script>1</script>", fragment, url) == "found"


@pytest.mark.parametrize("url", ["https://github.com/o/r/blob/main/README.md", "https://gitlab.example/o/r/-/wikis/home"])
def test_headings_of_code_hosts_are_never_called_missing(url: str) -> None:
    assert found('<h2 id="user-content-other">', "intro", url) == "cannot-tell"
    assert found('<h2 id="user-content-intro">', "intro", url) == "found"


@pytest.mark.parametrize(
    ("text", "fragment", "finding"),
    [
        ("", ":~:text=Weights%20are%20read", "found"),
        ("", ":~:text=weights%20ARE%20read", "found"),
        ("", ":~:text=what-,is%20left,decides,-the", "found"),
        ("", ":~:text=absent", "cannot-tell"),
        ("", ":~:text=Weights&text=cache", "found"),
        ("", ":~:text=Weights&text=absent", "cannot-tell"),
        ("", ":~:text=Weights%20are,batch", "found"),
        ("<p>one <b>two</b>\n three</p>", ":~:text=one%20two%20three", "found"),
        ("<p>caf&eacute; au lait</p>", ":~:text=caf%C3%A9%20au", "found"),
        ("<p>70% of it</p>", ":~:text=70%25%20of", "found"),
        ("", "absent:~:text=Weights", "missing"),
    ],
)
def test_text_fragments_are_found_or_unsure(text: str, fragment: str, finding: str) -> None:
    """A text that is gone is not proof: https://wicg.github.io/scroll-to-text-fragment/ lets browsers match more than we read."""
    assert found(text, fragment) == finding


@pytest.mark.parametrize(
    ("inner", "why"),
    [
        ("<script>document.body.innerHTML += '<h2 id=\"intro\">'</script>", "a script speaks of it"),
        ('<script>var toc = ["Intro", "Usage"]</script>', "a script speaks of it, in another case"),
        ('<script src="/app.js"></script>', "a script, and no anchor of the page's own"),
    ],
)
def test_what_a_script_may_make_is_not_missing(inner: str, why: str) -> None:
    assert found(inner, "intro") == "cannot-tell", why


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


def test_a_page_that_draws_itself_is_not_judged() -> None:
    shell = Page(is_shell=True, scripts=1, has_ids=True)
    assert look("intro", Hop("GET", URL, "", 200, (), shell)) == "cannot-tell"


def test_a_page_not_read_to_its_end_is_not_judged() -> None:
    assert found("", "intro", complete=False) == "cannot-tell"
    assert found('<h2 id="intro">', "intro", complete=False) == "found"


def test_a_page_nobody_read_is_not_judged_and_one_that_is_no_html_is_let_be() -> None:
    assert look("intro", Hop("GET", URL, "", 200, ())) == "cannot-tell"
    for fragment in ("page=3", "section.3", "nameddest=x", "L10-L20", "xywh=0,0,9,9", "intro"):
        assert look(fragment, Hop("GET", URL, "", 200, (), Page(is_html=False))) == "found"
    assert look("/a/b", Hop("GET", URL, "", 200, (), Page(is_html=False))) == "cannot-tell"


def test_each_link_into_a_page_is_judged_for_itself() -> None:
    inner = '<h2 id="a"></h2><h2 id="b"></h2>'
    assert [found(inner, one, others=("a", "b", "c", "L1", ":~:text=x")) for one in "abc"] == ["found", "found", "missing"]


def test_a_page_is_looked_at_for_everything_once() -> None:
    wanted = wanted_of(["intro", "caf%C3%A9", ":~:text=One%20two", "", "/route", "L10"])
    assert {"intro", "user-content-intro", "café", "l10", "user-content-l10"} <= wanted.anchors
    assert wanted.texts == {"one two"}
    assert not any(wanted_of([]))
    assert not any(wanted_of(["", "top", "/route"]))


def test_a_fragment_asks_for_so_many_texts_and_no_more() -> None:
    many = ":~:" + "&".join(f"text=piece{number}" for number in range(1000))
    assert len(sought(many).texts) == MOST_TEXTS
    assert len(next(iter(sought(f":~:text={'a' * 9000}").texts))) == 300


@settings(max_examples=200)
@given(st.text(max_size=60), st.text(max_size=40), st.booleans(), st.booleans())
def test_any_fragment_of_any_page_gets_an_answer(fragment: str, inner: str, scripted: bool, complete: bool) -> None:
    answer = found(inner + ("<script>x</script>" if scripted else ""), fragment, complete=complete)
    assert answer in ("nothing-sought", "found", "missing", "cannot-tell")
    if answer == "missing":
        assert complete


@settings(max_examples=100)
@given(st.text("abcéß安装🚀-_.:() %+/=&'", min_size=1, max_size=20))
def test_what_was_written_as_an_id_is_never_missing(name: str) -> None:
    """As browsers put it into the address bar, and as people copy it."""
    from html import escape
    from urllib.parse import quote

    inner = f'<h2 id="{escape(name)}">'
    for fragment in (quote(name), quote(name, safe="/:()'+=&"), quote(name).lower()):
        assert found(inner, fragment) != "missing", fragment

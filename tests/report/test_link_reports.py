"""The link report as text, annotations and Markdown: exact words, what is left out is said, and no server steers a reader."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from llmops_catalog.links.results import Finding, Judgement, LinkResult, ModelResult, Place, Report
from llmops_catalog.problems import Problem
from llmops_catalog.report.annotations import MOST_ANNOTATIONS, inert
from llmops_catalog.report.links import as_github, as_markdown, as_text
from llmops_catalog.report.links_markdown import LARGEST_BODY, MARKER, code, text

DOCS = "https://llmops-catalog.github.io/llmops-catalog/links/"
A, B = Place("catalog/resources/a.yaml", 3, 6, "url"), Place("catalog/resources/b.yaml", 12, 8, "sources.0")
EVIL = (
    "x\n::error::owned", "x\r\n::warning file=a::b", "\x1b[2Jred", "##[error]owned", "##[add-mask]secret", "50%0A::error::x",
    "\u202eright", "a\u2028b", "<script>alert(1)</script>", "a|b", "`code`", "``", "[x](https://evil.example)", "![x](https://evil.example/i)",
    "@maintainers #123 GH-7", "<!-- x -->", "</details>", "https://github.com/o/r/issues/1", "www.evil.example", "\\|", "\\",
    "*a* _b_ ~~c~~",
    "&lt;b&gt;", "$x$", "\udcff", "\x00", "# h", "::stop-commands::x", "{{ x }}", "<img src=x onerror=y>", "a\tb",
)  # fmt: skip


def link(url: str, outcome: str, verdict: str, reason: str = "", hint: str = "", places: tuple[Place, ...] = (), **more) -> LinkResult:
    return LinkResult(url, places, Judgement(outcome, verdict, reason, hint, **more), 1, 120, "2026-11-20T06:00:00+00:00")


DEAD = link("https://a.example/gone", "fail", "broken", "the server answers 404", "look for its new address", (A, B))
ELSEWHERE = link("https://b.example/x", "fail", "soft-404", "the page is titled 'Not found'")
OK = link("https://a.example/", "pass", "ok", places=(A,))
SLOW = link("https://slow.example/", "unknown", "timeout", "no answer within 20 s", places=(B,))
MOVED = link("http://m.example/", "pass", "redirected-permanent", places=(A,), better_url="https://m.example/")
WALLS = tuple(
    link(f"https://www.linkedin.com/in/{n}", "unknown", "blocked", "answers 999 to every robot", places=(B._replace(line=n + 20),))
    for n in range(5)
)
GONE = Finding(
    "missing-or-private",
    "'org/gone' is not on the Hub for us",
    "look for its new name",
    Place("catalog/models/org/gone.yaml", 2, 9, "hub_id"),
)
DRIFT = Finding(
    "gating-drift",
    "the record says gated 'no', the Hub says 'auto'",
    "write 'gated: auto'",
    Place("catalog/models/org/a.yaml", 9, 8, "gated"),
)
MODELS = (
    ModelResult("org/gone", "missing-or-private", "no", "fail", "", (), findings=(GONE,)),
    ModelResult("org/a", "gated-accepted", "no", "pass", findings=(DRIFT,)),
    ModelResult("org/b", "gated-not-requested", "auto", "pass", "open https://huggingface.co/org/b and accept the licence"),
    ModelResult("org/c", "public", "no", "pass"),
)
EXPIRED = Problem("catalog/link-exceptions.yaml", 4, 5, "expired-exception", "the exception ended on 2026-11-01", "remove it")
REPORT = Report((OK, SLOW, MOVED, *WALLS, ELSEWHERE, DEAD), MODELS, (EXPIRED,), ("the token of HF_TOKEN is not valid: going on without",))


def test_text_tells_the_dead_first_and_counts_last() -> None:
    assert as_text(REPORT) == (
        "catalog/resources/a.yaml:3:6: error[broken]: https://a.example/gone: the server answers 404\n"
        "catalog/resources/b.yaml:12:8: error[broken]: https://a.example/gone: the server answers 404\n"
        "  help: look for its new address\n"
        "https://b.example/x: error[soft-404]: the page is titled 'Not found'\n"
        f"  help: {DOCS}#soft-404\n"
        "catalog/models/org/gone.yaml:2:9: error[missing-or-private]: 'org/gone' is not on the Hub for us\n"
        "  help: look for its new name\n"
        "catalog/models/org/a.yaml:9:8: warning[gating-drift]: the record says gated 'no', the Hub says 'auto'\n"
        "  help: write 'gated: auto'\n"
        "www.linkedin.com: warning[blocked]: 5 links could not be judged: answers 999 to every robot\n"
        "  https://www.linkedin.com/in/0\n"
        "  https://www.linkedin.com/in/1\n"
        "  https://www.linkedin.com/in/2\n"
        "  ... and 2 more\n"
        f"  help: {DOCS}#blocked\n"
        "catalog/resources/b.yaml:12:8: warning[timeout]: https://slow.example/: no answer within 20 s\n"
        f"  help: {DOCS}#timeout\n"
        "note[redirected-permanent]: 1 link has moved for good\n"
        "  help: 'check-links --fix' writes the new addresses\n"
        "model  access               which means                                 what to do\n"
        "org/b  gated-not-requested  gated, and nobody has asked for access yet  open https://huggingface.co/org/b and accept the licence\n"
        "note: the token of HF_TOKEN is not valid: going on without\n"
        "catalog/link-exceptions.yaml:4:5: error[expired-exception]: the exception ended on 2026-11-01. Remove it\n"
        "  help: https://llmops-catalog.github.io/llmops-catalog/problems/#expired-exception\n"
        "10 links: 2 pass, 2 fail, 6 unknown; 4 models: 1 public, 1 gated-accepted, 1 gated-not-requested, 1 missing-or-private;"
        " 2 findings; 1 problem\n"
    )


def test_verbose_text_gives_every_link_its_lines() -> None:
    text = as_text(REPORT, verbose=True)
    assert "catalog/resources/b.yaml:24:8: warning[blocked]: https://www.linkedin.com/in/4: answers 999 to every robot\n" in text
    assert "catalog/resources/a.yaml:3:6: note[redirected-permanent]: http://m.example/: moved for good to https://m.example/\n" in text
    assert "... and" not in text


def test_an_archived_copy_is_offered() -> None:
    copy = "https://web.archive.org/web/2024/https://a.example/gone"
    assert as_text(Report((link("https://a.example/gone", "fail", "broken", "gone", "remove it.", archived_url=copy),))) == (
        f"https://a.example/gone: error[broken]: gone\n  help: remove it; a copy: {copy}\n1 link: 0 pass, 1 fail, 0 unknown\n"
    )


def test_three_hundred_walls_do_not_drown_three_deaths() -> None:
    walls = tuple(link(f"https://h{n}.example/", "unknown", "blocked", "403", places=(B,)) for n in range(300))
    lines = as_text(Report((*walls, DEAD, ELSEWHERE))).splitlines()
    assert lines[0].startswith("catalog/resources/a.yaml:3:6: error[broken]")
    assert len(lines) == 5 + 2 * 20 + 2
    assert lines[-2:] == ["... and 280 links of 280 more hosts that could not be judged", "302 links: 0 pass, 2 fail, 300 unknown"]


def test_nothing_found_is_one_line() -> None:
    assert as_text(Report(())) == "0 links: 0 pass, 0 fail, 0 unknown\n"
    assert as_github(Report((OK,))) == ""
    assert as_markdown(Report((OK,)), "2026-11-20") == (
        f"{MARKER}\n# Links: 0 dead, 0 unknown of 1\n\nChecked 2026-11-20: 1 link: 1 pass, 0 fail, 0 unknown.\n\n"
        "Nothing needs to be done.\n"
    )


def test_colour_is_put_around_what_is_escaped() -> None:
    text = as_text(Report((DEAD,)), style=lambda text, role: f"<{role}>{text}</>")
    assert text.startswith("<place>catalog/resources/a.yaml:3:6</>: <error>error[broken]</>: https://a.example/gone: ")


def hostile(evil: str) -> Report:
    place = Place(evil, 1, 1, evil)
    links = tuple(
        link(url, outcome, "broken", evil, evil, places, better_url=evil, archived_url=evil, final_url=evil)
        for url in (evil, f"https://a.example/{evil}") for outcome in ("fail", "unknown") for places in ((place,), ())
    )  # fmt: skip
    gone = link(evil, "pass", "redirected-permanent", evil, evil, (place,), better_url=evil)
    model = ModelResult(evil, "renamed", evil, "pass", evil, (place,), evil, evil, (Finding("gating-drift", evil, evil, place),))
    waiting = ModelResult(evil, "gated-pending", evil, "pass", evil, (place,))
    lost = ModelResult(evil, "disabled", evil, "fail", evil, (place,))
    return Report((*links, gone), (model, waiting, lost), (Problem(evil, 1, 1, "expired-exception", evil, evil),), (evil,))


@pytest.mark.parametrize("evil", EVIL)
@pytest.mark.parametrize("verbose", [False, True])
def test_text_stays_text_on_a_terminal_and_in_a_log(evil: str, verbose: bool) -> None:
    told = as_text(hostile(evil), verbose=verbose)
    harmless = as_text(hostile("x"), verbose=verbose)
    assert told.count("\n") == harmless.count("\n")
    assert all(char.isprintable() or char == "\n" for char in told)
    assert "##[" not in told
    assert not re.search(r"^\s*::", told, re.MULTILINE)


def test_inert_leaves_ordinary_text_alone() -> None:
    assert inert("http://[::1]/x: error[refused]: a ## [b]\nstd::vector") == "http://[::1]/x: error[refused]: a ## [b]\nstd::vector"
    assert inert("a\n  ::error::b ##[group]c") == "a\n  \\x3a:error::b ##\\x5bgroup]c"


def test_github_shows_errors_then_warnings_beside_their_lines() -> None:
    assert as_github(REPORT) == (
        "::error file=catalog/resources/a.yaml,line=3,col=6,title=broken::https://a.example/gone: the server answers 404. "
        "Look for its new address\n"
        "::error file=catalog/resources/b.yaml,line=12,col=8,title=broken::https://a.example/gone: the server answers 404. "
        "Look for its new address\n"
        "::error title=soft-404::https://b.example/x: the page is titled 'Not found'\n"
        "::error file=catalog/models/org/gone.yaml,line=2,col=9,title=missing-or-private::'org/gone' is not on the Hub for us. "
        "Look for its new name\n"
        "::warning file=catalog/models/org/a.yaml,line=9,col=8,title=gating-drift::the record says gated 'no', the Hub says 'auto'. "
        "Write 'gated: auto'\n"
        "::error file=catalog/link-exceptions.yaml,line=4,col=5,title=expired-exception::the exception ended on 2026-11-01. Remove it\n"
        "::notice title=check-links::the token of HF_TOKEN is not valid: going on without\n"
    )  # fmt: skip


def test_github_shows_the_unknown_where_they_fail_the_run() -> None:
    assert "slow.example" not in as_github(REPORT)
    assert "::error file=catalog/resources/b.yaml,line=12,col=8,title=timeout::https://slow.example/: no answer within 20 s\n" in as_github(
        REPORT, fail_on="unknown"
    )


def test_github_gets_no_more_than_it_shows() -> None:
    lines = as_github(Report(tuple(link(f"https://a.example/{n}", "fail", "broken", "404", places=(A,)) for n in range(120)))).splitlines()
    assert len(lines) == MOST_ANNOTATIONS
    assert lines[-1] == "::notice title=check-links::71 more are in the report: GitHub shows 50"


@pytest.mark.parametrize("evil", EVIL)
def test_github_lines_cannot_be_broken_out_of(evil: str) -> None:
    lines = as_github(hostile(evil), fail_on="unknown").splitlines()
    assert len(lines) == len(as_github(hostile("x"), fail_on="unknown").splitlines())
    for line in lines:
        found = re.fullmatch(r"::(?:error|warning|notice) ((?:file=[^,:]*,line=1,col=1,)?title=[^,:]*)::(.*)", line)
        assert found
        assert line.isprintable()
        assert not re.search("%(?!25|3A|2C|0)", line)


class _Reader(HTMLParser):
    """The elements and the text of a rendered page; text outside `code` and links apart, where GitHub looks for people."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.open: list[str] = []
        self.loose = self.all = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.open.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src") or name.startswith("on")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.all += data
        if not {"code", "a"} & set(self.open):
            self.loose += data


def rendered(markdown: str) -> _Reader:
    return _Reader(MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(markdown))


TAGS = {"h1", "h2", "p", "table", "thead", "tbody", "tr", "th", "td", "code", "details", "summary", "a"}


def test_markdown_is_the_body_of_an_issue() -> None:
    copy = "https://web.archive.org/web/2024/https://a.example/gone"
    report = REPORT._replace(links=(DEAD._replace(judgement=DEAD.judgement._replace(archived_url=copy)), SLOW, MOVED, *WALLS))
    assert as_markdown(report, "2026-11-20 06:00 UTC") == (
        f"{MARKER}\n"
        "# Links: 1 dead, 6 unknown of 8\n\n"
        "Checked 2026-11-20 06:00 UTC: 8 links: 1 pass, 1 fail, 6 unknown; 4 models: 1 public, 1 gated-accepted, 1 gated-not-requested,"
        " 1 missing-or-private; 2 findings; 1 problem.\n\n"
        "## Dead links (1)\n\n"
        "| Address | Why | Where | Copy |\n|---|---|---|---|\n"
        f"| `https://a.example/gone` | the server answers 404 | `catalog/resources/a.yaml:3`, `catalog/resources/b.yaml:12` "
        f"| <{copy}> |\n\n"
        "## Models (2)\n\n"
        "| What | Where | Next |\n|---|---|---|\n"
        "| &#39;org/gone&#39; is not on the Hub for us | `catalog/models/org/gone.yaml:2` | look for its new name |\n"
        "| the record says gated &#39;no&#39;, the Hub says &#39;auto&#39; | `catalog/models/org/a.yaml:9` "
        "| write &#39;gated: auto&#39; |\n\n"
        "## Exceptions (1)\n\n"
        "| What | Where |\n|---|---|\n"
        "| the exception ended on 2026-11-01. Remove it | `catalog/link-exceptions.yaml:4` |\n\n"
        "## Notes\n\n"
        "| About this check |\n|---|\n"
        "| the token of HF&#95;TOKEN is not valid: going on without |\n\n"
        "<details><summary>Access to see to (1 model)</summary>\n\n"
        "| Model | Access | What to do |\n|---|---|---|\n"
        "| `org/b` | gated, and nobody has asked for access yet | open https&#58;//huggingface.co/org/b and accept the licence |\n\n"
        "</details>\n\n"
        "<details><summary>Moved for good (1 link)</summary>\n\n"
        "| From | To | Where |\n|---|---|---|\n"
        "| `http://m.example/` | `https://m.example/` | `catalog/resources/a.yaml:3` |\n\n"
        "</details>\n\n"
        "<details><summary>Could not be judged (6 links)</summary>\n\n"
        "| Host | Links | Verdict | Why |\n|---|---|---|---|\n"
        "| `www.linkedin.com` | 5 | blocked | answers 999 to every robot |\n"
        "| `slow.example` | 1 | timeout | no answer within 20 s |\n\n"
        "</details>\n\n"
    )


@pytest.mark.parametrize("evil", EVIL)
def test_markdown_from_outside_is_only_text(evil: str) -> None:
    markdown = as_markdown(hostile(evil), evil)
    page = rendered(markdown)
    assert page.tags <= TAGS
    assert page.links == []
    assert not re.search(r"@\w|#\d|GH-\d", page.loose)
    assert "www." not in re.sub("`[^`\n]*`", "", markdown)
    assert "://" not in re.sub("`[^`\n]*`", "", markdown)
    assert all(char.isprintable() or char == "\n" for char in markdown)
    rows = [line for line in markdown.splitlines() if line.startswith("|")]
    assert len(rows) == len([line for line in as_markdown(hostile("x"), "x").splitlines() if line.startswith("|")])
    assert "##[" not in markdown


@given(st.text(max_size=60))
def test_any_text_is_shown_as_it_is(value: str) -> None:
    for shown in (text(value), code(value)):
        page = rendered(f"a {shown} z")
        assert page.tags <= {"p", "code"}
        assert page.open == []
    if value.isprintable() and "  " not in value and value == value.strip() and value:
        assert rendered(f"a {code(value)} z").all.strip() == f"a {value} z"
        assert rendered(f"a {text(value)} z").all.strip().replace("\u200b", "") == f"a {value} z"


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "https://evil.example/", "https://web.archive.org/web/1/x>y", "https://web.archive.org/web/1/`x|y`"]
)
def test_only_the_archive_is_linked(url: str) -> None:
    report = Report((link("https://a.example/", "fail", "broken", archived_url=url),))
    assert rendered(as_markdown(report, "now")).links == []


@pytest.mark.parametrize("char", ["a", "|", "`", "@"])
def test_markdown_fits_an_issue_and_says_what_is_left_out(char: str) -> None:
    long = char * 2_000
    links = [link(f"https://a.example/{n}/{long}", "fail", "broken", long, places=(A,) * 9) for n in range(500)]
    links += [link(f"https://h{n}.example/", "unknown", "blocked", long) for n in range(2_000)]
    links += [link(f"http://m.example/{n}{long}", "pass", "redirected-permanent", better_url=f"https://m.example/{n}") for n in range(500)]
    models = [ModelResult(f"o/{n}", "gated-pending", "auto", "pass", long, findings=(DRIFT._replace(message=long),)) for n in range(500)]
    models += [ModelResult(f"p/{n}", "gated-pending", "auto", "pass", long) for n in range(500)]
    body = as_markdown(Report(tuple(links), tuple(models), (EXPIRED._replace(message=long),) * 90, (long,) * 90), "now")
    assert len(body) <= LARGEST_BODY
    assert len(re.findall(r"^\.\.\. and [\d,]+ more, in the whole report\.$", body, re.MULTILINE)) == 7
    dead = body.partition("## Dead links (500)")[2].partition("## Models")[0]
    more = re.search(r"and (\d+) more, in", dead)
    assert more
    assert dead.count("\n| ") - 1 + int(more[1]) == 500
    assert rendered(body).open == []

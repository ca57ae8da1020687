"""Walls that stand before pages, and the innocent pages beside them: an article about captchas, a guide to `login`."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_catalog.links.exchange import Exchange, Hop, Page
from llmops_catalog.links.policy import judge
from llmops_catalog.links.target import parse_target
from llmops_catalog.links.walls import SHORT_TEXT, is_sign_in, wall

URL = "https://site.example/papers/attention.html"
PROSE = "Weights are read once, a cache grows with every token, and what is left of the card decides the batch. "
ARTICLE = PROSE * 40


def hop(shown: Page | None = None, status: int = 200, headers: tuple[tuple[str, str], ...] = (), url: str = URL) -> Hop:
    return Hop("GET", url, "192.0.2.1", status, headers, shown)


def page(title: str = "", text: str = "", scripts: int = 0, marks: tuple[str, ...] = ()) -> Page:
    return Page(title, "", text[:4096], len(text), scripts=scripts, marks=frozenset(marks))


WALLS = {
    "Cloudflare": page("Just a moment...", "Enable JavaScript and cookies to continue", 1, ("challenge-platform",)),
    "Cloudflare in Spanish": page("Un momento…", "", 1, ("cf-chl",)),
    "Cloudflare in German": page("Einen Moment, bitte", "", 1),
    "Cloudflare, refused": page("Attention Required! | Cloudflare", "Please complete the security check", 1),
    "Akamai": page("Access Denied", "Reference #18.1", 0),
    "DataDome": page("site.example", "", 1, ("datadome", "captcha")),
    "Imperva": page("", "Request unsuccessful. Incapsula incident ID: 1-2", 1, ("_incapsula_resource",)),
    "PerimeterX": page("Access to this page has been denied.", "Press and hold", 2, ("px-captcha",)),
    "AWS": page("Human Verification", "", 3, ("awswaf",)),
    "DDoS-Guard": page("DDoS-Guard", "Checking your browser before accessing", 1, ("ddos-guard",)),
    "Google": page("https://www.google.com/search", "Our systems have detected unusual traffic from your network", 2),
    "Shape": page("Pardon Our Interruption", "Something about your browser made us think you were a bot", 1),
    "Anubis": page("Making sure you're not a bot!", "Protected by Anubis", 1),
    "F5": page("Request Rejected", "The requested URL was rejected. Your support ID is: 1", 1),
    "a security check": page("Security check", "Please verify you are a human.", 1, ("captcha",)),
    "a robot's question": page("Robot or human?", "Activate and hold the button", 1),
    "Fastly": page("Client Challenge", "A required part of this site couldn’t load.", 1),
}


@pytest.mark.parametrize("status", [200, 403, 405, 429, 503])
@pytest.mark.parametrize("name", WALLS)
def test_walls_are_seen_whatever_their_status(name: str, status: int) -> None:
    if status == 200 and WALLS[name].scripts == 0:
        return
    told = judge(Exchange(URL, (hop(WALLS[name], status),)))
    assert (told.outcome, told.verdict) == ("unknown", "blocked")
    assert told.reason.startswith("a challenge for browsers")
    assert told.hint == "open it in a browser"


@pytest.mark.parametrize(
    "headers",
    [
        (("cf-mitigated", "challenge"),),
        (("x-amzn-waf-action", "challenge"),),
        (("x-amzn-waf-action", "captcha"),),
        (("x-datadome", "protected"),),
        (("x-sucuri-block", "1"),),
    ],
)
@pytest.mark.parametrize("status", [200, 202, 403, 404, 405, 410])
def test_headers_that_only_walls_send(headers: tuple[tuple[str, str], ...], status: int) -> None:
    for shown in (None, page("Attention", ARTICLE)):
        assert judge(Exchange(URL, (hop(shown, status, headers),)))[:2] == ("unknown", "blocked")


@pytest.mark.parametrize(
    "headers",
    [(("cf-ray", "8a"), ("server", "cloudflare"), ("cf-cache-status", "HIT")), (("x-datadome", "allowed"),), (("x-sucuri-id", "1"),),
     (("cf-mitigated", ""),), (("x-amzn-trace-id", "Root=1"), ("x-amz-cf-id", "a"))],
)  # fmt: skip
def test_headers_of_living_sites_behind_such_services(headers: tuple[tuple[str, str], ...]) -> None:
    assert wall(hop(page("Attention", ARTICLE), headers=headers)) is None
    assert judge(Exchange(URL, (hop(None, 404, headers),))).outcome == "fail"


def test_an_answer_that_promises_a_page_later_is_a_wall() -> None:
    told = judge(Exchange(URL, (hop(page("", "wait"), 202),)))
    assert told[:3] == ("unknown", "blocked", "an answer that promises a page later stands before the page")
    assert judge(Exchange(URL, (hop(page("Attention", ARTICLE), 202),))).outcome == "pass"


INNOCENT = (
    "Blocked by design", "What is a CAPTCHA?", "Just a moment of your time: our survey", "Access denied: how file permissions work",
    "Head-of-line blocking", "Unblocked: prefill without waiting", "Human verification of model answers",
    "Please wait: on loading screens", "Attention required: a history of attention", "Bot detection with small models",
    "Security checks of model weights", "Are you human? The Turing test at 75", "Client challenge-response protocols",
    "Einen Moment bitte: ein Gedicht", "Request rejected: RLHF",
)  # fmt: skip


@pytest.mark.parametrize("title", INNOCENT)
def test_articles_about_walls_are_pages(title: str) -> None:
    for shown in (page(title, ARTICLE), page(title, ARTICLE, 12), page(title, ARTICLE, 12, ("captcha", "cf-chl"))):
        assert judge(Exchange(URL, (hop(shown),))).outcome == "pass"


@pytest.mark.parametrize(
    "title",
    ["Blocked by design", "Head-of-line blocking and unblocked streams", "What is a CAPTCHA?", "Human verification of model answers"],
)
def test_short_articles_about_walls_are_pages(title: str) -> None:
    for scripts in (0, 4):
        assert judge(Exchange(URL, (hop(page(title, PROSE * 5, scripts)),))).outcome == "pass"


@pytest.mark.parametrize(
    ("text", "scripts", "marks"),
    [
        ("A short note on caching.", 0, ()),
        ("A short note on caching.", 9, ()),
        ("We solve a captcha with a small model.", 0, ()),
        ("Sign up for the newsletter, protected by reCAPTCHA. " + PROSE * 8, 3, ("captcha",)),
        ("Our datadome is a dome of data. " + PROSE * 8, 2, ("datadome",)),
        (PROSE * 8 + "Cloudflare Ray ID: 8a", 0, ()),
    ],
)
def test_short_pages_that_only_use_such_services(text: str, scripts: int, marks: tuple[str, ...]) -> None:
    assert judge(Exchange(URL, (hop(page("Notes", text, scripts, marks)),))).outcome == "pass"


def test_other_files_are_no_walls() -> None:
    assert wall(hop(Page("Just a moment...", is_html=False, scripts=1))) is None
    assert wall(hop()) is None


def test_an_honest_404_is_one_though_its_page_has_scripts() -> None:
    """Most sites' own pages for it count visitors."""
    for title in ("Page not found", "Attention", "", "404"):
        assert judge(Exchange(URL, (hop(page(title, PROSE * 3, 5), 404),)))[:2] == ("fail", "broken")


def test_no_wall_passes_and_none_fails() -> None:
    """But for those who say that the page is gone: whoever sends 404 with such a page has looked for it."""
    for status in (*range(200, 600), 999):
        for shown in WALLS.values():
            if shown.scripts and status not in (304, 404, 410):
                assert judge(Exchange(URL, (hop(shown, status),))).outcome == "unknown", (status, shown.title)


# --- sign-in pages ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "https://x.example/login", "https://x.example/login/", "https://x.example/login?next=%2Fa", "https://x.example/Login.aspx",
        "https://x.example/signin", "https://x.example/sign-in", "https://x.example/sign_in", "https://x.example/users/sign_in",
        "https://x.example/logon", "https://x.example/signon.do", "https://x.example/user_login", "https://x.example/users-login",
        "https://x.example/wp-login.php?redirect_to=x", "https://x.example/accounts/login/?next=/a", "https://x.example/uas/login-submit",
        "https://x.example/sso", "https://x.example/sso/login", "https://x.example/oauth2/authorize?client_id=1",
        "https://x.example/saml2/idp/SSOService.php",
        "https://x.example/session/new", "https://x.example/%6Cogin", "https://x.example/en/login.html",
        "https://accounts.google.example.com/v3/signin/identifier", "https://login.example.com/common", "https://sso.example.com/idp",
        "https://auth.example.com/u/x", "https://accounts.google.com/ServiceLogin?continue=a",
        "https://x.example/checkpoint/lg/login",
    ],
)  # fmt: skip
def test_addresses_of_sign_in_pages(url: str) -> None:
    assert is_sign_in(parse_target(url))
    told = judge(Exchange(URL, (hop(status=302), hop(page("Sign in", ARTICLE), url=url))))
    assert told[:2] == ("unknown", "login-wall")


@pytest.mark.parametrize(
    "url",
    [
        "https://x.example/", "https://x.example/logins-explained", "https://x.example/blog/sign-in-with-one-tap/",
        "https://x.example/authors", "https://x.example/docs/login-tutorial", "https://x.example/catalogin",
        "https://x.example/papers/author", "https://x.example/loginov", "https://x.example/papers/signing", "https://x.example/design",
        "https://x.example/a/sso-guide", "https://x.example/authentication.html", "https://x.example/blog/oauth2-explained",
        "https://x.example/how-to-authorize", "https://x.example/papers?login=1", "https://x.example/papers#login",
        "https://accounts.example.com/", "https://login.example.com", "https://idle.example.com/a", "https://loginsight.example.com/docs",
        "https://x.example/openai", "https://x.example/checkpoints/llama", "https://x.example/checkpoint",
        "https://x.example/blog/designing-sessions", "https://x.example/blogin", "https://x.example/account/papers",
    ],
)  # fmt: skip
def test_addresses_of_other_pages(url: str) -> None:
    assert not is_sign_in(parse_target(url))
    assert judge(Exchange(URL, (hop(status=301), hop(page("Guide", ARTICLE), url=url)))).verdict != "login-wall"


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
    guide = page("How to sign in from the command line", ARTICLE)
    assert judge(Exchange(first, (hop(status=301, url=first), hop(guide, url=last)))).verdict != "login-wall"


def test_a_link_to_a_sign_in_page_may_lead_to_another() -> None:
    first, last = "https://x.example/login", "https://accounts.x.example/signin"
    told = judge(Exchange(first, (hop(status=301, url=first), hop(page("Sign in"), url=last))))
    assert (told.outcome, told.verdict) == ("pass", "redirected-permanent")


def test_a_sign_in_page_that_is_gone_is_gone() -> None:
    assert judge(Exchange(URL, (hop(status=302), hop(status=404, url="https://x.example/login"))))[:2] == ("fail", "broken")


# --- laws -------------------------------------------------------------------------------------------------------------


def test_no_page_takes_long() -> None:
    started = time.process_time()
    for text in ("access to this page " * 20_000, "verify that you are " * 20_000, "a" * 10**6, "checking " * 10**5):
        wall(hop(page(text, text, 1, ("captcha",)), 403))
    is_sign_in(parse_target("https://x.example/" + "login-" * 1200))
    is_sign_in(parse_target("https://x.example/" + "/oauth" * 1200))
    assert time.process_time() - started < 1


@settings(max_examples=200)
@given(st.text(max_size=60), st.text(max_size=200), st.integers(0, 3), st.integers(0, 999))
def test_a_wall_is_a_short_page_or_no_success(title: str, text: str, scripts: int, status: int) -> None:
    long = Page(title, "", text, SHORT_TEXT + len(text), scripts=scripts, marks=frozenset({"captcha"}))
    if status < 400:
        assert wall(hop(long, status)) is None

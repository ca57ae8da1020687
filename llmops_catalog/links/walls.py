"""Walls that stand before pages: challenges, captchas, sign-in pages. A wall says nothing about the page behind it. Pure."""

from __future__ import annotations

import re
from urllib.parse import unquote

from llmops_catalog.links.exchange import Hop
from llmops_catalog.links.target import Target

SHORT_TEXT = 1500
"""Visible characters of a page that is only a wall."""
_CHALLENGE_TITLES = frozenset((
    "just a moment", "just a second", "one moment", "one moment please", "attention required", "access denied",
    "access to this page has been denied",
    "please wait", "ddos guard", "ddos protection", "security check", "security check required", "security verification", "are you a robot",
    "are you human", "are you a human", "robot or human", "human verification", "verify you are human", "verifying you are human",
    "verify that you are human", "verify that you are a human", "verify you are a human", "pardon our interruption",
    "checking your browser",
    "checking your browser before accessing", "making sure youre not a bot", "bot verification", "bot check",
    "captcha", "captcha challenge",
    "captcha verification", "request rejected", "request blocked", "blocked", "you have been blocked", "sorry you have been blocked",
    "client challenge", "un momento", "einen moment", "einen moment bitte", "un instant",
))  # fmt: skip
"""What pages that are only a wall are called: nothing but this, or this beside the name of a service."""
_SEPARATOR = re.compile(r"\s*[|·•»«—–]\s*|\s-+\s|[.!…:]+(?:\s|$)|\.\.\.")
_CHALLENGE_TEXT = re.compile(
    r"enable javascript and cookies to continue|checking (?:if|your browser)|verify(?:ing)? (?:that )?you are (?:a )?human|unusual traffic|"
    r"complete the (?:captcha|security check)|request unsuccessful|incident id|ray id|automated (?:access|requests|queries)", re.IGNORECASE,
)  # fmt: skip
_WALL_HEADERS = {"cf-mitigated": "", "x-amzn-waf-action": "", "x-datadome": "protected", "x-sucuri-block": ""}
"""Headers only a wall sends,
    and what their value must hold: https://developers.cloudflare.com/cloudflare-challenges/challenge-types/challenge-pages/detect-response/
and https://docs.aws.amazon.com/waf/latest/developerguide/waf-captcha-and-challenge-how-it-works.html."""
_SIGN_IN = re.compile(r"(?:log|sign)[-_]?(?:in|on)|wp-login|users?[-_]?login|servicelogin|sso|auth0?|authenticate|authorize|oauth2?")
_SIGN_IN_PATH = re.compile(
    r"/oauth2?/(?:v\d/)?auth(?:orize)?(?:/|$)|/saml2?(?:/|$)|/openid|/checkpoint/|/session/new|/uas/login|/account/begin_password"
)
_SIGN_IN_HOST = re.compile(r"(?:accounts?|login|signin|sso|auth)\.(?:[^.]+\.)+[^.]+")
_RETURNS = re.compile(
    r"(?:^|&)(?:next|return_?(?:to|url|path)?|redirect(?:_?(?:to|ur[il]))?|continue|callback(?:url)?|referer|service|target|dest)=",
    re.IGNORECASE,
)
"""A sign-in page is told where to send its visitor back to."""
_IS_ABOUT_IT = re.compile(
    r"/(?:docs?|documentation|guides?|reference|manual|help|blog|wiki|tutorials?|learn|support|api|articles?|posts?|cli)(?:/|$)"
)


def wall(hop: Hop) -> str | None:
    """What kind of wall answered, in words; None where a page did."""
    if any(hop.header(name) and part in hop.header(name) for name, part in _WALL_HEADERS.items()):
        return "a challenge for browsers"
    page = hop.page
    if page is None or not page.is_html or hop.status in (404, 410):
        return None
    is_short = page.text_length < SHORT_TEXT // 2 or (page.text_length < SHORT_TEXT and (page.scripts or page.marks))
    if _is_challenge(page.title) and (is_short or hop.status >= 400):
        return f"a challenge for browsers ({page.title[:60]!r})"
    if (
        page.text_length < SHORT_TEXT // 2
        and (page.marks and page.scripts)
        and (_CHALLENGE_TEXT.search(page.text) or page.text_length < 100)
    ):
        return "a challenge for browsers"
    if page.text_length < SHORT_TEXT // 2 and _CHALLENGE_TEXT.search(page.text) and (page.scripts or hop.status >= 400):
        return "a challenge for browsers"
    if hop.status == 202 and page.text_length < 300:
        return "an answer that promises a page later"
    return None


def _is_challenge(title: str) -> bool:
    parts = (" ".join(re.sub(r"[^\w\s]", " ", re.sub(r"['’]", "", part.lower())).split()) for part in _SEPARATOR.split(title[:200]))
    return not _CHALLENGE_TITLES.isdisjoint(parts)


def is_sign_in(target: Target) -> bool:
    """True for the address of a sign-in page."""
    path = unquote(target.plain_path).lower().rstrip("/")
    if _SIGN_IN_HOST.fullmatch(target.host) and path:
        return True
    if _SIGN_IN_PATH.search(path):
        return True
    last = re.sub(r"\.(?:html?|php|aspx?|jsp|do)$", "", path.rpartition("/")[2])
    if not _SIGN_IN.fullmatch(last):
        return False
    return bool(_RETURNS.search(target.path.partition("?")[2])) or (path.count("/") <= 2 and not _IS_ABOUT_IT.search(path))

"""Walls that stand before pages: challenges, captchas, sign-in pages. A wall says nothing about the page behind it. Pure."""

from __future__ import annotations

import re
from urllib.parse import unquote

from llmops_catalog.links.exchange import Hop
from llmops_catalog.links.target import Target

SHORT_TEXT = 1500
"""Visible characters of a page that is only a wall."""
_CHALLENGE_TITLE = re.compile(
    r"just a moment|attention required|access (?:to this page )?(?:has been |is )?denied|please wait|ddos.guard|"
    r"security (?:check|verification)|"
    r"are you (?:a )?(?:human|robot)|robot or human|human verification|verif(?:y|ying) (?:that )?you are (?:a )?human|"
    r"pardon our interruption|making sure you.{0,3}re not a bot|"
    r"checking your browser|one moment, please|bot (?:check|verification|detect)|captcha|request rejected|\bblocked\b|client challenge|"
    r"un momento|einen moment", re.IGNORECASE,
)  # fmt: skip
_CHALLENGE_TEXT = re.compile(
    r"enable javascript and cookies to continue|checking (?:if|your browser)|verify(?:ing)? (?:that )?you are (?:a )?human|unusual traffic|"
    r"complete the (?:captcha|security check)|request unsuccessful|incident id|ray id|automated (?:access|requests|queries)", re.IGNORECASE,
)  # fmt: skip
_WALL_HEADERS = {"cf-mitigated": "", "x-amzn-waf-action": "", "x-datadome": "protected", "x-sucuri-block": ""}
"""Headers only a wall sends, and what their value must hold: https://developers.cloudflare.com/cloudflare-challenges/challenge-types/challenge-pages/detect-response/
and https://docs.aws.amazon.com/waf/latest/developerguide/waf-captcha-and-challenge-how-it-works.html."""
_SIGN_IN = re.compile(r"(?:log|sign)[-_]?(?:in|on)|wp-login|sso|users?[-_]?login|servicelogin|authenticate|auth0?")
_SIGN_IN_PATH = re.compile(
    r"/oauth2?(?:/|$)|/authorize(?:/|$)|/saml2?/|/openid|/checkpoint/|/session/new|/accounts/login|/uas/login|/account/begin_password"
)
_SIGN_IN_HOST = re.compile(r"(?:accounts?|login|signin|sso|auth|idp|id|identity)\.(?:[^.]+\.)+[^.]+")


def wall(hop: Hop) -> str | None:
    """What kind of wall answered, in words; None where a page did."""
    if any(hop.header(name) and part in hop.header(name) for name, part in _WALL_HEADERS.items()):
        return "a challenge for browsers"
    page = hop.page
    if page is None or not page.is_html or hop.status in (404, 410):
        return None
    is_short = page.text_length < SHORT_TEXT // 2 or (page.text_length < SHORT_TEXT and (page.scripts or page.marks))
    if _CHALLENGE_TITLE.search(page.title) and (is_short or hop.status >= 400):
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


def is_sign_in(target: Target) -> bool:
    """True for the address of a sign-in page."""
    path = unquote(target.plain_path).lower().rstrip("/")
    last = re.sub(r"\.(?:html?|php|aspx?|jsp|do)$", "", path.rpartition("/")[2])
    return bool(_SIGN_IN.fullmatch(last) or _SIGN_IN_PATH.search(path) or (_SIGN_IN_HOST.fullmatch(target.host) and last != ""))

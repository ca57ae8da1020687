"""The judge: what each status and each trouble means, word for word."""

from __future__ import annotations

from typing import get_args

import pytest
from judged_exchanges import BROWSER, FIND_IT, PROOFS, URL, hop, moved, of, page

from llmops_catalog.links.exchange import Trouble, TroubleKind
from llmops_catalog.links.policy import is_worth_another_try, judge
from llmops_catalog.links.results import Judgement, Outcome

# --- statuses ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "headers", "told"),
    [
        (200, {}, ("pass", "ok", "", "")),
        (206, {}, ("pass", "ok", "", "")),
        (300, {}, ("pass", "ok", "", "")),
        (304, {}, ("pass", "ok", "unchanged since it was last read", "")),
        (301, {}, ("unknown", "server-error", "it redirects without saying where (301)", BROWSER)),
        (305, {}, ("unknown", "server-error", "it redirects without saying where (305)", BROWSER)),
        (400, {}, ("unknown", "blocked", "it refuses programs, or this request (400)", BROWSER)),
        (401, {}, ("unknown", "login-wall", "it asks for a password (401)", BROWSER)),
        (402, {}, ("unknown", "blocked", "it refuses programs, or this request (402)", BROWSER)),
        (403, {}, ("unknown", "blocked", "it refuses programs, or this request (403)", BROWSER)),
        (403, {"retry_after": "9"}, ("unknown", "rate-limited", "the host asks to come back later (403)", "run it again later")),
        (403, {"x_ratelimit_remaining": "0", "x_ratelimit_reset": "9"},
         ("unknown", "rate-limited", "the host asks to come back later (403)", "run it again later")),
        (404, {}, ("fail", "broken", "not found (404)", FIND_IT)),
        (406, {}, ("unknown", "blocked", "it refuses programs, or this request (406)", BROWSER)),
        (408, {}, ("unknown", "server-error", "the server was not ready (408)", "try again later")),
        (410, {}, ("fail", "broken", "gone for good (410)", FIND_IT)),
        (425, {}, ("unknown", "server-error", "the server was not ready (425)", "try again later")),
        (429, {}, ("unknown", "rate-limited", "the host asks to come back later (429)", "run it again later")),
        (451, {}, ("unknown", "blocked", "it refuses programs, or this request (451)", BROWSER)),
        (500, {}, ("unknown", "server-error", "the server says it has a problem (500)", "try again later")),
        (503, {}, ("unknown", "server-error", "the server says it has a problem (503)", "try again later")),
        (503, {"retry_after": "9"}, ("unknown", "rate-limited", "the host asks to come back later (503)", "run it again later")),
        (599, {}, ("unknown", "server-error", "the server says it has a problem (599)", "try again later")),
        (999, {}, ("unknown", "blocked", "it refuses programs, or this request (999)", BROWSER)),
    ],
)  # fmt: skip
def test_what_a_status_means(status: int, headers: dict[str, str], told: tuple[str, ...]) -> None:
    assert judge(of(hop(status, **headers))) == Judgement(*told, http_status=status, final_url=URL)


def test_two_statuses_are_proof_and_no_other_is() -> None:
    """Whatever stands beside it, with a page or without."""
    for status in range(100, 1000):
        expected = "fail" if status in (404, 410) else "pass" if 200 <= status <= 300 or status == 304 else "unknown"
        for answer in (hop(status), hop(status, page=page()), hop(status, page=page(scripts=3))):
            assert judge(of(answer)).outcome == expected, status


@pytest.mark.parametrize("status", [404, 410])
def test_a_redirect_to_what_is_gone_says_where(status: int) -> None:
    told = judge(moved(301, to="https://new.example/x", ends=status))
    gone = "not found (404)" if status == 404 else "gone for good (410)"
    assert told[:3] == ("fail", "broken", f"{gone} where it redirects to (https://new.example/x)")
    assert (told.final_url, told.better_url) == ("https://new.example/x", None)


@pytest.mark.parametrize("status", [401, 403, 408, 429, 451, 500, 503, 999])
def test_a_redirect_to_a_wall_says_where_and_fails_nobody(status: int) -> None:
    told = judge(moved(301, to="https://new.example/x", ends=status))
    assert told.outcome == "unknown"
    assert told.reason.endswith(f"({status}) where it redirects to (https://new.example/x)")


def test_nothing_asked_is_nothing_known() -> None:
    assert judge(of()) == Judgement("unknown", "skipped", "it was not asked", "run it again")


# --- troubles ---------------------------------------------------------------------------------------------------------


TROUBLES: dict[TroubleKind, tuple[Outcome, str, str]] = {
    "bad-address": ("unknown", "refused", "write the whole address: https://host/path"),
    "forbidden-address": ("unknown", "refused", "link to a page everybody can open; --allow-address CIDR allows a range"),
    "no-such-host": ("fail", "broken", "check the spelling; if the site is gone, find where its pages went"),
    "resolver": ("unknown", "timeout", "try again later"),
    "no-network": ("unknown", "timeout", "check the network of this machine"),
    "refused": ("fail", "broken", "nothing answers there; find where its pages went"),
    "reset": ("fail", "broken", "open it in a browser; if it is gone, find where its pages went"),
    "unreachable": ("unknown", "timeout", "try again later, or from another network"),
    "certificate": ("fail", "broken", "browsers warn every reader; tell its owner, or link elsewhere"),
    "incomplete-chain": ("unknown", "blocked", "readers' browsers open it; its owner should send the whole chain"),
    "tls": ("unknown", "blocked", BROWSER),
    "timeout": ("unknown", "timeout", "try again later, or with a longer --timeout"),
    "protocol": ("unknown", "server-error", BROWSER),
    "too-large": ("unknown", "server-error", BROWSER),
    "redirect-circle": ("unknown", "server-error", BROWSER),
    "too-many-redirects": ("unknown", "server-error", BROWSER),
    "given-up": ("unknown", "rate-limited", "run it again later; with --state only what is due is asked"),
}


def test_every_trouble_is_in_the_table() -> None:
    assert set(TROUBLES) == set(get_args(TroubleKind))
    assert {kind for kind, told in TROUBLES.items() if told[0] == "fail"} == PROOFS


@pytest.mark.parametrize("kind", TROUBLES)
def test_what_a_trouble_means(kind: TroubleKind) -> None:
    outcome, verdict, hint = TROUBLES[kind]
    assert judge(of(trouble=Trouble(kind, "so it was"))) == Judgement(outcome, verdict, "so it was", hint)


@pytest.mark.parametrize("kind", TROUBLES)
def test_a_trouble_behind_redirects_tells_how_many(kind: TroubleKind) -> None:
    outcome, verdict, hint = TROUBLES[kind]
    told = judge(of(hop(301), hop(302, "https://site.example/b"), trouble=Trouble(kind, "so it was")))
    assert (told.outcome, told.verdict) == (outcome, verdict)
    assert (told.final_url, told.http_status) == ("https://site.example/b", 302)
    says_itself = kind in ("bad-address", "redirect-circle", "too-many-redirects")
    assert told.reason == ("so it was" if says_itself else "after 2 redirects: so it was")
    assert told.hint == ("open it in a browser; what it redirects to is not followed" if kind == "bad-address" else hint)
    assert judge(of(hop(301), trouble=Trouble("refused", "it was"))).reason == "after 1 redirect: it was"


RETRIED = {"no-such-host", "resolver", "refused", "reset", "unreachable", "timeout", "tls", "protocol"}


@pytest.mark.parametrize("kind", TROUBLES)
def test_which_troubles_are_tried_again(kind: TroubleKind) -> None:
    assert is_worth_another_try(of(trouble=Trouble(kind, ""))) == (kind in RETRIED)
    assert is_worth_another_try(of(hop(301), trouble=Trouble(kind, ""))) == (kind in RETRIED)


def test_what_is_proof_was_tried_more_than_once_unless_no_try_could_change_it() -> None:
    assert {"certificate"} == PROOFS - RETRIED


def test_which_statuses_are_tried_again() -> None:
    again = [status for status in range(100, 1000) if is_worth_another_try(of(hop(status)))]
    assert again == [408, 421, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 525, 526, 527, 530]


def test_a_403_that_says_when_is_tried_again_and_nothing_asked_is_not() -> None:
    assert is_worth_another_try(of(hop(403, retry_after="1")))
    assert not is_worth_another_try(of())

"""Exceptions of the link check: what they turn a judgement into, when they are problems, and which patterns cannot hang it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from llmops_catalog.catalog.check import check_folder
from llmops_catalog.errors import CatalogInvalid
from llmops_catalog.links.exceptions import Exceptions, load_exceptions
from llmops_catalog.links.results import Judgement
from llmops_catalog.schema.exceptions import MAX_MATCHED, MAX_PATTERN, MOST_WAYS, LinkException, ways_to_match

ENTRY = "  - {{{target}, expect: {expect}, reason: shows a wall, since: 2026-11-20, until: {until}, owner: maintainers}}\n"
OK = Judgement("pass", "ok", http_status=200)
GONE = Judgement("fail", "broken", "the server says 404", "look for its new address", 404)
SLOW = Judgement("unknown", "timeout", "no answer in 20 s")
URL = "https://walled.org/page"


def exceptions(folder: Path, *entries: tuple[str, str, str]) -> Exceptions:
    """Loaded from a file with these: target, expectation, end."""
    text = "".join(ENTRY.format(target=target, expect=expect, until=until) for target, expect, until in entries)
    (folder / "catalog").mkdir(exist_ok=True)
    (folder / "catalog/link-exceptions.yaml").write_text(f"# few\nexceptions:\n{text}" if entries else "exceptions: []\n")
    return load_exceptions(folder / "catalog")


def of_prefix(folder: Path, expect: str) -> Exceptions:
    return exceptions(folder, ('prefix: "https://walled.org/"', expect, "2027-05-20"))


def test_what_is_to_be_skipped_is_not_asked(tmp_path: Path) -> None:
    told = of_prefix(tmp_path, "skip")
    skipped = Judgement("pass", "skipped", "not asked: shows a wall (exception until 2027-05-20)")
    assert told.skipped(URL) == skipped
    assert told.applied(URL, GONE) == skipped
    assert told.skipped("https://walled.org") is None


@pytest.mark.parametrize("expect", ["unknown", "fail"])
def test_an_expected_failure_is_unknown(tmp_path: Path, expect: str) -> None:
    told = of_prefix(tmp_path, expect)
    assert told.skipped(URL) is None
    judged = told.applied(URL, GONE)
    assert judged == GONE._replace(outcome="unknown", reason="the server says 404; expected until 2027-05-20: shows a wall")
    assert told.applied(URL, SLOW) == SLOW
    assert told.applied("https://other.org/", GONE) == GONE


def test_a_failure_that_does_not_come_makes_the_exception_superfluous(tmp_path: Path) -> None:
    assert of_prefix(tmp_path, "unknown").applied(URL, OK) == OK
    judged = of_prefix(tmp_path, "fail").applied(URL, OK)
    assert (judged.outcome, judged.hint) == ("pass", "the exception for it in catalog/link-exceptions.yaml is no longer needed: remove it")


def test_a_pattern_matches_the_whole_address_and_the_first_entry_decides(tmp_path: Path) -> None:
    told = exceptions(
        tmp_path, (r"pattern: 'https://walled\.org/\d+'", "skip", "2027-05-20"), ('prefix: "https://walled.org/1"', "fail", "2027-05-20")
    )
    assert told.skipped("https://walled.org/12")
    assert told.skipped("https://walled.org/12/") is None
    assert told.applied("https://walled.org/12/", GONE).outcome == "unknown"
    assert told.applied("https://walledxorg/12", GONE) == GONE


def test_no_file_is_no_exception(tmp_path: Path) -> None:
    (tmp_path / "catalog").mkdir()
    for told in (load_exceptions(tmp_path / "catalog"), exceptions(tmp_path), Exceptions()):
        assert (told.entries, told.expired("2099-01-01"), told.unused([])) == ((), (), ())
        assert told.applied(URL, GONE) == GONE


def test_an_expired_exception_is_an_error_here_and_a_warning_to_validate(tmp_path: Path) -> None:
    told = exceptions(tmp_path, ('prefix: "https://a.org/"', "fail", "2026-12-01"), ('prefix: "https://b.org/"', "fail", "2099-12-31"))
    assert told.expired("2026-12-01") == ()
    (problem,) = told.expired("2026-12-02")
    assert (problem.place, problem.code, problem.level) == ("catalog/link-exceptions.yaml:3:5", "expired-exception", "error")
    assert "'https://a.org/' ended on 2026-12-01" in problem.message
    assert told.applied("https://a.org/", GONE).outcome == "unknown"

    ended = ENTRY.format(target='prefix: "https://a.org/"', expect="fail", until="2021-01-01").replace("2026-11-20", "2020-01-01")
    (tmp_path / "catalog/link-exceptions.yaml").write_text(f"exceptions:\n{ended}")
    (warning,) = check_folder(tmp_path / "catalog").problems
    assert load_exceptions(tmp_path / "catalog").expired("2021-01-02") == (warning._replace(level="error"),)
    assert warning.level == "warning"


def test_an_unused_exception_is_a_warning(tmp_path: Path) -> None:
    told = exceptions(tmp_path, ('prefix: "https://a.org/"', "fail", "2027-05-20"), ('prefix: "https://b.org/"', "skip", "2027-05-20"))
    (problem,) = told.unused([URL, "https://a.org/x"])
    assert (problem.place, problem.code, problem.level) == ("catalog/link-exceptions.yaml:4:5", "unused-exception", "warning")
    assert [one.line for one in told.unused([])] == [3, 4]
    assert told.unused(["https://a.org/", "https://b.org/"]) == ()


@pytest.mark.parametrize("content", [b"exceptions: [", b"\xff", b"exceptions: [{prefix: x}]", b"other: 1", b"", b"x" * 300_000])
def test_a_file_that_is_not_valid_stops_the_check(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "catalog").mkdir()
    (tmp_path / "catalog/link-exceptions.yaml").write_bytes(content)
    with pytest.raises(CatalogInvalid) as caught:
        load_exceptions(tmp_path / "catalog")
    assert caught.value.problems == check_folder(tmp_path / "catalog").problems


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "catalog").mkdir()
    (tmp_path / "catalog/link-exceptions.yaml").symlink_to("/dev/zero")
    with pytest.raises(CatalogInvalid):
        load_exceptions(tmp_path / "catalog")


# --- patterns ---------------------------------------------------------------------------------------------------------


def entry(pattern: str) -> LinkException:
    return LinkException(pattern=pattern, expect="skip", reason="x", since="2026-11-20", until="2027-05-20", owner="me")


@pytest.mark.parametrize(("pattern", "matching"), [
    (r"https://example\.org/\d+", "https://example.org/12"), (r"https?://(www\.)?x\.org/.*", "http://www.x.org/a"),
    (r"https://(?:a|b)\.org/[\w.-]+/[^/]*", "https://b.org/c-d/"), (r"https://x\.org/a{2}b{1,3}c{0,}", "https://x.org/aabbccc"),
    (r"https://x\.org/\?q=.+", "https://x.org/?q=1"), ("https://x.org", "https://x_org"),
])  # fmt: skip
def test_useful_patterns_are_allowed(pattern: str, matching: str) -> None:
    assert entry(pattern).covers(matching)
    assert not entry(pattern).covers(f" {matching}")


@pytest.mark.parametrize("pattern", [
    "(a+)+b", "(a|a)*b", "(a?){30}b", "(a|ab)+c", r"(a)\1", "(?=x)", "(?i)x", "(?P<n>x)", "(?#x)", "((a))", "^a", "a$", r"\b", "a|b", "a**",
    "a*?",    "a*+", "[", "[z-a]", "[[a]", "[a--b]", "(", "a{2,1}", "a{1000}", ".*.*.*x", "a{0,}b+c*", "x?" * 22 + "x", "(a|b)" * 22,
    "a{0,900}.*.{0,900}",
    "x" * (MAX_PATTERN + 1), "\\",
])  # fmt: skip
def test_patterns_without_a_bound_are_refused(pattern: str) -> None:
    with pytest.raises(ValidationError) as caught:
        entry(pattern)
    assert caught.value.error_count() == 1


def test_the_worst_allowed_patterns_end() -> None:
    for pattern, char in (
        (".*.*b", "a"),
        ("a*a*b", "a"),
        ("(a|a)" * 10 + "a*" + "b", "a"),
        ("x?" * 21 + "x" * 60 + "b", "x"),
        (".*a.*b", "a"),
    ):
        assert not entry(pattern).covers(char * MAX_MATCHED)
    assert not entry(".*").covers("a" * (MAX_MATCHED + 1))


@given(st.text(alphabet="ab.*+?()[]{}|\\^$,1-dw", max_size=MAX_PATTERN))
def test_whatever_is_allowed_is_bounded(pattern: str) -> None:
    try:
        accepted = entry(pattern)
    except ValidationError:
        return
    assert 1 <= ways_to_match(pattern) <= MOST_WAYS
    accepted.covers("ab" * 500)

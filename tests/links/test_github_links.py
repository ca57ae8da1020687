"""Links into GitHub: moved, archived, gone, private, and what the API cannot tell."""

from __future__ import annotations

import json
from typing import Any

import pytest
from graphql_double import github, repository
from site_double import SILENT, Reply, fixture, judged, site, verdicts

from llmops_catalog.links.hosts.github import QUESTIONS_AT_ONCE, GitHub, target

API = "https://api.github.com/graphql"
HUB = "https://github.com"
KEY = "secret"


def told(urls: list[str], repositories: dict[str, Any], pages: dict[str, Reply] | None = None, seen: list[Any] | None = None) -> Any:
    with site() as double:
        double.replies = {API: github(repositories, seen), **(pages or {})}
        return judged(GitHub(token=KEY), urls, double.ask)


def test_repositories_files_and_numbers_are_proved_by_the_api() -> None:
    holds = {"object": {"main:docs/a b.md", "v1:", "abc1234"}, "issueOrPullRequest": {5, 6}, "discussion": {7}, "release": {"v1/beta"}}
    good = [
        "",
        "/",
        ".git",
        "#readme",
        "/blob/main/docs/a%20b.md#L10-L20",
        "/blob/main/docs/a%20b.md#L3C1-L4C2",
        "/commit/abc1234",
        "/tree/abc1234",
    ]
    good += ["/issues/5", "/pull/6", "/pull/6/files", "/discussions/7", "/releases/tag/v1/beta"]
    urls = [f"{HUB}/Some-Org/Repo.py{rest}" for rest in good] + ["https://raw.githubusercontent.com/some-org/repo.py/main/docs/a%20b.md"]
    assert set(verdicts(told(urls, {"some-org/repo.py": repository("Some-Org/Repo.py", holds)})).values()) == {"ok"}


def test_what_the_api_cannot_prove_is_left_to_the_page() -> None:
    holds = {"object": {"main:README.md"}, "issueOrPullRequest": {5}}
    open_ends = [
        "/blob/main/README.md#usage",
        "/blob/main/GONE.md",
        "/blob/feature/x/README.md",
        "/issues/5#issuecomment-1",
        "/issues/6",
        "/wiki",
    ]
    open_ends += ["/actions", "#installation", "/releases", "/blob/main", "/blob/:main/x", "/issues/99999999999"]
    urls = [f"{HUB}/o/r{rest}" for rest in open_ends]
    assert set(verdicts(told(urls, {"o/r": repository("o/r", holds)})).values()) == {None}


def test_a_repository_that_moved_keeps_the_rest_of_the_address() -> None:
    new = repository("New-Org/new.name", {"object": {"main:a.md"}, "issueOrPullRequest": {5}})
    urls = [f"{HUB}/old/name", f"{HUB}/old/name/blob/main/a.md?plain=1#L5", f"{HUB}/old/name/issues/5", f"{HUB}/old/name/blob/main/lost.md"]
    urls += ["https://raw.githubusercontent.com/old/name/main/a.md", f"{HUB}/old/name/wiki", "http://github.com/Old/Name.git"]
    found = told(urls, {"old/name": new})
    assert [judgement and judgement.better_url for judgement in found.values()] == [
        f"{HUB}/New-Org/new.name", f"{HUB}/New-Org/new.name/blob/main/a.md?plain=1#L5", f"{HUB}/New-Org/new.name/issues/5", None,
        "https://raw.githubusercontent.com/New-Org/new.name/main/a.md", None, f"{HUB}/New-Org/new.name",
    ]  # fmt: skip
    assert found[urls[0]]._replace(better_url=None, final_url=None) == (
        "pass", "redirected-permanent", "the repository is called New-Org/new.name now", "write the new address", None, None, None, None,
    )  # fmt: skip


def test_only_another_spelling_is_no_move() -> None:
    assert verdicts(told([f"{HUB}/OLD/Name"], {"old/name": repository("Old/name")})) == {f"{HUB}/OLD/Name": "ok"}


def test_an_archived_repository_passes_with_a_hint() -> None:
    found = told([f"{HUB}/o/r"], {"o/r": repository("o/r", isArchived=True, archivedAt="2024-05-06T07:08:09Z")})
    assert found[f"{HUB}/o/r"][:4] == ("pass", "ok", "", "archived: read-only since 2024-05-06")


def test_a_missing_repository_is_dead_only_where_its_page_is_missing_too() -> None:
    urls = [f"{HUB}/o/gone#readme", f"{HUB}/o/gone/blob/main/a.md", f"{HUB}/topics/llm", f"{HUB}/o/limited"]
    pages = {f"{HUB}/o/gone": Reply(404), f"{HUB}/o/gone/blob/main/a.md": Reply(404), f"{HUB}/topics/llm": Reply(200)}
    found = told(urls, {}, {**pages, f"{HUB}/o/limited": Reply(429)})
    assert list(verdicts(found).values()) == ["broken", "broken", None, None]
    assert found[urls[0]][:3] == ("fail", "broken", "no such repository on GitHub, or it is private")


def test_the_token_goes_to_the_api_alone() -> None:
    with site() as double:
        double.replies = {API: github({}), f"{HUB}/o/gone": Reply(404)}
        judged(GitHub(token=KEY), [f"{HUB}/o/gone"], double.ask)
        assert [(asked.method, asked.url, asked.token) for asked in double.asked] == [
            ("POST", API, KEY),
            ("HEAD", f"{HUB}/o/gone", None),
        ]


def test_a_private_repository_is_a_wall_and_a_disabled_one_is_left_to_the_page() -> None:
    repositories = {"o/private": repository("o/private", isPrivate=True), "o/off": repository("o/off", isDisabled=True)}
    assert list(verdicts(told([f"{HUB}/o/private", f"{HUB}/o/off"], repositories)).values()) == ["login-wall", None]


def test_hundreds_of_links_are_few_questions() -> None:
    seen: list[dict[str, Any]] = []
    urls = [f"{HUB}/o/r{number}" for number in range(150)] + [f"{HUB}/o/big/blob/main/{number}.md" for number in range(150)]
    repositories = {f"o/r{number}": repository(f"o/r{number}") for number in range(150)}
    repositories["o/big"] = repository("o/big", {"object": {f"main:{number}.md" for number in range(150)}})
    assert set(verdicts(told(urls, repositories, seen=seen)).values()) == {"ok"}
    assert len(seen) == 300 / QUESTIONS_AT_ONCE


def test_names_and_paths_travel_as_variables() -> None:
    seen: list[dict[str, Any]] = []
    told([f'{HUB}/o/r/blob/main/"){{viewer{{login}}}}%22%7D.md'], {"o/r": repository("o/r")}, seen=seen)
    assert "viewer" not in seen[0]["query"]
    assert seen[0]["variables"] == {"v0": 'main:"){viewer{login}}"}.md', "o0": "o", "n0": "r"}


def test_without_a_token_nothing_is_asked() -> None:
    with site() as double:
        assert verdicts(judged(GitHub(), [f"{HUB}/o/r"], double.ask)) == {f"{HUB}/o/r": None}
        assert double.asked == []


@pytest.mark.parametrize("status", [401, 403, 429])
def test_a_refused_token_or_spent_budget_stops_the_questions(status: int) -> None:
    with site() as double:
        double.otherwise = Reply(status, b'{"message": "Bad credentials"}', {"x-ratelimit-remaining": "0"})
        urls = [f"{HUB}/o/r{number}" for number in range(250)]
        assert set(verdicts(judged(GitHub(token=KEY), urls, double.ask)).values()) == {None}
        assert len(double.asked) == 1


@pytest.mark.parametrize(
    "answer",
    [
        fixture("github/not_found.json"),
        Reply(200, b'{"data": null, "errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]}'),
        Reply(200, b'{"data": {"r0": null}, "errors": [{"type": "FORBIDDEN", "path": ["r0"], "message": "SAML"}]}'),
        Reply(
            200, b'{"data": {"r0": null}, "errors": [{"type": "NOT_FOUND", "path": ["r0", "q0"]}, {"type": "NOT_FOUND", "path": [["r0"]]}]}'
        ),
        Reply(200, b'{"data": {"r0": null}, "errors": {"type": "NOT_FOUND"}}'),
        Reply(200, json.dumps({"data": {"r0": {"nameWithOwner": "a/../../evil", "isPrivate": False}}}).encode()),
        Reply(200, json.dumps({"data": {"r0": {"nameWithOwner": 5}}}).encode()),
        Reply(502, b"<html>"),
        SILENT,
    ],
)
def test_no_other_answer_proves_anything(answer: Reply) -> None:
    with site() as double:
        double.otherwise = answer
        assert verdicts(judged(GitHub(token=KEY), [f"{HUB}/o/r"], double.ask)) == {f"{HUB}/o/r": None}


@pytest.mark.parametrize(
    "url",
    [
        HUB,
        f"{HUB}/",
        f"{HUB}/owner",
        "https://gist.github.com/u/1",
        "https://github.com.evil.test/o/r",
        "https://user@github.com/o/r",
        "https://github.com:8443/o/r",
        "ftp://github.com/o/r",
        f"{HUB}/o/..",
        f"{HUB}/o/%2e%2e",
        f"{HUB}/o/r%0d%0aX",
        f"{HUB}/ö/r",
        f"{HUB}/-o/r",
    ],
)
def test_other_addresses_are_not_claimed(url: str) -> None:
    assert target(url) is None


def test_the_environment_names_api_and_token(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_API_URL", "GITHUB_TOKEN", "GH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    assert (GitHub.from_environment().api, GitHub.from_environment().token) == ("https://api.github.com", None)
    monkeypatch.setenv("GH_TOKEN", f" {KEY} ")
    assert GitHub.from_environment().token == KEY
    monkeypatch.setenv("GITHUB_TOKEN", KEY)
    monkeypatch.setenv("GITHUB_API_URL", "https://git.example.org/api/v3/")
    assert (GitHub.from_environment().api, GitHub.from_environment().token) == ("https://git.example.org/api/v3", KEY)

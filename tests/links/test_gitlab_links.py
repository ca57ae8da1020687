"""Links into GitLab: moved, archived, closed, and groups that are no projects."""

from __future__ import annotations

import json

import pytest
from site_double import Reply, Site, fixture, judged, site, verdicts

from llmops_catalog.links.hosts.gitlab import GitLab, project

API = "https://gitlab.com/api/v4/projects/"
HUB = "https://gitlab.com"
KEY = "secret"
MISSING = Reply(404, b'{"message":"404 Project Not Found"}')


def entry(name: str, **fields: object) -> Reply:
    return Reply(200, json.dumps({"path_with_namespace": name, "visibility": "public", "archived": False, **fields}).encode())


def test_a_project_is_there_and_its_inner_pages_are_left_to_the_page() -> None:
    with site() as double:
        double.replies[f"{API}group%2Fsub%2Fproject%2Ejs"] = entry("Group/sub/project.js")
        urls = [f"{HUB}/group/sub/project.js", f"{HUB}/group/sub/project.js.git", f"{HUB}/group/sub/project.js/-/blob/main/a.md"]
        urls += [f"{HUB}/group/sub/project.js#readme", f"{HUB}/group/sub/project.js/tree/main"]
        assert list(verdicts(judged(GitLab(), urls, double.ask)).values()) == ["ok", "ok", None, None, None]
        assert len(double.asked) == 1


def test_an_archived_project_passes_with_a_hint() -> None:
    with site() as double:
        double.replies[f"{API}o%2Fr"] = entry("o/r", archived=True)
        assert judged(GitLab(), [f"{HUB}/o/r"], double.ask)[f"{HUB}/o/r"][:4] == ("pass", "ok", "", "archived: read-only")


def moved(double: Site) -> None:
    location = {"Location": "http://gitlab.example.com/api/v4/projects/81"}
    double.replies[f"{API}gitlab-org%2Fold-path-project"] = Reply(301, b"This resource has been moved permanently to ...", location)
    double.replies[f"{API}81"] = fixture("gitlab/project.json")


def test_a_project_that_moved_keeps_the_rest_of_the_address_where_that_is_there() -> None:
    new = f"{HUB}/gitlab-org/new-path-project"
    with site() as double:
        moved(double)
        double.replies |= {new: Reply(200), f"{new}/-/blob/main/a.md": Reply(200), f"{new}/-/blob/main/lost.md": Reply(404)}
        old = f"{HUB}/gitlab-org/old-path-project"
        found = judged(GitLab(), [old, f"{old}/-/blob/main/a.md#L3", f"{old}/-/blob/main/lost.md"], double.ask)
        assert [judgement and judgement.better_url for judgement in found.values()] == [new, f"{new}/-/blob/main/a.md#L3", None]
        assert all(url.startswith(HUB) for url in double.urls)


@pytest.mark.parametrize(
    ("page", "verdict"),
    [
        (Reply(404), "broken"),
        (Reply(302, headers={"Location": "https://gitlab.com/users/sign_in"}), "broken"),
        (Reply(302, headers={"Location": "https://gitlab.com/new/place"}), None),
        (Reply(200), None),
        (Reply(403), None),
    ],
)
def test_what_the_api_does_not_know_is_dead_only_where_the_page_is_closed_too(page: Reply, verdict: str | None) -> None:
    with site() as double:
        double.replies = {f"{API}group%2Fsubgroup": MISSING, f"{HUB}/group/subgroup": page}
        urls = [f"{HUB}/group/subgroup", f"{HUB}/group/subgroup/-/issues/1"]
        assert list(verdicts(judged(GitLab(), urls, double.ask)).values()) == [verdict, verdict]


def test_the_token_goes_to_the_api_alone_and_what_only_it_may_see_is_a_wall() -> None:
    with site() as double:
        double.replies = {
            f"{API}o%2Fhidden": entry("o/hidden", visibility="private"),
            f"{API}o%2Fgone": MISSING,
            f"{HUB}/o/gone": Reply(404),
        }
        found = judged(GitLab(token=KEY), [f"{HUB}/o/hidden", f"{HUB}/o/gone"], double.ask)
        assert list(verdicts(found).values()) == ["login-wall", "broken"]
        assert {asked.token for asked in double.asked if asked.url.startswith(API)} == {KEY}
        assert {asked.token for asked in double.asked if not asked.url.startswith(API)} == {None}


@pytest.mark.parametrize(
    "url", [HUB, f"{HUB}/group", f"{HUB}/users/someone", f"{HUB}/explore/projects", "https://gitlab.example.com/o/r", f"{HUB}/o/.."]
)
def test_other_addresses_are_not_claimed(url: str) -> None:
    assert project(url) is None


def test_the_environment_names_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITLAB_TOKEN", KEY)
    assert GitLab.from_environment().token == KEY

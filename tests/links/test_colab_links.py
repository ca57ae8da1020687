"""Links to Colab, Drive, Docs and Kaggle: the notebook behind the page, and sign-in walls."""

from __future__ import annotations

import pytest
from graphql_double import github, repository
from site_double import FIXTURES, SILENT, Reply, judged, site, verdicts

from llmops_catalog.links.hosts.colab import Colab, notebook
from llmops_catalog.links.hosts.github import GitHub
from llmops_catalog.links.hosts.google import Google, document
from llmops_catalog.links.hosts.kaggle import Kaggle, thing

COLAB, HUB, RAW = "https://colab.research.google.com", "https://github.com", "https://raw.githubusercontent.com"
KEY = "secret"
DRIVE = "https://drive.google.com/file/d/1IzLci8q3UoWhHlWyi-ava7mms9DVSLGL/view"
SIGN_IN = Reply(302, headers={"Location": (FIXTURES / "google/sign_in.txt").read_text().strip()})


def test_a_notebook_on_github_is_looked_for_where_it_lies() -> None:
    pinned, branch = f"{COLAB}/github/o/r/blob/15f59b0/a%20b.ipynb#scrollTo=x", f"{COLAB}/github/o/r/blob/main/nb.ipynb"
    with site() as double:
        double.replies = {f"{RAW}/o/r/15f59b0/a%20b.ipynb": Reply(200), f"{RAW}/o/r/main/nb.ipynb": Reply(200)}
        found = judged(Colab(GitHub()), [pinned, branch], double.ask)
    assert found[pinned][:4] == ("pass", "ok", "", "")
    assert found[branch][:4] == ("pass", "ok", "", "pin it to a commit: 'main' can change or lose the file")


@pytest.mark.parametrize(
    ("raw", "page", "verdict"),
    [
        (404, 404, "broken"),
        (404, 200, "ok"),
        (404, 503, None),
        (404, 429, "rate-limited"),
        (429, 0, "rate-limited"),
        (500, 0, None),
        (301, 0, None),
    ],
)
def test_a_missing_notebook_is_dead_only_where_its_page_is_missing_too(raw: int, page: int, verdict: str | None) -> None:
    url = f"{COLAB}/github/o/r/blob/15f59b0/nb.ipynb"
    with site() as double:
        double.replies = {f"{RAW}/o/r/15f59b0/nb.ipynb": Reply(raw), f"{HUB}/o/r/blob/15f59b0/nb.ipynb": Reply(page)}
        assert verdicts(judged(Colab(GitHub()), [url], double.ask)) == {url: verdict}


def test_with_a_token_the_api_answers_for_all_of_them() -> None:
    here, moved = f"{COLAB}/github/o/r/blob/main/nb.ipynb", f"{COLAB}/github/old/r/blob/15f59b0/nb.ipynb#scrollTo=x"
    repositories = {
        "o/r": repository("o/r", {"object": {"main:nb.ipynb"}}, isArchived=True),
        "old/r": repository("new/r", {"object": {"15f59b0:nb.ipynb"}}),
    }
    with site() as double:
        double.replies["https://api.github.com/graphql"] = github(repositories)
        found = judged(Colab(GitHub(token=KEY)), [here, moved], double.ask)
        assert len(double.asked) == 1
    assert found[here].hint == "archived: read-only; pin it to a commit: 'main' can change or lose the file"
    assert found[moved].verdict == "redirected-permanent"
    assert found[moved].better_url == f"{COLAB}/github/new/r/blob/15f59b0/nb.ipynb#scrollTo=x"


def test_gists_and_drive_notebooks() -> None:
    gist, shared, closed = (
        f"{COLAB}/gist/someone/0123456789abcdef/nb.ipynb",
        f"{COLAB}/drive/1IzLci8q3UoWhHlWyi?usp=sharing",
        f"{COLAB}/drive/1b6nqC7UZVt8bx",
    )
    with site() as double:
        double.replies = {
            "https://gist.github.com/someone/0123456789abcdef": Reply(404),
            "https://drive.google.com/file/d/1IzLci8q3UoWhHlWyi/view?usp=sharing": Reply(200),
            "https://drive.google.com/file/d/1b6nqC7UZVt8bx/view": SIGN_IN,
        }
        assert list(verdicts(judged(Colab(GitHub()), [gist, shared, closed], double.ask)).values()) == ["broken", "ok", "login-wall"]


@pytest.mark.parametrize(
    "url",
    [
        COLAB,
        f"{COLAB}/notebooks/intro.ipynb",
        f"{COLAB}/github/o/r",
        f"{COLAB}/drive/x",
        "https://colab.google.com/github/o/r/blob/main/a.ipynb",
    ],
)
def test_other_addresses_of_colab_are_not_claimed(url: str) -> None:
    assert notebook(url) is None


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (Reply(200, b"<html>"), "ok"),
        (Reply(404), "broken"),
        (SIGN_IN, "login-wall"),
        (Reply(401), "login-wall"),
        (Reply(403), None),
        (Reply(429), "rate-limited"),
        (SILENT, None),
    ],
)
def test_a_file_on_drive(answer: Reply, verdict: str | None) -> None:
    with site() as double:
        double.replies[DRIVE] = answer
        assert verdicts(judged(Google(), [f"{DRIVE}#gid=0"], double.ask)) == {f"{DRIVE}#gid=0": verdict}


@pytest.mark.parametrize(
    ("location", "verdict"),
    [
        (DRIVE, "ok"),
        ("/file/d/1IzLci8q3UoWhHlWyi-ava7mms9DVSLGL/view", "ok"),
        ("https://elsewhere.test/", None),
        ("", None),
        ("https://[", None),
    ],
)
def test_redirects_are_followed_within_google_only(location: str, verdict: str | None) -> None:
    url = "https://drive.google.com/open?id=1IzLci8q3UoWhHlWyi-ava7mms9DVSLGL"
    with site() as double:
        double.replies = {url: Reply(302, headers={"Location": location}), DRIVE: Reply(200)}
        assert verdicts(judged(Google(), [url], double.ask)) == {url: verdict}
        assert "elsewhere" not in str(double.urls)


def test_a_circle_of_redirects_ends() -> None:
    with site() as double:
        double.otherwise = Reply(302, headers={"Location": DRIVE})
        assert verdicts(judged(Google(), [DRIVE], double.ask)) == {DRIVE: None}


def test_which_addresses_are_documents() -> None:
    assert document("https://docs.google.com/document/d/e/2PACX-1vQabcdefghij/pub")
    assert document("https://forms.gle/abcDEF123")
    assert not document("https://docs.google.com/")
    assert not document("https://drive.google.com/drive/my-drive")
    assert not document("https://sites.google.com/view/some-long-site-name")


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (Reply(200), "ok"), (Reply(404), "broken"), (Reply(302, headers={"Location": "/account/login?returnUrl=%2Fcode"}), "login-wall"),
        (Reply(301, headers={"Location": "/datasets/o/new"}), None), (Reply(403), None), (Reply(429), None),
    ],
)  # fmt: skip
def test_kaggle(answer: Reply, verdict: str | None) -> None:
    url = "https://www.kaggle.com/datasets/owner/name"
    with site() as double:
        double.replies[url] = answer
        assert verdicts(judged(Kaggle(), [url], double.ask)) == {url: verdict}


def test_which_addresses_of_kaggle_are_claimed() -> None:
    assert all(thing(f"https://www.kaggle.com/{path}") for path in ("code/u/n", "competitions/c", "c/c", "models/google/gemma"))
    assert not any(thing(f"https://www.kaggle.com/{path}") for path in ("", "datasets", "user", "user/old-dataset", "learn/intro"))

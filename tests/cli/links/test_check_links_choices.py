"""What `check-links` is asked about: lists of addresses, parts of a check, what has changed, one address explained."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from catalog_site import HERE, L4, Site, check
from commands import run_in
from hub_double import serving_hub
from misbehaving import World
from page_answers import FILE, page, redirect

# --- lists of addresses -----------------------------------------------------------------------------------------------


def test_addresses_on_the_line(world: World) -> None:
    host = world.host("line")
    well, gone = host.page("/well", FILE), host.url("/gone")
    world.start()
    answer = check("--url", well, "--url", gone, "--url", well, "--format", "json")
    assert answer.code == 1
    assert [(link["url"], link["verdict"], link["places"]) for link in answer.json["links"]] == [(well, "ok", []), (gone, "broken", [])]
    assert check("--url", well).out == "1 link: 1 pass, 0 fail, 0 unknown\n"
    assert check("--url", gone).out.startswith(f"{gone}: error[broken]: not found (404)\n  help: ")


def test_addresses_in_a_file(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = world.host("file")
    well, gone = host.page("/well", FILE), host.url("/gone")
    world.start()
    text = f"\ufeff# mine\r\n\r\n  {gone}\r\n{well}\r\n{gone}\n#{well}"
    (tmp_path / "urls.txt").write_bytes(text.encode())
    monkeypatch.chdir(tmp_path)
    links = check("--urls-from", "urls.txt", "--format", "json").json["links"]
    assert [(link["url"], [(place["line"], place["column"]) for place in link["places"]]) for link in links] == [
        (gone, [(3, 3), (5, 1)]),
        (well, [(4, 1)]),
    ]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    piped = check("--urls-from", "-", "--format", "json").json["links"]
    assert [link["url"] for link in piped] == [gone, well]
    (tmp_path / "empty.txt").write_text("# nothing\n")
    assert check("--urls-from", "empty.txt").out == "0 links: 0 pass, 0 fail, 0 unknown\n"
    (tmp_path / "odd.txt").write_bytes(b"\xff\xfe\x00http://\n" + b"x" * 100_000 + b"\n\x1b[31m\n")
    odd = check("--urls-from", "odd.txt")
    assert odd.code == 0
    assert "\x1b" not in odd.out


def test_no_hub_link_is_needed_for_a_list(world: World) -> None:
    """Without --no-hub too: a list has no models, and nobody is asked about any."""
    url = world.host("list").page("/well", FILE)
    world.start()
    with serving_hub() as hub:
        answer = run_in(None, "check-links", *HERE, "--url", url, "--format", "json", HF_ENDPOINT=hub.url)
        assert (answer.code, answer.json["models"]) == (0, [])
        assert hub.seen == []


# --- parts of a check -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 3])
def test_the_parts_are_the_whole(site: Site, world: World, count: int) -> None:
    world.start()
    whole = [link["url"] for link in site.check("--format", "json").json["links"]]
    parts = [
        [link["url"] for link in site.check("--format", "json", "--shard", f"{part + 1}/{count}").json["links"]] for part in range(count)
    ]
    assert sorted(url for part in parts for url in part) == sorted(whole)
    assert max(map(len, parts)) <= len(whole) // count + 1


class Repository:
    """A git repository around the small catalog."""

    def __init__(self, site: Site) -> None:
        self.folder = site.catalog.parent
        self.git("init", "--quiet", "--initial-branch=main")
        self.commit()

    def git(self, *arguments: str) -> None:
        options = ["-c", "user.name=x", "-c", "user.email=x@x", "-c", "commit.gpgsign=false", "-c", "core.hooksPath=/dev/null"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        subprocess.run(["git", "-C", str(self.folder), *options, *arguments], check=True, timeout=30, env=environment, capture_output=True)

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message=x")


def test_only_what_has_changed(site: Site, world: World) -> None:
    repository = Repository(site)
    new = site.host.page("/new", FILE)
    site.edit(L4, site.host.url("/example.org/l4"), new)
    world.start()
    told = site.check("--changed-since", "HEAD", "--format", "json").json
    assert [(link["url"], [place["path"] for place in link["places"]]) for link in told["links"]] == [
        (new, ["catalog/gpus/nvidia/l4.yaml"])
    ]
    assert {request.target for request in site.host.seen} == {"/new"}
    repository.commit()
    assert site.check("--changed-since", "HEAD").out == "0 links: 0 pass, 0 fail, 0 unknown\n"
    assert site.check("--changed-since", "HEAD~1", "--format", "json").json["summary"]["links"] == 1
    wrong = site.check("--changed-since", "nowhere")
    assert (wrong.code, wrong.out) == (2, "")
    assert wrong.err == (
        "llmops-catalog: error[unknown-revision]: git knows no revision 'nowhere'\n"
        "help: in a workflow, actions/checkout fetches it with 'fetch-depth: 0'; elsewhere, 'git fetch' first\n"
    )


def test_without_a_repository_nothing_can_be_compared(site: Site, world: World) -> None:
    world.start()
    answer = site.check("--changed-since", "HEAD", GIT_CEILING_DIRECTORIES=str(site.catalog.parent.parent))
    assert (answer.code, answer.out) == (3, "")
    assert answer.err.startswith("llmops-catalog: error[link-check-unavailable]: ")


# --- explained --------------------------------------------------------------------------------------------------------


def test_one_address_explained(world: World) -> None:
    host = world.host("explained")
    url = host.page("/old", redirect("/gone", 301))
    walled = host.page("/walled", page("", 403))
    world.start()
    answer = check("--explain", url)
    assert (answer.code, answer.err) == (1, "")
    assert answer.out.startswith(f"{url}\n\n1  GET {url}\n   at 127.0.0.1: 301 in ")
    assert "fail[broken] after 1 attempt, 0." in answer.out
    assert f"  reason: not found (404) where it redirects to ({host.url('/gone')})\n" in answer.out
    assert check("--explain", walled).code == 0
    assert check("--explain", walled, "--fail-on", "unknown").code == 1
    assert check("--explain", "ftp://x/").code == 0


@pytest.mark.parametrize("more", [("catalog",), ("--url", "https://nobody-links.org/"), ("--format", "json"), ("--output", "x")])
def test_explain_takes_no_other_question(more: tuple[str, ...]) -> None:
    answer = check("--explain", "http://127.0.0.1:9/", *more)
    assert (answer.code, answer.out) == (2, "")
    assert "--explain shows one exchange as text" in answer.err

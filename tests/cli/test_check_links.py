"""`check-links` from its words to its exit code: a small catalog whose addresses lead to loopback hosts, a double of the Hub, all forms."""

from __future__ import annotations

import io
import json
import os
import re
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from commands import HELP, ROOT, Answer, run_in, run_process

sys.path[:0] = [str(ROOT / "tests" / "links"), str(ROOT / "tests" / "servers")]

from hub_double import GOOD_TOKEN, NARROW_TOKEN, HubDouble, answering, serving_hub  # noqa: E402 (found through the paths above)
from live_world import live  # noqa: E402 (the same)
from misbehaving import Host, World  # noqa: E402 (the same)
from page_answers import hang, page, redirect  # noqa: E402 (the same)

from llmops_catalog.links.results import ACCESS_STATES, VERDICTS  # noqa: E402 (the same)

HERE = ("--allow-address", "127.0.0.1")
FILE = page(bytes(20_000), kind="application/pdf")
LINK_KEYS = {
    "url", "outcome", "verdict", "http_status", "final_url", "reason", "hint", "better_url", "archived_url", "places", "attempts",
    "elapsed_ms", "checked_at", "remembered",
}  # fmt: skip
MODEL_KEYS = {"hub_id", "access", "recorded", "outcome", "hint", "places", "true_id", "gated", "findings"}
FORMATS = ("text", "json", "junit", "sarif", "github", "markdown")
L4 = "gpus/nvidia/l4.yaml"


@pytest.fixture(autouse=True)
def _no_tokens_of_the_person_who_runs_this(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_TOKEN", "HF_ENDPOINT", "GITHUB_TOKEN", "GH_TOKEN", "GITHUB_API_URL", "GITLAB_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def world() -> Iterator[World]:
    with live() as made:
        yield made


class Site:
    """The small catalog with every address on one loopback host, where each answers with a file."""

    def __init__(self, catalog: Path, world: World, name: str = "127.0.0.1") -> None:
        self.catalog, self.host = catalog, world.host("everything")
        self.host.otherwise = FILE
        self.host.netloc = self.host.netloc.replace("127.0.0.1", name)
        for file in catalog.rglob("*.yaml"):
            text = re.sub(r"https?://([^\s\"'}\],]+)", lambda found: self.host.url(f"/{found[1].rstrip('/')}"), file.read_text())
            file.write_text(text)

    def edit(self, path: str, old: str, new: str) -> None:
        file = self.catalog / path
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    def check(self, *options: str, **environment: str) -> Answer:
        return run_in(self.catalog, "check-links", "--no-hub", *HERE, *options, **environment)


@pytest.fixture
def site(small_catalog: Path, world: World) -> Site:
    return Site(small_catalog, world)


@pytest.fixture
def named(small_catalog: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> Site:
    """The same under a name that records may carry (no record is valid that names a private address)."""
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))])
    return Site(small_catalog, world, "site-of-nobody.org")


def check(*options: str, **environment: str) -> Answer:
    """Without a catalog."""
    return run_in(None, "check-links", "--no-hub", *HERE, *options, **environment)


# --- the catalog ------------------------------------------------------------------------------------------------------


def test_a_dead_link_is_told_with_all_its_places(site: Site, world: World) -> None:
    dead = site.host.page("/example.org/gone", page("", 404))
    site.edit(L4, site.host.url("/example.org/l4"), dead)
    site.edit("courses/zero-to-hero.yaml", site.host.url("/karpathy.ai/zero-to-hero.html"), dead)
    world.start()
    answer = site.check("--format", "json")
    assert answer.code == 1
    told = {link["url"]: link for link in answer.json["links"]}
    assert [(place["path"], place["line"], place["column"], place["field"]) for place in told[dead]["places"]] == [
        ("catalog/courses/zero-to-hero.yaml", 3, 6, "url"),
        ("catalog/gpus/nvidia/l4.yaml", 11, 11, "sources[0].url"),
    ]
    assert {key: told[dead][key] for key in ("outcome", "verdict", "http_status", "final_url", "reason", "hint")} == {
        "outcome": "fail", "verdict": "broken", "http_status": 404, "final_url": dead, "reason": "not found (404)",
        "hint": "find where it went, or link to an archived copy",
    }  # fmt: skip
    assert Counter(link["outcome"] for link in answer.json["links"]) == {"pass": len(told) - 1, "fail": 1}
    text = site.check()
    assert (text.code, text.err) == (1, "")
    assert text.out == (
        f"catalog/courses/zero-to-hero.yaml:3:6: error[broken]: {dead}: not found (404)\n"
        f"catalog/gpus/nvidia/l4.yaml:11:11: error[broken]: {dead}: not found (404)\n"
        "  help: find where it went, or link to an archived copy\n"
        f"{len(told)} links: {len(told) - 1} pass, 1 fail, 0 unknown\n"
    )


def test_the_shape_of_the_json(site: Site, world: World) -> None:
    site.host.page("/example.org/alpaca", redirect("/new", 301))
    site.host.page("/example.org/mmlu", page("", 401))
    world.start()
    answer = site.check("--format", "json")
    assert answer.code == 0
    told = answer.json
    assert set(told) == {"schema", "summary", "links", "models", "problems", "notes"}
    assert told["schema"] == "llmops-catalog/links/1"
    assert all(set(link) == LINK_KEYS for link in told["links"])
    assert all(link["verdict"] in VERDICTS and link["places"] for link in told["links"])
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", link["checked_at"]) for link in told["links"])
    assert all(type(link["elapsed_ms"]) is int and link["attempts"] >= 1 for link in told["links"])
    number = len(told["links"])
    assert told["summary"] == {
        "links": number, "pass": number - 1, "fail": 0, "unknown": 1,
        "verdicts": {"ok": number - 2, "redirected-permanent": 1, "login-wall": 1},
        "models": 0, "access": {}, "findings": 0, "problems": 0,
    }  # fmt: skip
    assert told["models"] == told["problems"] == told["notes"] == []


def test_only_named_files_and_folders(site: Site, world: World) -> None:
    world.start()
    told = site.check("--format", "json", str(site.catalog / "gpus"), str(site.catalog / "lists/llm-ops.yaml")).json
    assert {place["path"].split("/")[1] for link in told["links"] for place in link["places"]} == {"gpus", "lists"}


def test_addresses_of_this_machine_are_refused_unless_they_are_allowed(site: Site, world: World) -> None:
    world.start()
    answer = run_in(site.catalog, "check-links", "--no-hub", "--format", "json")
    assert answer.code == 0
    assert {(link["outcome"], link["verdict"]) for link in answer.json["links"]} == {("unknown", "refused")}
    assert site.host.connections == 0
    for network in ("127.0.0.0/8", "0.0.0.0/0"):
        assert (
            run_in(site.catalog, "check-links", "--no-hub", "--allow-address", network, "--format", "json").json["summary"]["unknown"] == 0
        )
    assert run_in(site.catalog, "check-links", "--no-hub", "--allow-address", "10.0.0.0/8").code == 0


# --- forms ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def mixed(site: Site, world: World) -> Site:
    """One dead, one walled, one moved, the rest well."""
    site.host.page("/example.org/gone", page("", 404))
    site.edit(L4, site.host.url("/example.org/l4"), site.host.url("/example.org/gone"))
    site.host.page("/example.org/mmlu", page("", 403))
    site.host.page("/example.org/alpaca", redirect("/new", 301))
    world.start()
    return site


def test_every_form_can_be_read_and_counts_alike(mixed: Site) -> None:
    answers = {form: mixed.check("--format", form) for form in FORMATS}
    assert {answer.code for answer in answers.values()} == {1}
    assert {answer.err for answer in answers.values()} == {""}
    number = len(json.loads(answers["json"].out)["links"])
    suites = ElementTree.fromstring(answers["junit"].out)  # noqa: S314 (written by us)
    assert (len(list(suites.iter("testcase"))), len(list(suites.iter("failure")))) == (number, 1)
    sarif = json.loads(answers["sarif"].out)
    assert sarif["version"] == "2.1.0"
    assert sarif["runs"][0]["results"][0]["ruleId"] == "broken"
    dead = mixed.host.url("/example.org/gone").replace(":", "%3A")
    assert answers["github"].out.startswith("::error file=catalog/gpus/nvidia/l4.yaml,line=11,col=")
    assert dead in answers["github"].out.replace(":", "%3A")
    assert all(line.startswith("::") for line in answers["github"].out.splitlines())
    markdown = answers["markdown"].out
    assert markdown.startswith(f"<!-- llmops-catalog check-links -->\n# Links: 1 dead, 1 unknown of {number}\n")
    assert "note[redirected-permanent]: 1 link has moved for good" in answers["text"].out
    assert f"{number} links: {number - 2} pass, 1 fail, 1 unknown" in answers["text"].out


def test_the_report_goes_to_a_file(mixed: Site, tmp_path: Path) -> None:
    for form in FORMATS:
        target = tmp_path / "new folder" / form
        answer = mixed.check("--format", form, "--output", str(target))
        assert (answer.code, answer.out, answer.err) == (1, "", "")
        assert target.read_text().strip()
        assert [file.name for file in target.parent.iterdir() if "partial" in file.name] == []
    assert len(json.loads((tmp_path / "new folder" / "json").read_text())["links"]) > 10
    answer = mixed.check("--output", str(tmp_path))
    assert answer.code == 3
    assert answer.err.startswith("llmops-catalog: error[could-not-run]: ")


def test_verbose_tells_every_address(mixed: Site) -> None:
    out = mixed.check("--verbose").out
    assert "warning[blocked]" in out
    assert f"moved for good to {mixed.host.url('/new')}" in out


def test_unknown_fails_only_where_it_is_asked_to(site: Site, world: World) -> None:
    site.host.page("/example.org/mmlu", page("", 403))
    world.start()
    assert site.check().code == 0
    assert site.check("--fail-on", "broken").code == 0
    assert site.check("--fail-on", "unknown").code == 1
    github = site.check("--fail-on", "unknown", "--format", "github")
    assert (github.code, github.out.count("::error")) == (1, 1)
    assert "::error" not in site.check("--format", "github").out


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


# --- repairs ----------------------------------------------------------------------------------------------------------


def test_what_has_moved_for_good_is_written_and_nothing_else(named: Site, world: World) -> None:
    old, new = named.host.url("/example.org/l4"), named.host.page("/moved", FILE)
    temporary = named.host.page("/example.org/alpaca", redirect("/elsewhere", 302))
    named.host.page("/example.org/l4", redirect("/moved", 301))
    card = named.catalog / L4
    card.write_text(f"# the card\n{card.read_text()}# see {old}\n".replace("checked:", "checked:  "))
    before = {file: file.read_bytes() for file in named.catalog.rglob("*.yaml")}
    world.start()
    answer = named.check("--fix", str(card))
    assert (answer.code, answer.err) == (0, f"catalog/gpus/nvidia/l4.yaml:12: rewritten: {old} -> {new}\n")
    assert card.read_bytes() == before[card].replace(f'"{old}"'.encode(), f'"{new}"'.encode())
    assert f"# see {old}\n" in card.read_text()
    again = named.check("--fix", str(card))
    assert (again.code, again.err) == (0, "")
    everything = named.check("--fix")
    assert everything.code == 0
    untouched = [file for file, raw in before.items() if file.read_bytes() == raw]
    assert temporary.encode() in (named.catalog / "datasets/alpaca.yaml").read_bytes()
    assert len(untouched) >= len(before) - 4, "the other cards have the same source"


def test_what_is_dead_is_left_where_it_is(mixed: Site) -> None:
    before = (mixed.catalog / L4).read_bytes()
    assert mixed.check("--fix").code == 1
    assert (mixed.catalog / L4).read_bytes() == before


def test_a_renamed_model_is_written(named: Site, world: World) -> None:
    world.start()
    with serving_hub() as hub:
        hub.add("Qwen/Qwen3-8B", renamed_to="Qwen/Qwen3-8B-Base")
        hub.add("Qwen/Qwen3-8B-Base")
        record = named.catalog / "models/qwen/qwen3-8b.yaml"
        answer = run_in(named.catalog, "check-links", *HERE, "--fix", str(record), HF_ENDPOINT=hub.url)
        assert answer.code == 0
        assert "catalog/models/qwen/qwen3-8b.yaml:2: rewritten: Qwen/Qwen3-8B -> Qwen/Qwen3-8B-Base\n" in answer.err
        assert "\nhub_id: Qwen/Qwen3-8B-Base\n" in record.read_text()


# --- memory -----------------------------------------------------------------------------------------------------------


def test_a_state_is_kept_and_a_part_of_a_check_forgets_nothing(site: Site, world: World, tmp_path: Path) -> None:
    state = tmp_path / "kept" / "state.json"
    site.host.page("/example.org/mmlu", page("", 404))
    world.start()
    answer = site.check("--state", str(state), "--format", "json")
    assert answer.code == 0, "the first failure is not yet a death"
    links = {link["url"]: link for link in answer.json["links"]}
    assert set(json.loads(state.read_text())["links"]) == set(links)
    assert links[site.host.url("/example.org/mmlu")]["outcome"] == "unknown"
    asked = len(site.host.seen)
    again = site.check("--state", str(state), "--format", "json").json["links"]
    assert Counter(link["remembered"] for link in again) == {True: len(links) - 1, False: 1}
    assert len(site.host.seen) - asked == 2
    assert site.check("--state", str(state), str(site.catalog / "gpus")).code == 0
    assert set(json.loads(state.read_text())["links"]) == set(links)
    (site.catalog / "datasets/alpaca.yaml").unlink()
    site.check("--state", str(state))
    assert len(json.loads(state.read_text())["links"]) == len(links) - 2
    assert site.check("--state", str(state), "--failures", "1", "--days", "0").code == 1
    state.write_text("{")
    broken = site.check("--state", str(state))
    assert (broken.code, broken.out) == (2, "")
    assert broken.err.startswith(f"{state}: error[state-file-invalid]: this is not JSON\nhelp: ")


def test_exceptions_of_the_catalog(site: Site, world: World) -> None:
    site.host.page("/example.org/mmlu", page("", 404))
    entry = "exceptions:\n  - {{prefix: '{}', expect: {}, reason: a wall, since: 2026-01-01, until: {}, owner: maintainers}}\n"
    file, gone = site.catalog / "link-exceptions.yaml", site.host.url("/example.org/mmlu")
    world.start()
    assert site.check().code == 1
    file.write_text(entry.format(gone, "fail", "2099-01-01"))
    assert site.check().code == 0
    file.write_text(entry.format(gone, "skip", "2099-01-01"))
    site.host.seen.clear()
    links = site.check("--format", "json").json["links"]
    assert next(link for link in links if link["url"] == gone)["verdict"] == "skipped"
    assert not any(request.target == "/example.org/mmlu" for request in site.host.seen)
    file.write_text(entry.format(gone, "fail", "2026-02-01"))
    ended = site.check("--format", "json")
    assert (ended.code, [problem["code"] for problem in ended.json["problems"]]) == (1, ["expired-exception"])
    file.write_text(entry.format("https://nowhere.example/", "fail", "2099-01-01"))
    assert "warning[unused-exception]" in site.check().out
    file.write_text("exceptions: 3\n")
    invalid = site.check()
    assert (invalid.code, invalid.out) == (1, "")
    assert invalid.err.startswith("catalog/link-exceptions.yaml:1:13: error[")


# --- ends and errors --------------------------------------------------------------------------------------------------


def test_a_check_that_has_to_end_says_what_it_did_not_reach(world: World) -> None:
    host = world.host("silent")
    soon, never = host.page("/soon", FILE), host.page("/never", hang)
    world.start()
    answer = check("--url", never, "--url", soon, "--deadline", "0.5", "--format", "json")
    assert answer.code == 0
    assert [(link["outcome"], link["verdict"]) for link in answer.json["links"]] == [("unknown", "skipped"), ("pass", "ok")]
    assert check("--url", never, "--deadline", "0.3", "--fail-on", "unknown").code == 1


def test_no_network_is_no_dead_link(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    answer = run_in(None, "check-links", "--url", "https://site-of-nobody.org/")
    assert (answer.code, answer.out) == (3, "")
    assert answer.err == (
        "llmops-catalog: error[link-check-unavailable]: this machine resolves no names: nothing could be checked\nhelp: check its network\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--timeout", "0"], "--timeout and --deadline take more than 0 seconds"),
        (["--deadline", "0"], "--timeout and --deadline take more than 0 seconds"),
        (["--timeout", "-1"], "--timeout: '-1' is no number between 0 and 600"),
        (["--timeout", "nan"], "--timeout: 'nan' is no number between 0 and 600"),
        (["--timeout", "soon"], "--timeout: 'soon' is no number between 0 and 600"),
        (["--deadline", "1e9"], "--deadline: '1e9' is no number between 0 and 86400"),
        (["--concurrency", "0"], "--concurrency: 0 is not within 1 and 1024"),
        (["--per-host", "many"], "--per-host: 'many' is not a whole number"),
        (["--allow-address", "everything"],
         "--allow-address: 'everything' is no range of addresses: write it as 10.0.0.0/8, fd00::/8 or 127.0.0.1"),
        (["--allow-address", "127.0.0.1/99"],
         "--allow-address: '127.0.0.1/99' is no range of addresses: write it as 10.0.0.0/8, fd00::/8 or 127.0.0.1"),
        (["--format", "xml"], "--format: 'xml' is none of text, json, junit, sarif, github, markdown"),
        (["--fail-on", "dead"], "--fail-on: 'dead' is none of broken, unknown"),
        (["--url"], "--url: needs a value"),
        (["--urls-form", "x"], "there is no option '--urls-form'. Did you mean '--urls-from', '--format' or '--url'?"),
        (["--urls-from", "nowhere.txt"], "cannot read 'nowhere.txt': No such file or directory"),
        (["--urls-from", "."], "cannot read '.': Is a directory"),
        (["--url", "http://a.example/", "--fix"],
         "--url and --urls-from are instead of the catalog: PATH, --changed-since and --fix do not go with them"),
        (["--url", "http://a.example/", "--changed-since", "HEAD"],
         "--url and --urls-from are instead of the catalog: PATH, --changed-since and --fix do not go with them"),
        (["nowhere"], "there is no file or folder 'nowhere'"),
        (["--failures", "0"], "--failures: 0 is not within 1 and 100"),
    ],
)  # fmt: skip
def test_wrong_usage(shared_catalog: Path, arguments: list[str], message: str) -> None:
    answer = run_in(shared_catalog, "check-links", *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == f"llmops-catalog: error[usage]: {message}\n{HELP.format(' check-links')}"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--failures", "2"],
         "usage]: --failures and --days count over several runs\nhelp: name the file that remembers them: --state FILE"),
        (["--days", "1"], "usage]: --failures and --days count over several runs\nhelp: name the file that remembers them: --state FILE"),
        (["--url", "http://a.example/", "--shard", "3/2"],
         "bad-shard]: '3/2' is no part of a whole\nhelp: write 2/5 for the second of five, up to 1000"),
        (["--url", "http://a.example/", "--shard", "x"],
         "bad-shard]: 'x' is no part of a whole\nhelp: write 2/5 for the second of five, up to 1000"),
    ],
)  # fmt: skip
def test_other_questions_that_make_no_sense(shared_catalog: Path, arguments: list[str], message: str) -> None:
    answer = run_in(shared_catalog, "check-links", *arguments)
    assert (answer.code, answer.out, answer.err) == (2, "", f"llmops-catalog: error[{message}\n")


@pytest.mark.parametrize("endpoint", ["nothing", "http://", "ftp://h/", "https://u:p@h/", "http://h:99999"])
def test_a_hub_that_is_no_address(shared_catalog: Path, endpoint: str) -> None:
    answer = run_in(shared_catalog, "check-links", HF_ENDPOINT=endpoint)
    assert (answer.code, answer.out) == (2, "")
    shown = endpoint.rstrip("/")
    assert answer.err == (
        f"llmops-catalog: error[wrong-setting]: HF_ENDPOINT is {shown!r}, not the address of a Hub\nhelp: the usual one is https://huggingface.co\n"
    )


def test_a_catalog_that_is_not_there(tmp_path: Path) -> None:
    assert run_in(tmp_path / "nowhere", "check-links", "--no-hub").code == 2


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


# --- the Hub ----------------------------------------------------------------------------------------------------------

STANDING: dict[str, dict[str, Any]] = {
    "public": {}, "gated-accepted": {"gated": "auto", "asked": "accepted"}, "gated-not-requested": {"gated": "manual"},
    "gated-pending": {"gated": "manual", "asked": "pending"}, "gated-rejected": {"gated": "manual", "asked": "rejected"},
    "disabled": {"disabled": True}, "renamed": {"renamed_to": "new/name"},
}  # fmt: skip


def models_of(site: Site, names: list[str]) -> None:
    """Only these models, each called as its access is."""
    template = (site.catalog / "models/qwen/qwen3-8b.yaml").read_text()
    for file in (site.catalog / "models").rglob("*.yaml"):
        file.unlink()
    for name in names:
        (site.catalog / "models/org").mkdir(exist_ok=True)
        (site.catalog / f"models/org/{name}.yaml").write_text(template.replace("Qwen/Qwen3-8B", f"org/{name}"))


def access(answer: Answer) -> dict[str, str]:
    models = answer.json["models"]
    assert all(set(model) == MODEL_KEYS for model in models)
    return {model["hub_id"].partition("/")[2]: model["access"] for model in models}


@pytest.fixture
def hub() -> Iterator[HubDouble]:
    with serving_hub() as double:
        for name, facts in STANDING.items():
            double.add(f"org/{name}", **facts)
        double.add("new/name")
        double.answers["/api/models/org/unknown"] = answering(b"{}", 400)
        yield double


def test_every_state_of_access_is_told(named: Site, world: World, hub: HubDouble) -> None:
    names = [*STANDING, "missing-or-private", "unknown"]
    models_of(named, names)
    world.start()

    def asked(token: str) -> Answer:
        return run_in(named.catalog, "check-links", *HERE, "--format", "json", HF_ENDPOINT=hub.url, HF_TOKEN=token)

    good = asked(GOOD_TOKEN)
    assert access(good) == {name: name for name in names}
    assert good.code == 1
    outcomes = {model["access"]: model["outcome"] for model in good.json["models"]}
    assert {state for state, outcome in outcomes.items() if outcome == "fail"} == {"missing-or-private", "disabled"}
    assert {state for state, outcome in outcomes.items() if outcome == "pass"} == {"public", "gated-accepted", "renamed"}
    assert all(model["hint"] for model in good.json["models"] if model["outcome"] != "pass")
    place = good.json["models"][0]["places"][0]
    assert (place["line"], place["column"], place["field"]) == (2, 9, "hub_id")
    assert {seen.token for seen in hub.seen} == {GOOD_TOKEN}
    assert hub.count("/api/whoami-v2") == 1

    gated = {"gated-accepted", "gated-not-requested", "gated-pending", "gated-rejected"}
    seen = {
        "gated-not-tested": access(asked("")),
        "token-invalid": access(asked("hf_bad")),
        "token-lacks-scope": access(asked(NARROW_TOKEN)),
    }
    for state, told in seen.items():
        assert {name for name, found in told.items() if found == state} == gated
        assert told["public"] == "public"
    assert {*access(good).values(), *seen} == set(ACCESS_STATES)
    assert "the token of HF_TOKEN is not valid: going on without it" in asked("hf_bad").json["notes"]


def test_the_hub_is_not_asked_where_it_must_not_be(named: Site, world: World, hub: HubDouble) -> None:
    world.start()
    answer = named.check("--format", "json", HF_ENDPOINT=hub.url, HF_TOKEN=GOOD_TOKEN)
    assert (answer.code, answer.json["models"], hub.seen) == (0, [], [])


def test_models_of_named_files_and_of_parts(named: Site, world: World, hub: HubDouble) -> None:
    models_of(named, list(STANDING))
    world.start()
    environment = {"HF_ENDPOINT": hub.url}
    record = str(named.catalog / "models/org/public.yaml")
    assert access(run_in(named.catalog, "check-links", *HERE, "--format", "json", record, **environment)) == {"public": "public"}
    assert access(run_in(named.catalog, "check-links", *HERE, "--format", "json", str(named.catalog / "gpus"), **environment)) == {}
    parts = [
        access(run_in(named.catalog, "check-links", *HERE, "--format", "json", "--shard", f"{part}/2", **environment)) for part in (1, 2)
    ]
    assert set(parts[0]) | set(parts[1]) == set(STANDING)
    assert not set(parts[0]) & set(parts[1])


def test_what_the_record_says_otherwise_is_a_finding(named: Site, world: World, hub: HubDouble) -> None:
    models_of(named, ["gated-accepted"])
    world.start()
    answer = run_in(named.catalog, "check-links", *HERE, HF_ENDPOINT=hub.url, HF_TOKEN=GOOD_TOKEN)
    assert answer.code == 0
    assert (
        "catalog/models/org/gated-accepted.yaml:10:15: warning[gating-drift]: the Hub has org/gated-accepted as gated: 'auto';"
        in answer.out
    )


# --- what servers say -------------------------------------------------------------------------------------------------

NASTY = "\x1b[31m\u202eevil\u2066\u200b::error file=x::pwned ##[error]no \x07\x85\u2028 @somebody <img src=x onerror=y> `code` | # [a](http://b)"


def hostile(host: Host) -> list[str]:
    """Links whose every answer tries something."""
    host.otherwise = page("", 404)
    title = f"404 Not Found | \n::error::pwned\n{NASTY}"
    return [
        host.page("/title", page(f"<!doctype html><title>{title[:60]}</title><h1>\n::error::Page not found</h1>Nothing.")),
        host.page("/to", redirect(f"ftp://x/{NASTY}".replace("\x85", "").encode(), 301)),
        host.page("/bad", redirect(f"/{NASTY}".encode(), 301)),
        host.page("/reason", page("", 404, reason="\x1b[31m::error::")),
        host.page("/front", redirect("/?::error::", 301)),
        host.url("/\u202e::error::x"),
        host.url("/page#::error::\u202e"),
    ]


@pytest.mark.parametrize("form", FORMATS)
def test_what_servers_say_is_harmless(world: World, tmp_path: Path, form: str) -> None:
    urls = hostile(world.host("hostile"))
    (tmp_path / "urls.txt").write_text("\n".join([*urls, "::error::no address", "\x1b[31mred\u202e", "x##[error]x"]))
    world.start()
    answer = check("--urls-from", str(tmp_path / "urls.txt"), "--format", form, "--verbose")
    assert (answer.code, answer.err) == (1, "")
    if form == "json":
        assert len(json.loads(answer.out)["links"]) == 10
        assert "\x1b" not in answer.out
        return
    if form == "sarif":
        json.loads(answer.out)
        return
    if form == "junit":
        ElementTree.fromstring(answer.out)  # noqa: S314 (written by us)
        return
    assert "evil" in answer.out or form == "github"
    assert "pwned" in answer.out
    assert all(char.isprintable() or char == "\n" for char in answer.out)
    lines = answer.out.splitlines()
    if form == "github":
        assert all(re.match(r"::(error|warning|notice) [^:]*title=[\w-]+::", line) for line in lines)
        assert len(lines) == len([line for line in lines if line.count("::") >= 2])
        assert not any(line.startswith("::error::") for line in lines)
    else:
        assert not any(line.lstrip().startswith("::") for line in lines)
        assert "##[" not in answer.out
    if form == "markdown":
        assert "<img" not in answer.out
        assert "@somebody" not in answer.out
        assert not re.search(r"\]\(http://b\)", answer.out)


@pytest.mark.parametrize("form", ["text", "github", "markdown"])
def test_what_the_hub_says_is_harmless(named: Site, world: World, hub: HubDouble, form: str) -> None:
    models_of(named, ["nasty", "gated-pending"])
    for path in ("/api/models/org/nasty", "/api/models/org/gated-pending/auth-check"):
        hub.answers[path] = answering(json.dumps({"error": f"\n::error::pwned\n{NASTY}"}).encode(), 403)
    world.start()
    answer = run_in(named.catalog, "check-links", *HERE, "--format", form, HF_ENDPOINT=hub.url, HF_TOKEN=GOOD_TOKEN)
    assert (answer.code, answer.err) == (0, "")
    assert all(char.isprintable() or char == "\n" for char in answer.out)
    assert not any(line.lstrip().startswith("::error::") for line in answer.out.splitlines())
    if form != "github":
        assert "pwned" in answer.out
        assert not any(line.lstrip().startswith("::") for line in answer.out.splitlines())
        assert "##[" not in answer.out


# --- as a process -----------------------------------------------------------------------------------------------------


def test_as_a_process_it_says_the_same(mixed: Site, tmp_path: Path) -> None:
    options = ["check-links", "--no-hub", *HERE]
    answer = run_process("--catalog", str(mixed.catalog), *options)
    same = mixed.check()
    assert (answer.code, answer.out, answer.err) == (same.code, same.out, same.err)
    assert run_process(*options, "--url", mixed.host.url("/well"), cwd=tmp_path).code == 0
    assert run_process(*options, "--timeout", "0", cwd=tmp_path).code == 2


def test_a_check_loads_neither_mkdocs_nor_the_hubs_client(site: Site, world: World) -> None:
    world.start()
    heavy = {"mkdocs", "huggingface_hub", "material", "jinja2", "markdown", "httpx", "httpx2", "aiohttp", "requests"}
    lean = heavy | {"pydantic", "yaml", "ruamel", "rich", "sqlite3"}
    script = (
        "import sys\nfrom llmops_catalog.cli import main\n"
        "try: main(sys.argv[2:])\nexcept SystemExit as stop: assert stop.code == 0, stop.code\n"
        "print(*sorted(set(sys.argv[1].split(',')) & {name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    for names, words in (
        (heavy, ["--catalog", str(site.catalog), "check-links", "--no-hub", *HERE]),
        (lean, ["check-links", *HERE, "--url", site.host.url("/well")]),
    ):
        command = [sys.executable, "-c", script, ",".join(names), *words]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert (ran.returncode, ran.stderr.split()) == (0, [])


def test_a_record_that_cannot_be_read_is_told(site: Site, world: World) -> None:
    (site.catalog / "gpus/nvidia/half.yaml").write_text("url: [https://nobody-links.org/\n")
    world.start()
    told = site.check().out
    assert "note: 1 file could not be read, and no link in it was checked: run 'llmops-catalog validate'" in told.splitlines()


@pytest.mark.parametrize("more", [("catalog",), ("--url", "https://nobody-links.org/"), ("--format", "json"), ("--output", "x")])
def test_explain_takes_no_other_question(more: tuple[str, ...]) -> None:
    answer = check("--explain", "http://127.0.0.1:9/", *more)
    assert (answer.code, answer.out) == (2, "")
    assert "--explain shows one exchange as text" in answer.err

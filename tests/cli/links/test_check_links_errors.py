"""Checks that have to end, and wrong usage of `check-links`: one message each, with what to do."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from catalog_site import check
from commands import HELP, run_in, run_process
from misbehaving import World
from page_answers import FILE, hang

# --- ends -------------------------------------------------------------------------------------------------------------


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


# --- wrong usage ------------------------------------------------------------------------------------------------------


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


def test_an_address_that_is_no_text_is_no_traceback() -> None:
    odd = "http://127.0.0.9:1/\udcff"
    for words in (["--no-hub", "--format", "json", "--url", odd], ["--explain", odd]):
        assert run_process("check-links", *words).code in (0, 2)


@pytest.mark.parametrize(
    ("name", "value"),
    [("GITHUB_API_URL", "http://"), ("GITHUB_API_URL", "https://a b/"), ("HF_ENDPOINT", "http://a b"), ("HF_ENDPOINT", "https://..")],
)
def test_an_environment_that_names_no_place_is_wrong_usage(name: str, value: str) -> None:
    """It was a traceback."""
    assert run_in(None, "check-links", "--url", "http://127.0.0.9:1/", **{name: value}).code == 2


@pytest.mark.parametrize("option", ["--changed-since", "--urls-from", "--shard", "--explain", "--state", "--output", "--stream"])
def test_an_empty_value_is_not_the_absence_of_the_option(tmp_path: Path, option: str) -> None:
    """In a workflow, a variable that is not set: the whole catalog was checked instead of what a pull request changes."""
    (tmp_path / "catalog").mkdir()
    assert run_in(tmp_path / "catalog", "check-links", "--no-hub", option, "").code in (2, 3)

"""`check-links` from its words to its exit code: a small catalog whose addresses lead to loopback hosts, all forms, one process."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

from catalog_site import FORMATS, HERE, L4, Site
from commands import run_in, run_process
from misbehaving import World
from page_answers import page, redirect

from llmops_catalog.links.results import VERDICTS

LINK_KEYS = {
    "url", "outcome", "verdict", "http_status", "final_url", "reason", "hint", "better_url", "archived_url", "places", "attempts",
    "elapsed_ms", "checked_at", "remembered",
}  # fmt: skip


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


def test_a_record_that_cannot_be_read_is_told(site: Site, world: World) -> None:
    (site.catalog / "gpus/nvidia/half.yaml").write_text("url: [https://nobody-links.org/\n")
    world.start()
    told = site.check().out
    assert "note: 1 file could not be read, and no link in it was checked: run 'llmops-catalog validate'" in told.splitlines()


# --- forms ------------------------------------------------------------------------------------------------------------


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

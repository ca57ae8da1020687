"""The link report as JUnit XML and SARIF: whole and legal whatever the servers said, and stable while the files around a link change."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops_catalog.links.from_json import FINDING_CODES
from llmops_catalog.links.results import ACCESS_STATES, VERDICTS, Finding, Judgement, LinkResult, ModelResult, Place, Report
from llmops_catalog.problems import Problem
from llmops_catalog.report.links_machine import MOST_RESULTS, RULES, as_junit, as_sarif

DOCS = "https://llmops-catalog.github.io/llmops-catalog/links/"
A, B = Place("catalog/resources/a.yaml", 3, 6, "url"), Place("catalog/resources/b ü.yaml", 12, 8, "sources.0")


def link(url: str, outcome: str, verdict: str, reason: str = "", places: tuple[Place, ...] = (), **more: Any) -> LinkResult:
    return LinkResult(url, places, Judgement(outcome, verdict, reason, **more), 1, 1_234)


DEAD = link("https://a.example/gone", "fail", "broken", "the server answers 404", (B, A), hint="look for its new address")
OK = link("https://a.example/", "pass", "ok", places=(A,))
WALL = link("https://b.example/", "unknown", "blocked", "answers 403", places=(A,))
SKIPPED = link("https://c.example/", "pass", "skipped", "an exception says so")
MOVED = link("http://m.example/", "pass", "redirected-permanent", places=(A,), better_url="https://m.example/")
DRIFT = Finding("gating-drift", "the record says 'no', the Hub says 'auto'", "write 'gated: auto'", A)
MODELS = (
    ModelResult("org/a", "public", "no", "pass", findings=(DRIFT,)),
    ModelResult("org/b", "disabled", "no", "fail", "remove it", (B,)),
    ModelResult("org/c", "unknown", "no", "unknown"),
)
EXPIRED = Problem("catalog/link-exceptions.yaml", 4, 5, "expired-exception", "it ended on 2026-11-01", "remove it")
REPORT = Report((WALL, MOVED, OK, DEAD, SKIPPED), MODELS, (EXPIRED,))


def parsed(report: Report) -> ElementTree.Element:
    return ElementTree.fromstring(as_junit(report).encode())  # noqa: S314 - XML of our own making


def test_junit_has_a_suite_for_each_host() -> None:
    assert as_junit(Report((DEAD, OK, WALL))) == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<testsuites name="check-links" tests="3" failures="1" errors="0" skipped="1" time="3.702">\n'
        '  <testsuite name="a.example" tests="2" failures="1" errors="0" skipped="0" time="2.468">\n'
        '    <testcase classname="catalog/resources/a.yaml" name="https://a.example/gone" time="1.234" '
        'file="catalog/resources/a.yaml" line="3">\n'
        '      <failure message="broken: the server answers 404" type="broken">catalog/resources/a.yaml:3:6\n'
        "catalog/resources/b ü.yaml:12:8\n"
        "look for its new address</failure>\n"
        "    </testcase>\n"
        '    <testcase classname="catalog/resources/a.yaml" name="https://a.example/" time="1.234" '
        'file="catalog/resources/a.yaml" line="3" />\n'
        "  </testsuite>\n"
        '  <testsuite name="b.example" tests="1" failures="0" errors="0" skipped="1" time="1.234">\n'
        '    <testcase classname="catalog/resources/a.yaml" name="https://b.example/" time="1.234" '
        'file="catalog/resources/a.yaml" line="3">\n'
        '      <skipped message="blocked: answers 403" />\n'
        "    </testcase>\n"
        "  </testsuite>\n"
        "</testsuites>\n"
    )  # fmt: skip


def test_junit_counts_models_and_problems_too() -> None:
    root = parsed(REPORT)
    assert {key: root.get(key) for key in ("tests", "failures", "skipped", "errors")} == {
        "tests": "9", "failures": "3", "skipped": "3", "errors": "0",
    }  # fmt: skip
    assert [suite.get("name") for suite in root] == [
        "a.example", "b.example", "c.example", "m.example", "models on the Hub", "link exceptions",
    ]  # fmt: skip
    models = root[4]
    assert models[0].findtext("system-out") == "gating-drift: the record says 'no', the Hub says 'auto'"
    assert [(case.get("name"), [child.tag for child in case]) for case in models] == [
        ("org/a", ["system-out"]), ("org/b", ["failure"]), ("org/c", ["skipped"]),
    ]  # fmt: skip
    assert root[2][0].find("skipped").get("message") == "skipped: an exception says so"
    assert parsed(Report(())).get("tests") == "0"


WORDS = st.text(st.characters(codec=None, exclude_categories=()), max_size=20)  # lone surrogates and control characters among them


@given(WORDS, WORDS, st.sampled_from(["pass", "fail", "unknown"]))
def test_junit_is_legal_xml_whatever_servers_say(url: str, reason: str, outcome: str) -> None:
    place = Place(url, 1, 1, "")
    report = Report(
        (link(url, outcome, "broken", reason, (place,)), link(reason, outcome, "timeout", url)),
        (ModelResult(url, "renamed", reason, outcome, reason, (place,), findings=(Finding("renamed", reason, url, place),)),),
        (Problem(url, 1, 1, "expired-exception", reason, url),),
    )
    root = parsed(report)
    assert root.get("tests") == "4"
    assert json.dumps(as_sarif(report)).encode()


def test_sarif_has_what_code_scanning_asks_for() -> None:
    sarif = as_sarif(REPORT)
    assert (sarif["version"], sarif["$schema"]) == ("2.1.0", "https://json.schemastore.org/sarif-2.1.0.json")
    (run,) = sarif["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "llmops-catalog check-links"
    for rule in driver["rules"]:
        assert rule["helpUri"] == f"{DOCS}#{rule['id']}"
        assert all(rule[part]["text"] for part in ("shortDescription", "fullDescription", "help"))
    for result in run["results"]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert len(result["locations"]) == 1
        assert set(result["partialFingerprints"]) == {"primaryLocationLineHash"}
    assert [(result["level"], result["ruleId"]) for result in run["results"]] == [
        ("error", "broken"), ("error", "broken"), ("error", "disabled"),
        ("warning", "gating-drift"), ("warning", "blocked"), ("note", "redirected-permanent"),
    ]  # fmt: skip


def test_sarif_gives_each_place_its_result() -> None:
    first, second = as_sarif(Report((DEAD,)))["runs"][0]["results"]
    assert first == {
        "ruleId": "broken", "ruleIndex": 3, "level": "error",
        "message": {"text": "https://a.example/gone: the server answers 404. Look for its new address"},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": "catalog/resources/a.yaml"},
            "region": {"startLine": 3, "startColumn": 6, "endLine": 3, "endColumn": 28},
        }}],
        "partialFingerprints": {"primaryLocationLineHash": first["partialFingerprints"]["primaryLocationLineHash"]},
    }  # fmt: skip
    assert second["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "catalog/resources/b%20%C3%BC.yaml"
    assert as_sarif(Report((DEAD._replace(places=()),)))["runs"][0]["results"][0]["locations"] == []


def fingerprints(*results: LinkResult) -> list[str]:
    return [result["partialFingerprints"]["primaryLocationLineHash"] for result in as_sarif(Report(results))["runs"][0]["results"]]


def test_sarif_knows_a_link_again() -> None:
    one = fingerprints(DEAD._replace(places=(A,)))
    assert one == fingerprints(DEAD._replace(places=(A._replace(line=99, column=1),)))
    assert one != fingerprints(DEAD._replace(places=(B,)))
    assert one != fingerprints(DEAD._replace(url="https://a.example/else", places=(A,)))
    assert len(set(fingerprints(DEAD._replace(places=(A, A._replace(line=4), B))))) == 3


@pytest.mark.parametrize("evil", ["[x](https://evil.example)", "\x1b[2J", "\u202e", "a\nb"])
def test_sarif_messages_are_plain_lines(evil: str) -> None:
    (result,) = as_sarif(Report((link("https://a.example/", "fail", "broken", evil, (A,)),)))["runs"][0]["results"]
    assert result["message"]["text"].isprintable()
    assert "](" not in result["message"]["text"]


def test_sarif_keeps_what_matters_within_its_limit() -> None:
    walls = WALL._replace(places=tuple(A._replace(line=line) for line in range(1, MOST_RESULTS + 10)))
    results = as_sarif(Report((walls, DEAD)))["runs"][0]["results"]
    assert len(results) == MOST_RESULTS
    assert results[0]["ruleId"] == "broken"


def test_every_code_has_a_rule() -> None:
    assert set(RULES) == {*VERDICTS, *FINDING_CODES, *ACCESS_STATES}

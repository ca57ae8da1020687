"""The link report for other programs: JUnit XML for CI servers, SARIF 2.1.0 for code scanning. The JSON is `Report.as_json`."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

from llmops_catalog.links.results import LinkResult, ModelResult, Place, Report
from llmops_catalog.problems import DOCUMENTATION, Problem
from llmops_catalog.report.link_findings import (
    NOT_DONE,
    Said,
    about_models,
    clipped,
    dead,
    help_url,
    host_of,
    in_levels,
    moved,
    said,
    unknown,
)
from llmops_catalog.report.problems import sentence
from llmops_catalog.report.tables import printable

MOST_RESULTS = 25_000
"""Results of a run that code scanning takes: https://docs.github.com/en/code-security/code-scanning/troubleshooting-sarif-uploads/results-exceed-limit"""
_SCHEMA_OF_SARIF = "https://json.schemastore.org/sarif-2.1.0.json"

RULES = {
    "ok": "The link works",
    "redirected-permanent": "The link has moved for good",
    "redirected-temporary": "The link is redirected for now",
    "broken": "The link is dead",
    "broken-fragment": "The page has no such place",
    "soft-404": "The page says that it is gone",
    "server-error": "The server has an error",
    "timeout": "The server did not answer in time",
    "blocked": "The server turns robots away",
    "rate-limited": "The server asks to come back later",
    "login-wall": "The link leads to a sign-in page",
    "refused": "The address is not followed",
    "skipped": "The link was not checked",
    "gating-drift": "The record and the Hub differ on who may read the model",
    "renamed": "The model has another name on the Hub",
    "missing-or-private": "The model is gone from the Hub, or private",
    "licence-drift": "The record and the Hub differ on the licence",
    "config-drift": "The record and the model's config.json differ",
    "public": "Everybody may read the model",
    "gated-not-tested": "Access to the model was not tested",
    "gated-accepted": "Access to the model was given",
    "disabled": "The model is disabled on the Hub",
    "gated-not-requested": "Access to the model was not asked for",
    "gated-pending": "The request for the model waits for an answer",
    "gated-rejected": "The request for the model was turned down",
    "token-invalid": "The Hub does not know the token",
    "token-lacks-scope": "The token may not read gated models",
    "unknown": "The Hub gave no clear answer",
}
"""Every code a result can have, as the title of its rule."""


def as_junit(report: Report) -> str:
    """A suite for each host with a case for each link, then one of the models and one of the exceptions' problems.

    `failure` is the proof of a death; what nobody can judge, and what was not checked, is `skipped`. The flavour most servers read:
    https://github.com/testmoapp/junitxml
    """
    hosts: dict[str, list[LinkResult]] = {}
    for result in report.links:
        hosts.setdefault(host_of(result.url), []).append(result)
    suites = [_suite(host, [_link_case(host, result) for result in hosts[host]]) for host in sorted(hosts)]
    if report.models:
        suites.append(_suite("models on the Hub", [_model_case(model) for model in report.models]))
    if report.problems:
        suites.append(_suite("link exceptions", [_problem_case(problem) for problem in report.problems]))
    root = ElementTree.Element("testsuites", {"name": "check-links", **_totals(suites)})
    root.extend(suites)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _suite(name: str, cases: Sequence[ElementTree.Element]) -> ElementTree.Element:
    counts = Counter(child.tag for case in cases for child in case)
    milliseconds = sum(round(1000 * float(case.get("time", "0"))) for case in cases)
    numbers = {"tests": str(len(cases)), "failures": str(counts["failure"]), "errors": "0", "skipped": str(counts["skipped"])}
    suite = ElementTree.Element("testsuite", {"name": printable(name), **numbers, "time": f"{milliseconds / 1000:.3f}"})
    suite.extend(cases)
    return suite


def _totals(suites: Sequence[ElementTree.Element]) -> dict[str, str]:
    added = {key: str(sum(int(suite.get(key, "0")) for suite in suites)) for key in ("tests", "failures", "errors", "skipped")}
    return {**added, "time": f"{sum(float(suite.get('time', '0')) for suite in suites):.3f}"}


def _case(name: str, places: Sequence[Place], otherwise: str, elapsed_ms: int = 0) -> ElementTree.Element:
    """One case; `printable` leaves no character that XML 1.0 forbids."""
    attributes = {"classname": printable(otherwise), "name": printable(name), "time": f"{elapsed_ms / 1000:.3f}"}
    if places:
        first = min(places)
        attributes |= {"classname": printable(first.path), "file": printable(first.path), "line": str(first.line)}
    return ElementTree.Element("testcase", attributes)


def _link_case(host: str, result: LinkResult) -> ElementTree.Element:
    case = _case(result.url, result.places, host, result.elapsed_ms)
    about = said(result, "error")
    if result.judgement.outcome == "fail":
        _add(case, "failure", about)
    elif result.judgement.outcome == "unknown" or result.judgement.verdict == "skipped":
        _add(case, "skipped", about)
    return case


def _model_case(model: ModelResult) -> ElementTree.Element:
    case = _case(model.hub_id, model.places, "models")
    about = Said("error", model.access, "", NOT_DONE.get(model.access, ""), clipped(model.hint), model.places)
    if model.outcome == "fail":
        _add(case, "failure", about)
    elif model.outcome == "unknown":
        _add(case, "skipped", about)
    if model.findings:
        told = "\n".join(printable(f"{finding.code}: {clipped(finding.message)}") for finding in model.findings)
        ElementTree.SubElement(case, "system-out").text = told
    return case


def _problem_case(problem: Problem) -> ElementTree.Element:
    case = _case(sentence(problem), [Place(problem.path, problem.line, problem.column, "")], problem.path)
    about = Said("error", problem.code, "", problem.message, problem.hint)
    _add(case, "failure" if problem.level == "error" else "skipped", about)
    return case


def _add(case: ElementTree.Element, tag: str, about: Said) -> None:
    child = ElementTree.SubElement(case, tag, {"message": printable(f"{about.code}: {about.reason}" if about.reason else about.code)})
    if tag == "failure":
        child.set("type", about.code)
        places = [printable(f"{place.path}:{place.line}:{place.column}") for place in sorted(about.places)]
        child.text = "\n".join([*places, printable(about.help)])


def as_sarif(report: Report) -> dict[str, Any]:
    """One run: a rule for each code, a result for each place, since code scanning reads the first location of a result only.

    What is asked for: https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
    """
    results = [result for about in in_levels(_told(report)) for result in _results(about)]
    return {
        "$schema": _SCHEMA_OF_SARIF,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "llmops-catalog check-links",
                        "informationUri": f"{DOCUMENTATION}/links/",
                        "rules": [_rule(code) for code in RULES],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": results[:MOST_RESULTS],
            }
        ],
    }


def _told(report: Report) -> Iterator[Said]:
    yield from (said(result, "error") for result in dead(report))
    yield from about_models(report)
    yield from (said(result, "warning") for result in unknown(report) if result.judgement.verdict != "skipped")
    yield from (said(result, "note")._replace(reason=f"moved for good to {better}") for result, better in moved(report))


def _rule(code: str) -> dict[str, Any]:
    title = {"text": RULES[code]}
    help_text = {"text": f"{RULES[code]}: see {help_url(code)}"}
    return {"id": code, "shortDescription": title, "fullDescription": title, "help": help_text, "helpUri": help_url(code)}


def _results(about: Said) -> Iterator[dict[str, Any]]:
    """One for each place; one without a location where an address stands nowhere."""
    codes = list(RULES)
    # a bracket before a parenthesis would make a link of the message (SARIF 2.1.0, 3.11.6)
    message = printable(about.sentence).replace("](", "] (")
    common = {"ruleId": about.code, "ruleIndex": codes.index(about.code), "level": about.level, "message": {"text": message}}
    seen: Counter[str] = Counter()
    for place in sorted(about.places):
        seen[place.path] += 1
        yield {
            **common,
            "locations": [_location(place, len(about.what) or 1)],
            "partialFingerprints": _fingerprints(about, place.path, seen[place.path]),
        }
    if not about.places:
        yield {**common, "locations": [], "partialFingerprints": _fingerprints(about, "", 1)}


def _location(place: Place, length: int) -> dict[str, Any]:
    region = {"startLine": place.line, "startColumn": place.column, "endLine": place.line, "endColumn": place.column + length}
    return {"physicalLocation": {"artifactLocation": {"uri": quote(place.path.lstrip("/"), errors="replace")}, "region": region}}


def _fingerprints(about: Said, path: str, occurrence: int) -> dict[str, str]:
    """The address and the file, whatever the line, so that an alert stays one while the file changes around it.

    Code scanning looks at this one name only and keeps what it is given; the action that uploads logs that it would have taken
    another (`fingerprints.ts` in https://github.com/github/codeql-action).
    """
    named = about.what or about.message
    digest = hashlib.sha256("\0".join([named, path]).encode("utf-8", "replace")).hexdigest()
    return {"primaryLocationLineHash": f"{digest[:16]}:{occurrence}"}

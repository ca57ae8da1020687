"""What servers and the Hub say to `check-links` steers no terminal, no annotation and no report."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from catalog_site import FORMATS, HERE, Site, check, models_of
from commands import run_in
from hub_double import GOOD_TOKEN, HubDouble, answering
from misbehaving import Host, World
from page_answers import page, redirect

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

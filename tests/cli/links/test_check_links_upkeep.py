"""What `check-links` writes and remembers: repairs of records, a state over several runs, exceptions of the catalog."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from catalog_site import HERE, L4, Site, check
from commands import run_in
from hub_double import serving_hub
from misbehaving import World
from page_answers import FILE, page, redirect

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


def test_the_report_is_written_though_the_state_cannot_be(world: World, tmp_path: Path) -> None:
    """All the work of a run was lost where the file of `--state` could not be written."""
    (tmp_path / "file").write_text("in the way of a folder")
    host = world.host("state")
    url = host.page("/page", FILE)
    world.start()
    answer = check("--url", url, "--state", str(tmp_path / "file" / "state.json"))
    assert answer.code == 3
    assert "state" in answer.err
    not_asked = host.connections == 0  # to refuse before anything is asked is as good
    assert not_asked or answer.out == "1 link: 1 pass, 0 fail, 0 unknown\n"


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

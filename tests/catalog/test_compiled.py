"""The compiled catalog is never stale, survives every damage to its files, and is safe when many processes build it at once."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from llmops_catalog import CatalogInvalid, load_catalog
from llmops_catalog.catalog import compiled
from llmops_catalog.errors import CatalogNotFound

READ_BANDWIDTH = "import sys, llmops_catalog as l; print(l.load_catalog(sys.argv[1]).record('gpus', 'nvidia/l4').data['bandwidth_gb_s'])"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("LLMOPS_CATALOG_CACHE", str(folder))
    return folder


def bandwidth(catalog: Path) -> float:
    return load_catalog(catalog).record("gpus", "nvidia/l4").data["bandwidth_gb_s"]


def edit(catalog: Path, bandwidth: str) -> Path:
    """Writes another bandwidth of the same length, in place."""
    card = catalog / "gpus" / "nvidia" / "l4.yaml"
    lines = [f"bandwidth_gb_s: {bandwidth}" if line.startswith("bandwidth_gb_s:") else line for line in card.read_text().splitlines()]
    card.write_text("\n".join(lines) + "\n")
    return card


def age(catalog: Path, seconds: float = 3600) -> None:
    """Makes every file look old, so that the stamp is believed."""
    then = time.time() - seconds
    for path in [*catalog.rglob("*"), catalog]:
        os.utime(path, (then, then))


def test_a_second_question_parses_nothing(small_catalog: Path, cache: Path) -> None:
    assert bandwidth(small_catalog) == 300.1
    answer = subprocess.run(
        [sys.executable, "-c", f"{READ_BANDWIDTH}; assert not {{'yaml', 'pydantic'}} & set(sys.modules)", str(small_catalog)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert answer.stdout == "300.1\n"
    assert list(cache.glob("*.sqlite"))


def test_an_edit_of_the_same_size_within_the_same_tick_is_seen(small_catalog: Path, cache: Path) -> None:
    for number in range(400, 430):
        edit(small_catalog, f"{number}.5")
        assert bandwidth(small_catalog) == number + 0.5


def test_an_edit_with_its_times_put_back_is_seen(small_catalog: Path, cache: Path) -> None:
    age(small_catalog)
    assert bandwidth(small_catalog) == 300.1
    status = (small_catalog / "gpus" / "nvidia" / "l4.yaml").stat()
    card = edit(small_catalog, "411.1")
    os.utime(card, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert card.stat().st_size == status.st_size
    assert bandwidth(small_catalog) == 411.1


def test_a_file_put_in_place_of_another_is_seen(small_catalog: Path, cache: Path, tmp_path: Path) -> None:
    assert bandwidth(small_catalog) == 300.1
    card = small_catalog / "gpus" / "nvidia" / "l4.yaml"
    status = card.stat()
    other = tmp_path / "other.yaml"
    other.write_text(card.read_text().replace("300.1", "422.2"))
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(card)
    assert bandwidth(small_catalog) == 422.2


def test_records_that_come_and_go_are_seen(small_catalog: Path, cache: Path) -> None:
    ids = load_catalog(small_catalog).ids("gpus")
    card = small_catalog / "gpus" / "nvidia" / "rtx-4080-laptop.yaml"
    moved = card.with_name("rtx-4080-mobile.yaml")
    card.rename(moved)
    assert load_catalog(small_catalog).ids("gpus") == sorted({*ids, "nvidia/rtx-4080-mobile"} - {"nvidia/rtx-4080-laptop"})
    moved.unlink()
    assert len(load_catalog(small_catalog).ids("gpus")) == len(ids) - 1


def test_going_back_to_an_earlier_state_is_seen(small_catalog: Path, cache: Path) -> None:
    for value in (300.1, 411.1, 300.1, 422.2, 411.1):
        edit(small_catalog, str(value))
        assert bandwidth(small_catalog) == value


def test_two_catalogs_do_not_mix(small_catalog: Path, cache: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "catalog"
    shutil.copytree(small_catalog, other)
    edit(other, "411.1")
    for _ in range(2):
        assert (bandwidth(small_catalog), bandwidth(other)) == (300.1, 411.1)


def test_a_problem_appears_as_soon_as_it_is_written(small_catalog: Path, cache: Path) -> None:
    assert bandwidth(small_catalog) == 300.1
    edit(small_catalog, "fast!")
    with pytest.raises(CatalogInvalid) as caught:
        load_catalog(small_catalog)
    assert [problem.code for problem in caught.value.problems] == ["wrong-type"]
    assert caught.value.message == "the catalog has 1 error"
    edit(small_catalog, "300.1")
    assert bandwidth(small_catalog) == 300.1


def test_warnings_alone_do_not_stop_an_answer(small_catalog: Path, cache: Path) -> None:
    (small_catalog / "gpus" / "notes.txt").write_text("call the vendor")
    assert bandwidth(small_catalog) == 300.1


@pytest.mark.parametrize("damage", [b"", b"SQLite format 3\0", b"garbage" * 1000, b"\0" * 100_000])
def test_damaged_files_are_built_again(small_catalog: Path, cache: Path, damage: bytes) -> None:
    assert bandwidth(small_catalog) == 300.1
    for path in cache.iterdir():
        path.write_bytes(damage)
    assert bandwidth(small_catalog) == 300.1
    assert load_catalog(small_catalog).search("llama")


def test_a_half_written_file_is_built_again(small_catalog: Path, cache: Path) -> None:
    assert bandwidth(small_catalog) == 300.1
    (compiled_file,) = cache.glob("*.sqlite")
    raw = compiled_file.read_bytes()
    for part in (1, 100, 4096, len(raw) // 2, len(raw) - 1):
        compiled_file.write_bytes(raw[:part])
        assert bandwidth(small_catalog) == 300.1
        assert compiled_file.read_bytes()[:16] == b"SQLite format 3\0"


def test_a_file_of_another_version_is_not_used(small_catalog: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert bandwidth(small_catalog) == 300.1
    monkeypatch.setattr(compiled, "FORMAT", compiled.FORMAT + 1)
    before = set(cache.glob("*.sqlite"))
    assert bandwidth(small_catalog) == 300.1
    assert set(cache.glob("*.sqlite")) - before


def test_a_sqlite_file_that_is_something_else_is_built_again(small_catalog: Path, cache: Path) -> None:
    assert bandwidth(small_catalog) == 300.1
    (compiled_file,) = cache.glob("*.sqlite")
    compiled_file.unlink()
    with sqlite3.connect(compiled_file) as connection:
        connection.execute("CREATE TABLE meta (key TEXT, value TEXT)")
    connection.close()
    assert bandwidth(small_catalog) == 300.1


@pytest.mark.parametrize("place", ["a file", "below a file", "the root"])
def test_without_a_cache_folder_the_answer_is_the_same(
    small_catalog: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("not a folder")
    monkeypatch.setenv("LLMOPS_CATALOG_CACHE", {"a file": str(blocked), "below a file": str(blocked / "cache"), "the root": "/proc"}[place])
    assert bandwidth(small_catalog) == 300.1
    edit(small_catalog, "411.1")
    assert bandwidth(small_catalog) == 411.1


def test_a_full_disk_costs_speed_only(small_catalog: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, raw: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("llmops_catalog.files.write_bytes", full)
    assert bandwidth(small_catalog) == 300.1


def test_many_processes_at_once(small_catalog: Path, cache: Path) -> None:
    started = [
        subprocess.Popen(
            [sys.executable, "-c", READ_BANDWIDTH, str(small_catalog)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    answers = [process.communicate(timeout=60) for process in started]
    assert answers == [("300.1\n", "")] * 4
    assert not [path for path in cache.iterdir() if path.name.startswith(".")]


def test_a_reader_keeps_its_answer_while_the_records_change(small_catalog: Path, cache: Path) -> None:
    first = load_catalog(small_catalog)
    edit(small_catalog, "411.1")
    assert bandwidth(small_catalog) == 411.1
    shutil.rmtree(cache)
    assert first.record("gpus", "nvidia/l4").data["bandwidth_gb_s"] == 300.1


def test_old_files_do_not_pile_up(small_catalog: Path, cache: Path) -> None:
    for number in range(400, 412):
        edit(small_catalog, f"{number}.5")
        bandwidth(small_catalog)
    assert len(list(cache.glob("*.sqlite"))) <= compiled.KEPT


def test_no_catalog_no_cache(tmp_path: Path, cache: Path) -> None:
    with pytest.raises(CatalogNotFound):
        load_catalog(tmp_path / "nowhere")


def test_records_keep_the_order_and_values_of_their_file(small_catalog: Path, cache: Path) -> None:
    record = load_catalog(small_catalog).record("models", "qwen/qwen3-8b")
    assert list(record.data)[:3] == ["name", "hub_id", "developer"]
    assert record.data["license"] == {"id": "Apache-2.0"}
    assert record.data["gated"] == {"mode": "no"}
    card = load_catalog(small_catalog).record("gpus", "nvidia/rtx-4090")
    assert card.data["aliases"] == ["4090"]
    assert card.path == "catalog/gpus/nvidia/rtx-4090.yaml"
    assert json.loads(json.dumps(card.as_json()))["id"] == "nvidia/rtx-4090"


def test_the_packaged_records_are_used_where_there_are_no_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_catalog().counts["gpus"] >= 40
    shutil.copytree(Path(__file__).parent.parent / "broken" / "_base" / "catalog", tmp_path / "catalog")
    assert load_catalog().counts["gpus"] == 1

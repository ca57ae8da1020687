"""Reading a folder: what counts as a record, what is refused without being opened, and that the content hash sees every byte."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from llmops_catalog.catalog import folder as room
from llmops_catalog.catalog.check import check_folder
from llmops_catalog.catalog.folder import MAX_BYTES, read_folder
from llmops_catalog.errors import CatalogError, CatalogNotFound


def test_only_yaml_files_are_records(small_catalog: Path) -> None:
    (small_catalog / "LICENSE").write_text("CC BY 4.0")
    (small_catalog / "README.md").write_text("about")
    (small_catalog / "schemas").mkdir()
    (small_catalog / "schemas" / "models.json").write_text("{}")
    (small_catalog / ".hidden").mkdir()
    (small_catalog / ".hidden" / "x.yaml").write_text("x: 1")
    (small_catalog / "gpus" / "nvidia" / "l4.yaml~").write_text("backup of an editor")
    before = len(read_folder(small_catalog).files)
    assert read_folder(small_catalog).problems == ()
    (small_catalog / "gpus" / "nvidia" / "notes.md").write_text("notes")
    assert [problem.code for problem in read_folder(small_catalog).problems] == ["stray-file"]
    assert len(read_folder(small_catalog).files) == before


def test_a_missing_folder_and_a_file_in_its_place(tmp_path: Path) -> None:
    with pytest.raises(CatalogNotFound, match="there is no catalog folder at"):
        check_folder(tmp_path / "nowhere")
    (tmp_path / "file").write_text("x")
    with pytest.raises(CatalogNotFound):
        check_folder(tmp_path / "file")


def test_an_empty_folder_is_an_empty_catalog(tmp_path: Path) -> None:
    assert check_folder(tmp_path).problems == ()


def test_never_reads_beyond_the_limit(small_catalog: Path) -> None:
    (small_catalog / "gpus" / "big.yaml").write_bytes(b"a" * (MAX_BYTES * 40))
    assert len(read_folder(small_catalog).files["gpus/big.yaml"]) == MAX_BYTES + 1


def test_a_link_out_of_the_catalog_is_not_followed(small_catalog: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.yaml"
    secret.write_text("name: not for the catalog")
    (small_catalog / "gpus" / "leak.yaml").symlink_to(secret)
    (small_catalog / "gpus" / "gone.yaml").symlink_to(tmp_path / "nowhere")
    (small_catalog / "gpus" / "circle").symlink_to(small_catalog)
    read = read_folder(small_catalog)
    assert sorted(problem.path for problem in read.problems) == ["catalog/gpus/circle", "catalog/gpus/gone.yaml", "catalog/gpus/leak.yaml"]
    assert {problem.code for problem in read.problems} == {"not-a-file"}


def test_a_file_that_may_not_be_read_is_one_problem(small_catalog: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Permissions do not stop the superuser, so the refusal itself is made up."""
    real = room._read_regular_file

    def refusing(path: str) -> bytes:
        if path.endswith("/l4.yaml"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(room, "_read_regular_file", refusing)
    checked = check_folder(small_catalog)
    assert [(problem.path, problem.code, problem.message) for problem in checked.problems if problem.code == "not-a-file"] == [
        ("catalog/gpus/nvidia/l4.yaml", "not-a-file", "the file cannot be read: Permission denied")
    ]


def test_a_folder_that_may_not_be_read_stops_with_its_name(small_catalog: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.scandir

    def refusing(path: Path) -> object:
        if Path(path).name == "nvidia":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", refusing)
    with pytest.raises(CatalogError, match=r"cannot read .*nvidia: Permission denied"):
        check_folder(small_catalog)


def test_names_that_are_no_text_are_named_anyway(small_catalog: Path) -> None:
    name = os.fsdecode(b"gpus/nvidia/caf\xe9.yaml")
    try:
        (small_catalog / name).write_text("name: x")
    except OSError:  # file systems of macOS take UTF-8 only
        return
    assert "bad-file-name" in {problem.code for problem in check_folder(small_catalog).problems}
    assert read_folder(small_catalog).content_hash


def test_the_content_hash_sees_bytes_paths_and_problems(small_catalog: Path) -> None:
    hashes = [read_folder(small_catalog).content_hash]
    assert read_folder(small_catalog).content_hash == hashes[0]
    card = small_catalog / "gpus" / "nvidia" / "l4.yaml"
    card.write_text(card.read_text().replace("300.1", "300.2"))
    hashes.append(read_folder(small_catalog).content_hash)
    card.rename(card.with_name("l5.yaml"))
    hashes.append(read_folder(small_catalog).content_hash)
    (small_catalog / "gpus" / "stray.txt").write_text("")
    hashes.append(read_folder(small_catalog).content_hash)
    assert len(set(hashes)) == 4


def test_moving_bytes_between_files_changes_the_hash(tmp_path: Path) -> None:
    hashes = set()
    for first, second in (("ab", "c"), ("a", "bc")):
        (tmp_path / "a.yaml").write_text(first)
        (tmp_path / "b.yaml").write_text(second)
        hashes.add(read_folder(tmp_path).content_hash)
    assert len(hashes) == 2

"""The rendered tree as a whole: complete, the same every time, and only what changed is written."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from llmops_catalog import load_catalog
from llmops_catalog.errors import RenderError
from llmops_catalog.render.internal_links import check_internal_links
from llmops_catalog.render.tree import generated, render_plain, render_site
from llmops_catalog.render.write import MANIFEST
from llmops_catalog.schema import COLLECTIONS

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def files(shared_catalog: Path) -> dict[str, str]:
    return {path: text for path, text in generated(load_catalog(shared_catalog)).items() if isinstance(text, str)}


def test_every_record_has_a_page_and_its_json(files: dict[str, str], shared_catalog: Path) -> None:
    for collection in COLLECTIONS:
        assert f"{collection}/index.md" in files
        assert f"api/v1/{collection}.json" in files
        assert f"api/v1/schemas/{collection}.json" in files
        for path in (shared_catalog / collection).rglob("*.yaml"):
            record_id = path.relative_to(shared_catalog / collection).as_posix().removesuffix(".yaml")
            assert f"{collection}/{record_id}.md" in files
            record = json.loads(files[f"api/v1/{collection}/{record_id}.json"])
            assert (record["schema"], record["license"]["id"], record["id"]) == ("llmops-catalog/record/1", "CC-BY-4.0", record_id)
    assert {"index.md", "fit/index.md", "accuracy/index.md", "feed.xml", "llms.txt", "api/v1/index.json"} <= files.keys()


def test_every_json_file_names_its_schema_and_the_licence_of_the_data(files: dict[str, str]) -> None:
    for path, text in files.items():
        if path.endswith(".json"):
            data = json.loads(text)
            assert str(data.get("x-schema") or data["schema"]).startswith("llmops-catalog/"), path
            assert (data.get("x-data-license") or data["license"])["id"] == "CC-BY-4.0", path


def test_all_links_inside_the_tree_lead_somewhere(files: dict[str, str]) -> None:
    check_internal_links(files)


def test_a_record_page_leads_to_its_file_its_data_and_what_refers_to_it(files: dict[str, str]) -> None:
    page = files["gpus/nvidia/l4.md"]
    assert 'href="https://github.com/llmops-catalog/llmops-catalog/edit/main/catalog/gpus/nvidia/l4.yaml"' in page
    assert 'href="../../../api/v1/gpus/nvidia/l4.json"' in page
    assert 'href="../../../notebooks/llm-ops/present/"' in page
    assert 'href="../../../architectures/ada-lovelace/"' in page


def test_a_notebook_says_whether_it_fits_beside_what_was_measured(files: dict[str, str]) -> None:
    page = files["notebooks/llm-ops/present.md"]
    assert '<span class="v vf">fits</span>' in page
    assert "loaded: 5.61" in page
    assert "% loaded, " in page


def test_the_same_records_give_the_same_bytes_in_another_process(files: dict[str, str], shared_catalog: Path, tmp_path: Path) -> None:
    script = "import sys, pathlib; from llmops_catalog import load_catalog; from llmops_catalog.render.tree import render_plain\n"
    script += "render_plain(load_catalog(sys.argv[1]), pathlib.Path(sys.argv[2]))"
    environment = {**os.environ, "PYTHONHASHSEED": "4242", "TZ": "Asia/Tokyo", "LC_ALL": "C"}
    subprocess.run([sys.executable, "-c", script, str(shared_catalog), str(tmp_path)], check=True, env=environment)
    written = {path.relative_to(tmp_path).as_posix(): path.read_text(encoding="utf-8") for path in tmp_path.rglob("*") if path.is_file()}
    del written[MANIFEST]
    assert written == files


def test_only_pages_of_what_changed_are_written(small_catalog: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = render_plain(load_catalog(small_catalog), out)
    assert render_plain(load_catalog(small_catalog), out).written == 0
    path = small_catalog / "concepts" / "kv-cache.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("summary: ", "summary: Now clearer. ", 1), encoding="utf-8")
    second = render_plain(load_catalog(small_catalog), out)
    assert 1 <= second.written <= 8
    assert second.total == first.total
    path.unlink()
    for referring in small_catalog.rglob("*.yaml"):
        assert "kv-cache" not in referring.read_text(encoding="utf-8")
    third = render_plain(load_catalog(small_catalog), out)
    assert third.removed == 2
    assert not (out / "concepts" / "kv-cache.md").exists()


def test_hand_written_pages_and_assets_travel_with_the_site_and_cannot_replace_generated_ones(shared_catalog: Path, tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    shutil.copytree(DOCS / "assets", docs / "assets")
    (docs / "contributing.md").write_text("# Contributing\n")
    (docs / ".hidden").write_text("x")
    catalog = load_catalog(shared_catalog)
    render_site(catalog, docs, tmp_path / "out")
    assert (tmp_path / "out" / "contributing.md").read_text() == "# Contributing\n"
    assert (tmp_path / "out" / "assets" / "catalog.css").is_file()
    assert not (tmp_path / "out" / ".hidden").exists()
    (docs / "index.md").write_text("# Mine\n")
    with pytest.raises(RenderError, match="would replace a generated page"):
        render_site(catalog, docs, tmp_path / "out")


@pytest.mark.parametrize("content", [b"\xff\xfe", None])
def test_unreadable_docs_are_said_plainly(content: bytes | None, shared_catalog: Path, tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    if content is not None:
        docs.mkdir()
        (docs / "bad.md").write_bytes(content)
    with pytest.raises(RenderError, match=r"cannot read|there is no folder"):
        render_site(load_catalog(shared_catalog), docs, tmp_path / "out")
    assert not (tmp_path / "out").exists()

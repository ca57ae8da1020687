"""From records to a site: strict, in one step or not at all, in a checkout and in an empty folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from llmops_catalog.errors import RenderError
from llmops_catalog.render import build
from llmops_catalog.render.build import build_site, hand_written_docs
from llmops_catalog.schema import COLLECTIONS

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def project(shared_catalog: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty folder with a space in its name, and a site built in it."""
    folder = tmp_path_factory.mktemp("my project")
    build_site(shared_catalog, folder, folder / "site")
    return folder


def test_a_site_is_built_in_an_empty_folder(project: Path) -> None:
    page = (project / "site" / "models" / "meta-llama" / "llama-3.1-8b-instruct" / "index.html").read_text(encoding="utf-8")
    assert "<h1 data-search-exclude>Llama 3.1 8B Instruct</h1>" in page
    assert 'aria-label="Search"' in page
    assert (project / "site" / "assets" / "catalog.css").is_file()
    assert json.loads((project / "site" / "api" / "v1" / "index.json").read_text())["schema"] == "llmops-catalog/index/1"
    assert sorted(path.name for path in project.iterdir()) == ["build", "site"]


def test_no_page_asks_another_host_for_anything(project: Path) -> None:
    for path in (project / "site").rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        for attribute in ('src="http', 'href="https://fonts', "api.github.com", "cdn."):
            assert attribute not in text, path


def test_a_failed_build_leaves_the_old_site(project: Path, shared_catalog: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RenderError("no")

    before = {path: path.stat().st_mtime_ns for path in (project / "site").rglob("*")}
    monkeypatch.setattr(build, "_mkdocs", fail)
    with pytest.raises(RenderError):
        build_site(shared_catalog, project, project / "site")
    assert {path: path.stat().st_mtime_ns for path in (project / "site").rglob("*")} == before
    assert sorted(path.name for path in project.iterdir()) == ["build", "site"]


def test_a_warning_of_mkdocs_fails_the_build_and_is_shown(shared_catalog: Path, tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    for path in hand_written_docs(tmp_path).rglob("*"):
        if path.is_file():
            target = docs / path.relative_to(hand_written_docs(PROJECT))
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    (docs / "problems.md").write_text("# Problems\n\n[nowhere](no-such-page.md)\n")
    with pytest.raises(RenderError, match=r"no-such-page\.md"):
        build_site(shared_catalog, tmp_path, tmp_path / "site")
    assert not (tmp_path / "site").exists()


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_a_folder_that_holds_something_else_is_not_replaced(kind: str, shared_catalog: Path, tmp_path: Path) -> None:
    target = tmp_path / "precious"
    if kind == "folder":
        target.mkdir()
        (target / "thesis.txt").write_text("years of work")
    else:
        target.write_text("years of work")
    with pytest.raises(RenderError, match=r"not a site of this program|is not a folder"):
        build_site(shared_catalog, tmp_path, target)
    assert (target / "thesis.txt" if kind == "folder" else target).read_text() == "years of work"


def test_somebody_elses_mkdocs_yml_and_docs_are_left_alone(shared_catalog: Path, tmp_path: Path) -> None:
    (tmp_path / "mkdocs.yml").write_text("site_name: mine\ntheme: no-such-theme\n")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("# Mine\n")
    build_site(shared_catalog, tmp_path, tmp_path / "site")
    assert "Will this model run" in (tmp_path / "site" / "index.html").read_text(encoding="utf-8")


def test_the_checkout_and_the_package_build_from_one_description() -> None:
    own = yaml.safe_load((PROJECT / "mkdocs.yml").read_text(encoding="utf-8"))
    assert own["INHERIT"] == "llmops_catalog/render/mkdocs.yml"
    assert set(own) == {"INHERIT", "docs_dir", "site_dir", "theme", "hooks"}
    assert (own["docs_dir"], own["site_dir"]) == ("build/docs", "site")
    assert build._config(PROJECT) == PROJECT / "mkdocs.yml"


def test_every_collection_is_in_the_navigation_and_its_records_are_not() -> None:
    text = (PROJECT / "llmops_catalog" / "render" / "mkdocs.yml").read_text(encoding="utf-8")
    for collection in COLLECTIONS:
        assert f": {collection}/index.md" in text
        assert f"  /{collection}/**\n" in text
    settings = yaml.safe_load(text)
    assert settings["plugins"] == ["search"]
    assert settings["theme"]["font"] is False
    assert "navigation.instant" not in settings["theme"]["features"]


def test_the_hook_stays_small() -> None:
    assert len((PROJECT / "llmops_catalog" / "render" / "mkdocs_hook.py").read_text(encoding="utf-8").splitlines()) < 60

"""The whole rendered tree: pages, API, feeds and (for the site) the hand-written docs, checked and written in one go."""

from __future__ import annotations

from pathlib import Path

from llmops_catalog.catalog import Catalog
from llmops_catalog.errors import RenderError
from llmops_catalog.render.api import render_api
from llmops_catalog.render.feeds import render_feeds
from llmops_catalog.render.internal_links import check_internal_links
from llmops_catalog.render.pages import render_pages
from llmops_catalog.render.views.library import Library
from llmops_catalog.render.views.matrix import Matrix
from llmops_catalog.render.views.site import all_pages
from llmops_catalog.render.write import WriteReport, write_tree

MAX_DOC_BYTES = 16 << 20
BESIDE_DOCS = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
"""Pages people look for at the top of a repository, and their names on the site (the wheel carries them under these)."""


def render_plain(catalog: Catalog, destination: Path) -> WriteReport:
    """The generated pages as Markdown and the data as JSON, for any site builder; nothing hand-written, no assets.

    Only files that changed are written, files of an earlier run that are no longer generated are removed, others stay.
    Raises `RenderError` where a link inside the tree leads nowhere or the folder cannot be written.
    """
    files = generated(catalog)
    check_internal_links(files)
    return write_tree(files, destination)


def render_site(catalog: Catalog, docs_dir: Path, destination: Path) -> WriteReport:
    """As `render_plain`, with the hand-written pages and assets of `docs_dir` beside the generated ones: what MkDocs builds from."""
    files: dict[str, str | bytes] = dict(generated(catalog))
    for path, content in _hand_written(docs_dir).items():
        if path in files:
            raise RenderError(f"{docs_dir / path} would replace a generated page", "rename it")
        files[path] = content
    check_internal_links(files)
    return write_tree(files, destination)


def generated(catalog: Catalog) -> dict[str, str | bytes]:
    """Every generated file by its path below the tree's root."""
    library, matrix = Library(catalog), Matrix()
    return {**render_pages(all_pages(library, matrix)), **render_api(library, matrix), **render_feeds(library)}


def _hand_written(docs_dir: Path) -> dict[str, str | bytes]:
    """Files people wrote for the site: Markdown as text, all else as bytes; hidden files and links out of the folder are left."""
    if not docs_dir.is_dir():
        raise RenderError(f"there is no folder {docs_dir}", "run the command from the project's folder")
    found: dict[str, str | bytes] = {}
    pages = {docs_dir.parent / name: Path(page) for name, page in BESIDE_DOCS.items() if not (docs_dir / page).exists()}
    inside = {path: path.relative_to(docs_dir) for path in sorted(docs_dir.rglob("*"))}
    try:
        for path, relative in (inside | pages).items():
            if any(part.startswith(".") for part in relative.parts) or path.is_symlink() or not path.is_file():
                continue
            if path.stat().st_size > MAX_DOC_BYTES:
                raise RenderError(f"{path} is larger than {MAX_DOC_BYTES >> 20} MiB", "make it smaller or keep it out of docs/")
            found[relative.as_posix()] = path.read_text(encoding="utf-8") if path.suffix == ".md" else path.read_bytes()
    except (OSError, UnicodeDecodeError) as error:
        raise RenderError(f"cannot read {path}: {error}", "hand-written pages are UTF-8 text") from error
    return found

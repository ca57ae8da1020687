"""FROM records TO a site: render, let MkDocs build strictly beside the old site, swap the two. Also the reloading server."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from llmops_catalog.catalog import load_catalog
from llmops_catalog.errors import CatalogError, CatalogInvalid, RenderError
from llmops_catalog.render.tree import render_site
from llmops_catalog.render.write import WriteReport

HERE = Path(__file__).parent
PACKAGE = HERE.parent
RENDERED = Path("build") / "docs"
"""Where pages are rendered to, below the project folder."""
CATALOG_VARIABLE = "LLMOPS_CATALOG_DIR"
"""Tells the hook, inside MkDocs' process, which records are being served."""
MARK = "api/v1/index.json"
"""A file every site of ours has: a folder without it is not ours to replace."""


def hand_written_docs(project_dir: Path) -> Path:
    """The project's docs/ where it holds the site's assets, else the packaged copy (in a checkout used from elsewhere: the checkout's)."""
    for folder in (project_dir / "docs", PACKAGE / "_docs"):
        if (folder / "assets" / "catalog.css").is_file():
            return folder
    return PACKAGE.parent / "docs"


def render_catalog(catalog_dir: Path, docs_dir: Path, destination: Path) -> WriteReport:
    """Loads the records and renders the site's tree. Raises `CatalogInvalid` or `RenderError`."""
    return render_site(load_catalog(catalog_dir), docs_dir, destination)


def build_site(catalog_dir: Path, project_dir: Path, site_dir: Path) -> WriteReport:
    """The finished site in `site_dir`, built strictly; an interrupted or failed build leaves the old site as it was.

    Works in a checkout (with its mkdocs.yml) and in an empty folder alike. Raises `CatalogInvalid` or `RenderError`.
    """
    _refuse_foreign(site_dir)
    report = render_catalog(catalog_dir, hand_written_docs(project_dir), project_dir / RENDERED)
    build_rendered(project_dir, site_dir, catalog_dir)
    return report


def build_rendered(project_dir: Path, site_dir: Path, catalog_dir: Path) -> None:
    """The site of what lies rendered in the project folder; MkDocs alone, no records read."""
    _refuse_foreign(site_dir)
    config = _config(project_dir)
    try:
        site_dir.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{site_dir.name}-", dir=site_dir.parent))
    except OSError as error:
        raise RenderError(f"cannot write {site_dir}: {error.strerror}", "choose another folder with --site-dir") from error
    try:
        _mkdocs(["build", "--strict", "--config-file", str(config), "--site-dir", str(fresh / "site")], project_dir, catalog_dir)
        _swap(fresh / "site", site_dir, fresh / "old")
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def serve_site(catalog_dir: Path, project_dir: Path, address: str = "127.0.0.1:8000") -> None:
    """Serves the site and builds it anew whenever a record or a hand-written page changes; returns on Ctrl-C."""
    render_catalog(catalog_dir, hand_written_docs(project_dir), project_dir / RENDERED)
    # Its own site_url: MkDocs would serve below the path that the published site has.
    config = _written_config(project_dir, site_url=f"http://{address}/")
    arguments = ["serve", "--strict", "--config-file", str(config), "--dev-addr", address]
    try:
        _mkdocs(arguments, project_dir, catalog_dir, capture=False)
    except KeyboardInterrupt:
        return


def render_again(destination: Path) -> str:
    """Renders once more what is being served; what is wrong comes back as text, for MkDocs to show while the old site stays up."""
    catalog_dir = os.environ.get(CATALOG_VARIABLE)
    if not catalog_dir:
        return ""
    try:
        render_catalog(Path(catalog_dir), hand_written_docs(Path.cwd()), destination)
    except CatalogInvalid as error:
        return "\n".join([error.message, *(f"{problem.place}: {problem.message}" for problem in error.problems[:20])])
    except CatalogError as error:
        return f"{error.message}. {error.hint}"
    return ""


def _refuse_foreign(site_dir: Path) -> None:
    if site_dir.exists() and not site_dir.is_dir():
        raise RenderError(f"{site_dir} is not a folder", "choose another one with --site-dir")
    if site_dir.is_dir() and any(site_dir.iterdir()) and not (site_dir / MARK).is_file():
        raise RenderError(
            f"{site_dir} holds something that is not a site of this program", "empty it or choose another folder with --site-dir"
        )


def _config(project_dir: Path) -> Path:
    """The checkout's mkdocs.yml, or one in build/ that inherits the packaged one."""
    own = project_dir / "mkdocs.yml"
    if own.is_file() and "INHERIT: llmops_catalog/render/mkdocs.yml" in own.read_text(encoding="utf-8"):
        return own
    return _written_config(project_dir)


def _written_config(project_dir: Path, **more: str) -> Path:
    """A configuration in build/ with absolute paths, so that it works wherever the package lies."""
    values = {
        "INHERIT": str(HERE / "mkdocs.yml"),
        "docs_dir": str((project_dir / RENDERED).absolute()),
        "theme": {"custom_dir": str(HERE / "theme")},
        "hooks": [str(HERE / "mkdocs_hook.py")],
        **more,
    }
    path = project_dir / "build" / "mkdocs.yml"
    # JSON is YAML: no quoting rules to get wrong with unusual folder names.
    path.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
    return path


def _mkdocs(arguments: list[str], project_dir: Path, catalog_dir: Path, *, capture: bool = True) -> None:
    """Runs MkDocs in its own process: its logging and warnings stay there. Never `-q`: that hides broken links from --strict."""
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1", CATALOG_VARIABLE: str(catalog_dir.absolute()), "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-m", "mkdocs", *arguments]
    done = subprocess.run(  # noqa: S603 - our own interpreter and arguments
        command,
        cwd=project_dir,
        env=environment,
        stdout=subprocess.PIPE if capture else None,
        stderr=subprocess.STDOUT if capture else None,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        lines = [line for line in (done.stdout or "").splitlines() if line.strip() and not line.startswith("INFO")]
        raise RenderError(
            "MkDocs did not build the site: " + "\n".join(lines[-20:]), "a warning counts as an error here: each names the page it is about"
        )


def _swap(fresh: Path, site_dir: Path, old: Path) -> None:
    if site_dir.is_dir():
        site_dir.rename(old)
    try:
        fresh.rename(site_dir)
    except OSError:
        if old.is_dir():
            old.rename(site_dir)
        raise

"""One site for all browser tests, one of hostile records, both served on the loopback, and pages that report what went wrong."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from ensure_chromium import chromium_path
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from llmops_catalog.render.build import RENDERED, build_rendered, build_site, hand_written_docs
from llmops_catalog.render.tree import render_site

PROJECT = Path(__file__).parents[2]
sys.path.insert(0, str(PROJECT / "tests" / "render"))


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and writes no log."""

    def log_message(self, *_: object) -> None:
        return


def served(folder: Path) -> Iterator[str]:
    """The address of a server for the folder."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def built_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real records' site, built as in an empty folder: that is also what an installed package does."""
    project = tmp_path_factory.mktemp("project")
    build_site(PROJECT / "catalog", project, project / "site")
    return project / "site"


@pytest.fixture(scope="session")
def site(built_site: Path) -> Iterator[str]:
    """Its address."""
    yield from served(built_site)


@pytest.fixture(scope="session")
def hostile_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a site whose every text is an attack."""
    from hostile_records import catalog_of, hostile_records

    project = tmp_path_factory.mktemp("hostile")
    render_site(catalog_of(hostile_records()), hand_written_docs(project), project / RENDERED)
    build_rendered(project, project / "site", PROJECT / "catalog")
    yield from served(project / "site")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium. A machine without one fails here: a browser test that skips itself proves nothing."""
    path = chromium_path()
    assert path, "the browser tests need Chromium: run 'python tests/ensure_chromium.py', which installs it or says how"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=path, headless=True, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens addresses; afterwards no page may have logged an error, asked another host, or met a missing file."""
    wrong: list[str] = []
    contexts = []

    def note_request(address: str) -> None:
        if not address.startswith(("http://127.0.0.1:", "data:", "blob:")):
            wrong.append(f"request to {address}")

    def note_message(message: ConsoleMessage) -> None:
        is_icon = message.location.get("url", "").endswith(
            "/favicon.ico"
        )  # what a browser asks for by itself where a file of JSON is opened
        if message.type in ("error", "warning") and not is_icon:
            wrong.append(f"{message.type}: {message.text}")

    def opened(address: str, **options: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        contexts.append(context)
        context.add_init_script("window.hits = 0; window.hit = () => { window.hits += 1; };")  # what the hostile records try to call
        page = context.new_page()
        page.on("console", note_message)
        page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
        page.on("request", lambda request: note_request(request.url))
        page.on("response", lambda response: wrong.append(f"{response.status} {response.url}") if response.status >= 400 else None)
        page.on("dialog", lambda dialog: (wrong.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.goto(address, wait_until="load")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert wrong == []

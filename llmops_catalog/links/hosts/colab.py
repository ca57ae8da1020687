"""Colab: its page is the same whether the notebook is there or not, so the notebook behind the link decides.

The three kinds of link: https://colab.research.google.com/github/googlecolab/colabtools/blob/main/notebooks/colab-github-demo.ipynb.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote

from llmops_catalog.links.hosts import Ask, HostAdapter, Settle
from llmops_catalog.links.hosts import google as drive
from llmops_catalog.links.hosts.asking import address, alive, each, gone, grouped, limited, settling
from llmops_catalog.links.results import Judgement

RAW_FILES, GISTS = "https://raw.githubusercontent.com", "https://gist.github.com"

_COMMIT = re.compile(r"[0-9a-f]{7,40}")
_ID = re.compile(r"[\w-]{10,120}", re.ASCII)
_CHECK_THE_REST = "compare owner, repository, branch and path with the page on GitHub"


class Notebook(NamedTuple):
    """Where a notebook really lies: the address people see, one that answers 404 where it is missing, and the branch if it names one."""

    page: str
    file: str
    branch: str = ""


def notebook(url: str) -> Notebook | None:
    """The notebook behind a link to Colab; None for Colab's own pages. Never raises."""
    found = address(url)
    if not found or found.host != "colab.research.google.com" or len(found.parts) < 2:
        return None
    kind, *rest = found.parts
    if kind == "github" and len(rest) > 4 and rest[2] == "blob":
        owner, name, _, revision, *path = (quote(part) for part in rest)
        branch = "" if _COMMIT.fullmatch(revision) else rest[3]
        where = f"{revision}/{'/'.join(path)}"
        return Notebook(f"https://github.com/{owner}/{name}/blob/{where}", f"{RAW_FILES}/{owner}/{name}/{where}", branch)
    if kind == "gist" and len(rest) > 1:
        page = f"{GISTS}/{quote(rest[0])}/{quote(rest[1])}"
        return Notebook(page, page)
    if kind == "drive" and _ID.fullmatch(rest[0]):
        page = f"https://drive.google.com/file/d/{rest[0]}/view" + (f"?{found.query}" if found.query else "")
        return Notebook(page, "")
    return None


class Colab:
    """Links to notebooks on GitHub, in gists and on Drive. `github` is asked first: with a token it answers for many at once."""

    def __init__(self, github: HostAdapter) -> None:
        self.github = github

    def claims(self, url: str) -> bool:
        return notebook(url) is not None

    async def judge(self, urls: Sequence[str], ask: Ask, settle: Settle) -> None:
        async def look(told: Settle) -> None:
            notebooks = grouped(urls, notebook)
            by_page = {found.page: found for found in notebooks}

            def tell(found: Notebook, judgement: Judgement | None) -> None:
                for url in notebooks[found]:
                    told(url, _of_colab(url, found, judgement) if judgement else None)

            def known(page: str, judgement: Judgement | None) -> None:
                if judgement:
                    tell(by_page.pop(page), judgement)

            async def one(found: Notebook) -> None:
                tell(found, await (_file(found, ask) if found.file else drive.judged(found.page, ask)))

            await self.github.judge([page for page in by_page if self.github.claims(page)], ask, known)
            await each(tuple(by_page.values()), one)

        await settling(urls, settle, look)


async def _file(found: Notebook, ask: Ask) -> Judgement | None:
    """A file on GitHub or a gist by its status. Missing means missing in both places: not every short commit is known to both."""
    for place in dict.fromkeys((found.file, found.page)):
        answer = await ask(place, method="HEAD")
        if answer.status == 200:
            return alive()
        if answer.status == 429:
            return limited("GitHub")
        if answer.status != 404:
            return None
    return gone(f"the notebook behind it is not on GitHub: {found.page}", _CHECK_THE_REST)


def _of_colab(url: str, found: Notebook, told: Judgement) -> Judgement:
    """What is known of the notebook, said of the link to Colab: its new place as a link to Colab, and that a branch may change."""
    if told.better_url is not None:
        better = told.better_url.replace("https://github.com/", "https://colab.research.google.com/github/", 1)
        fragment = url.partition("#")[2]
        better += f"#{fragment}" if fragment else ""
        told = told._replace(better_url=better, final_url=better)
    if told.outcome != "pass" or not found.branch:
        return told
    pin = f"pin it to a commit: '{found.branch}' can change or lose the file"
    return told._replace(hint="; ".join(filter(None, (told.hint, pin))))

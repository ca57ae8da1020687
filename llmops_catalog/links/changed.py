"""The addresses that were added since a git revision: by what each file says, not by its lines, so that moved lines are not news.

Compared is what lies in the folder now, committed or not, with the revision's merge base with HEAD (what a pull request adds), or with
the revision itself where there is none (a shallow clone). git is asked for contents only; it runs no hook, no filter and no monitor.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from llmops_catalog.catalog.folder import SourceError
from llmops_catalog.errors import LinkCheckUnavailable
from llmops_catalog.links.collect import addresses_in
from llmops_catalog.links.markdown_links import bare_addresses
from llmops_catalog.links.results import Link

WAIT_SECONDS = 60.0
MAX_REVISION = 256
_HEADER = re.compile(rb"[0-9a-f]{40,64} ([a-z]+) ([0-9]+)")
_PLACE_OF_REPOSITORY = (
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_NAMESPACE",
)  # fmt: skip
"""Set where a hook of another repository runs us: the repository is the one the catalog lies in."""
_QUIET = {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_PAGER": "cat", "LC_ALL": "C"}


class UnknownRevision(LinkCheckUnavailable):
    """There is no such revision here: a question that makes no sense, or a clone that is too shallow."""

    exit_code = 2


def only_changed(links: Sequence[Link], revision: str, root: Path) -> tuple[Link, ...]:
    """The links that did not stand in the same file at `revision`, each with only the places where it is new.

    Raises `UnknownRevision`; `LinkCheckUnavailable` where git is missing or the catalog lies in no repository.
    """
    git = Git(root.parent)
    base = git.base(revision)
    paths = sorted({place.path for link in links for place in link.places})
    before = {path: _addresses(path, raw) for path, raw in git.contents(base, paths)}
    changed = (link._replace(places=tuple(place for place in link.places if link.url not in before.get(place.path, ()))) for link in links)
    return tuple(link for link in changed if link.places)


def _addresses(path: str, raw: bytes) -> set[str]:
    """The addresses in an old file; of one that was no YAML, whatever looks like one."""
    try:
        return {url for url, _ in addresses_in(path, raw, own_machine=True)}
    except SourceError:
        return {found.url for found in bare_addresses(raw.decode("utf-8", "replace"))}


class Git:
    """The repository that `folder` lies in, asked with argument lists, without a shell, each time for a bounded while."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {name: value for name, value in os.environ.items() if name not in _PLACE_OF_REPOSITORY} | _QUIET
        code, _, error = self._run("rev-parse", "--is-inside-work-tree")
        if code:
            reason = error.strip().splitlines()[:1] or ["git gives no reason"]
            hint = "leave '--changed-since' out to check every link"
            raise LinkCheckUnavailable(f"the catalog lies in no git repository that can be read: {reason[0][:200]}", hint)

    def base(self, revision: str) -> str:
        """The commit to compare with, by its full name."""
        tip = self._commit(revision)
        code, out, _ = self._run("merge-base", tip, "HEAD")
        return out.decode().strip() if code == 0 and out.strip() else tip

    def _commit(self, revision: str) -> str:
        shown = revision if len(revision) <= 80 else revision[:77] + "..."
        if not revision or revision.startswith("-") or len(revision) > MAX_REVISION or not revision.isprintable():
            raise UnknownRevision(f"{shown!r} is no git revision", "name a branch, a tag or a commit: origin/main")
        code, out, _ = self._run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        commit = out.decode("ascii", "replace").strip()
        if code or not re.fullmatch(r"[0-9a-f]{40,64}", commit):
            hint = "in a workflow, actions/checkout fetches it with 'fetch-depth: 0'; elsewhere, 'git fetch' first"
            raise UnknownRevision(f"git knows no revision {shown!r}", hint)
        return commit

    def contents(self, commit: str, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """The bytes each path (relative to the folder) had at `commit`; nothing for those that were not there."""
        asked = [path for path in paths if "\n" not in path]
        names = "".join(f"{commit}:./{path}\n" for path in asked)
        code, out, error = self._run("cat-file", "--batch", given=names.encode("utf-8", "surrogateescape"))
        if code:
            raise LinkCheckUnavailable(
                f"git cannot read {commit[:12]}: {error.strip()[:200]}", "is the repository complete? try 'git fsck'"
            )
        position = 0
        for path in asked:
            line_end = out.index(b"\n", position)
            header = _HEADER.fullmatch(out, position, line_end)
            position = line_end + 1
            if header:
                size = int(header[2])
                if header[1] == b"blob":
                    yield path, out[position : position + size]
                position += size + 1

    def _run(self, *arguments: str, given: bytes = b"") -> tuple[int, bytes, str]:
        quiet = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "--no-pager", "--literal-pathspecs")
        command = ["git", "-C", os.fspath(self.folder), *quiet, *arguments]
        try:
            done = subprocess.run(  # noqa: S603  (an argument list; what a user names is checked by `_commit`)
                command, input=given, capture_output=True, env=self.environment, timeout=WAIT_SECONDS, check=False
            )
        except FileNotFoundError:
            raise LinkCheckUnavailable("'--changed-since' needs git, which is not installed here", "install git, or leave it out") from None
        except subprocess.TimeoutExpired:
            raise LinkCheckUnavailable(
                f"git gave no answer within {WAIT_SECONDS:.0f} s", "try again, or leave '--changed-since' out"
            ) from None
        except OSError as error:
            raise LinkCheckUnavailable(f"git cannot be run: {error.strerror}", "leave '--changed-since' out") from None
        return done.returncode, done.stdout, done.stderr.decode("utf-8", "replace")

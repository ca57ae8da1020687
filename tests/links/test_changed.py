"""What is new since a revision: real repositories, with a catalog at their top or below it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from llmops_catalog.errors import LinkCheckUnavailable
from llmops_catalog.links import changed
from llmops_catalog.links.changed import UnknownRevision, only_changed
from llmops_catalog.links.collect import collect

GPU = "catalog/gpus/l4.yaml"


class Repository:
    """A git repository of this test alone."""

    def __init__(self, folder: Path, catalog_parent: Path) -> None:
        self.folder, self.parent = folder, catalog_parent
        folder.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")
        self.write(GPU, "name: L4\nurl: https://old.org/\nnote: see https://stays.org/a\n")

    def git(self, *arguments: str) -> str:
        options = ["-c", "user.name=x", "-c", "user.email=x@x", "-c", "commit.gpgsign=false", "-c", "core.hooksPath=/dev/null"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        done = subprocess.run(
            ["git", "-C", str(self.folder), *options, *arguments], capture_output=True, text=True, check=True, timeout=30, env=environment
        )
        return done.stdout.strip()

    def write(self, path: str, text: str) -> None:
        (self.parent / path).parent.mkdir(parents=True, exist_ok=True)
        (self.parent / path).write_text(text, encoding="utf-8")

    def commit(self) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message=x")
        return self.git("rev-parse", "HEAD")

    def new(self, revision: str) -> dict[str, list[str]]:
        links = collect(self.parent / "catalog").links
        found = only_changed(links, revision, self.parent / "catalog")
        return {link.url: [f"{place.path}:{place.line}" for place in link.places] for link in found}


@pytest.fixture(params=["", "sub/földer"], ids=["top", "below"])
def repository(request: pytest.FixtureRequest, tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repo", tmp_path / "repo" / request.param)


def test_added_addresses_are_new_and_moved_lines_are_not(repository: Repository) -> None:
    first = repository.commit()
    assert repository.new(first) == {}
    repository.write(GPU, "note: see https://stays.org/a and https://prose.org/\nname: L4\n\n\nurl: https://new.org/\n")
    assert repository.new(first) == {"https://prose.org/": [f"{GPU}:1"], "https://new.org/": [f"{GPU}:5"]}
    repository.commit()
    assert len(repository.new(first)) == 2
    assert repository.new("HEAD") == {}


def test_an_address_is_new_per_file_and_untracked_files_count(repository: Repository) -> None:
    repository.commit()
    repository.write("catalog/gpus/t4.yaml", "url: https://old.org/\nother: https://t4.org/\n")
    repository.write("README.md", "[old](https://old.org/)")
    assert repository.new("main") == {
        "https://old.org/": ["README.md:1", "catalog/gpus/t4.yaml:1"],
        "https://t4.org/": ["catalog/gpus/t4.yaml:2"],
    }


def test_a_branch_is_compared_with_where_it_left(repository: Repository) -> None:
    repository.commit()
    repository.git("checkout", "--quiet", "-b", "topic")
    repository.write(GPU, "url: https://topic.org/\nother: https://old.org/\n")
    repository.commit()
    repository.git("checkout", "--quiet", "main")
    repository.write(GPU, "url: https://main.org/\n")
    repository.commit()
    repository.git("checkout", "--quiet", "topic")
    assert repository.new("main") == {"https://topic.org/": [f"{GPU}:1"]}


def test_without_a_common_commit_the_revision_itself_is_the_base(repository: Repository) -> None:
    repository.commit()
    repository.git("checkout", "--quiet", "--orphan", "other")
    repository.write(GPU, "url: https://other.org/\nold: https://old.org/\n")
    repository.commit()
    assert repository.new("main") == {"https://other.org/": [f"{GPU}:1"]}


def test_an_old_file_that_was_no_yaml_is_read_as_prose(repository: Repository) -> None:
    repository.write(GPU, "name: [never closed\nurl: https://old.org/\n")
    first = repository.commit()
    repository.write(GPU, "url: https://old.org/\nb: https://new.org/\n")
    assert repository.new(first) == {"https://new.org/": [f"{GPU}:2"]}


def test_a_repository_that_names_programs_runs_none_of_them(repository: Repository, tmp_path: Path) -> None:
    repository.write(".gitattributes", "*.yaml filter=evil diff=evil\n")
    first = repository.commit()
    trap = tmp_path / "ran"
    for key in ("core.fsmonitor", "filter.evil.smudge", "filter.evil.clean", "diff.evil.textconv", "diff.evil.command", "core.pager"):
        repository.git("config", key, f"touch {trap}; cat")
    repository.write(GPU, "url: https://new.org/\n")
    assert list(repository.new(first)) == ["https://new.org/"]
    assert not trap.exists()


def test_the_environment_of_a_hook_does_not_lead_elsewhere(repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = repository.commit()
    other = Repository(tmp_path / "other", tmp_path / "other")
    other.commit()
    monkeypatch.setenv("GIT_DIR", str(other.folder / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.folder))
    assert repository.new(first) == {}


@pytest.mark.parametrize(
    "revision", ["nowhere", "origin/main", "0" * 40, "HEAD:catalog", "main~99", "", "-x", "--output=x", "a\0b", "a\nb", "x" * 300]
)
def test_an_unknown_revision_is_a_question_that_makes_no_sense(repository: Repository, revision: str) -> None:
    repository.commit()
    with pytest.raises(UnknownRevision) as caught:
        repository.new(revision)
    assert caught.value.exit_code == 2
    assert caught.value.hint
    if revision == "origin/main":
        assert "fetch-depth: 0" in caught.value.hint


def test_a_repository_without_commits(repository: Repository) -> None:
    with pytest.raises(UnknownRevision):
        repository.new("HEAD")


def test_outside_of_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(LinkCheckUnavailable, match="no git repository that can be read: fatal: not a git repository") as caught:
        only_changed((), "main", tmp_path / "catalog")
    assert caught.value.exit_code == 3


def test_without_git(repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LinkCheckUnavailable, match="needs git"):
        repository.new("main")


def test_a_git_that_hangs_is_left(repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "bin" / "git"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\nexec sleep 20\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
    monkeypatch.setattr(changed, "WAIT_SECONDS", 0.2)
    with pytest.raises(LinkCheckUnavailable, match="no answer within"):
        repository.new("main")

"""The arrows between the rooms, and what a question must not load."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "llmops_catalog"
ALLOWED = {
    "problems": set(), "files": set(), "errors": {"problems"}, "schema": {"problems"}, "fit": {"errors", "problems"},
    "catalog": {"schema", "fit", "problems", "errors", "files"}, "links": {"catalog", "schema", "problems", "errors", "files"},
    "accuracy": {"catalog", "fit", "schema", "errors"},
    "render": {"accuracy", "catalog", "fit", "schema", "errors", "problems", "files"}, "report": {"problems", "links", "fit"},
    "cli": {"catalog", "fit", "schema", "errors", "problems", "files", "links", "render", "report", "outside", "accuracy"},
    "__main__": {"cli"},
    # models from files and from the Hub become the estimator's facts without the catalog's records
    "outside": {"fit", "errors", "problems"},
    "": {"catalog", "fit", "problems", "errors", "outside"},
}  # fmt: skip
"""What each room may import; the package itself (for its version) is open to all."""
ONLY_IN = {
    "mkdocs": {"render/mkdocs_hook.py", "render/build.py"},
    "httpx2": {"links/client.py", "outside/hub.py"},
    "sqlite3": {"catalog/compiled.py", "catalog/store.py", "catalog/search.py"},
}


def imports(path: Path) -> Iterator[str]:
    """Every module a file imports, anywhere in it, relative ones made absolute."""
    package = ["llmops_catalog", *path.relative_to(PACKAGE).parent.parts]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, [base, node.module]))
            yield from (f"{module}.{alias.name}" for alias in node.names)


MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("module", MODULES)
def test_rooms_import_only_what_the_house_allows(module: str) -> None:
    room = module.removesuffix(".py").removesuffix("__init__").partition("/")[0].strip("/")
    assert room in ALLOWED, f"{room} is not a room of the house"
    for name in imports(PACKAGE / module):
        first, _, rest = name.partition(".")
        if (
            first == "llmops_catalog"
            and rest
            and (PACKAGE / rest.partition(".")[0]).exists() | (PACKAGE / f"{rest.partition('.')[0]}.py").exists()
        ):
            assert rest.partition(".")[0] in ALLOWED[room] | {room}, f"{module} imports {name}"
        if first in ONLY_IN:
            assert module in ONLY_IN[first], f"{module} imports {name}"


def test_fit_and_links_never_meet() -> None:
    assert "links" not in ALLOWED["fit"]
    assert "fit" not in ALLOWED["links"]
    assert "links" not in ALLOWED["render"]
    assert not [room for room, allowed in ALLOWED.items() if "cli" in allowed and room != "__main__"]


def test_relative_imports_are_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "PACKAGE", tmp_path)
    (tmp_path / "fit").mkdir()
    (tmp_path / "fit" / "x.py").write_text("from ..links import check\nfrom . import facts\nfrom .runtimes import vllm\nimport os.path")
    assert list(imports(tmp_path / "fit" / "x.py")) == [
        "llmops_catalog.links.check",
        "llmops_catalog.fit.facts",
        "llmops_catalog.fit.runtimes.vllm",
        "os.path",
    ]


HEAVY = {"pydantic", "pydantic_core", "rich", "yaml", "ruamel", "jinja2", "mkdocs", "httpx2", "markdown", "packaging", "hypothesis"}
QUESTIONS = (
    ["fit", "--model", "qwen3-8b", "--gpu", "l4"], ["fit", "--gpu", "l4"], ["fit", "--model", "qwen3-8b"], ["list", "gpus"],
    ["list", "models", "--format", "json"],
    ["show", "l4"], ["search", "llama"], ["estimate", "--model", "qwen3-8b", "--quantization", "q4_k_m", "--format", "json"],
)  # fmt: skip


@pytest.mark.parametrize("question", QUESTIONS, ids=" ".join)
def test_a_question_on_a_warm_cache_loads_nothing_heavy(shared_catalog: Path, question: list[str]) -> None:
    script = (
        "import sys\nfrom llmops_catalog.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit as stop: assert stop.code == 0, stop.code\n"
        f"print(*sorted({HEAVY!r} & {{name.partition('.')[0] for name in sys.modules}}), file=sys.stderr)"
    )
    command = [sys.executable, "-c", script, "--catalog", str(shared_catalog), *question]
    answers = [
        subprocess.run(command, capture_output=True, text=True, check=True, timeout=60) for _ in range(2 if question == QUESTIONS[0] else 1)
    ]
    if question != QUESTIONS[0] and answers[-1].stderr.strip():  # the first to ask builds the cache
        answers.append(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60))
    assert answers[-1].stderr.split() == []


def test_importing_the_package_costs_nothing() -> None:
    script = "import sys; before = set(sys.modules); import llmops_catalog; print(*sorted(set(sys.modules) - before))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert [name for name in loaded if name.partition(".")[0] not in sys.stdlib_module_names] == ["llmops_catalog"]


def test_public_names_are_pinned() -> None:
    import llmops_catalog

    assert sorted(llmops_catalog.__all__) == [
        "AmbiguousName", "Catalog", "CatalogError", "CatalogInvalid", "FitInputError", "Problem", "RecordNotFound", "__version__",
        "estimate", "fit", "load_catalog", "model_from_config", "model_from_gguf", "model_from_hub",
    ]  # fmt: skip
    for name in llmops_catalog.__all__:
        assert getattr(llmops_catalog, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = llmops_catalog.nothing

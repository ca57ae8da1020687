"""The records themselves: how many there are, that nothing of the source documents is lost or copied, that they read alike."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from llmops_catalog import Catalog, load_catalog
from llmops_catalog.catalog.coverage import coverage, total
from llmops_catalog.catalog.source import read_document
from llmops_catalog.fit import parameter_count

ROOT = Path(__file__).parent.parent.parent
CATALOG = ROOT / "catalog"
FILES = sorted(path for path in CATALOG.rglob("*.yaml") if path.parent != CATALOG)
RUNS = ROOT / "tests" / "golden" / "source_documents.runs"
"""Six bytes of BLAKE2b for each run of nine words of the five source documents, sorted: their text itself is not ours to keep."""
RUN_WORDS, RUN_BYTES = 9, 6
WORD = re.compile(r"[^\W_]+")
OTHERS_WORDS = frozenset(
    {"name", "title", "text", "section", "quote", "says", "url", "format", "metric", "aliases", "model_name", "license"}
)
"""Fields that hold names, titles, and quotations."""
REGISTRIES = ("pypi.org", "pythonhosted.org", "npmjs.com", "npmjs.org", "crates.io", "rubygems.org", "anaconda.org", "conda.anaconda.org",
              "hub.docker.com", "packages.debian.org", "deb.debian.org", "unpkg.com", "jsdelivr.net")  # fmt: skip


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(CATALOG)


def texts(value: Any, field: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a record that is our own words, with its field."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in OTHERS_WORDS:
                yield from texts(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner, field)
    elif isinstance(value, str) and " " in value:
        yield field, re.sub(r'"[^"]*"', "", value)  # a title in quotes is a title


def addresses(value: Any) -> Iterator[str]:
    """Every address of a record."""
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from addresses(inner)
    elif isinstance(value, str) and value.startswith("http"):
        yield value


def shared_runs(text: str, known: frozenset[bytes]) -> list[str]:
    """The runs of nine words of `text` that the source documents have too."""
    words = WORD.findall(text.casefold())
    runs = (" ".join(words[start : start + RUN_WORDS]) for start in range(len(words) - RUN_WORDS + 1))
    return [run for run in runs if hashlib.blake2b(run.encode(), digest_size=RUN_BYTES).digest() in known]


def known_runs() -> frozenset[bytes]:
    raw = RUNS.read_bytes()
    return frozenset(raw[start : start + RUN_BYTES] for start in range(0, len(raw), RUN_BYTES))


def test_a_copied_sentence_would_be_found() -> None:
    sentence = "one two three four five six seven eight nine"
    known = frozenset({hashlib.blake2b(sentence.encode(), digest_size=RUN_BYTES).digest()})
    assert shared_runs("Zero. One, two; three four five-six seven (eight) NINE ten", known) == [sentence]
    assert len(known_runs()) > 10_000


def test_no_sentence_is_copied_from_the_source_documents() -> None:
    known = known_runs()
    copied = {
        (path.relative_to(CATALOG).as_posix(), field): found
        for path in FILES
        for field, text in texts(read_document(path.read_bytes()).data)
        if (found := shared_runs(text, known))
    }
    assert copied == {}


def test_every_item_of_the_source_lists_is_accounted_for(catalog: Catalog) -> None:
    lists = list(coverage(catalog))
    assert {entry.list: entry.items for entry in lists} == {
        "llm-ops": 51, "late-arrival": 46, "llm-powerhouse": 259, "llm-course": 393, "llm-study-note": 37,
    }  # fmt: skip
    together = total(lists)
    assert (together.items, together.missing) == (786, 0)
    assert together.mapped >= 600


def test_items_stand_in_the_order_of_their_document(catalog: Catalog) -> None:
    for record in catalog.records("lists"):
        numbers = [tuple(map(int, re.findall(r"\d+", item["item_id"]))) for item in record.data["items"]]
        assert numbers == sorted(numbers), record.id


COUNTS = {
    "models": 570, "families": 130, "gpus": 287, "architectures": 23, "quantizations": 50, "frameworks": 185, "rules": 30, "providers": 30,
    "courses": 40, "notebooks": 35, "resources": 200, "concepts": 100, "paths": 8, "claims": 40, "measurements": 50, "lists": 5,
}  # fmt: skip


@pytest.mark.parametrize("collection", COUNTS)
def test_no_collection_has_shrunk(catalog: Catalog, collection: str) -> None:
    assert catalog.counts[collection] >= COUNTS[collection]


def test_many_models_are_curated(catalog: Catalog) -> None:
    curated = [record.id for record in catalog.records("models") if record.data.get("summary") and record.data.get("tags")]
    assert len(curated) >= 150


def test_no_source_is_a_package_registry() -> None:
    found = {
        address
        for path in FILES
        for address in addresses(read_document(path.read_bytes()).data)
        if (urlsplit(address).hostname or "").removeprefix("www.").endswith(REGISTRIES)
    }
    assert found == set()


def test_files_are_short() -> None:
    """Measurement tables and source lists have a line per row; everything else can be read at a glance."""
    tables = ("measurements", "lists")
    lines = {path: path.read_bytes().count(b"\n") for path in FILES if path.relative_to(CATALOG).parts[0] not in tables}
    assert {path.name: count for path, count in lines.items() if count >= 200} == {}


def test_no_record_names_a_path_of_somebodys_machine() -> None:
    path_of_a_machine = re.compile(r"""(?:^|[\s"'(])(?:~|/(?:home|root|tmp|var|mnt|Users))/|\b[A-Z]:\\""")
    found = {
        path.relative_to(CATALOG).as_posix(): match[0] for path in FILES if (match := path_of_a_machine.search(path.read_text("utf-8")))
    }
    assert found == {}


def test_summaries_do_not_start_alike(catalog: Catalog) -> None:
    """Hundreds of records that begin with the same words were written by a template, not for a reader."""
    for collection in ("models", "frameworks", "resources", "concepts", "families", "courses"):
        starts: dict[str, int] = {}
        records = [record for record in catalog.records(collection) if record.data.get("summary")]
        for record in records:
            start = " ".join(record.data["summary"].split()[:3])
            starts[start] = starts.get(start, 0) + 1
        most = max(starts, key=lambda start: starts[start])
        assert starts[most] <= max(4, len(records) // 20), (collection, most, starts[most])


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("4090", "gpus/nvidia/rtx-4090"), ("rtx4090", "gpus/nvidia/rtx-4090"), ("llama 8b", "models/meta-llama/llama-3.1-8b-instruct"),
        ("qlora", "concepts/qlora"), ("gemma 2 9b", "models/google/gemma-2-9b-it"), ("vllm", "frameworks/vllm"), ("t4", "gpus/nvidia/t4"),
        ("q4_k_m", "quantizations/q4_k_m"), ("kv cache", "concepts/kv-cache"), ("mixtral", "families/mixtral"),
    ],
)  # fmt: skip
def test_search_finds_what_people_mean(catalog: Catalog, words: str, expected: str) -> None:
    assert expected in [f"{hit.collection}/{hit.id}" for hit in catalog.search(words)[:3]]


def test_a_name_means_the_model_before_what_is_called_after_it(catalog: Catalog) -> None:
    assert catalog.find("phi-2").key == "models/microsoft/phi-2"
    assert catalog.find("families/phi-2").key == "families/phi-2"
    assert catalog.find("llama 3.1").key == "families/llama-3.1"


def test_search_finds_people_by_their_name(catalog: Catalog) -> None:
    hits = catalog.search("karpathy")
    assert {hit.collection for hit in hits} >= {"courses", "resources"}
    assert len([hit for hit in hits if hit.collection in ("courses", "resources")]) >= 4


def test_every_rule_the_estimator_reads_has_its_source(catalog: Catalog) -> None:
    rules = catalog.support.rules
    assert rules
    assert all(rule.source for rule in rules)
    assert {rule.otherwise for rule in rules} >= {"refused", "emulated"}


def test_architectures_reproduce_their_parameter_counts(catalog: Catalog) -> None:
    """Where code knows the architecture, its arithmetic gives the recorded count, or the record says why not."""
    derived = {model.id: (parameter_count(model), model) for model in catalog.models()}
    known = {record_id: (count, model) for record_id, (count, model) in derived.items() if count is not None}
    off = [record_id for record_id, (count, model) in known.items() if count != model.total_parameters and not model.parameter_difference]
    assert off == []
    assert len(known) >= 400

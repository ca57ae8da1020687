"""Names people type, records by id, who refers to whom, and search that survives any input."""

from __future__ import annotations

import copy
import pickle
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_catalog import AmbiguousName, Catalog, RecordNotFound, load_catalog
from llmops_catalog.catalog.names import TIER_ALIAS, TIER_HUB_ID, TIER_ID, TIER_NAME, name_key, names_of


@pytest.fixture(scope="module")
def catalog(shared_catalog: Path) -> Catalog:
    return load_catalog(shared_catalog)


@pytest.mark.parametrize(
    ("name", "record_id"),
    [
        ("nvidia/l4", "nvidia/l4"), ("NVIDIA/L4", "nvidia/l4"), ("l4", "nvidia/l4"), ("L4", "nvidia/l4"), ("nvidia l4", "nvidia/l4"),
        (" NVIDIA  L4 ", "nvidia/l4"),
        ("4090", "nvidia/rtx-4090"), ("RTX 4090", "nvidia/rtx-4090"), ("rtx-4090", "nvidia/rtx-4090"), ("RTX_4090", "nvidia/rtx-4090"),
        ("GeForce RTX 4090", "nvidia/rtx-4090"), ("NVIDIA GeForce RTX 4090", "nvidia/rtx-4090"),
        ("rtx 4090 laptop", "nvidia/rtx-4090-laptop"), ("RTX 4090 Laptop GPU", "nvidia/rtx-4090-laptop"), ("nvidia:l4", "nvidia/l4"),
    ],
)  # fmt: skip
def test_cards_answer_to_what_people_type(catalog: Catalog, name: str, record_id: str) -> None:
    assert catalog.resolve("gpus", name) == record_id


@pytest.mark.parametrize(
    ("name", "record_id"),
    [
        ("meta-llama/Llama-3.1-8B-Instruct", "meta-llama/llama-3.1-8b-instruct"),
        ("llama 3.1 8b instruct", "meta-llama/llama-3.1-8b-instruct"),
        ("Llama-3.1-8B", "meta-llama/llama-3.1-8b"), ("llama 3.1 8b chat", "meta-llama/llama-3.1-8b-instruct"),
        ("Qwen3-8B", "qwen/qwen3-8b"),
        ("qwen/QWEN3-8b", "qwen/qwen3-8b"), ("qwen3 8b", "qwen/qwen3-8b"),
    ],
)  # fmt: skip
def test_models_answer_to_what_people_type(catalog: Catalog, name: str, record_id: str) -> None:
    assert catalog.resolve("models", name) == record_id


@pytest.mark.parametrize(
    ("collection", "name", "matches"),
    [
        ("gpus", "rtx", ("nvidia/rtx-4080-laptop", "nvidia/rtx-4090", "nvidia/rtx-4090-laptop")),
        ("gpus", "laptop", ("nvidia/rtx-4080-laptop", "nvidia/rtx-4090-laptop")),
        ("models", "llama 3.1", ("meta-llama/llama-3.1-8b", "meta-llama/llama-3.1-8b-instruct")),
        ("models", "8B", ("meta-llama/llama-3.1-8b", "meta-llama/llama-3.1-8b-instruct", "qwen/qwen3-8b")),
    ],
)
def test_several_matches_are_listed_never_picked(catalog: Catalog, collection: str, name: str, matches: tuple[str, ...]) -> None:
    with pytest.raises(AmbiguousName) as caught:
        catalog.resolve(collection, name)
    assert caught.value.matches == matches
    assert all(match in caught.value.message for match in matches)


@pytest.mark.parametrize(
    ("collection", "name", "message"),
    [
        ("gpus", "4091", "no GPU is called '4091'. Did you mean 'nvidia/rtx-4090'?"),
        ("gpus", "nvidia/l5", "no GPU is called 'nvidia/l5'. Did you mean 'nvidia/l4'?"),
        (
            "models",
            "lama 3.1 8b",
            "no model is called 'lama 3.1 8b'. Did you mean 'meta-llama/llama-3.1-8b' or 'meta-llama/llama-3.1-8b-instruct'?",
        ),
        ("models", "zzz", "no model is called 'zzz'."),
        ("models", "", "no model is called ''."),
        ("models", "   ", "no model is called '   '."),
        ("models", "x" * 10_000, f"no model is called '{'x' * 77}...'."),
        ("models", "'; DROP TABLE names; --", 'no model is called "\'; DROP TABLE names; --".'),
        ("models", "%", "no model is called '%'."),
        ("models", "\udcff", "no model is called '\\udcff'."),
    ],
)
def test_no_match_says_what_is_near(catalog: Catalog, collection: str, name: str, message: str) -> None:
    with pytest.raises(RecordNotFound) as caught:
        catalog.resolve(collection, name)
    assert caught.value.message == message
    assert caught.value.hint == f"see them all with 'llmops-catalog list {collection}'"


def test_names_have_tiers_and_the_better_one_wins() -> None:
    data = {"name": "NVIDIA GeForce RTX 4090", "hub_id": "Org/Name-X", "aliases": ["The One"]}
    names = dict(reversed(list(names_of("gpus", "nvidia/rtx-4090", data))))
    assert names["nvidia rtx 4090"] == TIER_ID
    assert names["org name x"] == TIER_HUB_ID
    assert names["the one"] == TIER_ALIAS
    assert names["rtx 4090"] == TIER_NAME
    assert names["name x"] == TIER_NAME


def test_an_alias_wins_over_part_of_another_name(catalog: Catalog) -> None:
    assert catalog.resolve("gpus", "4090") == "nvidia/rtx-4090"
    assert catalog.gpu("4090").id == "nvidia/rtx-4090"


@given(st.text(max_size=40))
def test_name_keys_are_stable_and_never_fail(name: str) -> None:
    key = name_key(name)
    assert name_key(key) == key
    assert name_key(name.upper().lower()) == name_key(name.upper().lower().replace(" ", "_"))


def test_find_looks_through_all_collections(catalog: Catalog) -> None:
    assert catalog.find("runpod").key == "providers/runpod"
    assert catalog.find("providers/RunPod").key == "providers/runpod"
    assert catalog.find("notebooks/llm-ops/present").key == "notebooks/llm-ops/present"
    with pytest.raises(AmbiguousName, match="llm-ops"):
        catalog.find("llama")
    with pytest.raises(RecordNotFound, match="Did you mean 'providers/runpod'"):
        catalog.find("runpot")
    with pytest.raises(RecordNotFound, match="no provider is called"):
        catalog.find("providers/nobody-at-all")


def test_referrers_say_from_which_field(catalog: Catalog) -> None:
    found = {(ref.collection, ref.id, ref.field) for ref in catalog.referrers("gpus", "nvidia/l4")}
    assert found == {
        ("measurements", "llm-ops/llama-on-l4", "gpu"), ("notebooks", "llm-ops/present", "uses[].gpu"),
        ("providers", "runpod", "rents[].gpu"),
    }  # fmt: skip
    assert catalog.referrers("paths", "first-steps") == []


def test_counts_and_ids(catalog: Catalog) -> None:
    assert catalog.counts["gpus"] == 4
    assert catalog.ids("gpus") == sorted(catalog.ids("gpus"))
    assert [record.id for record in catalog.records("models")] == catalog.ids("models")
    assert sum(catalog.counts.values()) == 26


def test_a_catalog_can_be_asked_from_another_thread(catalog: Catalog) -> None:
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(catalog.resolve("gpus", "l4")))
    thread.start()
    thread.join()
    assert found == ["nvidia/l4"]


def test_a_copy_of_a_catalog_answers_after_the_first_is_gone(small_catalog: Path) -> None:
    first = load_catalog(small_catalog)
    others = [copy.copy(first), copy.deepcopy(first), pickle.loads(pickle.dumps(first))]  # noqa: S301
    del first
    assert [other.resolve("gpus", "l4") for other in others] == ["nvidia/l4"] * 3


def test_records_can_be_read_from_a_catalog_nobody_keeps(small_catalog: Path) -> None:
    assert [record.id for record in load_catalog(small_catalog).records("concepts")] == ["kv-cache"]
    assert len(list(load_catalog(small_catalog).models())) == 3


def test_search_finds_by_prefix_and_puts_names_first(catalog: Catalog) -> None:
    assert catalog.search("qwen")[0].id == "qwen/qwen3-8b"
    assert catalog.search("lla inst")[0].id == "meta-llama/llama-3.1-8b-instruct"
    assert {hit.collection for hit in catalog.search("llama")} >= {"models", "measurements"}
    assert [hit.id for hit in catalog.search("classify sentences")] == ["llm-ops/present"]
    assert len(catalog.search("llama", limit=1)) == 1
    assert catalog.search("qwen3 8b")[0].id == catalog.search("qwen3-8b")[0].id == "qwen/qwen3-8b"
    assert {hit.id for hit in catalog.search("llama3.1 8b")} == {hit.id for hit in catalog.search("llama 3.1 8b")} != set()
    assert catalog.spelled_alike("lama 8b") == "llama 8b"
    assert catalog.spelled_alike("llama 8b") == catalog.spelled_alike("zzzzz") == ""
    assert catalog.search("nothing holds this word") == []


@pytest.mark.parametrize(
    "words",
    ["", " ", '"', '""', "'", "*", "a*", "AND", "OR NOT", "NEAR(a b)", "name:llama", "(", "{a b}",
     "^a", "-a", "a + b", "; DROP TABLE texts", "\\", "\x00", "\udcff",
     "%", "_", "a" * 10_000, "a " * 5_000, "\u202e", "é", "日本語", "'\"`"],
)  # fmt: skip
def test_search_survives_any_input(catalog: Catalog, words: str) -> None:
    assert isinstance(catalog.search(words), list)


@settings(max_examples=150)
@given(st.text(max_size=60))
def test_search_never_fails(catalog: Catalog, words: str) -> None:
    for hit in catalog.search(words):
        assert hit.collection in catalog.counts


def test_searching_for_operators_searches_for_the_words(catalog: Catalog) -> None:
    assert catalog.search('"llama" OR (zzz)') == []
    assert catalog.search("llama AND qwen") == []
    assert catalog.search("Llama-3.1-8B") != []

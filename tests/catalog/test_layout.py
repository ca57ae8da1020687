"""One form for records: what `fmt` may change, and what it never does."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops_catalog.catalog.folder import SourceError
from llmops_catalog.catalog.layout import in_form, key_order
from llmops_catalog.catalog.source import read_document
from llmops_catalog.schema import COLLECTIONS

CATALOG = Path(__file__).parent.parent.parent / "catalog"
JUMBLED = b"""# kept at the top
sources:
- {url: "https://example.org/l4", checked: 2026-11-20, supports: [name]}
confidence: high
vendor: nvidia
# the size on the box
memory: {driver_mib: 23034,
         sold_gb: 24}
architecture: ada-lovelace
segment: datacenter
name:   'NVIDIA L4'
compute_capability: "8.9"
tdp_w: 72   # from the data sheet
"""
IN_FORM = """# kept at the top
name: NVIDIA L4
vendor: nvidia
architecture: ada-lovelace
segment: datacenter
# the size on the box
memory: {sold_gb: 24, driver_mib: 23034}
compute_capability: "8.9"
tdp_w: 72   # from the data sheet
confidence: high
sources:
  - {url: https://example.org/l4, supports: [name], checked: 2026-11-20}
"""


def test_keys_come_in_the_order_of_the_schema_and_comments_stay() -> None:
    assert in_form(JUMBLED, "gpus") == IN_FORM


def test_the_form_is_kept_once_it_is_there() -> None:
    assert in_form(IN_FORM.encode(), "gpus") == IN_FORM


def test_unknown_keys_are_kept_at_the_end() -> None:
    assert in_form(b"colour: green\nname: L4\n", "gpus") == "name: L4\ncolour: green\n"


def test_a_hash_inside_a_value_is_no_comment() -> None:
    raw = b'name: L4\naliases: ["number # one",   "C #"]\nsummary: "it lacks the # of an anchor"\n'
    assert in_form(raw, "gpus") == 'name: L4\nsummary: "it lacks the # of an anchor"\naliases: ["number # one", "C #"]\n'
    commented = b"name: L4\naliases: [l4,   # what people type\n  tesla l4]\n"
    assert in_form(commented, "gpus") == commented.decode()


def test_what_cannot_be_read_is_refused() -> None:
    with pytest.raises(SourceError):
        in_form(b"name: [", "gpus")


def test_every_record_of_the_catalog_is_in_form() -> None:
    files = [path for path in CATALOG.rglob("*.yaml") if path.parent != CATALOG]
    assert len(files) > 1000
    wrong = [str(path) for path in files if in_form(path.read_bytes(), path.relative_to(CATALOG).parts[0]) != path.read_text("utf-8")]
    assert wrong == [], "run 'llmops-catalog fmt'"


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_what_it_is_comes_first_and_where_it_comes_from_last(collection: str) -> None:
    model = COLLECTIONS[collection]
    order = key_order(model)
    assert (order[0], order[-1]) == (model.label_field, "sources")
    assert sorted(order) == sorted(model.model_fields)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.text(max_size=60) | st.from_regex(r"[0-9.eE+-]{1,8}", fullmatch=True),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcdefgh_", min_size=1, max_size=6), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["name", "summary", "watch_out", "memory", "sources", "tags"]), VALUES, min_size=1))
def test_no_value_ever_changes(data: dict[str, object]) -> None:
    import json

    raw = "".join(f"{key}: {json.dumps(value)}\n" for key, value in data.items()).encode()
    try:
        before = read_document(raw).data
    except SourceError:
        return
    formed = in_form(raw, "gpus")
    assert read_document(formed.encode()).data == before
    assert in_form(formed.encode(), "gpus") == formed

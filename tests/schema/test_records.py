"""Every field says what it means and shows a true example; texts, dates, numbers and licences are taken or refused as documented."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from llmops_catalog.catalog.source import read_document
from llmops_catalog.schema import COLLECTIONS, SINGULAR
from llmops_catalog.schema.base import Amount, Count, Date, Day, License, Line, Prose, Text
from llmops_catalog.schema.jsonschema import json_schema, schema_text
from llmops_catalog.schema.references import reference_fields, values_at


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from models_in(field.annotation)
    for argument in get_args(annotation):
        yield from models_in(argument)


MODELS = sorted({model for collection in COLLECTIONS.values() for model in models_in(collection)}, key=lambda model: model.__name__)
FIELDS = [(model, name) for model in MODELS for name in model.model_fields]


@pytest.mark.parametrize(("model", "name"), FIELDS, ids=[f"{model.__name__}.{name}" for model, name in FIELDS])
def test_a_field_says_what_it_means_and_shows_an_example(model: type[BaseModel], name: str) -> None:
    field = model.model_fields[name]
    assert field.description
    assert field.examples


@pytest.mark.parametrize(("model", "name"), FIELDS, ids=[f"{model.__name__}.{name}" for model, name in FIELDS])
def test_the_example_is_valid(model: type[BaseModel], name: str) -> None:
    field = model.model_fields[name]
    example = (field.examples or [None])[0]
    inner = [part for part in models_in(field.annotation) if isinstance(example, dict)]
    if inner:  # an excerpt of a larger mapping: every key it shows is right
        for key, value in example.items():
            assert_valid(inner[0], key, value)
    elif isinstance(example, list) and example and isinstance(example[0], dict):
        item = next(models_in(field.annotation))
        for key, value in example[0].items():
            assert_valid(item, key, value)
    else:
        assert_valid(model, name, example)


def assert_valid(model: type[BaseModel], name: str, value: Any) -> None:
    """Only this field's own complaints count: an excerpt lacks other keys."""
    try:
        model.model_validate({name: value})
    except ValidationError as error:
        wrong = [
            detail
            for detail in error.errors()
            if detail["loc"][:1] == (name,) and not (detail["type"] == "missing" and len(detail["loc"]) > 1)
        ]
        assert wrong == []


def test_collections_and_their_singulars() -> None:
    assert list(SINGULAR) == list(COLLECTIONS)
    for name, model in COLLECTIONS.items():
        assert model.collection == name
        assert {"confidence", "sources", "tags", "aliases"} <= set(model.model_fields)
        assert model.label_field in model.model_fields
        assert set(model.url_fields) <= set(model.model_fields)


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_json_schemas_forbid_what_is_unknown(collection: str) -> None:
    schema = json_schema(collection)
    assert schema["additionalProperties"] is False
    assert all(part.get("additionalProperties") is False for part in schema.get("$defs", {}).values())
    assert schema_text(collection).endswith("}\n")
    assert json.loads(schema_text(collection)) == schema


def test_references_are_found_in_the_types() -> None:
    fields = {(field.name, field.collection) for field in reference_fields("notebooks")}
    assert fields >= {
        ("uses[].model", "models"),
        ("uses[].gpu", "gpus"),
        ("uses[].quantization", "quantizations"),
        ("needs[]", "prerequisites"),
    }
    assert ("steps[].items[]", "*") in {(field.name, field.collection) for field in reference_fields("paths")}


def test_values_at_a_path_survive_other_shapes() -> None:
    data = {"uses": [{"model": "a"}, {"model": None}, "odd", {"other": 1}], "needs": "odd"}
    assert list(values_at(data, ("uses", "*", "model"))) == [(("uses", 0, "model"), "a")]
    assert list(values_at(data, ("needs", "*"))) == []
    assert list(values_at([], ("uses",))) == []


def taken(kind: Any, written: str) -> Any:
    return TypeAdapter(kind).validate_python(read_document(f"key: {written}".encode()).data["key"], strict=True)


@pytest.mark.parametrize("written", ["3.10", "2024", "0010", "1e5", "8.9", "no", "it's", "a:b", "日本語", "naïve café", "'quoted'"])
def test_text_keeps_its_spelling(written: str) -> None:
    assert taken(Text, written) == written.strip("'")


@pytest.mark.parametrize("written", ["true", "~", "[a]", "{a: b}"])
def test_text_is_text(written: str) -> None:
    with pytest.raises(ValidationError):
        taken(Line, written)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (" a", "whitespace"), ("a ", "whitespace"), ("a  b", "whitespace"), ("a\tb", "whitespace"), ("a\n", "whitespace"),
        ("", "string_too_short"),
        ("a\nb", "string_pattern_mismatch"), ("a" * 301, "string_too_long"), ("a\x00b", "control-character"),
        ("a\u200bb", "control-character"),
        ("a\u202eb", "control-character"), ("e\u0301", "mojibake"), ("Ã¼", "mojibake"), ("donâ€™t", "mojibake"), ("\ufffd", "mojibake"),
    ],
)  # fmt: skip
def test_one_line_refuses_what_nobody_can_see(value: str, code: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Line).validate_python(value, strict=True)
    assert [detail["type"] for detail in caught.value.errors()] == [code]


def test_prose_may_have_lines() -> None:
    assert TypeAdapter(Prose).validate_python("one\n\ntwo", strict=True) == "one\n\ntwo"


@pytest.mark.parametrize("written", ["1950", "2024", "2024-07", "2024-07-23", "2024-02-29", "2100-12-31"])
def test_dates_as_exact_as_they_are_known(written: str) -> None:
    assert taken(Date, written) == written


@pytest.mark.parametrize(
    "written",
    [
        "1949",
        "2101",
        "24",
        "2024-7",
        "2024-13",
        "2024-00",
        "2023-02-29",
        "2024-07-32",
        "2024/07/23",
        "July 2024",
        "20240723",
        "2024-07-23T00:00",
    ],
)
def test_dates_that_are_none(written: str) -> None:
    with pytest.raises(ValidationError, match="is not a date"):
        taken(Date, written)


def test_a_day_needs_all_three_parts() -> None:
    assert taken(Day, "2024-07-23") == "2024-07-23"
    with pytest.raises(ValidationError, match="lacks the day"):
        taken(Day, "2024-07")


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        (Count, "0"),
        (Count, "-1"),
        (Count, "1.0"),
        (Count, "'1'"),
        (Count, "true"),
        (Amount, "-0.1"),
        (Amount, ".inf"),
        (Amount, ".nan"),
        (Amount, "'1'"),
    ],
)
def test_numbers_are_bounded_and_unquoted(kind: Any, written: str) -> None:
    with pytest.raises(ValidationError):
        taken(kind, written)


@pytest.mark.parametrize(
    "expression",
    ["Apache-2.0", "MIT", "Apache-2.0 OR MIT", "GPL-3.0-only", "LGPL-2.1-or-later", "GPL-2.0-only WITH Classpath-exception-2.0"],
)
def test_spdx_expressions(expression: str) -> None:
    assert License(id=expression).id == expression


@pytest.mark.parametrize(
    "expression",
    ["apache-2.0", "Apache 2.0", "GPL", "proprietary", "MIT or Apache-2.0", "LicenseRef-X", "LicenseRef-", "", "MIT AND", "(MIT"],
)
def test_what_is_no_spdx_expression(expression: str) -> None:
    with pytest.raises(ValidationError):
        License(id=expression)


def test_a_custom_licence_says_everything() -> None:
    assert License(id="LicenseRef-Mine", name="Mine", url="https://example.org/licence", commercial_use="restricted")


def test_records_cannot_be_changed(shared_catalog: Path) -> None:
    data = read_document((shared_catalog / "gpus" / "nvidia" / "l4.yaml").read_bytes()).data
    card = COLLECTIONS["gpus"].model_validate(data)
    with pytest.raises(ValidationError, match="frozen"):
        card.name = "other"  # type: ignore[attr-defined]

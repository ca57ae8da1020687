"""What a record says against what the Hub says: numbers of the config, licences, each found where it stands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hub_double import GOOD_TOKEN, HubDouble
from hub_models import check, record

from llmops_catalog.catalog.folder import read_folder
from llmops_catalog.catalog.load import load_records
from llmops_catalog.links.hub_drift import licence_finding, model_records
from llmops_catalog.links.results import ModelResult, Place

BASE = Path(__file__).parent.parent / "broken" / "_base"


def drifting(hub: HubDouble, config: Any, token: str | None = None, **facts: Any) -> ModelResult:
    files = {"config.json": config if isinstance(config, bytes) else json.dumps(config).encode()}
    hub.add("a/b", files=files, card={"license": "apache-2.0"}, **facts)
    places = {key: Place("x.yaml", 5, 5, f"architecture.{key}") for key in ("hidden_size", "vocab_size")}
    told = record(license_id="Apache-2.0", gated=facts.get("gated"), config={"hidden_size": 64, "vocab_size": 100}, config_places=places)
    return check(hub, [told], token, drift=True)[0][0]


def test_numbers_that_differ_are_found_where_they_stand(hub: HubDouble) -> None:
    result = drifting(hub, {"hidden_size": 64, "vocab_size": 128})
    assert [(finding.code, finding.place.field) for finding in result.findings] == [("config-drift", "architecture.vocab_size")]
    assert "128" in result.findings[0].message
    assert "100" in result.findings[0].message


@pytest.mark.parametrize(
    "config",
    [
        {}, {"text_config": {"hidden_size": 64}, "hidden_size": 1}, {"hidden_size": "64", "vocab_size": [1]}, {"hidden_size": True},
        [], b"{", b"[" * 100_000, b"\xff", b"x" * 3_000_000,
    ],
)  # fmt: skip
def test_what_a_config_does_not_say_is_no_drift(hub: HubDouble, config: Any) -> None:
    assert drifting(hub, config).findings == ()


def test_a_number_without_end_is_a_finding_of_ordinary_length(hub: HubDouble) -> None:
    result = drifting(hub, b'{"hidden_size": ' + b"9" * 4000 + b"}")
    assert [len(finding.message) < 200 for finding in result.findings] == [True]


def test_the_config_of_a_gated_model_is_read_by_those_who_may(hub: HubDouble) -> None:
    assert drifting(hub, {"hidden_size": 1}, gated="auto").findings == ()
    assert not hub.count("config.json")
    assert len(drifting(hub, {"hidden_size": 1}, GOOD_TOKEN, gated="auto", asked="accepted").findings) == 1
    assert {seen.token for seen in hub.seen if "config.json" in seen.path} == {GOOD_TOKEN}


def test_a_model_without_config_is_only_a_note(hub: HubDouble) -> None:
    hub.add("a/b")
    (result,), notes = check(hub, [record(config={"hidden_size": 1})], drift=True)
    assert (result.access, result.findings) == ("public", ())
    assert notes == ("1 of 1 models have no config.json that could be compared",)


@pytest.mark.parametrize(
    ("recorded", "card", "drifts"),
    [
        ("Apache-2.0", {"license": "apache-2.0"}, False), ("Apache-2.0", {"license": "mit"}, True), ("Apache-2.0", {}, False),
        ("LicenseRef-llama3.1", {"license": "llama3.1"}, False), ("LicenseRef-llama3.1", {"license": "llama3.2"}, True),
        ("LicenseRef-kimi", {"license": "other", "license_name": "modified-mit"}, False), ("Apache-2.0", {"license": "other"}, True),
        ("Apache-2.0", {"license": "other", "license_name": "apache-2.0"}, False), ("GPL-3.0-only", {"license": "gpl-3.0"}, False),
        ("Apache-2.0 OR MIT", {"license": ["mit"]}, False), ("MIT", {"license": "unknown"}, False), (None, {"license": "mit"}, False),
        ("ODC-By-1.0", {"license": "odc-by"}, False), ("CC-BY-NC-4.0", {"license": "cc-by-4.0"}, True),
    ],
)  # fmt: skip
def test_licences_are_compared_as_both_sides_write_them(recorded: str | None, card: dict[str, Any], drifts: bool) -> None:
    finding = licence_finding(record(license_id=recorded), card)
    assert (finding is not None) == drifts


def test_records_of_the_catalog_become_models() -> None:
    files = load_records(read_folder(BASE / "catalog")).records
    models = model_records(files)
    assert models
    for model in models:
        lines = (BASE / model.place.path).read_text(encoding="utf-8").splitlines()
        assert model.hub_id in lines[model.place.line - 1]
        for key, place in model.config_places.items():
            assert str(model.config[key]) in lines[place.line - 1][place.column - 1 :]


def test_a_record_that_is_not_valid_is_still_asked_about(small_catalog: Path) -> None:
    """Its mistakes are `validate`'s business; it was left out in silence."""
    file = small_catalog / "models" / "meta-llama" / "llama-3.1-8b-instruct.yaml"
    valid = {record.hub_id for record in model_records(load_records(read_folder(small_catalog)).records)}
    file.write_text(file.read_text() + "nonsense: 1\n")
    assert {record.hub_id for record in model_records(load_records(read_folder(small_catalog)).records)} == valid

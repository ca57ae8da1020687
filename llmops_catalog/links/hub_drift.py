"""What a model's record says against what the Hub says (gating, name, licence, config.json), each difference at its line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from llmops_catalog.links.hub_client import NOTHING, REPOSITORY_ID, Gating
from llmops_catalog.links.results import Finding, Place

if TYPE_CHECKING:  # asking the Hub needs neither YAML nor Pydantic
    from llmops_catalog.catalog.load import RecordFile
    from llmops_catalog.schema.model import Architecture, Model

TEXT_PARTS = ("text_config", "llm_config", "language_config")
"""Where a config of several parts keeps its language model."""
Recorded = Mapping[str, int | bool]


class ModelRecord(NamedTuple):
    """What the catalog says of one model, and where it says it.

    `config` maps keys of config.json to the recorded value, `config_places` the same keys to where it stands. The places of `gated` and of
    the licence are those of `hub_id` where the record has neither.
    """

    hub_id: str
    place: Place
    gated: str | None = None
    gated_place: Place | None = None
    license_id: str | None = None
    license_place: Place | None = None
    config: Recorded = NOTHING
    config_places: Mapping[str, Place] = NOTHING


def model_records(files: Iterable[RecordFile]) -> tuple[ModelRecord, ...]:
    """Every model record, as its file says it; of one that is not valid, what can be read of it."""
    from llmops_catalog.schema.model import Model

    records = []
    for file in files:
        if isinstance(file.record, Model):
            records.append(_model_record(file, file.record))
        elif file.collection == Model.collection and (record := _of_invalid(file)):
            records.append(record)
    return tuple(records)


def _of_invalid(file: RecordFile) -> ModelRecord | None:
    hub_id, gated = file.document.data.get("hub_id"), file.document.data.get("gated")
    if not isinstance(hub_id, str) or not REPOSITORY_ID.fullmatch(hub_id):
        return None
    mode = gated.get("mode") if isinstance(gated, dict) else None
    return ModelRecord(hub_id, _place(file, "hub_id"), mode if mode in ("no", "auto", "manual") else None)


def gating_finding(record: ModelRecord, gated: Gating) -> Finding | None:
    """A record that says otherwise than the Hub whether access must be asked for; nothing recorded counts as "no"."""
    if (record.gated or "no") == gated:
        return None
    said = f"the record says {record.gated!r}" if record.gated else "the record does not say so"
    return Finding(
        "gating-drift",
        f"the Hub has {record.hub_id} as gated: {gated!r}; {said}",
        f'write gated: {{mode: "{gated}"}}',
        record.gated_place or record.place,
    )


def name_finding(record: ModelRecord, true_id: str) -> Finding | None:
    """A repository that has another name today, or the same in other letters (`hub_id` is written in its own case)."""
    if true_id == record.hub_id:
        return None
    what = "is spelled" if true_id.casefold() == record.hub_id.casefold() else "is now"
    hint = f"write hub_id: {true_id}, or run with --fix"
    return Finding("renamed", f"{record.hub_id} {what} {true_id} on the Hub", hint, record.place)


def missing_finding(record: ModelRecord, reason: str) -> Finding:
    """A repository that nobody can open."""
    hint = "look on the Hub for where it went; if it was withdrawn, name its successor in replaced_by"
    return Finding("missing-or-private", f"{record.hub_id}: {reason}", hint, record.place)


def licence_finding(record: ModelRecord, card: Mapping[str, Any]) -> Finding | None:
    """A model card that names another licence. `other` says nothing against a LicenseRef: both names were made up."""
    told = _licences(card)
    if record.license_id is None or not told or any(_same_licence(record.license_id, name) for name in told):
        return None
    if card.get("license") == "other" and record.license_id.startswith("LicenseRef-"):
        return None
    message = f"the model card of {record.hub_id} names the licence {', '.join(told)[:120]!r}; the record says {record.license_id!r}"
    hint = "read the card and its LICENSE file, and correct the record"
    return Finding("licence-drift", message, hint, record.license_place or record.place)


def config_findings(record: ModelRecord, config: Mapping[str, Any]) -> Iterator[Finding]:
    """Numbers of config.json that differ from the record's; a key the config does not have says nothing."""
    part: Mapping[str, Any] = next((config[name] for name in TEXT_PARTS if isinstance(config.get(name), dict)), {})
    for key, recorded in record.config.items():
        value = part.get(key, config.get(key))
        if type(value) is type(recorded) and value != recorded:
            message = f"config.json of {record.hub_id} has {key}: {_shown(value)}; the record says {_shown(recorded)}"
            hint = "look in the repository's history for what changed, and correct the record"
            yield Finding("config-drift", message, hint, record.config_places.get(key, record.place))


def _shown(value: int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value:,}"[:40] if abs(value) < 10**30 else "a number without end"


def _licences(card: Mapping[str, Any]) -> list[str]:
    """The card's licences as the Hub writes them; the name given besides for `other`."""
    told = card.get("license")
    names = [name for name in (told if isinstance(told, list) else [told])[:8] if isinstance(name, str) and name not in ("", "unknown")]
    own = card.get("license_name")
    return [own] if names == ["other"] and isinstance(own, str) and own else names


def _same_licence(recorded: str, told: str) -> bool:
    """Whether two names can mean one licence: the Hub writes SPDX ids in small letters, without `-only`, some without their version."""
    words = _words(told)
    for name in re.split(r" (?:AND|OR|WITH) ", recorded):
        term = _words(name)
        free = name.startswith("LicenseRef-") or all(word[0].isdigit() for word in words ^ term)
        if words and free and (words <= term or term <= words):
            return True
    return False


def _words(name: str) -> frozenset[str]:
    plain = name.casefold().removeprefix("licenseref-")
    return frozenset(re.findall(r"[a-z]+|\d+(?:\.\d+)*", plain)) - {"only", "or", "later", "license", "licence", "community"}


def _model_record(file: RecordFile, model: Model) -> ModelRecord:
    config = dict(_numbers(model))
    return ModelRecord(
        model.hub_id,
        _place(file, "hub_id"),
        model.gated.mode if model.gated else None,
        _place(file, "gated.mode") if model.gated else None,
        model.license.id if model.license else None,
        _place(file, "license.id") if model.license else None,
        {key: value for key, (_, value) in config.items()},
        {key: _place(file, field) for key, (field, _) in config.items()},
    )


def _place(file: RecordFile, field: str) -> Place:
    found = file.document.place(field.split("."))
    return Place(file.path, found.line, found.column, field)


def _numbers(model: Model) -> Iterator[tuple[str, tuple[str, int | bool]]]:
    """Keys of config.json, each with the field of the record that holds the same number, and the number."""
    limit = "configured" if model.context.configured else "maximum"
    if model.architecture.kind == "decoder" and (tokens := getattr(model.context, limit)):
        yield "max_position_embeddings", (f"context.{limit}", tokens)
    for key, field in _fields(model.architecture):
        value: Any = model.architecture
        for step in field.split("."):
            value = getattr(value, step)
        if value is not None:
            yield key, (f"architecture.{field}", value)


def _fields(architecture: Architecture) -> Iterator[tuple[str, str]]:
    """Which keys of config.json can be compared with which fields of an architecture."""
    for key in ("num_hidden_layers", "hidden_size", "vocab_size"):
        yield key, key
    if architecture.experts is None:
        yield "intermediate_size", "intermediate_size"
    else:
        yield from ((key, "experts.count") for key in ("num_experts", "num_local_experts", "n_routed_experts"))
        yield "num_experts_per_tok", "experts.used_per_token"
        yield "moe_intermediate_size", "experts.intermediate_size"
    if architecture.latent_attention is not None:
        parts = ("kv_lora_rank", "q_lora_rank", "qk_rope_head_dim", "qk_nope_head_dim", "v_head_dim")
        yield from ((key, f"latent_attention.{key}") for key in parts)
    elif architecture.attention is not None and architecture.compressed_attention is None:
        yield from ((key, f"attention.{key}") for key in ("num_attention_heads", "num_key_value_heads", "head_dim"))

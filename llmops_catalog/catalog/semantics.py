"""Facts of one valid record that cannot be true together: dates, counts, sizes, and what its sources claim to support."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llmops_catalog.catalog.load import RecordFile
from llmops_catalog.catalog.parameters import check_parameters
from llmops_catalog.fit.sizes import GIB, MIB
from llmops_catalog.problems import Problem, did_you_mean, nearest
from llmops_catalog.schema.urls import date_in_url

LEAST_SHARE = 0.7
"""Of the memory sold, what the driver and CUDA leave at the very least: below it a unit is wrong."""


def check_record(record: RecordFile) -> Iterator[Problem]:
    """Every contradiction within one record that passed the schema."""
    yield from _supported_fields(record)
    yield from _dates(record)
    if record.collection == "models":
        yield from _model(record)
    elif record.collection == "gpus":
        yield from _gpu_memory(record)
    elif record.collection == "concepts":
        yield from _comparison(record)


def _problem(record: RecordFile, place: tuple[str | int, ...], code: str, message: str, hint: str) -> Problem:
    at = record.document.place(place)
    return Problem(record.path, at.line, at.column, code, message, hint)


# --- sources ----------------------------------------------------------------------------------------------------------


def _supported_fields(record: RecordFile) -> Iterator[Problem]:
    data = record.document.data
    for list_field, key in (("sources", "supports"), ("doubts", "field")):
        for index, entry in enumerate(data.get(list_field, ())):
            named = entry[key] if isinstance(entry[key], list) else [entry[key]]
            for position, field in enumerate(named):
                place = (list_field, index, key, position) if isinstance(entry[key], list) else (list_field, index, key)
                if not _has(data, str(field)):
                    hint = did_you_mean(nearest(str(field), sorted(_dotted_fields(data)), 2)) or f"it has: {', '.join(data)}"
                    yield _problem(
                        record,
                        place,
                        "unknown-supported-field",
                        f"{list_field} name the field {str(field)[:80]!r}, which this record does not have",
                        hint,
                    )
    for index, entry in enumerate(data.get("not_known", ())):
        if _has(data, str(entry["field"])):
            yield _problem(
                record,
                ("not_known", index, "field"),
                "known-after-all",
                f"{str(entry['field'])!r} is said to be not known, but the record has it",
                "remove one of the two",
            )


def _has(data: Any, dotted: str) -> bool:
    """True where the field is in the record; inside a list, where any item has it."""
    current = [data]
    for step in dotted.split("."):
        current = [item[step] for item in current if isinstance(item, dict) and step in item]
        current = [inner for item in current for inner in (item if isinstance(item, list) else [item])] or ([None] if current else [])
    return bool(current)


def _dotted_fields(data: Any, before: str = "") -> set[str]:
    """Every field of the record as `supports` writes it: nested ones with dots, items of lists without numbers."""
    if isinstance(data, list):
        return {field for item in data for field in _dotted_fields(item, before)}
    if not isinstance(data, dict):
        return set()
    return {field for key, value in data.items() for field in ({f"{before}{key}"} | _dotted_fields(value, f"{before}{key}."))}


def _dates(record: RecordFile) -> Iterator[Problem]:
    """A thing is not older than its own page, nor younger than the pages that tell of it (the mistake of copying a list's own date)."""
    data = record.document.data
    for field in ("released", "published", "first_released", "measured", "as_of"):
        if data.get(field) is None:
            continue
        stated = str(getattr(data[field], "as_written", data[field]))
        problem = next(_contradictions(data, field, stated), None)  # one wrong date is one mistake
        if problem:
            yield _problem(record, (field,), "date-after-source", *problem)


def _contradictions(data: dict[str, Any], field: str, stated: str) -> Iterator[tuple[str, str]]:
    """What the record's own addresses and days of checking say against a date: sentence and hint."""
    own = [str(data[key]) for key in ("announcement", "url") if data.get(key)]
    supporting = [source for source in data.get("sources", ()) if field in source["supports"]]
    others = [source for source in data.get("sources", ()) if source not in supporting]
    for address in dict.fromkeys([*own, *(str(source["url"]) for source in supporting)]):
        printed = date_in_url(address)
        if printed and _is_later(stated, printed):
            said = f"{field} is {stated}, but its own source is dated {printed}: {address[:120]}"
            yield said, f"compare the two; the earlier one is usually right ({printed})"
        elif printed and address in own and _is_later(printed, stated):
            yield f"{field} is {stated}, but its own page is dated {printed}: {address[:120]}", "compare the two; one of them is mistyped"
    for source in supporting:
        checked = str(getattr(source["checked"], "as_written", source["checked"]))
        if stated[:10] > checked[: len(stated)]:
            yield f"{field} is {stated}, but its source was read on {checked} already: {source['url'][:120]}", "correct one of the two"
    if field == "as_of":
        return  # what is said today may rest on a paper of any age
    paper = [str(data["paper"])] if data.get("paper") else []
    for address in [*paper, *(str(source["url"]) for source in others)]:
        printed = date_in_url(address)
        if printed and int(stated[:4]) - int(printed[:4]) > LATE_YEARS:
            yield f"{field} is {stated}, but its own source is from {printed}: {address[:120]}", "compare the two; a digit may be wrong"


LATE_YEARS = 2
"""A paper, or the source of another fact, may be this much older than a release; more is most often a mistyped digit."""


def _is_later(stated: str, printed: str) -> bool:
    """True when `stated` lies after `printed` by more than the days a page may be dated ahead of the event (31)."""
    exact = min(len(stated), len(printed))
    if exact < 10:
        return stated[:exact] > printed[:exact]
    from datetime import date

    return (date.fromisoformat(stated) - date.fromisoformat(printed)).days > 31


# --- models -----------------------------------------------------------------------------------------------------------


def _model(record: RecordFile) -> Iterator[Problem]:
    data = record.document.data
    parameters, architecture, context = data["parameters"], data["architecture"], data["context"]
    for part in ("active", "embedding", "other_modalities"):
        if parameters.get(part, 0) > parameters["total"]:
            yield _problem(
                record,
                ("parameters", part),
                "more-than-total",
                f"{part} parameters ({parameters[part]:,}) are more than the total ({parameters['total']:,})",
                "compare both with the checkpoint",
            )
    routed = (architecture.get("experts") or {}).get("routed_parameters") or 0
    if routed > parameters["total"]:
        yield _problem(
            record,
            ("architecture", "experts", "routed_parameters"),
            "more-than-total",
            f"the routed experts ({routed:,}) are more than the total ({parameters['total']:,})",
            "compare both with the checkpoint",
        )
    inconsistent = list(_layers(record, architecture))
    yield from inconsistent
    if not inconsistent:
        yield from check_parameters(record)
    configured, stated = context.get("configured"), context.get("maximum")
    if configured and stated and stated > 4 * configured and "extended" not in context and "note" not in context:
        yield _problem(
            record,
            ("context", "maximum"),
            "context-beyond-maximum",
            f"{stated:,} tokens are stated, but config.json stops at {configured:,}",
            "say in 'note' how the rest is reached, or give the stated maximum under 'extended'",
        )
    if context.get("extended") and stated and context["extended"] < stated:
        yield _problem(
            record,
            ("context", "extended"),
            "context-beyond-maximum",
            f"the extended context ({context['extended']:,}) is below the maximum ({stated:,})",
            "swap them",
        )


def _layers(record: RecordFile, architecture: dict[str, Any]) -> Iterator[Problem]:
    layers = architecture["num_hidden_layers"]
    groups = architecture.get("layer_groups", ())
    counted = sum(group["layers"] for group in groups)
    if groups and counted != layers:
        yield _problem(
            record,
            ("architecture", "layer_groups"),
            "layer-count",
            f"the layer groups hold {counted} layers, the model has {layers}",
            "correct the counts",
        )
    if len(architecture.get("layer_pattern", ())) > layers:
        yield _problem(
            record,
            ("architecture", "layer_pattern"),
            "layer-count",
            "the pattern is longer than the model",
            f"it may hold up to {layers} entries",
        )
    attention = architecture.get("attention")
    if attention and attention["num_key_value_heads"] and attention["num_attention_heads"] % attention["num_key_value_heads"]:
        yield _problem(
            record,
            ("architecture", "attention", "num_key_value_heads"),
            "head-count",
            f"{attention['num_attention_heads']} query heads cannot share {attention['num_key_value_heads']} key/value heads evenly",
            "compare with config.json",
        )
    yield from _counts_within(record, architecture, layers)
    experts = architecture.get("experts")
    if experts and experts["used_per_token"] > experts["count"]:
        yield _problem(
            record,
            ("architecture", "experts", "used_per_token"),
            "more-than-total",
            f"a token passes through {experts['used_per_token']} experts, but there are {experts['count']}",
            "compare with config.json",
        )


def _counts_within(record: RecordFile, architecture: dict[str, Any], layers: int) -> Iterator[Problem]:
    """Layers of a special kind are among the layers there are."""
    for place, said in (
        (("experts", "first_dense_layers"), "leading layers have one feed-forward"),
        (("kv_shared_layers",), "layers reuse the cache of others"),
    ):
        number = (architecture.get("experts") or {}).get(place[-1]) if len(place) > 1 else architecture.get(place[0])
        if number and number > layers:
            message = f"{number} {said}, but the model has {layers} layers"
            yield _problem(record, ("architecture", *place), "layer-count", message, "compare with config.json")


# --- the rest ---------------------------------------------------------------------------------------------------------


def _gpu_memory(record: RecordFile) -> Iterator[Problem]:
    memory = record.document.data["memory"]
    if memory.get("sold_gb") is None:
        if all(gap.get("field") != "memory.sold_gb" for gap in record.document.data.get("not_known") or ()):
            hint = "or name memory.sold_gb under not_known, with what was looked at in vain"
            yield _problem(record, ("memory",), "missing-key", "the key 'sold_gb' is missing in memory. For example: sold_gb: 24", hint)
        return
    sold = memory["sold_gb"] * GIB  # vendors say GB and mean 2^30 for most cards: the generous reading bounds the driver's
    driver = (memory.get("driver_mib") or 0) * MIB
    cuda = (memory.get("cuda_gib") or 0) * GIB
    small = next(((key, size) for key, size in (("driver_mib", driver), ("cuda_gib", cuda)) if 0 < size < sold * LEAST_SHARE), None)
    if driver > sold * 1.001:
        yield _problem(
            record,
            ("memory", "driver_mib"),
            "memory-order",
            f"the driver reports more ({driver / GIB:.2f} GiB) than is sold ({memory['sold_gb']} GB)",
            "compare with nvidia-smi; driver_mib is in MiB (2^20 bytes)",
        )
    elif small:
        yield _problem(
            record,
            ("memory", small[0]),
            "memory-order",
            f"{small[1] / GIB:.2f} GiB are far less than the {memory['sold_gb']} GB sold",
            "check the unit: driver_mib is in MiB, cuda_gib in GiB, sold_gb in GB",
        )
    elif cuda > (driver or sold) * 1.001:
        yield _problem(
            record,
            ("memory", "cuda_gib"),
            "memory-order",
            f"a process sees more ({cuda / GIB:.2f} GiB) than the driver reports ({(driver or sold) / GIB:.2f} GiB)",
            "this is the smallest of the three sizes, in GiB (2^30 bytes)",
        )
    limit = memory.get("system_limit")
    if limit and limit["low_gib"] > limit["high_gib"]:
        yield _problem(record, ("memory", "system_limit"), "memory-order", "the low limit is above the high one", "swap them")
    elif limit and limit["high_gib"] * GIB > sold * 1.001:
        message = f"the system lets the GPU use more ({limit['high_gib']} GiB) than there is ({memory['sold_gb']} GB)"
        yield _problem(record, ("memory", "system_limit", "high_gib"), "memory-order", message, "compare with the source")


def _comparison(record: RecordFile) -> Iterator[Problem]:
    comparison = record.document.data.get("comparison")
    if not comparison:
        return
    for index, row in enumerate(comparison["rows"]):
        wanted = len(comparison["columns"]) + 1
        if len(row) != wanted:
            yield _problem(
                record,
                ("comparison", "rows", index),
                "row-length",
                f"the row has {len(row)} cells, the table {wanted} (the aspect, then one per column)",
                "add or remove cells",
            )


def check_contexts(records: tuple[RecordFile, ...]) -> Iterator[Problem]:
    """A notebook or a measurement cannot keep more tokens than its model can have."""
    limits = {record.id: _largest_context(record.document.data) for record in records if record.collection == "models" and record.record}
    for record in records:
        if record.record is None or record.collection not in ("notebooks", "measurements"):
            continue
        entries = record.document.data.get("uses" if record.collection == "notebooks" else "readings", ())
        field = "uses" if record.collection == "notebooks" else "readings"
        for index, entry in enumerate(entries):
            model = entry.get("model") if record.collection == "notebooks" else record.document.data.get("model")
            limit = limits.get(str(model))
            if limit and entry.get("context_tokens", 0) > limit:
                yield _problem(
                    record,
                    (field, index, "context_tokens"),
                    "context-beyond-maximum",
                    f"{entry['context_tokens']:,} tokens, but {model} ends at {limit:,}",
                    "compare with the source",
                )


def _largest_context(data: dict[str, Any]) -> int | None:
    """Tokens beyond which the model cannot go by any documented means; None where there is no bound."""
    context = data["context"]
    if context["maximum"] is None:
        return None
    return max(context.get(part) or 0 for part in ("maximum", "configured", "extended"))

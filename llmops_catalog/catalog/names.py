"""The names a record answers to, and the form in which names are compared. One home for the loader's check and the look-up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_SEPARATORS = str.maketrans("-_/:", "    ")
_VENDORS = ("nvidia ", "amd ", "intel ", "apple ", "google ", "aws ")
_BRANDS = ("geforce ", "radeon ", "tesla ")

TIER_ID, TIER_HUB_ID, TIER_ALIAS, TIER_NAME = range(4)
"""A better (lower) tier wins; within a tier two records make a name ambiguous."""


def name_key(name: str) -> str:
    """The form in which names are compared: any case; space, hyphen, underscore, slash and colon alike; ``80 GB`` is ``80gb``."""
    text = name[:300]
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode()  # bytes of an argument that are no text cannot name anything
    words: list[str] = []
    for word in text.casefold().translate(_SEPARATORS).split():
        if words and _is_gigabyte(word) and words[-1][-1].isdigit():
            words[-1] += word
        else:
            words.append(word)
    return " ".join(words)


def _is_gigabyte(word: str) -> bool:
    return word[:2] == "gb" and not (word[2:3].isalnum() or word[2:3] == "_")


def _without(prefixes: tuple[str, ...], name: str) -> str:
    return next((name.removeprefix(prefix).lstrip() for prefix in prefixes if name.startswith(prefix)), name)


def names_of(collection: str, record_id: str, data: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Every (key, tier) the record answers to."""
    yield name_key(record_id), TIER_ID
    hub_id = str(data.get("hub_id") or "")
    if hub_id:
        yield name_key(hub_id), TIER_HUB_ID
        yield name_key(hub_id.rpartition("/")[2]), TIER_NAME
    for alias in data.get("aliases", ()):
        yield name_key(str(alias)), TIER_ALIAS
    yield name_key(record_id.rpartition("/")[2]), TIER_NAME
    label = name_key(str(label_of(data, record_id)))
    yield label, TIER_NAME
    if collection == "gpus":
        bare = _without(_VENDORS, label)
        yield bare, TIER_NAME
        yield _without(_BRANDS, bare), TIER_NAME


def label_of(data: Mapping[str, Any], record_id: str) -> str:
    """What people call the record: its name, title or statement."""
    return str(data.get("name") or data.get("title") or data.get("statement") or record_id)

"""The names a record answers to, and the form in which names are compared. One home for the loader's check and the look-up."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_SEPARATORS = re.compile(r"[\s\-_/:]+")
_SIZE = re.compile(r"(?<=\d) (?=gb\b)")
_VENDOR = re.compile(r"^(nvidia|amd|intel|apple|google|aws)\s+")
_BRAND = re.compile(r"^(geforce|radeon|tesla)\s+")

TIER_ID, TIER_HUB_ID, TIER_ALIAS, TIER_NAME = range(4)
"""A better (lower) tier wins; within a tier two records make a name ambiguous."""


def name_key(name: str) -> str:
    """The form in which names are compared: any case; space, hyphen, underscore, slash and colon alike; ``80 GB`` is ``80gb``."""
    text = name[:300]
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode()  # bytes of an argument that are no text cannot name anything
    return _SIZE.sub("", _SEPARATORS.sub(" ", text.casefold()).strip())


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
        bare = _VENDOR.sub("", label)
        yield bare, TIER_NAME
        yield _BRAND.sub("", bare), TIER_NAME


def label_of(data: Mapping[str, Any], record_id: str) -> str:
    """What people call the record: its name, title or statement."""
    return str(data.get("name") or data.get("title") or data.get("statement") or record_id)

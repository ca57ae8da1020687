"""`--fix`: what moved for good is written where it moved from, character by character, everything else kept byte for byte.

Written are better addresses (permanent redirects, renamed repositories) and the ids models have on the Hub now. A file is written whole
or not at all, and only after the strict reader has found the intended values changed and no other. What is gone is never removed; a copy
in an archive is only offered. Lines may grow longer than `fmt` likes: run it afterwards.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from pydantic_core import PydanticCustomError

from llmops_catalog.catalog.folder import MAX_BYTES, SourceError
from llmops_catalog.catalog.load import EXCEPTIONS_FILE
from llmops_catalog.files import write_bytes
from llmops_catalog.links.collect import MAX_PAGE_BYTES, PAGE_SUFFIX, Lines
from llmops_catalog.links.edits import Edit, Plan, applied, page_is_as_planned, page_plan, record_is_as_planned, record_plan
from llmops_catalog.links.results import LinkResult, ModelResult, Place
from llmops_catalog.schema.urls import check_url

_BOM = b"\xef\xbb\xbf"
_HUB_NAME = re.compile(r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+")
_MAX_HUB_NAME = 120
OFFERED = "a copy in an archive is not the page itself: decide whether it can stand for it"


class Repair(NamedTuple):
    """One address or Hub id at one place: `done`, or `why_not`. An alias that was added has no `old`."""

    path: str
    line: int
    old: str
    new: str
    done: bool
    why_not: str = ""


class Wishes(NamedTuple):
    """What one file should say: addresses by what stands there now, ids of models likewise, and the places they were asked for."""

    better: dict[str, str]
    true_ids: dict[str, str]
    places: dict[str, Place]


def repair(root: Path, results: Sequence[LinkResult], models: Sequence[ModelResult] = ()) -> list[Repair]:
    """Rewrites the files of the catalog at `root` and the pages beside it; tells for every place what was done or why not."""
    repairs: list[Repair] = []
    wishes: dict[str, Wishes] = defaultdict(lambda: Wishes({}, {}, {}))
    for result in results:
        told = result.judgement
        if told.better_url:
            new = with_fragment_of(result.url, told.better_url)
            repairs += _wish(wishes, result.places, result.url, new, refusal(result.url, new), is_hub_id=False)
        elif told.outcome == "fail" and told.archived_url:
            repairs += [Repair(at.path, at.line, result.url, told.archived_url, False, OFFERED) for at in result.places]
    for model in models:
        if model.true_id and model.true_id != model.hub_id:
            proper = all(_HUB_NAME.fullmatch(name) and len(name) <= _MAX_HUB_NAME for name in (model.hub_id, model.true_id))
            why_not = "" if proper else "this is no id of a model"
            repairs += _wish(wishes, model.places, model.hub_id, model.true_id, why_not, is_hub_id=True)
    for path, wished in wishes.items():
        repairs += _repaired(root, path, wished)
    return sorted(set(repairs))


def _wish(wishes: Mapping[str, Wishes], places: Iterable[Place], old: str, new: str, why_not: str, *, is_hub_id: bool) -> Iterable[Repair]:
    """Notes what is wanted at each place; gives back what will not be done."""
    if new == old:
        return []
    if why_not:
        return [Repair(at.path, at.line, old, new, False, why_not) for at in places]
    for at in places:
        wished = wishes[at.path]
        (wished.true_ids if is_hub_id else wished.better)[old] = new
        wished.places.setdefault(old, at)
    return []


def with_fragment_of(old: str, new: str) -> str:
    """`new`, with the fragment of `old` where it has none of its own: a redirect does not touch it
    (https://www.rfc-editor.org/rfc/rfc9110#section-10.2.2).
    """
    return new if "#" in new else new + "".join(old.partition("#")[1:])


def refusal(old: str, new: str) -> str:
    """Why `new` may not be written; empty where it may. It comes from a server: only what a record may carry is taken over."""
    if old[:8].lower() == "https://" and new[:8].lower() != "https://":
        return "the new address is not encrypted"
    if not new.isprintable():
        return "the new address holds characters nobody sees"
    try:
        check_url(new)
    except PydanticCustomError as error:
        return error.message()
    return ""


# --- one file ---------------------------------------------------------------------------------------------------------


def _repaired(root: Path, path: str, wished: Wishes) -> list[Repair]:
    """Writes one file anew. Every wish comes back, done or not."""
    wanted = {**wished.better, **wished.true_ids}
    try:
        raw = _read(root, path)
        text = raw.decode("utf-8-sig")
        is_page = path.endswith(PAGE_SUFFIX)
        plan = page_plan(text, wished.better) if is_page else record_plan(text, wished.better, wished.true_ids)
        result = applied(text, plan.edits)
        as_planned = page_is_as_planned(text, result, wished.better) if is_page else record_is_as_planned(text, result, plan.values)
        if as_planned:
            write_bytes(root.parent / path, (_BOM if raw.startswith(_BOM) else b"") + result.encode())
    except (OSError, UnicodeDecodeError, SourceError) as error:
        reason = error.message if isinstance(error, SourceError) else getattr(error, "strerror", "") or "it is not UTF-8"
        why_not = f"the file cannot be repaired: {reason}"
        return [Repair(path, at.line, old, wanted[old], False, why_not) for old, at in wished.places.items()]
    missing = wished.places.keys() - {edit.old for edit in plan.edits}
    gone = [Repair(path, wished.places[old].line, old, wanted[old], False, "it no longer stands there") for old in missing]
    return [*gone, *_told(path, text, plan, "" if as_planned else "the file would not read back as intended")]


def _told(path: str, text: str, plan: Plan, failed: str) -> Iterable[Repair]:
    lines = Lines(text)
    for edit in plan.edits:
        why_not = edit.why_not or failed
        yield Repair(path, _line(lines, edit), edit.old, edit.new, not why_not, why_not)


def _line(lines: Lines, edit: Edit) -> int:
    return lines.place(edit.start)[0]


def _read(root: Path, path: str) -> bytes:
    """The bytes of a record or a page. Raises `SourceError` for any other file, and for one behind a link."""
    parts = PurePosixPath(path).parts
    is_record = path.endswith(".yaml") and parts[:1] == (root.name,) and parts[1:] != (EXCEPTIONS_FILE,)
    full = root.parent / path
    if not (is_record or path.endswith(PAGE_SUFFIX)) or ".." in parts or PurePosixPath(path).is_absolute():
        raise SourceError("not-a-file", "it is neither a record nor a page", "")
    if full.resolve() != root.parent.resolve() / path or not full.is_file():
        raise SourceError("not-a-file", "it is not a plain file", "")
    limit = MAX_BYTES if is_record else MAX_PAGE_BYTES
    with full.open("rb") as file:
        raw = file.read(limit + 1)
    if len(raw) > limit:
        raise SourceError("too-large", "it is too large", "")
    return raw

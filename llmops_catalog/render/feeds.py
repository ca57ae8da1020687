"""/feed.xml (what was compared with its sources last) and /llms.txt (the site in one page of text)."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape, quoteattr

from llmops_catalog.catalog import Record
from llmops_catalog.problems import DOCUMENTATION
from llmops_catalog.render import text
from llmops_catalog.render.views.library import Library
from llmops_catalog.render.views.wording import INTROS, TITLES

FEED_ENTRIES = 50


def render_feeds(library: Library) -> dict[str, str]:
    """Both files; their bytes depend on the records alone (a record's date is the last day one of its sources was compared)."""
    return {"feed.xml": _feed(library), "llms.txt": _llms(library)}


def _checked(record: Record) -> str:
    return max((str(source["checked"]) for source in record.data["sources"]), default="1970-01-01")


def _xml(value: str) -> str:
    return escape(re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", " ", value))


def _feed(library: Library) -> str:
    records = [record for collection in library.records.values() for record in collection.values()]
    latest = sorted(
        sorted(records, key=lambda record: record.key),
        key=lambda record: (_checked(record), str(record.data.get("released") or "")),
        reverse=True,
    )[:FEED_ENTRIES]
    entries = "".join(_feed_entry(record) for record in latest)
    updated = _checked(latest[0]) if latest else "1970-01-01"
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">\n'
        f"<title>llmops-catalog</title>\n<subtitle>Records last compared with their sources</subtitle>\n<id>{DOCUMENTATION}/</id>\n"
        f'<link href="{DOCUMENTATION}/"/>\n<link rel="self" href="{DOCUMENTATION}/feed.xml"/>\n<updated>{updated}T00:00:00Z</updated>\n'
        f"<author><name>llmops-catalog</name></author>\n<rights>CC BY 4.0</rights>\n{entries}</feed>\n"
    )


def _feed_entry(record: Record) -> str:
    address = f"{DOCUMENTATION}/{record.key}/"
    summary = text.first_sentence(str(record.data.get("summary") or record.data.get("because") or ""), 280)
    return (
        f"<entry>\n<title>{_xml(record.label)}</title>\n<id>{_xml(address)}</id>\n<link href={quoteattr(address)}/>\n"
        f"<updated>{_checked(record)}T00:00:00Z</updated>\n<category term={quoteattr(record.collection)}/>\n"
        f'<summary type="text">{_xml(summary)}</summary>\n</entry>\n'
    )


def _llms(library: Library) -> str:
    lines = [
        "# llmops-catalog",
        "",
        "> A sourced catalog of open-weight language models, GPUs, quantizations, frameworks and learning material, "
        "with a memory estimator that answers whether a model runs on a card.",
        "",
        f"Every record is JSON at {DOCUMENTATION}/api/v1/<collection>/<id>.json (data: CC BY 4.0). "
        "Verdicts: fits, tight, does-not-fit, unsupported, unknown.",
        "",
        "## Collections",
        "",
    ]
    lines += [
        f"- [{TITLES[name]}]({DOCUMENTATION}/{name}/): {total} records; {INTROS[name]}" for name, total in library.catalog.counts.items()
    ]
    for name in ("models", "gpus", "notebooks", "paths"):
        lines += ["", f"## {TITLES[name]}", ""]
        for record in library.records.get(name, {}).values():
            summary = text.plain_title(text.first_sentence(str(record.data.get("summary") or "")), 200)
            label = text.plain_title(record.label).replace("[", "(").replace("]", ")")
            lines.append(f"- [{label}]({DOCUMENTATION}/{record.key}/)" + (f": {summary}" if summary else ""))
    return "\n".join(lines) + "\n"

"""An exchange hop by hop, as `--explain` prints it. What servers said is escaped and shortened."""

from __future__ import annotations

from collections.abc import Iterator

from llmops_catalog.links.exchange import Hop
from llmops_catalog.links.explain import Explained
from llmops_catalog.report.link_findings import clipped
from llmops_catalog.report.tables import Style, count, plain, printable

MOST_HEADERS = 60
_LEVELS = {"pass": "fits", "fail": "error", "unknown": "warning"}


def as_text(explained: Explained, style: Style = plain) -> str:
    """Every request with its answer, what the page shows, and the judgement with its reason."""
    exchange, told = explained.exchange, explained.judgement
    lines = [style(printable(explained.url), "title")]
    for number, hop in enumerate(exchange.hops, start=1):
        lines += ["", *_hop(number, hop, style)]
    if exchange.elsewhere is not None:
        lines += ["", style("beside it, a path that cannot exist", "note"), *_hop(0, exchange.elsewhere, style)]
    if exchange.trouble is not None:
        lines += ["", f"{style(exchange.trouble.kind, 'warning')}: {printable(clipped(exchange.trouble.sentence))}"]
    seconds, tries = explained.elapsed_ms / 1000, count(explained.attempts, "attempt")
    lines += ["", f"{style(f'{told.outcome}[{told.verdict}]', _LEVELS[told.outcome])} after {tries}, {seconds:.2f} s"]
    lines += [f"  {name}: {printable(clipped(value))}" for name, value in (("reason", told.reason), ("help", told.hint)) if value]
    return "\n".join(lines) + "\n"


def _hop(number: int, hop: Hop, style: Style) -> Iterator[str]:
    as_browser = ", as a browser" if hop.browser_like else ""
    yield f"{number or '-'}  {hop.method} {printable(clipped(hop.url))}"
    yield f"   at {printable(hop.address)}{as_browser}: {style(str(hop.status), 'title')} in {hop.elapsed_ms:,} ms"
    for name, value in hop.headers[:MOST_HEADERS]:
        yield style(f"     {printable(name[:60])}: {printable(clipped(value, 200))}", "note")
    if len(hop.headers) > MOST_HEADERS:
        yield style(f"     ... and {len(hop.headers) - MOST_HEADERS:,} more", "note")
    page = hop.page
    if page is not None and page.is_html:
        seen = [f"title {printable(page.title)!r}", f"{count(page.text_length, 'character')} of text", count(page.scripts, "script")]
        seen += [f"anchors found: {', '.join(map(printable, sorted(page.anchors)))}"] if page.anchors else []
        yield f"     page: {'; '.join(seen)}{'' if page.complete else '; not read to its end'}"

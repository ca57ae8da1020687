"""How values read on a page: sizes, counts, dates, plain titles, and the one escape every record text passes through."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from markupsafe import Markup

from llmops_catalog.fit.sizes import GIB

# Besides HTML's own, everything a Markdown, MDX, Liquid or Jinja pre-processor could take for syntax becomes a character reference.
_REFERENCES = {ord(char): f"&#{ord(char)};" for char in "&<>\"'`~{}[]*#\\|$\n\r\t\x85\u2028\u2029"} | {
    ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord('"'): "&#34;", ord("\n"): "&#10;",
}  # fmt: skip
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")


def to_html(value: Any) -> Markup:
    """`value` as text that no reader of the page (HTML, Markdown, template language) takes for anything but text."""
    return value if isinstance(value, Markup) else _escaped(str(value))


@lru_cache(maxsize=1 << 14)
def _escaped(value: str) -> Markup:
    return Markup(value.translate(_REFERENCES))  # noqa: S704 - this is the escape itself


_LOOK_ALIKES = str.maketrans(
    {"<": "‹", ">": "›", '"': "”", "'": "’", "`": "’", "{": "(", "}": ")", "\\": "/", "\n": " ", "\r": " ", "\t": " "}
)


def plain_title(text: str, limit: int = 160) -> str:
    """`text` for front matter: themes put titles and descriptions into HTML unescaped, so nothing in it may need escaping."""
    plain = " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", text.translate(_LOOK_ALIKES)).split())
    plain = re.sub(r"&(?=[#\w])", "＆", plain)
    return plain if len(plain) <= limit else plain[: limit - 1].rsplit(" ", 1)[0].rstrip(",;:") + "…"


def safe_href(url: str) -> str | None:
    """`url` if it may become a link: http or https with a host; else None, and the page shows it as text."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"[\x00-\x20\x7f]", url):
        return None
    return url


def gib(size_bytes: float) -> str:
    """Bytes as GiB with two decimals."""
    return f"{size_bytes / GIB:,.2f} GiB"


def number(value: float) -> str:
    """Thousands separated, no needless decimals."""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.3f}".rstrip("0").rstrip(".")


def billions(count: int) -> str:
    """A count of weights the way people say it: ``8.03 billion``."""
    for unit, size in (("trillion", 10**12), ("billion", 10**9), ("million", 10**6)):
        if count >= 0.9995 * size:
            return f"{count / size:.3g} {unit}" if count / size < 999.5 else f"{count / size:,.0f} {unit}"
    return number(count)


def short_tokens(tokens: int) -> str:
    """A context length in a narrow cell: ``128k`` where it is a whole multiple of 1,024, ``40.9k`` else."""
    if tokens < 1024:
        return str(tokens)
    if tokens >= 1024 * 1024:
        return f"{tokens / 1048576:.1f}".removesuffix(".0") + "M"
    return f"{tokens // 1024}k"


def tokens(count: int) -> str:
    """A context length in full, with the short form people know where it is exact."""
    return f"{count:,} tokens ({short_tokens(count)})" if count >= 1024 and count % 1024 == 0 else f"{count:,} tokens"


def day(text: str) -> str:
    """``2024-07-23`` as ``23 July 2024``; a month or a year alone stays what it is."""
    parts = text.split("-")
    if len(parts) == 1 or not all(part.isdigit() for part in parts) or not 1 <= int(parts[1]) <= 12:
        return text
    month = _MONTHS[int(parts[1]) - 1]
    return f"{int(parts[2])} {month} {parts[0]}" if len(parts) == 3 else f"{month} {parts[0]}"


def money(value: dict[str, Any]) -> str:
    """An amount with its currency and the date it was seen."""
    seen = f" (seen {day(value['as_of'])})" if value.get("as_of") else " (undated)"
    return f"{value['amount']:,.2f} {value['currency']}{seen}"


def first_sentence(text: str, limit: int = 180) -> str:
    """The first sentence of `text`, cut at a word where it is longer than `limit`."""
    sentence = re.split(r"(?<=[.!?])\s+(?=[A-Z0-9])", " ".join(text.split()), maxsplit=1)[0]
    return sentence if len(sentence) <= limit else sentence[:limit].rsplit(" ", 1)[0].rstrip(",;:") + "…"


def words(name: str) -> str:
    """A field or enum name as words: ``bits_per_weight`` -> ``Bits per weight``."""
    plain = name.replace("_", " ").replace("-", " ").strip()
    return plain[:1].upper() + plain[1:]

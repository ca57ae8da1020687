"""What a page shows, read piece by piece in bounded memory and linear time: its title, the anchors looked for, how much text there is.

No tree is built and no whole page is kept; half-open tags, comments and quotes of hostile pages cost nothing more.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from html import unescape as _unescape
from typing import NamedTuple

from llmops_catalog.links.exchange import Page

ENOUGH_BYTES = 128 * 1024
"""Read of a page when no anchor is looked for: its title and beginning are there long before."""
KEPT_TEXT = 4096
LONGEST_TAG = 32 * 1024
LONGEST_TITLE = 300
LONGEST_MARK, LONGEST_WORD = 32, 256
SMALLEST_STEP = 2048
"""Bytes that are looked at together."""
SHELL_TEXT = 300
"""A page with scripts and fewer visible characters than this draws itself in the browser."""
MOST_ODD_TAGS = 50

_OPENING = re.compile(r"<(?=[a-zA-Z/!?])")
_COUNTER = re.compile(r"analytics|googletagmanager|gtag|plausible|cloudflareinsights|matomo|piwik|hotjar|clarity\.ms|beacon", re.IGNORECASE)
"""Scripts that count visitors and make no anchors."""
_LAST_WORD = re.compile(r"\s+\S*\s*\Z|\S+\s*\Z")
_DECLARATION_END = re.compile(">")
_SPACE = re.compile(r"\s+")
_TAG_NAME = re.compile(r"<(/?)([a-zA-Z][^\s/>]{0,40})")
_TAG_END = re.compile(r"""(?>[^>=]+|=\s*+(?:"[^"]*+"|'[^']*+'|(?=[^"'\s])))*+>""")
_ATTRIBUTE = re.compile(r"""([^\s"'<>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'<>`]+)))?""")
_NAMES = frozenset({"id", "name", "content", "http-equiv"})
_HIDDEN = {name: re.compile(f"</{name}", re.IGNORECASE) for name in ("script", "style", "noscript", "template", "iframe", "textarea")}
_TITLE_END = re.compile("</title", re.IGNORECASE)
_MAY_MAKE_ANCHORS = tuple(_HIDDEN[name] for name in ("script", "noscript", "template"))
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_REFRESH = re.compile(r"\s*[0-5](?:\.\d*)?\s*[;,]\s*(?:url\s*=\s*)?['\"]?(?!\s*url\s*=)([^'\"]+)", re.IGNORECASE)
_CHARSET = re.compile(rb"""<meta[^>]{0,200}charset\s*=\s*["']?([\w-]{1,40})""", re.IGNORECASE)
_ENCODING = re.compile(
    r"utf-?8|utf-?16(-?[lb]e)?|us-ascii|ascii|latin-?1|iso-?8859-?\d{1,2}|windows-?12\d\d|cp12\d\d|koi8-[ru]|gbk|gb2312|gb18030|big5|"
    r"shift[_-]jis|sjis|euc-(jp|kr)|macintosh", re.IGNORECASE,
)  # fmt: skip
"""What pages are written in; other names Python knows (`idna`, `unicode_escape`) are no character sets."""
_MARKS = re.compile(
    r"challenge-platform|cf-chl|cf_chl|_Incapsula_Resource|px-captcha|awsWaf|aws-waf|datadome|captcha|Request unsuccessful|"
    r"distil_r_|akam/|ddos-guard", re.IGNORECASE,
)  # fmt: skip
"""Traces of the walls that stand before pages."""


def unescape(text: str) -> str:
    """With character references resolved; as it is where one is a number nobody can read."""
    try:
        return _unescape(text)
    except ValueError:  # more digits than Python turns into a number
        return text


class Wanted(NamedTuple):
    """What is looked for in a page: anchors (folded, see `folded`) and pieces of text (folded)."""

    anchors: frozenset[str] = frozenset()
    texts: frozenset[str] = frozenset()


def folded(text: str) -> str:
    """One spelling for what readers take for the same: composed, without case, white space as one blank."""
    return " ".join(_composed(text).casefold().split())


def _composed(text: str) -> str:
    """NFC in slices: on long runs of combining marks it takes quadratic time."""
    return "".join(unicodedata.normalize("NFC", text[at : at + 256]) for at in range(0, len(text), 256))


class PageReader:
    """Give it the inflated body with `feed` until that says True (enough is known) or the body ends; then take the `page`."""

    def __init__(self, content_type: str, wanted: Wanted | None = None) -> None:
        self._wanted = wanted or Wanted()
        self._decoder: codecs.IncrementalDecoder | None = None
        self._content_type = content_type
        self._buffer = ""
        self._pending = bytearray()
        self._seam = ""
        self._is_html = True
        self._skipping: re.Pattern[str] | None = None
        self._odd_tags = 0
        self._read = 0
        self._parts: dict[str, str] = {"title": "", "h1": ""}
        self._text, self._text_length, self._tail, self._gap = "", 0, "", ""
        self._anchors: set[str] = set()
        self._mentioned: set[str] = set()
        self._headline: str | None = None
        self._in_picture = False
        self._kept_behind = max(map(len, self._wanted.anchors), default=0) + 16
        self._texts: set[str] = set()
        self._marks: set[str] = set()
        self._has_ids = False
        self._scripts = self._loaded_scripts = 0
        self._refresh: str | None = None

    def feed(self, data: bytes) -> bool:
        """Takes the next piece; True where nothing more needs to be read."""
        self._pending += data
        if len(self._pending) < SMALLEST_STEP:
            return False  # a page that comes in crumbs is no more work than any other
        self._take_pending()
        if self._wanted.anchors or self._wanted.texts:
            return self._anchors >= self._wanted.anchors and self._texts >= self._wanted.texts and self._read >= KEPT_TEXT
        return self._read >= ENOUGH_BYTES

    def page(self, complete: bool) -> Page:
        """What was seen."""
        self._take_pending()
        if self._skipping is _TITLE_END:
            self._mention(self._buffer)
        if self._skipping is None:
            self._show(self._buffer.partition("<")[0])
        title, heading = (" ".join(unescape(self._parts[name]).split())[:LONGEST_TITLE] for name in ("title", "h1"))
        return Page(
            title, heading, " ".join(unescape(self._text).split())[:KEPT_TEXT], self._text_length, frozenset(self._anchors),
            frozenset(self._texts), self._has_ids, self._scripts, self._loaded_scripts,
            self._scripts > 0 and self._text_length < SHELL_TEXT, self._refresh, frozenset(self._marks), frozenset(self._mentioned),
            complete, self._is_html,
        )  # fmt: skip

    def _take_pending(self) -> None:
        data, self._pending = bytes(self._pending), bytearray()
        if self._decoder is None:
            self._decoder = _decoder(self._content_type, data)
            self._is_html = not _is_binary(data, self._content_type)
        self._read += len(data)
        text = self._decoder.decode(data)
        self._marks.update(mark.lower() for mark in _MARKS.findall(self._seam + text))
        self._seam = (self._seam + text)[-LONGEST_MARK:]
        self._buffer += text
        self._scan()

    # --- the scan -----------------------------------------------------------------------------------------------------

    def _scan(self) -> None:
        """Moves over everything in the buffer that is whole, and keeps the rest."""
        text, at = self._buffer, 0
        while True:
            if self._skipping is not None:
                end = self._skipping.search(text, at)
                if end is None and self._skipping is _TITLE_END and len(text) - at < LONGEST_TAG:
                    break
                self._mention(text[at : end.start() if end else len(text)])
                if end is None:
                    at = max(at, len(text) - self._kept_behind)
                    break
                at, self._skipping = (end.end(), None) if self._skipping in _CONSUMED else (end.start(), None)
            opening = _OPENING.search(text, at)
            if opening is None:
                end_of_text = len(text) - _unfinished(text[max(at, len(text) - LONGEST_WORD) :])
                self._show(text[at:end_of_text])
                at = end_of_text
                break
            start = opening.start()
            self._show(text[at:start])
            at = start
            if text.startswith("<!--", at):
                self._skipping, at = _COMMENT_END, at + 2
                continue
            if len(text) - at < 4:
                break
            name = _TAG_NAME.match(text, at)
            if name is None:  # a doctype, an instruction, "</>"
                self._skipping, at = _DECLARATION_END, at + 2
                continue
            end_at = self._tag_end(text, name.end())
            if end_at < 0:
                if len(text) - at > LONGEST_TAG:
                    at += LONGEST_TAG  # no end in sight: what is in it is no markup
                    continue
                break
            self._tag(name[2].lower(), bool(name[1]), text[name.end() : end_at - 1])
            at = end_at
        self._buffer = text[at:]

    def _tag_end(self, text: str, start: int) -> int:
        """Where the tag ends, quotes respected as long as the page is not made of half-open ones; -1 where it is not all there."""
        if self._odd_tags < MOST_ODD_TAGS:
            if match := _TAG_END.match(text, start, start + LONGEST_TAG):
                return match.end()
            if len(text) - start < LONGEST_TAG:
                return -1
            self._odd_tags += 1
        return text.find(">", start, start + LONGEST_TAG) + 1 or -1

    def _tag(self, name: str, closes: bool, attributes: str) -> None:
        self._gap = " "
        if name in _HEADINGS:
            self._head(name, closes)
        if closes:
            self._in_picture = self._in_picture and name != "svg"
            return
        if name == "script":
            self._scripts += 1
            self._loaded_scripts += "src" in attributes.lower() and not _COUNTER.search(attributes)
        if "=" in attributes:
            self._attributes(name, attributes)
        if name == "svg":
            self._in_picture = True
        if name == "title":
            self._skipping = _TITLE_END  # its text may look like tags
        elif name in _HIDDEN and not attributes.endswith("/"):
            self._skipping = _HIDDEN[name]

    def _head(self, name: str, closes: bool) -> None:
        """The text of the first `h1`; and anchors that a script may make of headings, as those of many sites do."""
        if closes and self._headline is not None:
            slug = re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", folded(unescape(self._headline))))
            self._mentioned.update({slug} & self._wanted.anchors)
            if name == "h1":
                self._parts["h1"] = self._parts["h1"] or self._headline
        self._headline = None if closes else ""

    def _attributes(self, tag: str, text: str) -> None:
        found: dict[str, str] = {}
        for raw, two, one, bare in _ATTRIBUTE.findall(text):
            if (name := raw.lower()) in _NAMES:
                found.setdefault(name, two or one or bare)  # the first of a name counts
        if tag == "meta":
            if found.get("http-equiv", "").strip().lower() == "refresh":
                match = _REFRESH.match(unescape(found.get("content", "")))
                self._refresh = self._refresh or (match[1].strip()[:2000] if match else None)
            return
        for value in filter(None, (found.get("id"), found.get("name") if tag == "a" else None)):
            self._has_ids = True
            anchor = folded(unescape(value))
            if anchor in self._wanted.anchors:
                self._anchors.add(anchor)

    def _mention(self, hidden: str) -> None:
        """Anchors that a script speaks of may be made by it; those in a template or for browsers without scripts may be there after all."""
        if self._skipping is _TITLE_END and not self._parts["title"] and not self._in_picture:
            self._parts["title"] = hidden[:LONGEST_TITLE]
        if self._wanted.anchors and self._skipping in _MAY_MAKE_ANCHORS:
            seen = folded(hidden)
            self._mentioned.update(anchor for anchor in self._wanted.anchors if anchor in seen)

    def _show(self, text: str) -> None:
        """Takes text between tags."""
        if self._headline is not None and len(self._headline) < LONGEST_TITLE:
            self._headline += text[:LONGEST_TITLE]
        if not text or text.isspace():
            return
        self._text_length += len(text)
        text, self._gap = self._gap + text, ""
        if len(self._text) < KEPT_TEXT:
            self._text += text[:KEPT_TEXT]
        if self._wanted.texts:
            longest = max(map(len, self._wanted.texts))
            self._tail = _SPACE.sub(" ", self._tail + _composed(unescape(text)).casefold())
            self._texts.update(piece for piece in self._wanted.texts if piece in self._tail)
            self._tail = self._tail[-longest:]


_COMMENT_END = re.compile("--!?>")
_CONSUMED = (_COMMENT_END, _DECLARATION_END)
"""Ends that belong to what they end; the end tag of a script is a tag of its own."""


def _unfinished(end: str) -> int:
    """How many of the last characters may go on in the next piece: a word, the blanks before it, a tag that has just begun."""
    word = _LAST_WORD.search(end)
    return len(end) - word.start() if word else len(end)


_MARKED = (b"\xff\xfe", b"\xfe\xff")


def _is_binary(start: bytes, label: str) -> bool:
    """True for what is no page: a PDF, whatever its label says; without a label, bytes that no text has."""
    return start.lstrip()[:5] == b"%PDF-" or (not label and b"\0" in start[:1024] and start[:2] not in _MARKED)


def _decoder(content_type: str, start: bytes) -> codecs.IncrementalDecoder:
    """By byte-order mark, header, or what the page says of itself; UTF-8 otherwise. Never fails on a byte."""
    name = "utf-8-sig"
    if start[:2] in _MARKED:
        name = "utf-16"
    elif match := re.search(r"charset\s*=\s*[\"']?([\w-]{1,40})", content_type, re.IGNORECASE):
        name = match[1]
    elif inside := _CHARSET.search(start[:2048]):
        name = inside[1].decode("ascii", "replace")
        name = "utf-8" if name.lower().startswith("utf-16") else name  # it could not have been read as what it says
    if not _ENCODING.fullmatch(name):
        name = "utf-8-sig"
    elif re.fullmatch(r"utf-?16", name, re.IGNORECASE) and start[:2] not in _MARKED:
        name = "utf-16-le"  # https://encoding.spec.whatwg.org/#utf-16le
    try:
        return codecs.getincrementaldecoder(name)("replace")
    except LookupError:
        return codecs.getincrementaldecoder("utf-8-sig")("replace")

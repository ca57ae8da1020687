"""An address as it will be asked for: scheme, host in ASCII, port, request target. One parser for what is checked and what is connected to.

Lenient as browsers are (https://url.spec.whatwg.org/): backslashes are slashes, tabs and newlines vanish, what is not ASCII is encoded.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, unquote, urljoin

import idna

from llmops_catalog.links.addresses import spelled_address

MAX_LENGTH = 8000
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_SLASHES = re.compile(r"^((?:https?:)?)/{2,}", re.IGNORECASE)
_HALF_ADDRESS = re.compile(r"https?:(?![\\/]{2})", re.IGNORECASE)
"""``http:/x`` and ``http:x``: browsers read them by the page they stand on, programs by guessing."""
_WHITE = re.compile(r"[\t\r\n]")
_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*):")
_AUTHORITY = re.compile(r"[\\/]{2}([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?", re.DOTALL)
_KEPT = "!#$%&'()*+,/:;=?@[]~"
"""Characters `quote` leaves alone beside letters, digits and ``-._``."""
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:.]+\]")
DEFAULT_PORTS = {"http": 80, "https": 443}


class BadAddress(Exception):
    """No request can be made of this text; `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Target(NamedTuple):
    """`host` is ASCII, lower case, IPv6 in brackets; `path` is the request target (path and query), `fragment` without its ``#``."""

    scheme: str
    host: str
    port: int
    path: str
    fragment: str = ""

    @property
    def authority(self) -> str:
        """``host`` or ``host:port``: the Host header."""
        return self.host if self.port == DEFAULT_PORTS[self.scheme] else f"{self.host}:{self.port}"

    @property
    def origin(self) -> str:
        """Scheme, host and port: what a queue, a connection and a token belong to."""
        return f"{self.scheme}://{self.host}:{self.port}"

    @property
    def page_url(self) -> str:
        """The whole address without its fragment."""
        return f"{self.scheme}://{self.authority}{self.path}"

    @property
    def url(self) -> str:
        """The whole address."""
        return f"{self.page_url}#{self.fragment}" if self.fragment else self.page_url

    @property
    def site(self) -> str:
        """The host without ``www.``: two spellings of one site, at one port."""
        port = "" if self.port in DEFAULT_PORTS.values() else f":{self.port}"
        return self.host.removeprefix("www.") + port

    @property
    def plain_path(self) -> str:
        """The path alone, without its query."""
        return self.path.partition("?")[0]


@lru_cache(maxsize=256)
def parse_target(text: str) -> Target:
    """The target of an absolute address. Raises `BadAddress`."""
    if len(text) > MAX_LENGTH:
        raise BadAddress(f"the address is longer than {MAX_LENGTH:,} characters")
    text = _WHITE.sub("", text.strip(" \t\r\n\f\v"))
    if _CONTROL.search(text):
        raise BadAddress("the address contains a control character")
    scheme = _SCHEME.match(text)
    if scheme is None:
        raise BadAddress("the address does not start with http:// or https://")
    name = scheme[1].lower()
    if name not in DEFAULT_PORTS:
        raise BadAddress(f"only http and https are followed, not {name[:30]!r}")
    parts = _AUTHORITY.fullmatch(text, scheme.end())
    if parts is None:
        raise BadAddress("the address names no host")
    authority, path, query, fragment = (part or "" for part in parts.groups())
    authority, _, path = authority.replace("\\", "/").partition("/") if "\\" in authority else (authority, "", path)
    if parts[1] != authority:
        path = f"/{path}{parts[2]}"
    host, port = _host_and_port(authority, name)
    if query and "\\" in query:
        query = query.replace("\\", "%5C")
    target = Target(name, host, port, quote(path.replace("\\", "/") or "/", _KEPT) + quote(query, _KEPT), fragment[1:])
    if len(target.url) > MAX_LENGTH:
        raise BadAddress(f"the address, encoded, is longer than {MAX_LENGTH:,} characters")
    return target


def _host_and_port(authority: str, scheme: str) -> tuple[str, int]:
    if "@" in authority:
        raise BadAddress("the address carries a user name or password")
    host, colon, port = authority.rpartition(":") if re.search(r":[^\]]*$", authority) else (authority, "", "")
    if colon and port and not (port.isascii() and port.isdigit()):
        raise BadAddress(f"{port[:20]!r} is no port")
    number = int(port) if port and len(port) < 9 else DEFAULT_PORTS[scheme]
    if len(port) >= 9 or not 0 < number < 65536:
        raise BadAddress(f"{port[:20]} is no port: they end at 65535")
    return ascii_host(host), number


@lru_cache(maxsize=256)
def ascii_host(host: str) -> str:
    """The host as it is looked up: percent-decoded, IDNA (UTS 46), lower case, without a final dot. Raises `BadAddress`."""
    if not host:
        raise BadAddress("the address names no host")
    host = unquote(host)
    if not host.isascii():
        try:
            host = idna.encode(host, uts46=True, transitional=False).decode()
        except idna.IDNAError:
            host = _numbers_only(host)
    host = host.lower().removesuffix(".")
    if host.startswith("[") and spelled_address(host) is None:
        raise BadAddress(f"{host[:60]!r} is no address")
    if len(host) > 253 or not _HOST.fullmatch(host) or ".." in host or any(len(label) > 63 for label in host.split(".")):
        raise BadAddress(f"{host[:60]!r} is no host name")
    return host


def _numbers_only(host: str) -> str:
    """Digits and dots written with other characters (full width, circled) as what a resolver makes of them."""
    import unicodedata

    plain = unicodedata.normalize("NFKC", host).replace("\u3002", ".")
    if not plain.isascii():
        raise BadAddress(f"{host[:60]!r} is no host name")
    return plain


def join(base: Target, location: str) -> Target:
    """Where a ``Location`` leads; it inherits the fragment where it has none (RFC 9110, 10.2.2). Raises `BadAddress`."""
    cleaned = _WHITE.sub("", location.strip())
    if len(cleaned) > MAX_LENGTH:
        raise BadAddress(f"the address is longer than {MAX_LENGTH:,} characters")
    if not cleaned:
        raise BadAddress("the redirect names no address")
    if _HALF_ADDRESS.match(cleaned):
        raise BadAddress("it is half an address, half a path")
    head, mark, tail = cleaned.partition("?")
    cleaned = _SLASHES.sub(r"\1//", head.replace("\\", "/")) + mark + tail
    try:
        target = parse_target(urljoin(base.page_url, cleaned))
    except ValueError:
        raise BadAddress(f"it redirects to {cleaned[:80]!r}, which is no address") from None
    return target if target.fragment or not base.fragment else target._replace(fragment=base.fragment)

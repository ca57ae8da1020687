"""Which addresses a record may carry, and the one canonical form two spellings of an address share. No network."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from pydantic_core import PydanticCustomError

MAX_URL_LENGTH = 2000
_ORDINARY = re.compile(r"https?://(?:[a-z0-9-]+\.)+(?!local[/#]|internal[/#])[a-z]{2,}[/#](?:(?![<>\"`{}|\\^?])[!-~])*")
"""Nearly all addresses: a named host, a path, no query. One look instead of a full parse."""
_MUST_BE_ESCAPED = '<>"`{}|\\^'

# Parameters that say who clicked, not what is shown.
_TRACKING = re.compile(r"^(utm_\w+|fbclid|gclid|dclid|msclkid|mc_[ce]id|igshid|ref_src|ref_url|_hsenc|_hsmi|mkt_tok|si|spm|trk|yclid)$")
# `si` is a tracker only where YouTube and Spotify put it; elsewhere it may be content.
_SI_HOSTS = ("youtube.com", "youtu.be", "spotify.com")
# Signatures with an expiry: the address dies on its own (S3, GCS, Azure, CloudFront, Facebook's CDN, the Hub's CDN).
_SIGNED = re.compile(
    r"^(x-amz-(signature|expires|credential|security-token)|x-goog-(signature|expires|credential)|signature|sig|se|sv|expires|"
    r"policy|key-pair-id|oe|oh|awsaccesskeyid|googleaccessid|access_token|token|jwt)$",
    re.IGNORECASE,
)
_SIGNED_ALONE = re.compile(r"^(x-amz-\w[\w-]*|x-goog-\w[\w-]*|key-pair-id|awsaccesskeyid|googleaccessid|access_token|jwt)$", re.IGNORECASE)


def check_url(text: str) -> str:
    """`text`, if it is an address a record may carry.

    Raises `PydanticCustomError` with code ``bad-url``, ``tracking-url`` or ``expiring-url`` and a ready sentence.
    """
    if _ORDINARY.fullmatch(text) and len(text) <= MAX_URL_LENGTH:
        return text
    parts = _split(text)
    names = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    if signed := _signing_parameters(names):
        raise PydanticCustomError(
            "expiring-url",
            "the address is signed and will stop working ({names})",
            {"names": ", ".join(signed), "hint": "link to the page it was opened from"},
        )
    if tracking := [name for name in names if _is_tracking(name, parts.hostname or "")]:
        raise PydanticCustomError(
            "tracking-url",
            "the address carries tracking parameters ({names})",
            {"names": ", ".join(tracking), "hint": f"write {_without(parts, tracking)}"},
        )
    return text


def _split(text: str) -> SplitResult:
    if len(text) > MAX_URL_LENGTH:
        raise _bad("the address is longer than 2000 characters", "link to a shorter page")
    if any(ord(char) <= 32 or ord(char) == 127 or char in _MUST_BE_ESCAPED for char in text):
        char = next(char for char in text if ord(char) <= 32 or ord(char) == 127 or char in _MUST_BE_ESCAPED)
        raise _bad(
            f"the address contains {'white space' if char.isspace() else repr(char)}",
            f"write it as {quote(char)}, or copy the address again",
        )
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise _bad("this is not a web address", "write https://host/path") from None
    if not parts.scheme or parts.scheme == "localhost" or "." in parts.scheme:
        raise _bad(
            f"{text[:80]!r} does not start with https://",
            f"write https://{text[:80].lstrip('/')}" if "." in text else "write https://host/path",
        )
    if parts.scheme not in ("http", "https"):
        raise _bad(f"only http and https addresses are allowed, not {parts.scheme[:40]!r}", "write https://host/path")
    if parts.username is not None or parts.password is not None:
        raise _bad("the address carries a user name or password", "remove everything up to the '@'")
    if not host or not _is_public_host(host):
        raise _bad(f"{(host or '')[:80]!r} is not a public host name", "link to a page everybody can open")
    return parts


def _bad(sentence: str, hint: str) -> PydanticCustomError:
    return PydanticCustomError("bad-url", "{sentence}", {"sentence": sentence, "hint": hint})


def _is_public_host(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_global
    except ValueError:
        last_label = host.rstrip(".").rpartition(".")[2]
        return (
            "." in host.strip(".")
            and not last_label.isdigit()
            and not last_label.startswith("0x")
            and last_label not in ("local", "internal")
        )


def _is_tracking(name: str, host: str) -> bool:
    if name == "si":
        return any(host == known or host.endswith(f".{known}") for known in _SI_HOSTS)
    return bool(_TRACKING.match(name))


def _signing_parameters(names: list[str]) -> list[str]:
    """One telling name is enough; names with other meanings ('sv', 'se', 'policy') count only in company."""
    signed = [name for name in names if _SIGNED.match(name)]
    alone = any(_SIGNED_ALONE.match(name) for name in signed)
    return signed if alone or len({name.lower() for name in signed}) >= 2 else []


def _without(parts: SplitResult, names: list[str]) -> str:
    kept = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in names]
    return urlunsplit(parts._replace(query=urlencode(kept)))


_HOSTS = {
    "export.arxiv.org": "arxiv.org", "ar5iv.org": "arxiv.org", "ar5iv.labs.arxiv.org": "arxiv.org", "hf.co": "huggingface.co",
    "youtube-nocookie.com": "youtube.com", "music.youtube.com": "youtube.com",
}  # fmt: skip
"""Other names of hosts that show the same pages."""
_VIDEO = re.compile(r"^/(?:embed|shorts|live|v)/([\w-]+)$")


def canonical_url(text: str) -> str:
    """The spelling under which two addresses of one page are equal: no scheme, 'www.', trailing slash or default file."""
    parts = urlsplit(text)
    host = (parts.hostname or "").removeprefix("www.").removeprefix("m.")
    host = _HOSTS.get(host, host)
    path = unquote(parts.path).rstrip("/").removesuffix("/index.html")
    query = "&".join(sorted(filter(None, parts.query.split("&"))))
    fragment = parts.fragment
    if host == "youtu.be":
        host, path, query = "youtube.com", "/watch", f"v={path.strip('/')}"
    elif host == "youtube.com" and (video := _VIDEO.match(path)):
        path, query = "/watch", f"v={video[1]}"
    elif host == "youtube.com" and path == "/watch":
        query = next((part for part in query.split("&") if part.startswith("v=")), query)
    elif host == "doi.org" and path.lower().startswith("/10.48550/arxiv."):
        host, path = "arxiv.org", f"/abs/{path[len('/10.48550/arxiv.') :]}"
    if host == "arxiv.org":
        path = re.sub(r"^/(pdf|html|abs)/(.+?)(v\d+)?(\.pdf)?$", r"/abs/\2", path)
    if host in ("github.com", "huggingface.co"):
        path = re.sub(r"^(/[^/]+/[^/]+?)(\.git|/(tree|blob)/(main|master|HEAD)(/README\.md)?)$", r"\1", path, flags=re.IGNORECASE)
        path = re.sub(r"^/[^/]+/[^/]+", lambda match: match[0].lower(), path)
        fragment = "" if fragment == "readme" else fragment
    port = f":{parts.port}" if parts.port not in (None, 80, 443) else ""
    return f"{host}{port}{path}{'?' + query if query else ''}{'#' + fragment if fragment else ''}"


def date_in_url(text: str) -> str | None:
    """The publication date an address states about itself (``/2021/06/04/``, an arXiv number), as YYYY-MM[-DD]."""
    parts = urlsplit(text)
    if (parts.hostname or "").endswith("arxiv.org") and (match := re.search(r"/(\d{2})(0[1-9]|1[0-2])\.\d{4,5}", parts.path)):
        return f"20{match[1]}-{match[2]}"
    if match := re.search(r"/((?:19|20)\d{2})[/-](0?[1-9]|1[0-2])(?:[/-](0?[1-9]|[12]\d|3[01]))?(?=[/\-.]|$)", parts.path):
        day = f"-{int(match[3]):02d}" if match[3] else ""
        return f"{match[1]}-{int(match[2]):02d}{day}"
    return None

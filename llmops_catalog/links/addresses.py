"""Which addresses of the network a link may lead to: public ones, and those a maintainer allows by name. Pure.

What is special: https://www.iana.org/assignments/iana-ipv4-special-registry/ and .../iana-ipv6-special-registry/ (Python's `is_global`);
how an IPv4 address may be spelled: `inet_aton`, https://url.spec.whatwg.org/#concept-ipv4-parser.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+", re.IGNORECASE)
_PLAIN_QUAD = re.compile(r"(?:(?:0|[1-9][0-9]{0,2})\.){3}(?:0|[1-9][0-9]{0,2})")
_CLOUD_PLATFORM = frozenset({ipaddress.ip_address("168.63.129.16")})
"""Azure's platform address is public by its number and answers inside a virtual machine only:
https://learn.microsoft.com/en-us/azure/virtual-network/what-is-ip-address-168-63-129-16."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
"""All of IPv6 that was ever given out to hosts (https://www.iana.org/assignments/ipv6-address-space/)."""
_UNIQUE_LOCAL = ipaddress.ip_network("fc00::/7")
_DOCUMENTATION = (ipaddress.ip_network("3fff::/20"), ipaddress.ip_network("2001:db8::/32"))
_PROTOCOLS = ipaddress.ip_network("192.0.0.0/24")
_ANYCAST = frozenset(map(ipaddress.ip_address, ("192.0.0.9", "192.0.0.10")))
"""Of the protocol assignments, the two that are global (RFC 7723, RFC 8155)."""
_SIX_TO_FOUR, _TEREDO = ipaddress.ip_network("2002::/16"), ipaddress.ip_network("2001::/32")
_SITE_LOCAL, _COMPATIBLE = ipaddress.ip_network("fec0::/10"), ipaddress.ip_network("::/96")


def parse_network(text: str) -> Network:
    """``127.0.0.0/8``, ``::1/128`` or one address. Raises `ValueError` with a sentence."""
    try:
        return ipaddress.ip_network(text.strip().strip("[]"), strict=False)
    except ValueError:
        raise ValueError(f"{text[:60]!r} is no range of addresses: write it as 10.0.0.0/8, fd00::/8 or 127.0.0.1") from None


def spelled_address(host: str) -> Address | None:
    """The address `host` is, in any spelling a resolver understands (``0x7f000001``, ``127.1``, ``2130706433``); None for a name."""
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        pass
    parts = host.removesuffix(".").split(".")
    if len(parts) > 4 or not all(_NUMBER.fullmatch(part) for part in parts):
        return None
    try:
        numbers = [_number(part) for part in parts]
    except ValueError:
        return None
    *leading, last = numbers
    if any(number > 255 for number in leading) or last >= 256 ** (5 - len(numbers)):
        return None
    return ipaddress.IPv4Address(sum(number << (24 - 8 * place) for place, number in enumerate(leading)) + last)


def _number(part: str) -> int:
    if len(part) > 40:
        raise ValueError(part[:40])
    if part[:2].lower() == "0x":
        return int(part[2:] or "0", 16)
    return int(part, 8) if len(part) > 1 and part[0] == "0" else int(part)


def is_plainly_spelled(host: str) -> bool:
    """True for a name, for ``a.b.c.d`` in decimal, and for an IPv6 address in brackets."""
    return spelled_address(host) is None or host.startswith("[") or bool(_PLAIN_QUAD.fullmatch(host))


def why_forbidden(address: Address, allowed: Sequence[Network] = ()) -> str | None:
    """What kind of address this is, where no link may lead to it; None where it may. An address inside IPv6 counts as itself."""
    inside = embedded(address)
    if any(_is_in(candidate, allowed) for candidate in (address, inside) if candidate is not None):
        return None
    if inside is not None:
        kind = _kind(inside)
        if kind is None and address in _NAT64:
            return None  # how a network with IPv6 alone reaches public IPv4 hosts (RFC 6147)
        return f"the {kind or 'address'} {inside} inside an IPv6 address"
    kind = _kind(address)
    return f"the {kind} {address}" if kind else None


def embedded(address: Address) -> Address | None:
    """The IPv4 address an IPv6 address stands for (mapped, compatible, NAT64, 6to4); None for any other."""
    if not isinstance(address, ipaddress.IPv6Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    number = int(address)
    if address in _NAT64 or (address in _COMPATIBLE and number > 0xFFFF):
        return ipaddress.IPv4Address(number & 0xFFFFFFFF)
    if address in _SIX_TO_FOUR:
        return ipaddress.IPv4Address(number >> 80 & 0xFFFFFFFF)
    return None


def _is_in(address: Address, networks: Iterable[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def _kind(address: Address) -> str | None:
    if address.is_loopback:
        return "loopback address"
    if address.is_link_local:
        return "link-local address (where clouds keep their metadata)"
    if address.is_multicast:
        return "multicast address"
    if address.is_unspecified:
        return "unspecified address"
    if address in _CLOUD_PLATFORM:
        return "cloud platform address"
    if isinstance(address, ipaddress.IPv6Address):
        if getattr(address, "scope_id", None):
            return "scoped address"
        if address in _TEREDO or address in _SITE_LOCAL:
            return "private address"
        if any(address in network for network in _DOCUMENTATION) or not (address in _GLOBAL_UNICAST or address in _UNIQUE_LOCAL):
            return "reserved address"
    if address.is_private:
        return "private address"
    if address in _PROTOCOLS and address not in _ANYCAST:
        return "reserved address"
    return None if address.is_global else "reserved address"

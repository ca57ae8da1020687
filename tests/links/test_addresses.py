"""Which addresses a link may lead to: every special range, in every spelling, and nothing else."""

from __future__ import annotations

import ipaddress
import socket

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from llmops_catalog.links.addresses import embedded, is_plainly_spelled, parse_network, spelled_address, why_forbidden

SPECIAL_V4 = {
    "0.0.0.0/8": "unspecified", "10.0.0.0/8": "private", "100.64.0.0/10": "reserved", "127.0.0.0/8": "loopback",
    "169.254.0.0/16": "link-local",
    "172.16.0.0/12": "private", "192.0.0.0/29": "private", "192.0.2.0/24": "private", "192.168.0.0/16": "private",
    "198.18.0.0/15": "private",
    "198.51.100.0/24": "private", "203.0.113.0/24": "private", "224.0.0.0/4": "multicast", "240.0.0.0/4": "private",
    "255.255.255.255/32": "private", "168.63.129.16/32": "cloud platform",
}  # fmt: skip
SPECIAL_V6 = {
    "::/128": "unspecified", "::1/128": "loopback", "100::/64": "reserved", "2001::/32": "private", "2001:2::/48": "private",
    "2001:10::/28": "private", "2001:db8::/32": "reserved", "fc00::/7": "private", "fd00:ec2::254/128": "private",
    "fe80::/10": "link-local",
    "fec0::/10": "private", "ff00::/8": "multicast",
}  # fmt: skip
PUBLIC = ("1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
"169.253.255.255",
          "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0",
          "223.255.255.255",
          "168.63.129.15", "168.63.129.17", "2001:4860:4860::8888", "2606:4700::1111", "2a00:1450::1", "64:ff9b::8.8.8.8")  # fmt: skip
NUMBERS = st.one_of(st.integers(0, 2**32 - 1), st.sampled_from([0, 1, 2**24, 0x7F000001, 0xA9FEA9FE, 0x0A000001, 2**32 - 1]))
BASES = st.sampled_from(["{}", "0{:o}", "000{:o}", "0x{:x}", "0X{:X}", "0x000{:x}"])
QUICK = settings(max_examples=300, deadline=None)


def address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    return ipaddress.ip_address(text)


def ends(network: str) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    whole = ipaddress.ip_network(network)
    return [whole[0], whole[whole.num_addresses // 2], whole[-1]]


@pytest.mark.parametrize(("network", "kind"), [*SPECIAL_V4.items(), *SPECIAL_V6.items()])
def test_no_special_range_is_followed_from_its_first_address_to_its_last(network: str, kind: str) -> None:
    for one in ends(network):
        reason = why_forbidden(one)
        assert reason, one
        assert str(one) in reason
    assert kind in (why_forbidden(ends(network)[0]) or "")


@pytest.mark.parametrize("text", PUBLIC)
def test_neighbours_of_special_ranges_are_public(text: str) -> None:
    assert why_forbidden(address(text)) is None


@pytest.mark.parametrize(
    "text",
    ["64:ff9b:1:7f00:0:100:808:808", "64:ff9b:1::808:808", "::2", "::ffff", "::ffff:0:127.0.0.1", "::ffff:0:7f00:1", "100:0:0:1::1",
     "1234::1", "4000::1", "5f00::1", "3fff::1",
     "3fff:fff:ffff::1", "e000::1", "fe00::1", "192.0.0.8", "192.0.0.100", "192.0.0.255"],
)  # fmt: skip
def test_what_no_registry_calls_global_is_not_followed(text: str) -> None:
    """By the registries, not by the tables of the Python that happens to run: only 2000::/3 was ever given out, and a local NAT64 prefix
    (RFC 8215) hides an address anywhere, not in its last four bytes.
    """
    assert why_forbidden(address(text))


@pytest.mark.parametrize("text", ["192.0.0.9", "192.0.0.10", "2000::1", "2620:4f:8000::1", "2001:4860:4860::8888", "64:ff9b::8.8.8.8"])
def test_what_a_registry_calls_global_is_followed(text: str) -> None:
    assert why_forbidden(address(text)) is None


WRAPPINGS = {
    "mapped": 0xFFFF << 32,
    "compatible": 0,
    "translated by NAT64": int(ipaddress.IPv6Address("64:ff9b::")),
    "6to4": int(ipaddress.IPv6Address("2002::")),
}


def wrapped(how: str, number: int) -> ipaddress.IPv6Address:
    return ipaddress.IPv6Address(WRAPPINGS[how] | (number << 80 if how == "6to4" else number))


@pytest.mark.parametrize("how", WRAPPINGS)
@pytest.mark.parametrize("network", [network for network in SPECIAL_V4 if not network.startswith("0.")])
def test_a_special_address_inside_ipv6_is_still_special(how: str, network: str) -> None:
    for one in ends(network):
        outer = wrapped(how, int(one))
        assert embedded(outer) == one
        assert str(one) in (why_forbidden(outer) or ""), outer


@QUICK
@given(NUMBERS, st.sampled_from(sorted(WRAPPINGS)))
def test_only_nat64_leads_to_what_its_inside_may_lead_to(number: int, how: str) -> None:
    assume(how != "compatible" or number > 0xFFFF)
    inside = ipaddress.IPv4Address(number)
    permitted = why_forbidden(wrapped(how, number)) is None
    assert permitted == (how == "translated by NAT64" and why_forbidden(inside) is None)


@QUICK
@given(st.integers(0, 2**128 - 1).map(ipaddress.IPv6Address))
def test_any_ipv6_address_has_an_answer(one: ipaddress.IPv6Address) -> None:
    reason = why_forbidden(one)
    assert reason is None or reason
    if not one.is_global:
        assert reason


@QUICK
@given(NUMBERS, st.integers(1, 4), st.lists(BASES, min_size=4, max_size=4), st.sampled_from(["", "."]))
def test_every_spelling_of_an_ipv4_address_is_that_address(number: int, parts: int, bases: list[str], dot: str) -> None:
    numbers = [number >> (24 - 8 * place) & 255 for place in range(parts - 1)] + [number & (256 ** (5 - parts) - 1)]
    host = ".".join(base.format(one) for base, one in zip(bases, numbers, strict=False)) + dot
    assert spelled_address(host) == ipaddress.IPv4Address(number), host
    if not dot:
        assert ipaddress.IPv4Address(socket.inet_aton(host)) == ipaddress.IPv4Address(number)


@settings(max_examples=1500, deadline=None)
@given(st.text(alphabet="0123456789abcdefxX.", min_size=1, max_size=20))
def test_whatever_the_system_takes_for_an_address_is_one_to_us(host: str) -> None:
    """Else it would be taken for a name, and the system would connect to it as an address."""
    try:
        packed = socket.inet_aton(host)
    except OSError:
        return
    assert spelled_address(host) == ipaddress.IPv4Address(packed), host


@pytest.mark.parametrize(
    "host",
    ["", ".", "a", "example.org", "0x", "256.1.1.1.1", "1.2.3.4.5", "256.1.1.1", "1.256.1", "1.2.65536", "4294967296", "08", "0x1g",
     "1..2", "-1", "1e3",
     "0b1", "1_0", "+1", "١", "999999999999999999999999999999999999999999", "0" * 300, "[]", "[x]", ":::", "g::1"],
)  # fmt: skip
def test_what_is_no_address(host: str) -> None:
    assert spelled_address(host) is None or host == "0x"  # some systems read an empty hexadecimal number as 0


@pytest.mark.parametrize(
    ("host", "plain"),
    [("example.org", True), ("1.2.3.4", True), ("[::1]", True), ("[::ffff:1.2.3.4]", True), ("0x7f.1", False), ("127.1", False),
    ("2130706433", False),
     ("0177.0.0.1", False), ("127.0.0.01", False), ("1.2.3.4.", False), ("127.0.0.0x1", False), ("a.b.c.d", True)],
)  # fmt: skip
def test_plain_spellings(host: str, plain: bool) -> None:
    assert is_plainly_spelled(host) is plain


@QUICK
@given(NUMBERS, st.integers(8, 32))
def test_what_is_allowed_is_that_range_and_no_more(number: int, bits: int) -> None:
    network = ipaddress.ip_network((number, bits), strict=False)
    for one in (network[0], network[-1]):
        assert why_forbidden(one, [network]) is None
    for beside in (int(network[0]) - 1, int(network[-1]) + 1):
        if 0 <= beside < 2**32:
            outside = ipaddress.IPv4Address(beside)
            assert why_forbidden(outside, [network]) == why_forbidden(outside)


def test_allowing_all_of_ipv4_allows_nothing_of_ipv6() -> None:
    everything = [parse_network("0.0.0.0/0")]
    for text in ("::1", "fe80::1", "fd00::1", "ff02::1"):
        assert why_forbidden(address(text), everything)
    assert why_forbidden(address("127.0.0.1"), [parse_network("::/0")])


@pytest.mark.parametrize(
    ("text", "network"),
    [("127.0.0.0/8", "127.0.0.0/8"), ("127.0.0.1", "127.0.0.1/32"), ("127.0.0.1/8", "127.0.0.0/8"), ("[::1]", "::1/128"), (" fd00::/8 ",
    "fd00::/8"),
     ("10.0.0.0/255.0.0.0", "10.0.0.0/8")],
)  # fmt: skip
def test_ranges(text: str, network: str) -> None:
    assert str(parse_network(text)) == network


@pytest.mark.parametrize(
    "text", ["", "localhost", "127.0.0.0/33", "10.0.0.0/-1", "0x7f.1", "1.2.3", "::1/129", "10.0.0.0/8/8", "x" * 9999, "127.0.0.1 10.0.0.1"]
)
def test_no_ranges(text: str) -> None:
    with pytest.raises(ValueError, match="no range of addresses") as caught:
        parse_network(text)
    assert len(str(caught.value)) < 250

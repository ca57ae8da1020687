"""Names that do not exist, addresses of IPv6, and certificates that prove nothing."""

from __future__ import annotations

from collections.abc import Iterator

from link_case import EVERY_OUTCOME, FAIL, PERMANENT, TEMPORARY, UNKNOWN, Case, Setting, alive, dead, unclear
from misbehaving import Wire
from page_answers import document, message, page, redirect

BROKEN = frozenset({"broken"})
BAD = (
    "expired", "expired long ago", "not yet valid", "of another name", "of another address", "of localhost only", "with a wildcard",
    "of an unknown authority", "self-signed",
)  # fmt: skip
GONE_NAMES = (
    "http://gone.invalid/",
    "https://gone.invalid/page",
    "http://www.gone.invalid/a#b",
    "http://bücher.invalid/",
    "http://xn--bcher-kva.invalid/",
    "http://gone.invalid:8080/",
    "http://GONE.INVALID/upper",
    "http://a-b.c-d.invalid/",
    "http://gone.invalid./",
    "http://_dmarc.invalid/",
    "http://例え.invalid/",
    "http://gone。invalid/",
    "http://BÜCHER.invalid/x",
    "http://straße.invalid/",
    "http://0.invalid/",
)


def cases(setting: Setting) -> Iterator[Case]:
    yield from names()
    yield from certificates(setting)
    yield from handshakes(setting)
    if setting.ipv6:
        yield from ipv6(setting)


def names() -> Iterator[Case]:
    for link in GONE_NAMES:
        yield dead(f"no such host: {link}", link, verdicts=BROKEN, needs_resolver=True)


def certificates(setting: Setting) -> Iterator[Case]:
    good = setting.secure_host("good")
    good.page("/page", page())
    yield alive("certificate good", good.url("/page"), verdicts=frozenset({"ok"}))
    yield dead("certificate good, page gone", good.url("/nothing"), verdicts=BROKEN)
    yield alive("certificate good, anchor there", good.page("/anchor", page(document('<h2 id="intro">'))) + "#intro")
    named = setting.world.host("tls by name", tls=setting.contexts.get("of localhost only"), secure=True)
    named.page("/page", page())
    yield alive("certificate good, by name", f"https://localhost:{named.port}/page")
    plain = setting.world.host("plain beside TLS")
    plain.page("/page", page())
    yield alive("http to https", plain.page("/up", redirect(good.url("/page"), 301)), verdicts=PERMANENT)
    yield alive("https to http", good.page("/down", redirect(plain.url("/page"))), verdicts=TEMPORARY)
    for name in ("with its middle", "of TLS 1.2"):
        yield alive(f"certificate {name}", setting.secure_host(name).page("/page", page()))
    for name in BAD:
        bad = setting.secure_host(name)
        yield dead(f"certificate {name}", bad.page("/page", page()), verdicts=BROKEN)
        yield dead(
            f"redirect to a certificate {name}", plain.page(f"/to/{name.replace(' ', '-')}", redirect(bad.url("/page"))), verdicts=BROKEN
        )
    yield dead("certificate expired, page gone", setting.world.hosts["tls expired"].url("/nothing"), verdicts=BROKEN)
    for name in ("without names", "by a missing middle"):
        yield unclear(f"certificate {name}", setting.secure_host(name).page("/page", page()))


def handshakes(setting: Setting) -> Iterator[Case]:
    async def closed(wire: Wire) -> None:
        await wire.take()

    async def reset(wire: Wire) -> None:
        await wire.take()
        wire.reset()

    async def alert(wire: Wire) -> None:
        await wire.take()
        await wire.send(b"\x15\x03\x03\x00\x02\x02\x28")

    async def plain(wire: Wire) -> None:
        await wire.take()
        await wire.send(message(400, b"<p>plain HTTP here</p>", ["Connection: close"]))

    async def silent(wire: Wire) -> None:
        await wire.wait_for_hang_up()

    async def half(wire: Wire) -> None:
        await wire.take()
        await wire.send(b"\x16\x03\x03\x00\x7a\x02\x00")
        await wire.wait_for_hang_up()

    async def drip(wire: Wire) -> None:
        while True:
            await wire.send(b"\x16\x03\x03\x00\x01\x02")
            await wire.pause(0.1)

    ways = {
        "closed after hello": (closed, (FAIL, UNKNOWN)),
        "reset after hello": (reset, (FAIL, UNKNOWN)),
        "an alert": (alert, (FAIL, UNKNOWN)),
        "plain HTTP": (plain, (FAIL, UNKNOWN)),
        "silence": (silent, (UNKNOWN,)),
        "half a record": (half, (UNKNOWN,)),
        "records that drip": (drip, (UNKNOWN, FAIL)),
    }
    for name, (greeting, outcomes) in ways.items():
        host = setting.world.host(f"handshake {name}", greeting=greeting, secure=True)
        yield unclear(f"handshake: {name}", host.url("/page"), *outcomes, host=host, most_seconds=8)
    spoken = setting.world.hosts["tls good"]
    yield unclear("http to a port of TLS", f"http://{spoken.netloc}/page")


def ipv6(setting: Setting) -> Iterator[Case]:
    host = setting.world.host("IPv6", address="::1")
    host.page("/page", page())
    yield alive("IPv6", host.url("/page"))
    full = setting.world.host("IPv6 in full", address="::1")
    full.page("/page", page())
    yield alive("IPv6 in full", f"http://[0:0:0:0:0:0:0:1]:{full.port}/page")
    yield alive("IPv6, a redirect", host.page("/old", redirect(host.url("/page"), 301)), verdicts=PERMANENT)
    yield dead("IPv6, page gone", host.url("/nothing"), verdicts=BROKEN)
    secure = setting.world.host("IPv6 with TLS", address="::1", tls=setting.contexts.get("good"), secure=True)
    yield alive("IPv6 with TLS", secure.page("/page", page()))
    yield unclear("IPv6 by name", f"http://localhost:{host.port}/page", *EVERY_OUTCOME)

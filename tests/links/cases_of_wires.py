"""What goes wrong on the wire: refused, reset and silent ports, broken HTTP, odd headers, bodies that are not what they claim."""

from __future__ import annotations

from collections.abc import Iterator

from link_case import EVERY_OUTCOME, Case, Setting, alive, dead, living, unclear, wall
from misbehaving import Answer, Wire
from page_answers import (
    bare_deflated,
    chunked,
    document,
    gzipped,
    hang,
    hang_up,
    in_turn,
    message,
    only_get,
    page,
    raw,
    reset,
    slow,
    start,
    then_hang,
    then_reset,
)

BROKEN = frozenset({"broken"})
HTML = "Content-Type: text/html"
TEXT = document().encode()
OK = message(200, TEXT, [HTML])


def cases(setting: Setting) -> Iterator[Case]:
    yield from ports(setting)
    yield from connections(setting)
    yield from once_only(setting)
    yield from not_http(setting)
    yield from odd_headers(setting)
    yield from broken_bodies(setting)
    yield from encodings(setting)
    yield from slow_but_well(setting)


def ports(setting: Setting) -> Iterator[Case]:
    world = setting.world
    for name, path in {"a refused port": "/", "a refused port, a page": "/a/b.html", "a refused port, an anchor": "/a#b"}.items():
        yield dead(name, f"http://127.0.0.1:{world.silent_port(backlog=False)}{path}", verdicts=BROKEN)
    yield dead("a refused port over TLS", f"https://127.0.0.1:{world.silent_port(backlog=False)}/", verdicts=BROKEN)
    yield dead("a refused port by name", f"http://localhost:{world.silent_port(backlog=False)}/", verdicts=BROKEN)
    yield wall("connected but never accepted", f"http://127.0.0.1:{world.silent_port(backlog=True)}/", verdicts=frozenset({"timeout"}))


def connections(setting: Setting) -> Iterator[Case]:
    """For every request alike."""

    async def reset_at_once(wire: Wire) -> None:
        wire.reset()

    async def close_at_once(_: Wire) -> None:
        """Accepted, and closed without a word."""

    world = setting.world
    yield dead("reset before the request", world.host("reset at once", greeting=reset_at_once).url("/page"), verdicts=BROKEN)
    yield unclear("closed before the request", world.host("close at once", greeting=close_at_once).url("/page"))
    yield dead("reset after the request", world.host("reset after").page("/page", reset), verdicts=BROKEN)
    more: dict[str, Answer] = {
        "no answer at all": hang_up,
        "half a status line": raw(b"HTTP/1."),
        "a status line and the end": raw(b"HTTP/1.1 200 OK\r\n"),
        "reset in the status line": then_reset(b"HTTP/1.1 2"),
        "reset in the headers": then_reset(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"),
        "the end in the headers": raw(b"HTTP/1.1 200 OK\r\nContent-Ty"),
    }
    for name, answer in more.items():
        yield unclear(name, world.host(name).page("/page", answer))
    never: dict[str, Answer] = {
        "silence after the request": hang,
        "silence after the status line": then_hang(b"HTTP/1.1 200 OK\r\n"),
        "silence in the headers": then_hang(b"HTTP/1.1 200 OK\r\nContent-Type: te"),
    }
    for name, answer in never.items():
        host = world.host(name)
        yield wall(name, host.page("/page", answer), verdicts=frozenset({"timeout"}), host=host, most_seconds=8, most_requests=8)


def once_only(setting: Setting) -> Iterator[Case]:
    """A second try on a fresh connection finds all of these well."""
    well, world = page(), setting.world
    for name, bad in {
        "reset": reset,
        "no answer": hang_up,
        "500": page("", 500),
        "502": page("", 502),
        "503": page("", 503),
        "504": page("", 504),
    }.items():
        yield alive(f"{name} once, then well", world.host(f"{name} once").page("/page", in_turn(bad, well)))
        yield alive(f"{name} twice, then well", world.host(f"{name} twice").page("/page", in_turn(bad, bad, well)))
    for name, bad in {"garbage": raw(b"\0\1\2\r\n\r\n"), "silence": hang, "408": page("", 408)}.items():
        yield living(f"{name} once, then well", world.host(f"{name} once").page("/page", in_turn(bad, well)))
    for name, bad in {"reset": reset, "503": page("", 503)}.items():
        yield living(f"{name} three times, then well", world.host(f"{name} three times").page("/page", in_turn(bad, bad, bad, well)))
    yield unclear("well once, then gone", world.host("well once").page("/page", in_turn(well, page("", 404))), *EVERY_OUTCOME)


def not_http(setting: Setting) -> Iterator[Case]:
    async def secure_shell(wire: Wire) -> None:
        await wire.send(b"SSH-2.0-OpenSSH_9.9\r\n")
        await wire.wait_for_hang_up()

    async def mail(wire: Wire) -> None:
        await wire.send(b"220 mail.invalid ESMTP\r\n")
        await wire.take()
        await wire.send(b"500 unknown command\r\n")

    async def early(wire: Wire) -> None:
        await wire.send(message(408, b"", ["Connection: close"]))

    world = setting.world
    yield unclear("a secure shell", world.host("ssh", greeting=secure_shell).url("/"))
    yield unclear("a mail server", world.host("smtp", greeting=mail).url("/"))
    yield unclear("an answer before the question", world.host("early", greeting=early).url("/"))
    for name, data in {
        "binary bytes": bytes(range(256)) * 4,
        "a page without a header (HTTP/0.9)": TEXT,
        "JSON without a header": b'{"a": 1}',
        "one line break": b"\r\n",
        "ICY": b"ICY 200 OK\r\nContent-Type: audio/mpeg\r\n\r\n" + bytes(99),
        "HTTP/2 bytes": b"\0\0\x12\x04\0\0\0\0\0" + bytes(18),
        "RTSP": b"RTSP/1.0 200 OK\r\n\r\n",
        "NULs": bytes(5000),
        "UTF-16": "HTTP/1.1 200 OK\r\n\r\n".encode("utf-16"),
        "no status": b"HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
        "a line of 100 kB": b"H" * 100_000 + b"\r\n\r\n",
        "HTTP/9.9": OK.replace(b"HTTP/1.1", b"HTTP/9.9"),
        "http in lower case": OK.replace(b"HTTP/1.1", b"http/1.1"),
        "the status as a word": b"HTTP/1.1 OK 200\r\n\r\n",
    }.items():
        yield unclear(f"no HTTP: {name}", world.host(f"no HTTP: {name}").page("/page", raw(data)), *EVERY_OUTCOME)


def odd_headers(setting: Setting) -> Iterator[Case]:
    """The page is there; browsers show it in spite of these."""
    body = b"\r\n\r\n" + TEXT
    line, length = b"HTTP/1.1 200 OK\r\n", b"Content-Length: %d" % len(TEXT)
    messages = {
        "no reason": b"HTTP/1.1 200\r\n" + length + body,
        "no reason but a space": b"HTTP/1.1 200 \r\n" + length + body,
        "HTTP/1.0": OK.replace(b"/1.1", b"/1.0"),
        "HTTP/1.0 without a length": b"HTTP/1.0 200 OK\r\nContent-Type: text/html" + body,
        "lower-case names": line + length.lower() + body,
        "the same length twice": line + length + b"\r\n" + length + body,
        "the length as a list": line + length + b", %d" % len(TEXT) + body,
        "a reason not ASCII": "HTTP/1.1 200 très bien\r\n".encode() + length + body,
        "a long reason": b"HTTP/1.1 200 " + b"o" * 5000 + b"\r\n" + length + body,
        "values not ASCII": line + "X-Note: déjà vu\r\n".encode("latin-1") + length + body,
        "an empty value": line + b"X-Empty:\r\n" + length + body,
        "many cookies": line + b"Set-Cookie: a=b\r\n" * 60 + length + body,
        "no Content-Type, no length": line + b"Connection: close" + body,
        "early hints": b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n" + OK,
        "100 unasked for": b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
        "102 twice": b"HTTP/1.1 102 Processing\r\n\r\n" * 2 + OK,
    }
    host = setting.world.host("odd headers")
    for number, (name, data) in enumerate(messages.items()):
        yield alive(f"header: {name}", host.page(f"/well/{number}", raw(data)))
    odder = {
        "LF only": OK.replace(b"\r\n", b"\n"),
        "CR only": OK.replace(b"\r\n", b"\r"),
        "a folded value": line + b"X-Folded: one\r\n two\r\n\tthree\r\n" + length + body,
        "a fold at the start": line + b" folded\r\n" + length + body,
        "two lengths": line + length + b"\r\nContent-Length: 5" + body,
        "length and chunks": line + length + b"\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(TEXT),
        "a line without a colon": line + b"what is this\r\n" + length + body,
        "a space before the colon": line + b"X-Note : a\r\n" + length + body,
        "an empty name": line + b": a\r\n" + length + body,
        "a NUL": line + b"X-Note: a\0b\r\n" + length + body,
        "control characters": line + b"X-Note: \x1b[31mred\x07\r\n" + length + body,
        "a negative length": line + b"Content-Length: -1" + body,
        "a word for a length": line + b"Content-Length: many" + body,
        "a huge length": line + b"Content-Length: 99999999999999999999999" + body,
        "a length with a plus": line + length.replace(b": ", b": +") + body,
        "an unknown transfer": line + b"Transfer-Encoding: magic" + body,
        "chunked twice": line + b"Transfer-Encoding: chunked, chunked\r\n\r\n" + chunked(TEXT),
        "an empty line first": b"\r\n" + OK,
        "two spaces in the status line": OK.replace(b"1.1 200", b"1.1  200"),
        "HTTP/2.0": OK.replace(b"/1.1", b"/2.0"),
        "HTTP/1.2": OK.replace(b"/1.1", b"/1.2"),
        "a header of 40 kB": line + b"X-Long: " + b"l" * 40_000 + b"\r\n" + length + body,
        "headers of 60 kB": line + b"X-Note: abcdefgh\r\n" * 3300 + length + body,
        "headers of 80 kB": line + b"X-Note: abcdefgh\r\n" * 4500 + length + body,
        "1,000 headers": line + b"".join(b"X-%d: a\r\n" % index for index in range(1000)) + length + body,
        "headers of 2 MB": line + b"X-Note: abcdefgh\r\n" * 110_000 + length + body,
        "a header of 2 MB": line + b"X-Long: " + b"l" * 2_000_000 + b"\r\n" + length + body,
        "a name of 10 kB": line + b"X" * 10_000 + b": a\r\n" + length + body,
        "a name not ASCII": line + "X-É: a\r\n".encode() + length + body,
        "a bad Content-Type": line + b"Content-Type: ;;;=\xff\r\n" + length + body,
        "a thousand 100s": b"HTTP/1.1 100 Continue\r\n\r\n" * 1000 + OK,
        "the answer twice": OK + OK,
        "bytes after the end": OK + b"GARBAGE" * 50,
        "Upgrade": line + b"Upgrade: h2c\r\nConnection: Upgrade\r\n" + length + body,
        "Alt-Svc to elsewhere": line + b'Alt-Svc: h3="127.0.0.9:443"; ma=86400\r\n' + length + body,
        "Strict-Transport-Security": line + b"Strict-Transport-Security: max-age=99\r\n" + length + body,
    }
    for name, data in odder.items():
        yield living(f"header: {name}", setting.world.host(f"header: {name}").page("/page", raw(data)))
    for name, reason in {
        "escape characters": "\x1b[31mGone",
        "a workflow command": "::error file=x::pwned",
        "10,000 letters": "n" * 10_000,
    }.items():
        yield unclear(f"404 whose reason is {name}", host.page(f"/reason/{len(reason)}", page("", 404, reason=reason)))


def broken_bodies(setting: Setting) -> Iterator[Case]:
    """HEAD is not allowed, and what GET brings breaks off: the page was there."""
    chunks = ["Transfer-Encoding: chunked", HTML]
    bodies: dict[str, Answer] = {
        "cut short": raw(start(200, [HTML, "Content-Length: 90000"]) + TEXT),
        "reset in the middle": then_reset(start(200, [HTML, "Content-Length: 90000"]) + TEXT),
        "never sent": then_hang(start(200, [HTML, "Content-Length: 90000"])),
        "silent in the middle": then_hang(start(200, [HTML, "Content-Length: 90000"]) + TEXT),
        "longer than said": raw(start(200, [HTML, "Content-Length: 20"]) + TEXT),
        "chunks with a bad size": raw(start(200, chunks) + b"zz\r\nhello\r\n0\r\n\r\n"),
        "chunks with a negative size": raw(start(200, chunks) + b"-5\r\nhello\r\n0\r\n\r\n"),
        "a chunk of 2^64 bytes": raw(start(200, chunks) + b"FFFFFFFFFFFFFFFF\r\n" + TEXT),
        "a chunk shorter than said": raw(start(200, chunks) + b"5\r\nhel\r\n0\r\n\r\n"),
        "chunks without an end": raw(start(200, chunks) + chunked(TEXT)[:-5]),
        "chunks with LF only": raw(start(200, chunks) + chunked(TEXT).replace(b"\r\n", b"\n")),
        "a chunk with an extension": raw(start(200, chunks) + b"5;name=value\r\nhello\r\n0\r\n\r\n"),
        "a long chunk extension": raw(start(200, chunks) + b"5;" + b"e" * 200_000 + b"\r\nhello\r\n0\r\n\r\n"),
        "trailers": raw(start(200, chunks) + chunked(TEXT)[:-2] + b"X-After: all\r\n\r\n"),
        "chunked in HTTP/1.0": raw(start(200, chunks).replace(b"/1.1", b"/1.0") + chunked(TEXT)),
        "no length, then the end": raw(start(200, [HTML]) + TEXT),
        "empty": raw(start(200, [HTML]), b""),
    }
    for name, answer in bodies.items():
        yield living(f"body: {name}", setting.world.host(f"body: {name}").page("/page", only_get(answer)))


def encodings(setting: Setting) -> Iterator[Case]:
    host = setting.world.host("encodings")
    packed = gzipped(TEXT)
    bodies = {
        "gzip": ("gzip", packed),
        "x-gzip": ("x-gzip", packed),
        "bare deflate": ("deflate", bare_deflated(TEXT)),
        "GZIP in capitals": ("GZIP", packed),
        "identity": ("identity", TEXT),
        "broken gzip": ("gzip", packed[:60] + b"\0\0\0\0" + packed[64:]),
        "half of a gzip": ("gzip", packed[: len(packed) // 2]),
        "gzip that is none": ("gzip", TEXT),
        "an empty gzip": ("gzip", b""),
        "gzip twice": ("gzip, gzip", gzipped(packed)),
        "two members": ("gzip", packed + packed),
        "bytes after gzip": ("gzip", packed + b"trailing"),
        "brotli unasked for": ("br", b"\x0b\x02\x80hello\x03"),
        "zstd unasked for": ("zstd", b"\x28\xb5\x2f\xfd\x00"),
        "an unknown encoding": ("magic", TEXT),
        "a hundred encodings": (", ".join(["gzip"] * 100), packed),
        "deflate that is gzip": ("deflate", packed),
        "utf-8 as an encoding": ("utf-8", TEXT),
    }
    for number, (name, (encoding, data)) in enumerate(bodies.items()):
        answer = page(data, 200, f"Content-Encoding: {encoding}")
        exact = alive if name in {"gzip", "identity"} else living
        yield exact(f"encoding: {name}", host.page(f"/head/{number}", answer))
        yield living(f"encoding after HEAD 405: {name}", host.page(f"/get/{number}", only_get(answer)))
        yield living(
            f"encoding with an anchor: {name}", host.page(f"/anchor/{number}", answer) + ("#top" if name == "gzip" else "#:~:text=Weights")
        )


def slow_but_well(setting: Setting) -> Iterator[Case]:
    host = setting.world.host("slow")
    for index in range(6):
        yield living(f"answers after a second, {index}", host.page(f"/page/{index}", slow(1, page())))
    drips = only_get(raw(start(200, [HTML]), *(TEXT[at : at + 400] for at in range(0, len(TEXT), 400)), pause_seconds=0.1))
    yield living("a body in pieces", host.page("/pieces", drips))

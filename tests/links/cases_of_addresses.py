"""Addresses that must not be reached, in every spelling and by every way; and links that are oddly written themselves."""

from __future__ import annotations

from collections.abc import Iterator

from link_case import EVERY_OUTCOME, FAIL, PASS, UNKNOWN, Case, Setting, alive, living, refuse, unclear
from page_answers import document, page, redirect

SPELLINGS = {
    "dotted": "127.0.0.9",
    "decimal": "2130706441",
    "hex": "0x7f000009",
    "upper-case hex": "0X7F000009",
    "dotted hex": "0x7f.0.0.0x9",
    "octal": "017700000011",
    "dotted octal": "0177.0.0.011",
    "octal with zeros": "0000177.0.0.9",
    "short": "127.9",
    "shorter by one": "127.0.9",
    "mapped": "[::ffff:127.0.0.9]",
    "mapped in hex": "[::ffff:7f00:9]",
    "mapped in full": "[0:0:0:0:0:FFFF:7F00:0009]",
    "compatible": "[::127.0.0.9]",
    "NAT64": "[64:ff9b::127.0.0.9]",
    "6to4": "[2002:7f00:9::]",
    "trailing dot": "127.0.0.9.",
    "full-width digits": "１２７.０.０.９",
    "full-width dots": "127。0。0。9",
    "circled digits": "①②⑦.⓪.⓪.⑨",
    "percent-encoded": "%31%32%37.0.0.9",
    "any address": "0.0.0.0",  # noqa: S104 - a spelling, nothing is bound to it
    "any address, short": "0",
    "any IPv6 address": "[::]",
}
"""Ways to write an address of this machine that was not allowed: the canary listens at all of them that exist."""
ELSEWHERE = (
    "169.254.169.254", "[fd00:ec2::254]", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "192.0.2.1", "198.18.0.1", "203.0.113.7",
    "224.0.0.1", "240.0.0.1", "255.255.255.255", "[fe80::1]", "[fc00::1]", "[ff02::1]", "[2001:db8::1]", "2852039166", "0xa9fea9fe",
    "[::ffff:169.254.169.254]", "[::ffff:10.0.0.1]", "[64:ff9b::a9fe:a9fe]", "10.1", "0251.0376.0251.0376",
)  # fmt: skip
"""Private, shared, link-local, metadata, multicast, documentation and reserved ones."""
SKIPPED = ("mailto:a@example.invalid", "mailto:", "tel:+123", "sms:+123", "data:text/plain,hello", "javascript:void(0)", "about:blank")
OTHER_SCHEMES = (
    "ftp://127.0.0.1/file",
    "file:///etc/passwd",
    "gopher://127.0.0.1/",
    "ws://127.0.0.1/",
    "ssh://git@127.0.0.1/x",
    "git://127.0.0.1/x.git",
)


def cases(setting: Setting) -> Iterator[Case]:
    yield from forbidden(setting)
    yield from parsers_that_disagree(setting)
    yield from other_schemes(setting)
    yield from credentials(setting)
    yield from written_oddly(setting)
    yield from not_an_address(setting)


def forbidden(setting: Setting) -> Iterator[Case]:
    """Directly, behind a redirect, and behind two."""
    port, host = setting.canary.port, setting.world.host("to forbidden addresses")
    for number, (name, spelled) in enumerate(SPELLINGS.items()):
        yield refuse(f"forbidden, {name}", f"http://{spelled}:{port}/direct/{number}")
        yield refuse(f"redirect to forbidden, {name}", host.page(f"/to/{number}", redirect(f"http://{spelled}:{port}/to/{number}", 301)))
        host.page(f"/hop/{number}", redirect(f"http://{spelled}:{port}/second/{number}", 301))
        yield refuse(f"second redirect to forbidden, {name}", host.page(f"/second/{number}", redirect(f"/hop/{number}", 301)))
    for number, address in enumerate(ELSEWHERE):
        yield refuse(f"forbidden, {address}", f"http://{address}/elsewhere")
        yield refuse(
            f"redirect to forbidden, {address}", host.page(f"/elsewhere/{number}", redirect(f"http://{address}/latest/meta-data/"))
        )
    yield refuse("redirect to forbidden, over TLS", host.page("/tls", redirect(f"https://127.0.0.9:{port}/tls")))
    yield refuse("redirect to forbidden, without a scheme", host.page("/scheme", redirect(f"//127.0.0.9:{port}/scheme")))
    yield refuse("redirect to forbidden, in lower case", host.page("/lower", page("", 302, f"location: http://127.0.0.9:{port}/lower")))
    for name in ("metadata.google.internal", "kubernetes.default.svc", "a.localhost", "ip6-localhost", "localhost.localdomain"):
        nobody = setting.world.silent_port(backlog=False)
        yield unclear(f"a local name, {name}", f"http://{name}:{nobody}/", FAIL, UNKNOWN)


def parsers_that_disagree(setting: Setting) -> Iterator[Case]:
    """Two readings of one address: whatever the checker reads, the canary stays alone."""
    well, forbidden = setting.world.host("two readings"), f"127.0.0.9:{setting.canary.port}"
    for number, link in enumerate(
        (
            f"http://{well.netloc}\\@{forbidden}/",
            f"http://{forbidden}\\@{well.netloc}/",
            f"http://{well.netloc}%40{forbidden}/",
            f"http://{well.netloc}#@{forbidden}/",
            f"http://{well.netloc}?@{forbidden}/",
            f"http://{well.netloc};@{forbidden}/",
            f"http://{well.netloc}/@{forbidden}/",
            f"http://{forbidden}%2f{well.netloc}/",
            f"http:\\\\{forbidden}/",
            f"http:/{forbidden}/",
            f"http:{forbidden}/",
            f"http:///{forbidden}/",
            f"http:////{forbidden}/",
            f"http://{forbidden}:80/",
            f"http://{forbidden}%00.invalid/",
            f"http://a@{forbidden}/",
            f"http://a:b@{forbidden}/",
            f"http://a@b@{forbidden}/",
        )
    ):
        yield unclear(f"two readings {number}", link, *EVERY_OUTCOME)


def other_schemes(_: Setting) -> Iterator[Case]:
    for link in SKIPPED:
        yield unclear(f"link {link}", link, PASS, UNKNOWN, FAIL, verdicts=frozenset({"skipped", "refused"}))
    for link in OTHER_SCHEMES:
        yield unclear(f"link {link}", link, UNKNOWN, FAIL, verdicts=frozenset({"skipped", "refused"}))


def credentials(setting: Setting) -> Iterator[Case]:
    host = setting.world.host("credentials in the link")
    host.otherwise = page()
    for user in ("user:secret", "user", "user:", ":secret", "a%40b:c", "%00"):
        yield refuse(f"credentials {user}", f"http://{user}@{host.netloc}/{len(user)}", host=host, most_requests=0)


def written_oddly(setting: Setting) -> Iterator[Case]:
    """A browser opens all of these; the page is there."""
    host = setting.world.host("written oddly")
    host.page("/", page(document(title="Front page")))
    net = host.netloc
    strict = {
        "no path": (f"http://{net}", None),
        "no path, a query": (f"http://{net}?x=1", "/?x=1"),
        "no path, a fragment": (f"http://{net}#top", None),
        "upper-case scheme": (f"HTTP://{net}/upper", "/upper"),
        "mixed scheme": (f"hTTp://{net}/mixed", "/mixed"),
        "letters not ASCII": (f"http://{net}/naïve", "/na%C3%AFve"),
        "Chinese letters": (f"http://{net}/模型", "/%E6%A8%A1%E5%9E%8B"),
        "encoded": (f"http://{net}/na%C3%AFve2", "/na%C3%AFve2"),
        "encoded in lower case": (f"http://{net}/na%c3%afve3", "/na%c3%afve3"),
        "an encoded slash": (f"http://{net}/a%2Fb", "/a%2Fb"),
        "an encoded question mark": (f"http://{net}/a%3Fb", "/a%3Fb"),
        "an encoded hash": (f"http://{net}/a%23b", "/a%23b"),
        "two slashes inside": (f"http://{net}/a//b", "/a//b"),
        "an empty query": (f"http://{net}/q?", None),
        "semicolons": (f"http://{net}/a;v=1/b", "/a;v=1/b"),
        "brackets and quotes": (f"http://{net}/f(x)'s!*", "/f(x)'s!*"),
        "a tilde": (f"http://{net}/~me", "/~me"),
        "a plus": (f"http://{net}/c++?a+b", "/c++?a+b"),
        "an address in the query": (f"http://{net}/to?u=http://x.invalid/?a=b", "/to?u=http://x.invalid/?a=b"),
        "a colon and an at sign": (f"http://{net}/a:b@c", "/a:b@c"),
        "2,000 characters": (f"http://{net}/{'l' * 2000}", f"/{'l' * 2000}"),
        "letters not ASCII in the query": (f"http://{net}/s?q=é", "/s?q=%C3%A9"),
        "a dot at the end": (f"http://{net}/end.", "/end."),
        "a comma": (f"http://{net}/a,b", "/a,b"),
        "many hyphens": (f"http://{net}/---", "/---"),
        "an equals sign alone": (f"http://{net}/?=", "/?="),
        "a dollar sign": (f"http://{net}/$a&b", "/$a&b"),
    }
    host.page("/q", page())
    host.page("/q?", page())
    for name, (link, target) in strict.items():
        if target:
            host.page(target, page())
        yield alive(f"link with {name}", link)
    for name in ("localhost", "LOCALHOST"):  # another host to whoever counts connections, so not the one above
        named = setting.world.host(f"called {name}")
        named.page("/page", page())
        yield alive(f"link with the name {name}", f"http://{name}:{named.port}/page")
    lenient = {
        "a space": ("/a b", ("/a%20b",)),
        "a tab": ("/a\tb", ("/ab", "/a%09b")),
        "a bar": ("/a|b", ("/a|b", "/a%7Cb")),
        "curly brackets": ("/{a}", ("/{a}", "/%7Ba%7D")),
        "square brackets": ("/x?a[]=1", ("/x?a[]=1", "/x?a%5B%5D=1")),
        "angle brackets": ("/<a>", ("/%3Ca%3E",)),
        "a double quote": ('/"a"', ("/%22a%22",)),
        "a backslash": ("/a\\c", ("/a/c", "/a%5Cc")),
        "a bad percent sign": ("/50%", ("/50%", "/50%25")),
        "a bad escape": ("/%zz", ("/%zz", "/%25zz")),
        "dot segments": ("/d/../e", ("/e", "/d/../e")),
        "encoded dots": ("/d/%2e%2e/g", ("/g", "/d/%2e%2e/g", "/d/../g")),
        "a caret": ("/a^b", ("/a^b", "/a%5Eb")),
        "an encoded NUL": ("/a%00b", ("/a%00b",)),
        "an encoded line break": ("/a%0D%0AX-Evil:%201", ("/a%0D%0AX-Evil:%201",)),
        "a right-to-left mark": ("/a\u200fb", ("/a%E2%80%8Fb",)),
        "30,000 characters": (f"/{'m' * 30_000}", (f"/{'m' * 30_000}",)),
        "a grave accent": ("/a`b", ("/a`b", "/a%60b")),
        "a soft hyphen": ("/a\u00adb", ("/a%C2%ADb",)),
    }
    for name, (path, targets) in lenient.items():
        for target in targets:
            host.page(target, page())
        yield living(f"link with {name}", f"http://{net}{path}", outcomes=frozenset({PASS, UNKNOWN}))
    host.page("/zeros", page())
    yield unclear("link with zeros before the port", f"http://127.0.0.1:0{host.port}/zeros", *EVERY_OUTCOME)
    yield unclear("link with 500,000 characters", f"http://{net}/{'n' * 500_000}", *EVERY_OUTCOME)


def not_an_address(setting: Setting) -> Iterator[Case]:
    """Lines that are no addresses: one result each, and the run goes on."""
    port = setting.world.host("not an address").port
    odd = {
        "port 0": "http://127.0.0.1:0/",
        "port 65536": "http://127.0.0.1:65536/",
        "port 99999": "http://127.0.0.1:99999/",
        "a negative port": "http://127.0.0.1:-1/",
        "a word for a port": "http://127.0.0.1:http/",
        "no host": "http:///path",
        "nothing but a scheme": "http://",
        "no slashes": f"http:127.0.0.1:{port}",
        "no scheme": f"127.0.0.1:{port}/page",
        "two slashes": f"//127.0.0.1:{port}/page",
        "a relative path": "docs/guide.md",
        "an absolute path": "/docs/guide.md",
        "a word": "here",
        "an open bracket": "http://[::1/",
        "empty brackets": "http://[]/",
        "a scope": "http://[fe80::1%25lo]/",
        "a space in the host": "http://a b.invalid/",
        "a host of dots": "http://.../",
        "a double dot": "http://a..invalid/",
        "a label of 64 letters": f"http://{'a' * 64}.invalid/",
        "a name of 300 letters": f"http://{'a.' * 150}invalid/",
        "full-width slashes": "http:／／a.invalid／",
        "an ftp-like scheme": "htp://a.invalid/",
        "https with a typo": "https//a.invalid/",
        "a scheme twice": f"http://http://127.0.0.1:{port}/",
        "escape characters": "http://\x1b[31m.invalid/",
        "a workflow command": "::error file=x::pwned",
        "a port of 5,000 digits": f"http://127.0.0.1:{'9' * 5000}/",
        "an emoji host": "http://🤖.invalid/",
        "an invalid IDN": "http://xn--.invalid/",
        "five numbers": "http://1.2.3.4.5/",
        "a number too large": "http://4294967296/",
        "256": "http://127.0.0.256/",
    }
    for name, link in odd.items():
        yield unclear(f"link with {name}", link)

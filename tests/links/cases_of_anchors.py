"""Anchors: there in every way HTML can write them, truly missing from static pages, and where only a script could tell."""

from __future__ import annotations

from collections.abc import Iterator

from link_case import EVERY_OUTCOME, TEMPORARY, Case, Setting, alive, dead, living, unclear, wall
from page_answers import PROSE, SHELL, chunked, document, gzipped, only_get, page, raw, redirect, start

PRESENT = {
    "an id": ('<h2 id="intro">', "intro"),
    "a name": ('<a name="intro">', "intro"),
    "single quotes": ("<h2 id='intro'>", "intro"),
    "no quotes": ("<h2 id=intro>", "intro"),
    "upper-case HTML": ('<H2 ID="intro">', "intro"),
    "spaces around =": ('<h2 id = "intro" >', "intro"),
    "a line break": ('<h2\n  class="a"\n  id="intro"\n>', "intro"),
    "the prefix of GitHub": ('<a id="user-content-intro">', "intro"),
    "the prefix written out": ('<a id="user-content-intro">', "user-content-intro"),
    "twice": ('<h2 id="intro"></h2><h2 id="intro">', "intro"),
    "encoded": ('<h2 id="café">', "caf%C3%A9"),
    "encoded in lower case": ('<h2 id="café">', "caf%c3%a9"),
    "not encoded": ('<h2 id="café">', "café"),
    "Chinese": ('<h2 id="安装">', "%E5%AE%89%E8%A3%85"),
    "Chinese not encoded": ('<h2 id="安装">', "安装"),
    "an entity": ('<h2 id="caf&eacute;">', "caf%C3%A9"),
    "an ampersand": ('<h2 id="a&amp;b">', "a&b"),
    "a number entity": ('<h2 id="a&#45;b">', "a-b"),
    "an encoded space": ('<h2 id="a b">', "a%20b"),
    "a percent sign": ('<h2 id="100%">', "100%25"),
    "plus signs": ('<h2 id="c++">', "c++"),
    "an id that is encoded": ('<h2 id="caf%C3%A9">', "caf%C3%A9"),
    "dots and colons": ('<h2 id="a.b:c">', "a.b:c"),
    "a digit": ('<h2 id="1">', "1"),
    "quotes inside": ("<h2 id='say\"x\"'>", "say%22x%22"),
    "brackets": ('<h2 id="f(x)">', "f(x)"),
    "an emoji": ('<h2 id="-🚀-start">', "-%F0%9F%9A%80-start"),
    "a slash": ('<h2 id="a/b">', "a/b"),
    "an id after a long attribute": (f'<h2 class="{"c" * 9000}" id="intro">', "intro"),
    "an id in a picture": ('<svg><g id="intro"></g></svg><p>', "intro"),
    "an id after a > in an attribute": ('<h2 title="a > b" id="intro">', "intro"),
    "an anchor and a text fragment": ('<h2 id="intro">', "intro:~:text=Weights"),
    "a line of code": ('<span id="L10">', "L10"),
    "a second id of a tag": ('<h2 id="one" name="two" class="x"><h2 id="two">', "two"),
}
"""Name: the tag in the page, the fragment in the link."""
MISSING = {
    "no such id": ("<h2>", "intro"),
    "in a comment only": ('<!-- <h2 id="intro"> -->', "intro"),
    "only the beginning of an id": ('<h2 id="introduction">', "intro"),
    "only part of an id": ('<h2 id="the-intro">', "intro"),
    "only in a class": ('<h2 class="intro">', "intro"),
    "only in a text": ("<p>intro id=intro</p>", "intro"),
    "only as a link": ('<a href="#intro">x</a>', "intro"),
    "only in data-id": ('<h2 data-id="intro">', "intro"),
    "only quoted in an attribute": ("<h2 title='id=\"intro\"'>", "intro"),
    "not encoded alike": ('<h2 id="cafe">', "caf%C3%A9"),
    "a long name": ("<h2>", "a" * 2000),
    "markup in the fragment": ("<h2>", "%3Cscript%3E"),
    "only in the style": ("<style>#intro { color: red }</style>", "intro"),
}
NOBODY_CAN_TELL = {
    "#top": "top",
    "#TOP": "Top",
    "an empty fragment": "",
    "a text fragment": ":~:text=Weights%20are%20read",
    "a text fragment that is not there": ":~:text=absent",
    "two text fragments": ":~:text=Weights&text=cache",
    "a route": "/a/b",
    "a route with !": "!/a",
    "a route with ?": "/search?q=x",
    "a route with a bang": "!a",
    "lines of code": "L10-L20",
    "a state of the page": "page=2&sort=name",
    "a time": "t=30",
}
"""Fragments that are no names of elements, on a static page without one."""


def cases(setting: Setting) -> Iterator[Case]:
    yield from on_a_static_page(setting)
    yield from no_names_of_elements(setting)
    yield from scripts(setting)
    yield from other_kinds_of_file(setting)
    yield from large_and_packed(setting)
    yield from after_redirects(setting)


def on_a_static_page(setting: Setting) -> Iterator[Case]:
    host = setting.world.host("anchors")
    for number, (name, (tag, fragment)) in enumerate(PRESENT.items()):
        url = host.page(f"/there/{number}", page(document(f"{tag}Heading</h2>")))
        yield alive(f"anchor there: {name}", f"{url}#{fragment}", verdicts=frozenset({"ok"}))
    for number, (name, (tag, fragment)) in enumerate(MISSING.items()):
        url = host.page(f"/missing/{number}", page(document(f"{tag}Heading</h2>")))
        yield dead(f"anchor missing: {name}", f"{url}#{fragment}", verdicts=frozenset({"broken-fragment"}))
    disputed = {
        "other case": ('<h2 id="Intro">', "intro"),
        "upper case asked": ('<h2 id="intro">', "INTRO"),
        "a name of a field": ('<input name="intro">', "intro"),
        "a name of a meta": ('<meta name="intro" content="x">', "intro"),
        "in a template": ('<template><h2 id="intro"></h2></template>', "intro"),
        "in a noscript": ('<noscript><h2 id="intro"></h2></noscript>', "intro"),
        "in a text area": ('<textarea><h2 id="intro"></h2></textarea>', "intro"),
        "composed and decomposed": ('<h2 id="cafe\u0301">', "caf%C3%A9"),
        "a bad percent sign": ('<h2 id="100%">', "100%"),
        "spaces around the id": ('<h2 id=" intro ">', "intro"),
        "a made-up id of a heading": ("<h2>Getting started</h2>", "getting-started"),
        "an unfinished tag": ('<h2 id="intro"', "intro"),
    }
    for number, (name, (tag, fragment)) in enumerate(disputed.items()):
        url = host.page(f"/disputed/{number}", page(document(f"{tag}Heading</h2>")))
        yield unclear(f"anchor disputed: {name}", f"{url}#{fragment}", *EVERY_OUTCOME)
    yield dead("an anchor on a page that is gone", host.url("/nothing#intro"), verdicts=frozenset({"broken"}))
    host.page("/many", page(document('<h2 id="a"></h2><h2 id="b"></h2>')))
    yield alive("one page, its first anchor", host.url("/many#a"))
    yield alive("one page, its second anchor", host.url("/many#b"))
    yield dead("one page, an anchor it lacks", host.url("/many#c"), verdicts=frozenset({"broken-fragment"}))
    yield alive("one page, no anchor", host.url("/many"))


def no_names_of_elements(setting: Setting) -> Iterator[Case]:
    host = setting.world.host("fragments that name nothing")
    for number, (name, fragment) in enumerate(NOBODY_CAN_TELL.items()):
        url = host.page(f"/page/{number}", page())
        kind = alive if fragment in {"", "top"} or fragment.startswith(":~:text=W") else living
        yield kind(f"fragment: {name}", f"{url}#{fragment}")


def scripts(setting: Setting) -> Iterator[Case]:
    """Where a script writes the page, nobody can tell without running it."""
    host = setting.world.host("scripts")
    shells = {
        "a shell": SHELL, "a shell with a noscript": SHELL.replace("<body>", "<body><noscript>Please enable JavaScript.</noscript>"),
        "a shell of a framework": SHELL.replace("root", "app").replace("/app.js", "/_nuxt/entry.js"),
        "data for a script": SHELL.replace("<script ", '<script id="__NEXT_DATA__" type="application/json">{"props": {}}</script><script '),
        "an empty body": '<!doctype html><title>App</title><script defer src="/app.js"></script><body></body>',
    }  # fmt: skip
    for number, (name, text) in enumerate(shells.items()):
        yield wall(f"anchor missing on {name}", host.page(f"/shell/{number}", page(text)) + "#intro")
    inline = document("""<script>document.body.innerHTML += '<h2 id="intro">Intro</h2>'</script>""")
    yield unclear("anchor in a script only", host.page("/inline", page(inline)) + "#intro", "fail", "unknown", "pass")
    counted = document('<script async src="https://stats.invalid/count.js"></script>')
    yield unclear("anchor missing, a script counts visitors", host.page("/counted", page(counted)) + "#intro")
    frame = document('<iframe src="/viewer.html"></iframe>')
    yield unclear("anchor missing, a frame holds the text", host.page("/frame", page(frame)) + "#intro")
    yield alive(
        "anchor there beside scripts",
        host.page("/both", page(document('<h2 id="intro">Intro</h2><script src="/app.js"></script>'))) + "#intro",
    )


def other_kinds_of_file(setting: Setting) -> Iterator[Case]:
    host = setting.world.host("other files")
    pdf = b"%PDF-1.7\n" + b"0" * 4000
    files = {
        "PDF page": (pdf, "application/pdf", "page=3"),
        "PDF destination": (pdf, "application/pdf", "nameddest=intro"),
        "PDF view": (pdf, "application/pdf", "zoom=100"),
        "PDF section": (pdf, "application/pdf", "section.3"),
        "PDF as bytes": (pdf, "application/octet-stream", "page=3"),
        "lines of a text": (b"a\n" * 50, "text/plain", "L10-L20"),
        "a word of a text": (b"a\n" * 50, "text/plain", "intro"),
        "a heading of Markdown": (b"# Intro\n", "text/markdown", "intro"),
        "a pointer into JSON": (b'{"a": 1}', "application/json", "/a/b"),
        "part of a picture": (b"\x89PNG\r\n\x1a\n", "image/png", "xywh=0,0,9,9"),
        "time of a film": (b"\0" * 99, "video/mp4", "t=10"),
        "a cell of a table": (b"a,b\n", "text/csv", "row=2"),
        "a symbol of a drawing": (b'<svg xmlns="http://www.w3.org/2000/svg"><g id="x"/></svg>', "image/svg+xml", "y"),
        "XML": (b"<a><b/></a>", "application/xml", "intro"),
        "a notebook": (b'{"cells": []}', "application/x-ipynb+json", "scrollTo=abc"),
    }
    for number, (name, (data, kind, fragment)) in enumerate(files.items()):
        yield living(f"fragment of {name}", host.page(f"/file/{number}", page(data, kind=kind)) + f"#{fragment}")
    html = document('<h2 id="intro">Intro</h2>')
    kinds = (
        "TEXT/HTML; Charset=UTF-8",
        "text/html;charset=utf8",
        "text/html",
        'text/html; charset="utf-8"',
        "application/xhtml+xml",
        "text/html; charset=x-nonsense",
        None,
        "text/html; charset",
    )
    for number, kind in enumerate(kinds):
        exact = alive if kind and kind.lower().startswith("text/html") else living
        yield exact(f"anchor there as {kind}", host.page(f"/kind/{number}", page(html, kind=kind)) + "#intro")


def large_and_packed(setting: Setting) -> Iterator[Case]:
    """The answer may be unknown where the limits of a body end; an anchor there is never called missing."""
    host = setting.world.host("large pages")
    there = '<h2 id="intro">Intro</h2>'
    for kilobytes, exact in ((100, alive), (900, alive), (1500, living), (4000, living)):
        text = document(f"{PROSE * (kilobytes * 1000 // len(PROSE))}{there}")
        yield exact(f"anchor after {kilobytes} kB", host.page(f"/large/{kilobytes}", page(text)) + "#intro")
    long = document(PROSE * (1_500_000 // len(PROSE)))
    yield wall("anchor missing from the first MiB", host.page("/large/missing", page(long)) + "#intro")
    medium = document(PROSE * (400_000 // len(PROSE)))
    yield dead("anchor missing from 400 kB", host.page("/medium/missing", page(medium)) + "#intro", verdicts=frozenset({"broken-fragment"}))
    text = document(there).encode()
    packed = gzipped(document(f"{PROSE * (3_000_000 // len(PROSE))}{there}").encode())
    yield living("anchor after 3 MB, packed", host.page("/packed/large", page(packed, 200, "Content-Encoding: gzip")) + "#intro")
    yield alive("anchor in a packed page", host.page("/packed/there", page(gzipped(text), 200, "Content-Encoding: gzip")) + "#intro")
    lacking = page(gzipped(document().encode()), 200, "Content-Encoding: gzip")
    yield dead(
        "anchor missing from a packed page", host.page("/packed/missing", lacking) + "#intro", verdicts=frozenset({"broken-fragment"})
    )
    html = ["Content-Type: text/html", "Connection: close"]
    middle = text.index(b'id="intro"') + 4
    halves = only_get(raw(start(200, html) + text[:middle], text[middle:], pause_seconds=0.3))
    yield alive("anchor in two halves", host.page("/halves", halves) + "#intro")
    single = only_get(raw(start(200, [*html, "Transfer-Encoding: chunked"]) + chunked(*(bytes([byte]) for byte in text))))
    yield alive("anchor in chunks of one byte", host.page("/chunks", single) + "#intro")
    cut = only_get(raw(start(200, [*html, "Content-Length: 900000"]) + document().encode()))
    yield living("anchor not in the part that came", host.page("/cut", cut) + "#intro")
    encodings = {
        "UTF-16 with a mark": (document('<h2 id="café">').encode("utf-16"), "text/html"),
        "UTF-16 by its label": (document('<h2 id="café">').encode("utf-16-le"), "text/html; charset=utf-16le"),
        "Latin-1": (document('<h2 id="café">').encode("latin-1"), "text/html; charset=iso-8859-1"),
        "Shift JIS": (document('<h2 id="café">').replace("café", "日本").encode("shift_jis"), "text/html; charset=shift_jis"),
        "a wrong label": (document('<h2 id="café">').encode("latin-1"), "text/html; charset=utf-8"),
        "a label in the page": (b'<meta charset="windows-1252">' + document('<h2 id="café">').encode("cp1252"), "text/html"),
        "UTF-8 with a mark": (document('<h2 id="café">').encode("utf-8-sig"), "text/html"),
    }
    for number, (name, (data, kind)) in enumerate(encodings.items()):
        fragment = "%E6%97%A5%E6%9C%AC" if name == "Shift JIS" else "caf%C3%A9"
        url = host.page(f"/encoding/{number}", page(data, kind=kind)) + f"#{fragment}"
        yield unclear(f"anchor in {name}", url, *EVERY_OUTCOME) if name == "a wrong label" else living(f"anchor in {name}", url)


def after_redirects(setting: Setting) -> Iterator[Case]:
    """A fragment outlives a redirect, unless the redirect brings its own."""
    host = setting.world.host("anchors after redirects")
    host.page("/new", page(document('<h2 id="intro">Intro</h2><h2 id="part">Part</h2>')))
    yield alive("anchor there after a redirect", host.page("/old/there", redirect("/new")) + "#intro", verdicts=TEMPORARY)
    yield dead(
        "anchor missing after a redirect", host.page("/old/missing", redirect("/new")) + "#gone", verdicts=frozenset({"broken-fragment"})
    )
    yield living("a redirect brings its own fragment", host.page("/old/own", redirect("/new#part")) + "#gone")
    yield living("a redirect brings a fragment that is missing", host.page("/old/wrong", redirect("/new#gone")))
    yield living("a redirect brings an empty fragment", host.page("/old/empty", redirect("/new#")) + "#intro")

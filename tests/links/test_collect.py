"""Every address with its place, each once; nothing that is no address; and no text that makes the scanners slow."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops_catalog.errors import CatalogNotFound
from llmops_catalog.links.collect import Collected, collect, is_example
from llmops_catalog.links.markdown_links import bare_addresses, markdown_addresses
from llmops_catalog.links.results import Place

RECORD = """\
name: vLLM
summary: >-
  Serves models. The paper is
  https://arxiv.org/abs/2309.06180, the code (https://github.com/vllm-project/vllm).
repository: https://github.com/vllm-project/vllm
homepage: 'HTTPS://Docs.vllm.ai/en/#start'
rows:
  - [Speed, "https://a.org/x?y=1", see https://b.org/z.]
sources:
  - {url: "https://docs.vllm.ai/en/", supports: [status], checked: 2026-11-20}  # https://comment.org/
"""


def urls(text: str) -> list[str]:
    return [found.url for found in markdown_addresses(text)]


def collected(root: Path, record: bytes | str = "", **pages: str) -> Collected:
    (root / "catalog/frameworks").mkdir(parents=True)
    (root / "catalog/frameworks/vllm.yaml").write_bytes(record if isinstance(record, bytes) else record.encode())
    for name, text in pages.items():
        place = root / name.replace("__", "/")
        place.parent.mkdir(exist_ok=True)
        place.with_suffix(".md").write_text(text, encoding="utf-8")
    return collect(root / "catalog")


def test_every_address_of_a_record_has_its_places(tmp_path: Path) -> None:
    path = "catalog/frameworks/vllm.yaml"
    found = {link.url: link.places for link in collected(tmp_path, RECORD).links}
    assert found == {
        "https://arxiv.org/abs/2309.06180": (Place(path, 4, 3, "summary"),),
        "https://github.com/vllm-project/vllm": (Place(path, 4, 47, "summary"), Place(path, 5, 13, "repository")),
        "HTTPS://Docs.vllm.ai/en/#start": (Place(path, 6, 11, "homepage"),),
        "https://a.org/x?y=1": (Place(path, 8, 13, "rows[0][1]"),),
        "https://b.org/z": (Place(path, 8, 40, "rows[0][2]"),),
        "https://docs.vllm.ai/en/": (Place(path, 10, 11, "sources[0].url"),),
    }


@pytest.mark.parametrize("record", [RECORD.replace("\n", "\r\n").encode(), b"\xef\xbb\xbf" + RECORD.encode()], ids=["crlf", "bom"])
def test_line_ends_and_a_byte_order_mark_move_nothing(tmp_path: Path, record: bytes) -> None:
    one, other = collected(tmp_path / "a", RECORD), collected(tmp_path / "b", record)
    assert one == other
    assert one.records == 1


def test_an_escaped_address_in_prose_stands_where_its_value_begins(tmp_path: Path) -> None:
    found = collected(tmp_path, 'a: "see https:\\/\\/a.org/x and https://b.org/\\u00e9 now"\nb: https://a.org/x')
    path = "catalog/frameworks/vllm.yaml"
    assert [(link.url, *link.places) for link in found.links] == [
        ("https://b.org/é", Place(path, 1, 4, "a")),
        ("https://a.org/x", Place(path, 1, 4, "a"), Place(path, 2, 4, "b")),
    ]


def test_what_cannot_be_read_is_counted_and_left_to_validate(tmp_path: Path) -> None:
    catalog = tmp_path / "catalog"
    (catalog / "schemas").mkdir(parents=True)
    (catalog / "gpus").mkdir()
    (catalog / "schemas/models.json").write_text('{"$id": "https://schema.org/x"}')
    (catalog / "link-exceptions.yaml").write_text('exceptions: [{prefix: "https://left.org/"}]')
    (catalog / "gpus/bad.yaml").write_text("a: [https://never.org/")
    (catalog / "gpus/invalid.yaml").write_text("nonsense: https://good.org/\nnumbers: [1, 2.5, null, true]")
    (catalog / "gpus/link.yaml").symlink_to("/etc/hostname")
    (tmp_path / "README.md").write_bytes(b"\xff https://never.org/")
    found = collect(catalog)
    assert [link.url for link in found.links] == ["https://good.org/"]
    assert found[1:] == (1, 0, 3)


def test_no_catalog_is_said(tmp_path: Path) -> None:
    with pytest.raises(CatalogNotFound):
        collect(tmp_path / "catalog")


def test_pages_beside_the_catalog_are_read_and_none_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret.md").write_text("https://secret.org/")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/linked").symlink_to(tmp_path / "outside")
    (tmp_path / "docs/linked.md").symlink_to(tmp_path / "outside/secret.md")
    found = collected(tmp_path, "name: x", README="https://a.org/", docs__page="é https://b.org/", NOTES="https://notes.org/")
    assert [(link.url, *link.places) for link in found.links] == [
        ("https://a.org/", Place("README.md", 1, 1, "text")),
        ("https://b.org/", Place("docs/page.md", 1, 3, "text")),
    ]
    assert (found.records, found.pages, found.unreadable) == (1, 2, 1)


@pytest.mark.parametrize(("wanted", "expected"), [
    (["docs"], {"https://b.org/"}), (["README.md", "catalog/gpus"], {"https://a.org/"}), (["NOTES.md"], {"https://notes.org/"}),
    (["catalog"], {"https://r.org/"}), (["."], {"https://a.org/", "https://b.org/", "https://r.org/"}), (["doc"], set()),
    (["catalog/frameworks/vllm.yaml"], {"https://r.org/"}),
])  # fmt: skip
def test_only_what_is_wanted(tmp_path: Path, wanted: list[str], expected: set[str]) -> None:
    collected(tmp_path, "url: https://r.org/", README="https://a.org/", docs__page="https://b.org/", NOTES="https://notes.org/")
    assert {link.url for link in collect(tmp_path / "catalog", wanted).links} == expected


@pytest.mark.parametrize("url", ["https://example.com/a", "http://www.example.org", "https://x.test/", "http://localhost:8000/", "http://127.0.0.1:8000/",
                                 "http://[::1]/"])  # fmt: skip
def test_example_hosts_are_no_links_of_pages_but_of_records(tmp_path: Path, url: str) -> None:
    found = collected(tmp_path, f'url: "{url}"', README=f"[x]({url}) and https://real.org/")
    assert {link.url: [place.path for place in link.places] for link in found.links} == {
        url: ["catalog/frameworks/vllm.yaml"], "https://real.org/": ["README.md"],
    }  # fmt: skip


def test_the_own_machine_is_read_where_it_is_wanted(tmp_path: Path) -> None:
    collected(tmp_path, "name: x", README="[x](http://127.0.0.1:8000/) http://example.com/")
    assert [link.url for link in collect(tmp_path / "catalog", own_machine=True).links] == ["http://127.0.0.1:8000/"]
    assert not is_example("https://example.community/") | is_example("https://notexample.com/") | is_example("http://[x")


@pytest.mark.parametrize(("text", "expected"), [
    ("[a](https://x.org/w_(b)) ![i](https://y.org/p.png \"t\")", ["https://x.org/w_(b)", "https://y.org/p.png"]),
    ("[![badge](https://b.org/i.svg)](https://t.org)", ["https://b.org/i.svg", "https://t.org"]),
    ("[a](<https://x.org/a b>) [c](<https://x.org/(>)", ["https://x.org/("]),
    ("[a](https://x.org/a\\)b\\_c)", ["https://x.org/a)b_c"]),
    ("[a]: https://x.org/end.\n[b]: <https://y.org/> 'title'\n> [c]:\n> https://z.org/", ["https://x.org/end.", "https://y.org/", "https://z.org/"]),
    ("<https://x.org/a.>. <a href='https://y.org/?a=1&amp;b=2&copy=3' title=x> <img alt=\"\" src=https://z.org/i>",
     ["https://x.org/a.", "https://y.org/?a=1&b=2&copy=3", "https://z.org/i"]),
    ("See https://x.org/a_(b), (https://y.org/c). **https://z.org** https://w.org/?q=1!",
     ["https://x.org/a_(b)", "https://y.org/c", "https://z.org", "https://w.org/?q=1"]),
    ("| https://x.org/a|https://y.org/b |", ["https://x.org/a", "https://y.org/b"]),
    ("请看https://x.org/文档。然后（https://y.org/）", ["https://x.org/文档", "https://y.org/"]),
    ("https://en.wikipedia.org/wiki/Kullback–Leibler_divergence – x", ["https://en.wikipedia.org/wiki/Kullback–Leibler_divergence"]),
    ("https://github.com/a/b/compare/v1...v2", ["https://github.com/a/b/compare/v1...v2"]),
    ("git+https://x.org/a hhttps://x.org ftp://x.org https:// https://host/path http://[bad https://... https://….", []),
    ("https://x.org/<name> https://x.org/{id} https://x.org/$NAME https://x.org/... https://x.org/`a` [a](https://x.org/<b>)", []),
    ("`https://x.org` ``a ` https://y.org`` `open https://z.org", ["https://z.org"]),
    ("\\`https://x.org/\\` `a", ["https://x.org/"]),
    ("a ` b\n\nhttps://x.org ` c", ["https://x.org"]),
    ("```sh\nhttps://x.org\n```\nhttps://y.org\n~~~\nhttps://x.org\n```\n~~~\n- ```\n  https://x.org\n  ```\n> ```\n> https://x.org\n> ```\nhttps://z.org",
     ["https://y.org", "https://z.org"]),
    ("``` a ``` https://x.org\nhttps://y.org", ["https://x.org", "https://y.org"]),
    ("```\nhttps://never.org", []),
    ("text\n    https://x.org\n\n    https://code.org\n\n    https://code.org\nhttps://y.org", ["https://x.org", "https://y.org"]),
    ("1. a\n\n   https://x.org\n\n    - b\n\n        https://y.org\n\n!!! note\n    https://z.org\n\n    https://w.org",
     ["https://x.org", "https://y.org", "https://z.org", "https://w.org"]),
    ("<!-- https://x.org -->https://y.org <!-- https://z.org", ["https://y.org", "https://z.org"]),
    ("a <b and https://x.org c\n\nd > e", ["https://x.org"]),
    ("[^1]: see https://x.org/a.", ["https://x.org/a"]),
    ("https://x.org/?a=1&amp;b=2 https://y.org/&quot; https://z.org/a\\", ["https://x.org/?a=1&b=2", "https://y.org/", "https://z.org/a"]),
])  # fmt: skip
def test_addresses_in_markdown(text: str, expected: list[str]) -> None:
    assert urls(text) == expected
    assert urls(text.replace("\n", "\r\n")) == expected


HOSTILE = [
    "```", "``` ", "` `` ", "\\`", "<a ", "<a href='", "<!--", "](https://x.org/(", "[a]:https://", "[a\\", "https://a.b/)", "https://a.b/(",
    "https://", "<https://x ", "https://x.y/&", "&amp;", "](  ", "](<", " ", "> ", "- ", "1. \n  ", "\n\n    x", "\n", "[![", "https://x.org/.",
    "(", "\u3000",
]  # fmt: skip


@pytest.mark.parametrize("part", HOSTILE)
def test_no_text_makes_the_scanners_slow(part: str) -> None:
    """Each of these is 150,000 characters: with the square of that many steps, this test would not end within an hour."""
    text = part * (150_000 // len(part))
    assert all(text[found.start : found.end] for found in markdown_addresses(text))
    assert all(text[found.start : found.end] == found.url for found in bare_addresses(text))


@given(st.lists(st.sampled_from([*HOSTILE, "https://x.org/a", "[a](https://y.org)", "\n\n", "```\n", "`", "    ", "é"]), max_size=40))
def test_places_are_in_order_and_hold_the_address(parts: list[str]) -> None:
    text = "".join(parts)
    found = list(markdown_addresses(text))
    assert [one.start for one in found] == sorted({one.start for one in found})
    assert all(one.start < one.end <= len(text) and "://" in text[one.start : one.end] for one in found)
    assert all(first.end <= second.start for first, second in pairwise(found))


def test_the_real_catalog_is_collected_whole() -> None:
    root = Path(__file__).parent.parent.parent / "catalog"
    found = collect(root)
    assert found.unreadable == 0
    assert found.records == sum(1 for path in root.glob("*/**/*.yaml"))
    assert len(found.links) == len({link.url for link in found.links}) > 3000
    assert all(link.places == tuple(sorted(set(link.places))) and link.places for link in found.links)
    for link in found.links[::50]:
        at = link.places[0]
        line = (root.parent / at.path).read_text(encoding="utf-8").splitlines()[at.line - 1]
        assert line[at.column - 1 :].lstrip("\"'").startswith(link.url)

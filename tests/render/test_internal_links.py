"""Links between pages: relative, right, and checked."""

from __future__ import annotations

import posixpath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops_catalog.errors import RenderError
from llmops_catalog.render.internal_links import check_internal_links, page_url, relative

PART = st.text("abc.-", min_size=1, max_size=3).filter(lambda part: part.strip("."))
PAGE = st.lists(PART, max_size=4).map(lambda parts: "".join(f"{part}/" for part in parts))


@pytest.mark.parametrize(
    ("here", "target", "expected"),
    [
        ("", "models/", "models/"),
        ("models/", "", "../"),
        ("", "", "./"),
        ("models/a/b/", "models/a/c/", "../c/"),
        ("models/a/b/", "gpus/x/#y", "../../../gpus/x/#y"),
        ("models/", "models/a/", "a/"),
        ("models/a/", "models/", "../"),
        ("gpus/l4/", "api/v1/gpus/l4.json", "../../api/v1/gpus/l4.json"),
        ("fit/", "fit/?model=a/b", "./?model=a/b"),
    ],
)
def test_relative_addresses(here: str, target: str, expected: str) -> None:
    assert relative(here, target) == expected


@given(PAGE, PAGE)
def test_a_relative_address_leads_back_to_its_target(here: str, target: str) -> None:
    joined = posixpath.normpath(posixpath.join("/", here, relative(here, target)))
    assert joined.strip("/") == target.strip("/")


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("index.md", ""),
        ("models/index.md", "models/"),
        ("gpus/nvidia/l4.md", "gpus/nvidia/l4/"),
        ("a/llama-3.1.md", "a/llama-3.1/"),
        ("x.json", "x.json"),
    ],
)
def test_addresses_of_files(path: str, url: str) -> None:
    assert page_url(path) == url


def page(*links: str) -> str:
    return (
        '---\ntitle: x\n---\n\n<div class="lc " id="content">\n'
        + "\n".join(f'<a href="{link}">x</a>' for link in links)
        + '\n<h2 id="here">x</h2>\n</div>\n'
    )


def test_right_links_pass() -> None:
    check_internal_links(
        {
            "index.md": page("a/", "a/#here", "#here", "https://example.org/", "x.json", "./"),
            "a.md": page("../", "../x.json"),
            "x.json": "{}",
        }
    )


@pytest.mark.parametrize("link", ["b/", "a/#nowhere", "#nowhere", "/a/", "../a/", "a", "y.json"])
def test_wrong_links_are_named(link: str) -> None:
    with pytest.raises(RenderError, match="lead nowhere") as caught:
        check_internal_links({"index.md": page(link), "a.md": page(), "x.json": "{}"})
    assert link in caught.value.message

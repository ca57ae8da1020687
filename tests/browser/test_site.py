"""The built site in a real browser: quiet, readable on a phone, in the dark, without scripts, and with them sortable."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as NotYet

pytestmark = pytest.mark.browser

MODEL = "models/meta-llama/llama-3.1-8b-instruct/"
GPU = "gpus/nvidia/t4/"
NOTEBOOK = "notebooks/llm-ops/present/"
PAGES = {
    "home": "",
    "calculator": "fit/",
    "accuracy": "accuracy/",
    "models": "models/",
    "cards": "gpus/",
    "frameworks": "frameworks/",
    "resources": "resources/",
    "lists": "lists/",
    "model": MODEL,
    "card": GPU,
    "apple card": "gpus/apple/m1-16gb/",
    "notebook": NOTEBOOK,
    "past": "notebooks/llm-ops/past/",
    "future": "notebooks/llm-ops/future/",
    "list": "lists/llm-ops/",
    "long list": "lists/llm-course/",
    "family": "families/llama-3.1/",
    "rule": "rules/bf16-needs-compute-capability-8.0/",
    "table of readings": "measurements/llama-cpp/perplexity-llama-3-8b/",
    "concept": "concepts/masked-vs-causal/",
    "rules": "rules/",
    "path": "paths/llm-ops/past-present-future/",
    "quantization": "quantizations/q4_k_m/",
    "architecture": "architectures/turing/",
    "provider": "providers/aws/",
    "framework": "frameworks/vllm/",
    "problems": "problems/",
    "contributing": "contributing/",
}
Open = Callable[..., Page]


def too_wide(page: Page) -> list[str]:
    """What sticks out of the page sideways, where the page itself would scroll."""
    return page.evaluate(
        """() => document.documentElement.scrollWidth <= window.innerWidth ? [] :
        [...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > window.innerWidth + 1)
        .filter(e => !e.closest('.lc-scroll, .md-typeset__scrollwrap')).slice(0, 5).map(e => e.tagName + '.' + e.className)"""
    )


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES.keys())
def test_a_phone_shows_every_kind_of_page_without_sideways_scrolling(path: str, site: str, open_page: Open) -> None:
    page = open_page(site + path, viewport={"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390, too_wide(page)
    assert page.locator("h1").count() == 1
    expect(page.locator("h1")).to_be_visible()


@pytest.mark.parametrize("path", ["", MODEL, GPU, NOTEBOOK, "gpus/", "lists/llm-ops/"])
def test_pages_can_be_read_without_scripts(path: str, site: str, open_page: Open) -> None:
    page = open_page(site + path, java_script_enabled=False)
    expect(page.locator("h1")).to_be_visible()
    expect(page.locator("table.lc-table tbody tr").first).to_be_visible()
    assert page.locator(".lc-tools").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["", MODEL, NOTEBOOK, "gpus/"])
def test_text_stands_out_in_light_and_dark(scheme: str, path: str, site: str, open_page: Open) -> None:
    page = open_page(site + path, color_scheme=scheme)
    assert page.evaluate("document.body.dataset.mdColorScheme") == ("slate" if scheme == "dark" else "default")
    page.wait_for_timeout(400)  # the tabs fade in
    assert page.evaluate(LOW_CONTRAST) == []


LOW_CONTRAST = (Path(__file__).parent / "contrast.js").read_text(encoding="utf-8")


def test_tables_sort_by_number_and_by_name(site: str, open_page: Open) -> None:
    page = open_page(site + "gpus/")
    head = page.get_by_role("columnheader", name="Sold as (GB)")
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    sizes = page.locator("tbody tr td:nth-child(4)").evaluate_all(
        "cells => cells.map(c => Number(c.dataset.v)).filter(v => !Number.isNaN(v))"
    )
    assert sizes == sorted(sizes, reverse=True)
    assert len(sizes) > 40
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    page.get_by_role("columnheader", name="Name").get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "none"


def test_filters_live_in_the_address(site: str, open_page: Open) -> None:
    page = open_page(site + "gpus/")
    rows = page.locator("table[data-lc-table] tbody tr:visible")
    everything = rows.count()
    page.get_by_label("Filter").fill("rtx 40")
    page.get_by_label("Segment").select_option("consumer")
    assert 0 < rows.count() < everything
    assert "filter=rtx+40" in page.url
    assert "segment=consumer" in page.url
    expect(page.locator(".lc-tools output")).to_have_text(f"{rows.count()} of {everything} rows")
    again = open_page(page.url)
    assert again.locator("table[data-lc-table] tbody tr:visible").count() == rows.count()
    page.get_by_role("button", name="Show all").click()
    assert rows.count() == everything
    assert "?" not in page.url


def test_a_filter_that_matches_nothing_says_so_and_can_be_undone(site: str, open_page: Open) -> None:
    page = open_page(site + "models/?filter=no-such-model-anywhere")
    expect(page.locator(".lc-tools output")).to_contain_text("0 of ")
    page.get_by_role("button", name="Show all").click()
    assert page.locator("table[data-lc-table] tbody tr:visible").count() > 1


@pytest.mark.parametrize(
    "query", ["sort=99", "sort=-", "sort=constructor", "filter=%3Cscript%3E", "segment=none-such", "filter=" + "x" * 2000]
)
def test_odd_addresses_do_no_harm(query: str, site: str, open_page: Open) -> None:
    page = open_page(f"{site}gpus/?{query}")
    expect(page.locator("h1")).to_be_visible()
    expect(page.locator(".lc-tools output")).to_contain_text("rows")


def test_the_form_answers_for_one_model_on_one_card(site: str, open_page: Open) -> None:
    page = open_page(site + "fit/")
    page.get_by_label("Model", exact=True).select_option("meta-llama/llama-3.1-8b-instruct")
    page.get_by_label("Card", exact=True).select_option("nvidia/t4")
    answer = page.locator("[data-lc-answer]")
    expect(answer.locator("tbody tr")).to_have_count(5)
    expect(answer.locator("tbody tr").first).to_contain_text("fits")
    assert "model=meta-llama" in page.url
    again = open_page(page.url)
    expect(again.locator("[data-lc-answer] tbody tr")).to_have_count(5)


def test_the_notebooks_of_the_first_list_say_whether_they_fit_beside_what_was_measured(site: str, open_page: Open) -> None:
    page = open_page(site + NOTEBOOK)
    row = page.locator("#fit + .lc-scroll tbody tr, section:has(#fit) tbody tr").first
    expect(row).to_contain_text("Llama 3.1 8B Instruct")
    expect(row).to_contain_text("fits")
    expect(row).to_contain_text("after a run: 5.81")
    expect(row).to_contain_text("%")


def test_a_phone_reader_goes_from_home_to_an_answer_by_links_alone(site: str, open_page: Open) -> None:
    page = open_page(site, viewport={"width": 390, "height": 844}, java_script_enabled=False)
    card = page.get_by_role("link", name="RTX 4090 · 24 GB")
    box = card.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < 844, "the cards to choose from are not on the first screen"
    card.click()
    page.wait_for_url("**/gpus/nvidia/rtx-4090/")
    expect(page.locator("#models + p, section:has(#models)").first).to_be_visible()


@pytest.mark.parametrize(
    "path",
    ["", MODEL, NOTEBOOK, "accuracy/", "lists/llm-course/", "frameworks/", "frameworks/vllm/", "families/llama-3.1/", "fields/models/"],
)
def test_a_phone_shows_stacked_tables_whole(path: str, site: str, open_page: Open) -> None:
    page = open_page(site + path, viewport={"width": 390, "height": 844})
    wide = "frames => frames.filter(f => f.querySelector('.lc-stack') && f.scrollWidth > f.clientWidth).map(f => f.ariaLabel)"
    assert page.locator(".lc-scroll").count() > 0
    assert page.locator(".lc-scroll").evaluate_all(wide) == []


@pytest.mark.parametrize(("path", "tab"), [(MODEL, "Models"), (GPU, "Hardware"), (NOTEBOOK, "Learn"), ("gpus/", "Hardware")])
def test_the_tab_of_the_part_one_reads_is_marked(path: str, tab: str, site: str, open_page: Open) -> None:
    page = open_page(site + path)
    assert [text.strip() for text in page.locator(".md-tabs__item--active .md-tabs__link, .md-tabs__link.lc-here").all_inner_texts()] == [
        tab
    ]


def test_a_family_shows_its_lineage_as_a_tree(site: str, open_page: Open) -> None:
    page = open_page(site + "families/llama-3.1/")
    tree = page.locator("section:has(#lineage)")
    base = tree.locator("li", has=page.get_by_role("link", name="Llama 3.1 8B Base", exact=True)).first
    expect(base.get_by_role("link", name="Llama 3.1 8B Instruct", exact=True)).to_be_visible()
    assert tree.locator("ul ul ul li").count() > 0
    expect(page.locator("section:has(#line)").get_by_role("link", name="Llama 2 (2023)")).to_be_visible()


def test_a_list_shows_its_items_in_order_with_what_was_corrected(site: str, open_page: Open) -> None:
    page = open_page(site + "lists/llm-powerhouse/")
    ids = page.locator("table.lc-list .sub.mono").all_inner_texts()
    assert len(ids) == 259
    assert ids == sorted(ids, key=lambda item: [int(part) for part in item.replace("L", "").split("-")])
    gpt_j = page.locator("tr[id^='item-002']", has_text="GPT-J").filter(has_text="2021")
    expect(gpt_j.first).to_be_visible()
    expect(gpt_j.first.get_by_role("link", name="shown here")).to_be_visible()


def test_record_pages_offer_their_source_and_their_data(site: str, open_page: Open) -> None:
    page = open_page(site + MODEL)
    assert page.get_by_role("link", name="Edit this record").get_attribute("href") == (
        "https://github.com/llmops-catalog/llmops-catalog/edit/main/catalog/models/meta-llama/llama-3.1-8b-instruct.yaml"
    )
    page.get_by_role("link", name="JSON", exact=True).click()
    page.wait_for_url("**/api/v1/models/meta-llama/llama-3.1-8b-instruct.json")


def search_for(page: Page, words: str) -> None:
    """Types into the search until it answers: words typed before Material listens to the field are never looked up."""
    field, first = page.get_by_role("textbox", name="Search"), page.locator(".md-search-result__item").first
    for _ in range(10):
        field.fill("")
        field.press_sequentially(words)
        with contextlib.suppress(NotYet):
            first.wait_for(state="visible", timeout=3_000)
            return
    expect(first).to_be_visible()


def test_the_search_dialog_has_a_name_and_finds_records(site: str, open_page: Open) -> None:
    page = open_page(site)
    assert page.get_by_role("dialog", name="Search").count() == 1
    search_for(page, "mixtral")
    expect(page.locator(".md-search-result__item").first).to_contain_text("Mixtral", timeout=30_000)


def test_the_keyboard_reaches_the_content_first(site: str, open_page: Open) -> None:
    page = open_page(site + MODEL)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent.trim()") == "Skip to content"
    page.keyboard.press("Enter")
    assert page.url.endswith("#content")


def test_pages_stay_small(built_site: Path) -> None:
    sizes = {path.relative_to(built_site).as_posix(): path.stat().st_size for path in built_site.rglob("index.html")}
    plain = sorted(
        size
        for path, size in sizes.items()
        if path.split("/")[0] not in ("models", "gpus", "lists", "fit", "accuracy") and path.count("/") > 1
    )
    assert plain[len(plain) // 2] < 30_000
    assert max(size for path, size in sizes.items() if path.startswith("models/") and path.count("/") > 1) < 110_000
    assert sizes["index.html"] < 40_000


@pytest.mark.parametrize(
    "collection",
    [
        "models",
        "families",
        "gpus",
        "frameworks",
        "rules",
        "quantizations",
        "notebooks",
        "resources",
        "lists",
        "concepts",
        "claims",
        "paths",
        "measurements",
        "providers",
    ],
)
def test_hostile_records_execute_nothing(collection: str, hostile_site: str, open_page: Open) -> None:
    for path in (f"{collection}/evil/one/", f"{collection}/"):
        page = open_page(hostile_site + path, viewport={"width": 390, "height": 844})
        page.mouse.move(200, 400)
        page.wait_for_timeout(150)
        assert page.evaluate("window.hits") == 0
        assert (
            page.evaluate("document.querySelectorAll('.lc :is([onclick], [onmouseover], img, script, [href^=\"javascript\" i])').length")
            == 0
        )
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, too_wide(page)
        assert "<script>" in page.locator("main").inner_text()


def test_hostile_titles_do_no_harm_in_search_results(hostile_site: str, open_page: Open) -> None:
    page = open_page(hostile_site)
    search_for(page, "javascript")
    assert page.evaluate("window.hits") == 0
    assert (
        page.evaluate(
            "document.querySelectorAll('.md-search-result img, .md-search-result script, .md-search-result [onmouseover]').length"
        )
        == 0
    )

"""The parts of a matrix: together all links, none twice, one host in one part, and of even size."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops_catalog.links.results import Link
from llmops_catalog.links.shard import BadShard, host_of, parse_shard, shard

HOSTS = st.sampled_from(["a.org", "b.org", "c.org", "github.com", "GitHub.com", "x.y.org", "[bad", "é.org"])
LINKS = st.lists(st.builds("https://{}/{}".format, HOSTS, st.integers(0, 30)), unique=True, max_size=60).map(
    lambda urls: [Link(url) for url in urls]
)


@given(LINKS, st.integers(1, 9))
def test_the_parts_are_all_links_and_none_twice(links: list[Link], count: int) -> None:
    parts = [shard(links, index, count) for index in range(1, count + 1)]
    assert sorted(link for part in parts for link in part) == sorted(links)
    assert all(list(part) == [link for link in links if link in set(part)] for part in parts)
    fair = -(-len(links) // count)
    assert max(map(len, parts)) <= 2 * fair


@given(LINKS, st.integers(1, 9), st.randoms())
def test_the_order_of_the_links_changes_nothing(links: list[Link], count: int, shuffling: random.Random) -> None:
    other = list(links)
    shuffling.shuffle(other)
    assert set(shard(links, 1, count)) == set(shard(other, 1, count))


@given(LINKS, st.integers(1, 9))
def test_a_host_is_in_one_part_unless_it_is_too_large(links: list[Link], count: int) -> None:
    sizes = Counter(host_of(link.url) for link in links)
    fair = -(-len(links) // count)
    parts = [{host_of(link.url) for link in shard(links, index, count)} for index in range(1, count + 1)]
    assert all(sum(host in part for part in parts) == 1 for host, size in sizes.items() if size <= fair)


def test_a_huge_host_is_cut_and_the_parts_are_even() -> None:
    links = [Link(f"https://github.com/{number}") for number in range(700)] + [Link(f"https://h{number}.org/") for number in range(300)]
    assert [len(shard(links, index, 4)) for index in range(1, 5)] == [250, 250, 250, 250]


def test_parse_shard() -> None:
    assert parse_shard("2/5") == (2, 5)
    assert parse_shard("1/1") == (1, 1)


@pytest.mark.parametrize(
    "text", ["", "5", "0/5", "6/5", "2/5/1", "-1/5", "a/b", "2/0", "1/1001", " 2/5", "2/5\n", "٢/٥", "1" * 5000 + "/2"]
)
def test_what_is_no_part_is_refused(text: str) -> None:
    with pytest.raises(BadShard, match="no part of a whole") as caught:
        parse_shard(text)
    assert caught.value.exit_code == 2
    assert len(caught.value.message) < 100

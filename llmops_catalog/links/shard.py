"""One large check split over the jobs of a matrix: by host, so that no site is asked by two jobs at once, and in even parts. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from hashlib import blake2b
from urllib.parse import urlsplit

from llmops_catalog.errors import CatalogError
from llmops_catalog.links.results import Link

MOST_SHARDS = 1000


class BadShard(CatalogError):
    """``--shard`` was not given as a part of a whole."""

    exit_code = 2


def parse_shard(text: str) -> tuple[int, int]:
    """``2/5`` as (2, 5): the second of five. Raises `BadShard`."""
    match = re.fullmatch(r"([0-9]{1,4})/([0-9]{1,4})", text)
    index, count = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= index <= count <= MOST_SHARDS:
        raise BadShard(f"{text[:40]!r} is no part of a whole", f"write 2/5 for the second of five, up to {MOST_SHARDS}")
    return index, count


def shard(links: Sequence[Link], index: int, count: int) -> tuple[Link, ...]:
    """Part `index` (from 1) of `count`: the parts together are all links, none twice, whatever order they come in.

    The largest hosts are dealt out first, each to the part that has the least so far; a host of more than a fair share is cut.
    """
    hosts: dict[str, list[str]] = defaultdict(list)
    for url in sorted({link.url for link in links}):
        hosts[host_of(url)].append(url)
    fair = -(-sum(map(len, hosts.values())) // count)
    pieces = [(host, urls[start : start + fair]) for host, urls in hosts.items() for start in range(0, len(urls), fair)]
    pieces.sort(key=lambda piece: (-len(piece[1]), blake2b(piece[0].encode("utf-8", "replace")).digest(), piece[1]))
    loads = [0] * count
    mine: set[str] = set()
    for _, urls in pieces:
        least = loads.index(min(loads))
        loads[least] += len(urls)
        if least == index - 1:
            mine.update(urls)
    return tuple(link for link in links if link.url in mine)


def host_of(url: str) -> str:
    """The host that is asked for `url`; the address itself where it has none."""
    try:
        return (urlsplit(url).hostname or url).rstrip(".")
    except ValueError:
        return url

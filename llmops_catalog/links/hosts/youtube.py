"""YouTube by its oEmbed answer: the page of a video that was removed has status 200 like every other one.

The endpoint: https://github.com/iamcal/oembed/blob/master/providers/youtube.yml.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import parse_qs, urlencode

from llmops_catalog.links.hosts import Ask, Settle
from llmops_catalog.links.hosts.asking import address, alive, each, gone, grouped, inside, limited, parsed, settling, walled
from llmops_catalog.links.results import Judgement

API = "https://www.youtube.com/oembed"
THUMBNAILS = "https://img.youtube.com/vi"
"""A picture for every video there is: https://github.com/lycheeverse/lychee/pull/232."""
SITES = ("youtube.com", "www.youtube.com", "m.youtube.com", "www.youtube-nocookie.com", "youtube-nocookie.com")

_VIDEO, _PLAYLIST = re.compile(r"[\w-]{11}", re.ASCII), re.compile(r"PL[\w-]{10,60}", re.ASCII)
_NO_VIDEOS = ("videoseries", "live_stream")
"""Words of eleven letters where an embedded player's address has the video."""
_REMOVED = "YouTube has no such video: it was removed, or the address is misspelled"
_ANOTHER_COPY, _LOOK = "link another copy of it, or drop the link", "open it once in a private window"


class Shown(NamedTuple):
    """The page to ask about: a video's, or else a playlist's."""

    page: str
    video: str | None


def shown(url: str) -> Shown | None:
    """The video or playlist a link leads to; None for channels and everything else. Never raises."""
    found = address(url)
    if not found or found.host not in (*SITES, "youtu.be") or not found.parts:
        return None
    asked = parse_qs(found.query)
    first, *rest = found.parts
    video = ""
    if found.host == "youtu.be":
        video = first
    elif first == "watch":
        video = asked.get("v", [""])[0]
    elif first in ("shorts", "embed", "live", "v") and rest:
        video = rest[0]
    if _VIDEO.fullmatch(video) and video not in _NO_VIDEOS:
        return Shown(f"https://www.youtube.com/watch?v={video}", video)
    playlist = asked.get("list", [""])[0]
    if first in ("playlist", "embed") and found.host != "youtu.be" and _PLAYLIST.fullmatch(playlist):
        return Shown(f"https://www.youtube.com/playlist?list={playlist}", None)
    return None


class YouTube:
    """Links to videos and playlists."""

    def __init__(self, api: str = API) -> None:
        self.api = api

    def claims(self, url: str) -> bool:
        return shown(url) is not None

    async def judge(self, urls: Sequence[str], ask: Ask, settle: Settle) -> None:
        async def one(item: tuple[Shown, list[str]], told: Settle) -> None:
            judgement = await self._judged(item[0], ask)
            for url in item[1]:
                told(url, judgement)

        async def look(told: Settle) -> None:
            await each(grouped(urls, shown).items(), lambda item: one(item, told))

        await settling(urls, settle, look)

    async def _judged(self, asked: Shown, ask: Ask) -> Judgement | None:
        """What oEmbed says of one video or playlist. What it refuses may well play on its own page, so a refusal proves nothing:

        401 where showing it elsewhere is switched off (https://github.com/extractus/oembed-extractor/issues/168), 403 for private ones
        (https://github.com/ruby-oembed/ruby-oembed/issues/79), 404 for removed ones (https://github.com/iamcal/oembed/issues/847).
        400 is said of identifiers that never existed, but could also be a complaint about the question: the picture decides.
        """
        answer = await ask(f"{self.api}?{urlencode({'format': 'json', 'url': asked.page})}")
        status = answer.status
        if status == 200:
            return alive() if isinstance(inside(parsed(answer), "title"), str) else None
        if status == 429:
            return limited("YouTube")
        if asked.video is None:
            return None
        if status == 401:
            reason = "the video's owner does not let other sites show it, so YouTube tells nothing about it"
            return Judgement("unknown", "blocked", reason, _LOOK)
        if status == 403:
            return walled("YouTube shows this video to some accounts only, or refuses this check", _LOOK)
        if status == 400:
            status = (await ask(f"{THUMBNAILS}/{asked.video}/0.jpg", method="HEAD")).status
        return gone(_REMOVED, _ANOTHER_COPY) if status == 404 else None

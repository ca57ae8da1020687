"""The small catalog with every address on one loopback host, for the tests of `check-links`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from commands import Answer, run_in
from misbehaving import World
from page_answers import FILE

HERE = ("--allow-address", "127.0.0.1")
FORMATS = ("text", "json", "junit", "sarif", "github", "markdown")
L4 = "gpus/nvidia/l4.yaml"
STANDING: dict[str, dict[str, Any]] = {
    "public": {}, "gated-accepted": {"gated": "auto", "asked": "accepted"}, "gated-not-requested": {"gated": "manual"},
    "gated-pending": {"gated": "manual", "asked": "pending"}, "gated-rejected": {"gated": "manual", "asked": "rejected"},
    "disabled": {"disabled": True}, "renamed": {"renamed_to": "new/name"},
}  # fmt: skip
"""Models of the double of the Hub, each called as its access is."""


class Site:
    """The small catalog with every address on one loopback host, where each answers with a file."""

    def __init__(self, catalog: Path, world: World, name: str = "127.0.0.1") -> None:
        self.catalog, self.host = catalog, world.host("everything")
        self.host.otherwise = FILE
        self.host.netloc = self.host.netloc.replace("127.0.0.1", name)
        for file in catalog.rglob("*.yaml"):
            text = re.sub(r"https?://([^\s\"'}\],]+)", lambda found: self.host.url(f"/{found[1].rstrip('/')}"), file.read_text())
            file.write_text(text)

    def edit(self, path: str, old: str, new: str) -> None:
        file = self.catalog / path
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    def check(self, *options: str, **environment: str) -> Answer:
        return run_in(self.catalog, "check-links", "--no-hub", *HERE, *options, **environment)


def check(*options: str, **environment: str) -> Answer:
    """Without a catalog."""
    return run_in(None, "check-links", "--no-hub", *HERE, *options, **environment)


def models_of(site: Site, names: list[str]) -> None:
    """Only these models, each called as its access is."""
    template = (site.catalog / "models/qwen/qwen3-8b.yaml").read_text()
    for file in (site.catalog / "models").rglob("*.yaml"):
        file.unlink()
    for name in names:
        (site.catalog / "models/org").mkdir(exist_ok=True)
        (site.catalog / f"models/org/{name}.yaml").write_text(template.replace("Qwen/Qwen3-8B", f"org/{name}"))

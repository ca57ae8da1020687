"""Model records, and what the check says of them against the double of the Hub."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from hub_double import HubDouble
from plain_http import plain_ask

from llmops_catalog.links.hub_access import HubEndpoint, ModelRecord, check_models
from llmops_catalog.links.results import ModelResult, Place

PLACE = Place("catalog/models/a/b.yaml", 3, 9, "hub_id")
GATED_PLACE = Place("catalog/models/a/b.yaml", 7, 16, "gated.mode")


def record(hub_id: str = "a/b", gated: str | None = None, **facts: Any) -> ModelRecord:
    return ModelRecord(hub_id, PLACE, gated, GATED_PLACE if gated else None, **facts)


def check(
    hub: HubDouble, models: Sequence[ModelRecord], token: str | None = None, drift: bool = False
) -> tuple[tuple[ModelResult, ...], tuple[str, ...]]:
    return asyncio.run(check_models(models, plain_ask, HubEndpoint(hub.url, token), drift))


def one(hub: HubDouble, gated: str | None = None, token: str | None = None, hub_id: str = "a/b") -> ModelResult:
    return check(hub, [record(hub_id, gated)], token)[0][0]

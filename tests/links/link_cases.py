"""The table: every case of every family, and the hosts that serve them."""

from __future__ import annotations

from types import ModuleType

import cases_of_addresses
import cases_of_anchors
import cases_of_destinations
import cases_of_limits
import cases_of_names
import cases_of_redirects
import cases_of_statuses
import cases_of_walls
import cases_of_wires
from certificates import Certificates
from link_case import Case, Setting
from misbehaving import World, has_ipv6
from page_answers import NOT_FOUND, page

FAMILIES: tuple[ModuleType, ...] = (
    cases_of_statuses, cases_of_redirects, cases_of_destinations, cases_of_addresses, cases_of_wires,
    cases_of_limits, cases_of_walls, cases_of_anchors, cases_of_names,
)  # fmt: skip
CANARY = "canary"


def table(certificates: Certificates | None) -> tuple[World, list[Case]]:
    """All cases, and the world they live in; without certificates no socket is opened, which is enough for their names."""
    real = certificates is not None
    world, ipv6 = World(NOT_FOUND, real=real), has_ipv6()
    canary = world.host(CANARY, address="0.0.0.0")  # noqa: S104 - it has to hear every address of this machine
    canary.otherwise = page()
    if ipv6:
        world.host(f"{CANARY} of IPv6", address="::", port=canary.port if real else 0).otherwise = page()
    setting = Setting(world, canary, certificates.contexts if certificates else {}, ipv6)
    return world, [case for family in FAMILIES for case in family.cases(setting)]

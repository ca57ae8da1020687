"""What one `check-links` is about: the addresses given, else those of the catalog with its models, within what the options allow."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmops_catalog.cli.arguments import UsageError

if TYPE_CHECKING:
    from llmops_catalog.links.hub_client import HubClient
    from llmops_catalog.links.hub_drift import ModelRecord
    from llmops_catalog.links.limits import Settings
    from llmops_catalog.links.results import Link
    from llmops_catalog.links.run import Plan
    from llmops_catalog.links.state import State

LARGEST_LIST_BYTES = 64 * 2**20


def settings_of(options: Any) -> Settings:
    """The limits and permissions the options set."""
    from llmops_catalog.links.limits import Settings

    return Settings(options.concurrency, options.per_host, options.timeout, options.deadline, tuple(options.allow_address))


def plan_of(folder: str | None, options: Any, state: State | None) -> Plan:
    """What to check: the addresses given, else those of the catalog with its models."""
    from llmops_catalog.links.hosts.registry import adapters
    from llmops_catalog.links.hub_client import HubClient, HubEndpoint
    from llmops_catalog.links.run import Plan

    hub = HubEndpoint.from_environment()
    client = HubClient(hub)
    plan = Plan((), settings_of(options), state=state, drift=options.drift, archive=options.archive, named_places=_named_places(hub.url))
    plan = plan._replace(adapters=[one for one in adapters(hub, client) if not (options.no_hub and type(one).__name__ == "HuggingFace")])
    if options.url or options.urls_from:
        if options.paths or options.changed_since or options.fix:
            raise UsageError("--url and --urls-from are instead of the catalog: PATH, --changed-since and --fix do not go with them")
        plan = plan._replace(links=_given(options))
    else:
        plan = _of_catalog(plan, folder, options, None if options.no_hub else client)
    if options.shard:
        from llmops_catalog.links.shard import parse_shard, shard

        index, count = parse_shard(options.shard)
        plan = plan._replace(links=shard(plan.links, index, count), models=plan.models[index - 1 :: count])
    return plan


def _named_places(hub_url: str) -> tuple[str, ...]:
    """Where the environment says an API is: these may lie in a private network."""
    from llmops_catalog.errors import WrongSetting
    from llmops_catalog.links.target import BadAddress, parse_target

    named = {"HF_ENDPOINT": hub_url, "GITHUB_API_URL": os.environ.get("GITHUB_API_URL", "").strip()}
    places = {name: place for name, place in named.items() if os.environ.get(name, "").strip()}
    for name, place in places.items():
        try:
            parse_target(place)
        except BadAddress as error:
            raise WrongSetting(f"{name} is {place[:80]!r}: {error.reason}", "write the whole address of an API, or unset it") from None
    return tuple(places.values())


def _of_catalog(plan: Plan, folder: str | None, options: Any, client: HubClient | None) -> Plan:
    from datetime import UTC, datetime

    from llmops_catalog.catalog import catalog_folder
    from llmops_catalog.catalog.folder import read_folder
    from llmops_catalog.catalog.load import load_records
    from llmops_catalog.cli.validate import below, inside
    from llmops_catalog.links.changed import only_changed
    from llmops_catalog.links.collect import collect
    from llmops_catalog.links.exceptions import load_exceptions
    from llmops_catalog.links.hub_drift import model_records

    root = catalog_folder(folder).absolute()
    wanted = [below(root, path) for path in options.paths]
    found = collect(root, wanted, own_machine=bool(options.allow_address))
    links = only_changed(found.links, options.changed_since, root) if options.changed_since else found.links
    files, them = ("1 file", "it") if found.unreadable == 1 else (f"{found.unreadable:,} files", "them")
    notes = (f"{files} could not be read, and no link in {them} was checked: run 'llmops-catalog validate'",) if found.unreadable else ()
    exceptions = load_exceptions(root)
    problems = exceptions.expired(datetime.now(UTC).date().isoformat())
    if not wanted and not options.changed_since:
        problems += exceptions.unused(link.url for link in links)
    models: tuple[ModelRecord, ...] = ()
    if client is not None:
        models = tuple(model for model in model_records(load_records(read_folder(root)).records) if inside(model.place.path, wanted))
        if options.changed_since:
            changed = {place.path for link in links for place in link.places}
            models = tuple(model for model in models if model.place.path in changed)
    return plan._replace(links=links, models=models, hub=client, exceptions=exceptions, problems=problems, notes=notes)


def _given(options: Any) -> tuple[Link, ...]:
    """The addresses of `--url` and `--urls-from`, each once."""
    from llmops_catalog.links.results import Link, Place

    places: dict[str, list[Place]] = {url.strip(): [] for url in options.url}
    if options.urls_from:
        for number, line in enumerate(_lines(options.urls_from), start=1):
            url = line.strip()
            if url and not url.startswith("#"):
                places.setdefault(url, []).append(Place(options.urls_from, number, 1 + line.index(url[0]), ""))
    return tuple(Link(url, tuple(at)) for url, at in places.items() if url)


def _lines(name: str) -> list[str]:
    try:
        if name == "-":
            raw = sys.stdin.buffer.read(LARGEST_LIST_BYTES + 1)
        else:
            with Path(name).open("rb") as file:
                raw = file.read(LARGEST_LIST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"cannot read {name!r}: {error.strerror}") from None
    if len(raw) > LARGEST_LIST_BYTES:
        raise UsageError(f"{name!r} is larger than {LARGEST_LIST_BYTES // 2**20} MiB")
    return raw.decode("utf-8-sig", "replace").split("\n")

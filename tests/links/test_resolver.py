"""From a name to addresses: asked once, every answer checked, and a name server that hangs or lies changes nothing for others."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from ipaddress import IPv4Address, ip_address

import pytest
from misbehaving import Host
from page_answers import page
from raw_server import LOOPBACK, SETTINGS, request, with_fetcher

from llmops_catalog.links.addresses import parse_network
from llmops_catalog.links.exchange import NoAnswer, Trouble
from llmops_catalog.links.limits import Budget
from llmops_catalog.links.resolver import CONTROL_HOSTS, Resolver

PUBLIC, OTHER, PRIVATE, METADATA = "93.184.215.14", "1.1.1.1", "10.0.0.1", "169.254.169.254"
UNSPECIFIED = str(IPv4Address(0))
UNKNOWN_NAME = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
TRY_AGAIN = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
NO_ADDRESS = socket.gaierror(getattr(socket, "EAI_NODATA", socket.EAI_NONAME), "No address associated with hostname")


class Names:
    """Answers in turn; the last one for ever. An exception is raised. Names that are not known do not exist."""

    def __init__(self, **known: Sequence[Sequence[str] | Exception]) -> None:
        self.known = {name.replace("_", "."): list(answers) for name, answers in known.items()}
        self.asked: list[str] = []

    def __call__(self, host: str) -> Sequence[str]:
        self.asked.append(host)
        answers = self.known.get(host, [UNKNOWN_NAME])
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def looked_up(names: Names, *hosts: str, allowed: str | None = None) -> list[list[str] | Trouble]:
    resolver = Resolver([parse_network(allowed)] if allowed else (), names)

    async def one(host: str) -> list[str] | Trouble:
        try:
            return [str(address) for address in await resolver.addresses(host)]
        except NoAnswer as error:
            return error.trouble

    async def run() -> list[list[str] | Trouble]:
        return [await one(host) for host in hosts]

    return asyncio.run(run())


def kind(found: list[str] | Trouble) -> str:
    assert isinstance(found, Trouble), found
    assert len(found.sentence) < 300
    return found.kind


def test_an_answer_that_changes_is_not_seen_within_its_time() -> None:
    names = Names(rebinding_org=[[PUBLIC], [PRIVATE]])
    assert looked_up(names, *["rebinding.org"] * 3) == [[PUBLIC]] * 3
    assert names.asked == ["rebinding.org"]


def test_an_answer_is_asked_for_again_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmops_catalog.links.resolver.KEPT_SECONDS", -1.0)
    first, second = looked_up(Names(rebinding_org=[[PUBLIC], [METADATA]]), *["rebinding.org"] * 2)
    assert first == [PUBLIC]
    assert kind(second) == "forbidden-address"


@pytest.mark.parametrize(
    "private", [PRIVATE, METADATA, "127.0.0.1", "::1", "::ffff:10.0.0.1", "fd00::1", UNSPECIFIED, "fe80::1%eth0", "fe80::1"]
)
def test_of_mixed_answers_only_the_permitted_ones_are_used(private: str) -> None:
    assert looked_up(Names(mixed_org=[[private, PUBLIC, private]]), "mixed.org") == [[PUBLIC]]
    (alone,) = looked_up(Names(alone_org=[[private]]), "alone.org")
    assert kind(alone) == "forbidden-address"


def test_ipv4_comes_first_and_the_order_stays() -> None:
    answer = ["2606:4700::1111", PUBLIC, "2606:4700::1001", OTHER]
    assert looked_up(Names(both_org=[answer]), "both.org") == [[PUBLIC, OTHER, "2606:4700::1111", "2606:4700::1001"]]


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "0x7f.1", "2130706433", "017700000001", "127.1", "[::1]", "[::ffff:127.0.0.1]", "0", "10.1", "0xa9fea9fe"]
)
def test_an_address_is_never_looked_up(host: str) -> None:
    names = Names()
    (found,) = looked_up(names, host)
    assert kind(found) == "forbidden-address"
    assert names.asked == []


@pytest.mark.parametrize("host", ["0x5db8d70e", "93.184.55054", "0135.0270.0327.016", "93.184.215.14."])
def test_a_public_address_in_an_odd_spelling_is_refused_unless_it_is_allowed(host: str) -> None:
    (found,) = looked_up(Names(), host)
    assert kind(found) == "forbidden-address"
    assert looked_up(Names(), host, allowed=PUBLIC) == [[PUBLIC]]
    assert looked_up(Names(), PUBLIC) == [[PUBLIC]]


@pytest.mark.parametrize("host", ["localhost", "a.localhost", "a.b.localhost"])
def test_localhost_is_this_machine(host: str) -> None:
    for names in (Names(), Names(**{host.replace(".", "_"): [["127.0.0.1", "::1"]]})):
        (found,) = looked_up(names, host)
        assert kind(found) == "forbidden-address"
    assert looked_up(Names(), host, allowed="127.0.0.1") == [["127.0.0.1"]]


def test_the_addresses_of_localhost_are_this_machines() -> None:
    """Whatever a server says (RFC 6761, 6.3)."""
    assert looked_up(Names(localhost=[[PUBLIC]]), "localhost", allowed="127.0.0.1") == [["127.0.0.1"]]


@pytest.mark.parametrize("host", ["localhost.example.net", "notlocalhost", "xlocalhost"])
def test_names_that_only_look_like_localhost(host: str) -> None:
    assert looked_up(Names(**{host.replace(".", "_"): [[PUBLIC]]}), host) == [[PUBLIC]]


@pytest.mark.parametrize("host", ["nothing.invalid", "a.b.test", "www.example", "invalid"])
def test_reserved_names_do_not_exist_even_where_nothing_is_resolved(host: str) -> None:
    names = Names(**{host.replace(".", "_"): [TRY_AGAIN]})
    (found,) = looked_up(names, host)
    assert kind(found) == "no-such-host"
    assert names.asked == [host]


def test_names_with_no_address_are_told_so() -> None:
    (found,) = looked_up(Names(nothing_invalid=[NO_ADDRESS]), "nothing.invalid")
    assert kind(found) == "no-such-host"


def test_a_name_that_does_not_exist_is_proof_where_others_do() -> None:
    names = Names(github_com=[[PUBLIC]])
    assert [kind(found) for found in looked_up(names, "gone.org", "also-gone.org")] == ["no-such-host"] * 2
    assert names.asked.count("github.com") == 1


def test_a_name_that_does_not_exist_proves_nothing_without_a_network() -> None:
    names = Names()
    assert [kind(found) for found in looked_up(names, "gone.org", "also-gone.org")] == ["no-network"] * 2
    assert all(names.asked.count(host) == 1 for host in CONTROL_HOSTS)


def test_one_name_that_is_found_shows_that_the_resolver_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmops_catalog.links.resolver.FAILURE_KEPT_SECONDS", -1.0)
    names = Names(there_org=[[PUBLIC]])
    found = looked_up(names, "gone.org", "there.org", "gone.org")
    assert [kind(found[0]), found[1], kind(found[2])] == ["no-network", [PUBLIC], "no-such-host"]


@pytest.mark.parametrize(
    "error",
    [TRY_AGAIN, socket.gaierror(socket.EAI_FAIL, "x"), socket.gaierror(socket.EAI_SYSTEM, "x"), UnicodeError("label too long"),
     OSError(24, "Too many open files")],
)  # fmt: skip
def test_a_resolver_in_trouble_proves_nothing(error: Exception) -> None:
    (found,) = looked_up(Names(github_com=[[PUBLIC]], there_org=[error]), "there.org")
    assert kind(found) == "resolver"


def test_what_failed_once_is_asked_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmops_catalog.links.resolver.FAILURE_KEPT_SECONDS", -1.0)
    names = Names(there_org=[TRY_AGAIN, [PUBLIC], TRY_AGAIN])
    found = looked_up(names, *["there.org"] * 3)
    assert [kind(found[0]), *found[1:]] == ["resolver", [PUBLIC], [PUBLIC]]
    assert len(names.asked) == 2


def test_what_failed_twice_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmops_catalog.links.resolver.FAILURE_KEPT_SECONDS", -1.0)
    names = Names(github_com=[[PUBLIC]])
    assert [kind(found) for found in looked_up(names, *["gone.org"] * 5)] == ["no-such-host"] * 5
    assert names.asked.count("gone.org") == 2


def test_what_failed_just_now_is_not_asked_again_at_once() -> None:
    names = Names(there_org=[TRY_AGAIN, [PUBLIC]])
    assert [kind(found) for found in looked_up(names, *["there.org"] * 3)] == ["resolver"] * 3
    assert names.asked == ["there.org"]


def test_who_waits_for_the_same_name_shares_one_look_up() -> None:
    """Also where the first of them gives up."""
    asked = []

    def lookup(host: str) -> list[str]:
        asked.append(host)
        release.wait(10)
        return [PUBLIC]

    async def run() -> list[object]:
        resolver = Resolver((), lookup)
        waiting = [asyncio.create_task(resolver.addresses("there.org")) for _ in range(10)]
        await asyncio.sleep(0.02)
        waiting[0].cancel()
        release.set()
        return await asyncio.gather(*waiting, return_exceptions=True)

    release = threading.Event()
    first, *others = asyncio.run(run())
    assert isinstance(first, asyncio.CancelledError)
    assert others == [(ip_address(PUBLIC),)] * 9
    assert asked == ["there.org"]


def test_an_empty_answer_is_none() -> None:
    (found,) = looked_up(Names(empty_org=[[]]), "empty.org")
    assert kind(found) == "resolver"


def test_a_hanging_look_up_does_not_hold_others_up() -> None:
    release = threading.Event()

    def lookup(host: str) -> list[str]:
        if host.startswith("slow"):
            release.wait(10)
        return [PUBLIC]

    async def run() -> None:
        resolver = Resolver((), lookup)
        hanging = [asyncio.create_task(resolver.addresses(f"slow{number}.org")) for number in range(8)]
        await asyncio.sleep(0.05)
        for number in range(20):
            async with asyncio.timeout(5):
                assert await resolver.addresses(f"quick{number}.org") == (ip_address(PUBLIC),)
        assert not any(task.done() for task in hanging)
        hanging[0].cancel()
        release.set()
        ended = await asyncio.gather(*hanging, return_exceptions=True)
        assert isinstance(ended[0], asyncio.CancelledError)
        assert ended[1:] == [(ip_address(PUBLIC),)] * 7

    asyncio.run(run())


def test_look_ups_that_hang_hold_up_only_who_asked() -> None:
    """Also when those who asked have given up meanwhile."""
    release = threading.Event()

    def lookup(name: str) -> list[str]:
        if name.startswith("slow"):
            release.wait(10)
        return [PUBLIC]

    async def run() -> None:
        resolver = Resolver((), lookup)
        hanging = [asyncio.create_task(resolver.addresses(f"slow{number}.org")) for number in range(60)]
        await asyncio.sleep(0.05)
        for task in hanging:
            task.cancel()
        await asyncio.gather(*hanging, return_exceptions=True)
        try:
            async with asyncio.timeout(3):
                assert await resolver.addresses("quick.org")
        finally:
            release.set()

    asyncio.run(run())


def test_a_hanging_look_up_does_not_keep_the_program_from_ending() -> None:
    program = """
import asyncio, time
from llmops_catalog.links.resolver import Resolver
async def run():
    try:
        async with asyncio.timeout(0.05):
            await Resolver((), lambda host: time.sleep(60)).addresses("slow.org")
    except TimeoutError:
        print("gave up")
asyncio.run(run())
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=20, check=True)
    assert (ran.stdout, ran.stderr) == ("gave up\n", "")


# --- together with the connection -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def host(host: Host) -> Host:
    """The one of this file, with a page."""
    host.page("/there", page())
    return host


def asked_by_name(host: Host, names: Names, times: int, fresh: bool) -> list[str]:
    async def work(fetcher: object) -> list[str]:
        url = f"http://there.org:{host.port}/there"
        return [(await fetcher.hop(request(url, fresh=fresh), Budget(5))).address for _ in range(times)]  # type: ignore[attr-defined]

    return with_fetcher(work, SETTINGS, Resolver(LOOPBACK, names))  # type: ignore[arg-type]


@pytest.mark.parametrize("fresh", [False, True])
def test_what_was_checked_is_what_is_connected_to(host: Host, fresh: bool) -> None:
    """The second answer, a forbidden address, is never asked for."""
    names = Names(there_org=[["127.0.0.1"], [METADATA]])
    assert asked_by_name(host, names, 3, fresh) == ["127.0.0.1"] * 3
    assert names.asked == ["there.org"]
    assert {seen.headers["host"] for seen in host.seen} == {f"there.org:{host.port}"}


def test_a_forbidden_address_beside_a_permitted_one_is_not_tried(host: Host) -> None:
    """Nobody listens at the first address; if it were tried, the connection would be refused first."""
    assert asked_by_name(host, Names(there_org=[["127.0.0.9", "10.0.0.1", "127.0.0.1"]]), 1, True) == ["127.0.0.1"]


def test_a_name_that_leads_to_a_forbidden_address_is_not_connected_to(host: Host) -> None:
    before = host.connections
    with pytest.raises(NoAnswer) as caught:
        asked_by_name(host, Names(there_org=[["127.0.0.2", "::ffff:127.0.0.3", UNSPECIFIED]]), 1, True)
    assert caught.value.trouble.kind == "forbidden-address"
    assert host.connections == before

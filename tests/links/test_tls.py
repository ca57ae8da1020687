"""Encrypted hosts: a bad certificate is proof, what browsers put up with is not, and nothing is asked of a host nobody can vouch for."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from certificates import LEAVES, Certificates, Leaf, issue, section, written
from misbehaving import Host, Wire, World
from page_answers import NOT_FOUND, page
from raw_server import fetched, trouble_of

from llmops_catalog.links import tls

BAD = ("expired", "expired long ago", "not yet valid", "of another name", "of another address", "of localhost only", "with a wildcard",
       "without names", "of an unknown authority", "self-signed", "by a missing middle")  # fmt: skip
GOOD = ("good", "with its middle", "of TLS 1.2")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return written(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def hosts(certificates: Certificates) -> Iterator[dict[str, Host]]:
    async def gives_up(wire: Wire) -> None:
        """The handshake gets no answer but the end."""
        await wire.take()

    async def talks_http(wire: Wire) -> None:
        await wire.take()
        await wire.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    async def resets(wire: Wire) -> None:
        wire.reset()

    async def is_silent(wire: Wire) -> None:
        await wire.wait_for_hang_up()

    with World(NOT_FOUND) as world:
        for name, context in certificates.contexts.items():
            world.host(name, tls=context).page("/there", page())
        for greeting in (gives_up, talks_http, resets, is_silent):
            world.host(greeting.__name__, secure=True, greeting=greeting)
        world.start()
        yield world.hosts


@pytest.fixture(autouse=True)
def trusted(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority))
    tls.trusting.cache_clear()
    yield
    tls.trusting.cache_clear()


def test_every_certificate_is_either_good_or_bad(certificates: Certificates) -> None:
    assert {*BAD, *GOOD} == certificates.contexts.keys()
    assert {*LEAVES} - {"middle"} < certificates.contexts.keys()


@pytest.mark.parametrize("name", GOOD)
def test_good_certificates(hosts: dict[str, Host], name: str) -> None:
    hop = fetched(hosts[name].url("/there"))
    assert (hop.status, hop.address) == (200, "127.0.0.1")


def test_the_name_in_the_address_is_what_counts(hosts: dict[str, Host]) -> None:
    port = hosts["of localhost only"].port
    assert fetched(f"https://localhost:{port}/there").status == 200


@pytest.mark.parametrize("name", BAD)
def test_bad_certificates_are_proof_and_nothing_is_asked(hosts: dict[str, Host], name: str) -> None:
    before = len(hosts[name].seen)
    trouble = trouble_of(hosts[name].url("/there"))
    assert trouble.kind == "certificate", trouble
    assert trouble.sentence.startswith("its certificate is not valid: ")
    assert len(hosts[name].seen) == before


@pytest.mark.parametrize(
    ("name", "kinds"), [("gives_up", {"tls"}), ("talks_http", {"tls"}), ("resets", {"tls", "reset"}), ("is_silent", {"timeout"})]
)
def test_handshakes_that_fail_are_no_bad_certificates(hosts: dict[str, Host], name: str, kinds: set[str]) -> None:
    assert trouble_of(hosts[name].url("/there"), seconds=0.3 if name == "is_silent" else 5).kind in kinds


def test_an_old_protocol_is_no_bad_certificate(certificates: Certificates, hosts: dict[str, Host]) -> None:
    """The only way left to break: a server that speaks no cipher we do."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.authority.parent / "good.pem", certificates.authority.parent / "leaf.key")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AES128-SHA256:@SECLEVEL=0")
    with World(NOT_FOUND) as world:
        host = world.host("old", tls=context)
        world.start()
        assert trouble_of(host.url("/")).kind == "tls"


def test_plain_http_to_an_encrypted_port_is_no_answer(hosts: dict[str, Host]) -> None:
    trouble = trouble_of(f"http://127.0.0.1:{hosts['good'].port}/there")
    assert trouble.kind in ("protocol", "reset")


@pytest.fixture(scope="module")
def with_issuer_address(certificates: Certificates) -> Path:
    """A certificate of a missing middle that says where the middle is found, as public authorities' do."""
    folder = certificates.authority.parent
    name = "says where its issuer is"
    names = "IP:127.0.0.1\nauthorityInfoAccess = caIssuers;URI:http://middle.invalid/ca.crt"
    with (folder / "openssl.cnf").open("a") as configuration:
        configuration.write(
            f"\n[{section(name)}]\nbasicConstraints = critical, CA:FALSE\nkeyUsage = critical, digitalSignature\nsubjectAltName = {names}\n"
        )
    issue(folder, name, Leaf(signed_by="middle"))
    return folder / f"{name}.pem"


def test_a_chain_that_browsers_complete_is_no_proof(certificates: Certificates, with_issuer_address: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(with_issuer_address, certificates.authority.parent / "leaf.key")
    with World(NOT_FOUND) as world:
        host = world.host("incomplete", tls=context)
        world.start()
        assert trouble_of(host.url("/")).kind == "incomplete-chain"
        assert host.seen == []


def test_only_to_look_is_everybody_trusted() -> None:
    trusting, looking = tls.trusting(), tls.looking()
    assert trusting.verify_mode is ssl.CERT_REQUIRED
    assert trusting.check_hostname
    assert looking.verify_mode is ssl.CERT_NONE
    assert trusting.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_mozillas_authorities_are_trusted_beside_those_of_the_system() -> None:
    assert len(tls.trusting().get_ca_certs()) > 100
    assert any(dict(part[0] for part in entry["subject"]).get("commonName") == "test authority" for entry in tls.trusting().get_ca_certs())

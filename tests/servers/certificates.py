"""Certificates good and bad for loopback hosts, written by the `openssl` command when a test starts: no key lies in the repository."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path
from typing import NamedTuple

CONFIGURATION = """
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[issue]
dir = {folder}
database = {folder}/index.txt
new_certs_dir = {folder}
rand_serial = yes
default_md = sha256
unique_subject = no
policy = any
[any]
commonName = supplied
"""
LEAF = """
[{section}]
basicConstraints = critical, CA:{is_authority}
keyUsage = critical, digitalSignature{signs}
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
{names}
"""
SINCE, UNTIL = "20200101000000Z", "20490101000000Z"


class Leaf(NamedTuple):
    """How one certificate differs from a good one for 127.0.0.1."""

    names: str = "IP:127.0.0.1,IP:0:0:0:0:0:0:0:1,DNS:localhost"
    since: str = SINCE
    until: str = UNTIL
    signed_by: str = "authority"
    is_authority: bool = False


LEAVES = {
    "good": Leaf(),
    "expired": Leaf(until="20210101000000Z"),
    "expired long ago": Leaf(since="20010101000000Z", until="20020101000000Z"),
    "not yet valid": Leaf(since="20480101000000Z"),
    "of another name": Leaf(names="DNS:example.org"),
    "of another address": Leaf(names="IP:127.0.0.77"),
    "of localhost only": Leaf(names="DNS:localhost"),
    "with a wildcard": Leaf(names="DNS:*.example.org"),
    "without names": Leaf(names=""),
    "of an unknown authority": Leaf(signed_by="stranger"),
    "middle": Leaf(names="", is_authority=True),
    "by a missing middle": Leaf(signed_by="middle"),
}


class Certificates(NamedTuple):
    """The file for SSL_CERT_FILE, and a server's context for each kind (`LEAVES`, and `self-signed`, `with its middle`, `of TLS 1.2`)."""

    authority: Path
    contexts: dict[str, ssl.SSLContext]


def written(folder: Path) -> Certificates:
    """Two authorities, one key, and a certificate of each kind."""
    sections = [
        LEAF.format(
            section=section(name),
            is_authority=str(leaf.is_authority).upper(),
            signs=", keyCertSign" if leaf.is_authority else "",
            names=f"subjectAltName = {leaf.names}" if leaf.names else "",
        )
        for name, leaf in LEAVES.items()
    ]
    (folder / "openssl.cnf").write_text(CONFIGURATION.format(folder=folder) + "".join(sections))
    (folder / "index.txt").touch()
    for authority in ("authority", "stranger"):
        self_signed(folder, authority, f"/CN=test {authority}", "authority")
    self_signed(folder, "self-signed", "/CN=127.0.0.1", section("good"))
    openssl(folder, "req", "-new", *new_key(folder, "leaf"), "-subj", "/CN=127.0.0.1", "-out", f"{folder}/leaf.csr")
    (folder / "middle.key").write_bytes((folder / "leaf.key").read_bytes())
    for name, leaf in LEAVES.items():
        issue(folder, name, leaf)
    contexts = {name: server(folder / f"{name}.pem", folder / "leaf.key") for name in LEAVES if name != "middle"}
    contexts["self-signed"] = server(folder / "self-signed.pem", folder / "self-signed.key")
    chain = folder / "chain.pem"
    chain.write_bytes((folder / "by a missing middle.pem").read_bytes() + (folder / "middle.pem").read_bytes())
    contexts["with its middle"] = server(chain, folder / "leaf.key")
    contexts["of TLS 1.2"] = server(folder / "good.pem", folder / "leaf.key")
    contexts["of TLS 1.2"].maximum_version = ssl.TLSVersion.TLSv1_2
    return Certificates(folder / "authority.pem", contexts)


def section(name: str) -> str:
    return "leaf_" + name.replace(" ", "_")


def new_key(folder: Path, name: str) -> list[str]:
    return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{folder}/{name}.key"]


def self_signed(folder: Path, name: str, subject: str, extensions: str) -> None:
    out = ["-subj", subject, "-days", "3650", "-extensions", extensions, "-out", f"{folder}/{name}.pem"]
    openssl(folder, "req", "-x509", *new_key(folder, name), *out)


def issue(folder: Path, name: str, leaf: Leaf) -> None:
    """All leaves share one key and request; what differs is the section of extensions, the dates and who signs."""
    signer = ["-cert", f"{folder}/{leaf.signed_by}.pem", "-keyfile", f"{folder}/{leaf.signed_by}.key"]
    dates = ["-startdate", leaf.since, "-enddate", leaf.until]
    subject = ["-subj", "/CN=test middle"] if leaf.is_authority else []
    request = ["-in", f"{folder}/leaf.csr", "-out", f"{folder}/{name}.pem", "-extensions", section(name)]
    openssl(folder, "ca", "-batch", "-notext", "-name", "issue", *signer, *dates, *subject, *request)


def openssl(folder: Path, command: str, *arguments: str) -> None:
    """The command every Debian has; what it says is shown only where it fails."""
    ran = subprocess.run(
        ["openssl", command, "-config", f"{folder}/openssl.cnf", *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, f"openssl {command}: {ran.stderr}"


def server(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context

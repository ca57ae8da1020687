"""Certificates: whom to trust, and what a refused one proves."""

from __future__ import annotations

import asyncio
import ssl
from functools import cache

from llmops_catalog.links.exchange import Trouble

_ISSUER_ADDRESS = bytes.fromhex("06082b06010505073002")
"""The object identifier id-ad-caIssuers (RFC 5280, 4.2.2.1) as it stands in a certificate: it says where the issuer's own is found."""
_UNKNOWN_ISSUER = frozenset({20, 21})
"""OpenSSL: unable to get local issuer certificate, unable to verify the first certificate
(https://docs.openssl.org/3.0/man1/openssl-verification-options/)."""


@cache
def trusting() -> ssl.SSLContext:
    """The system's authorities (or those of SSL_CERT_FILE) and Mozilla's: a machine without a list of its own sees no dead links."""
    import certifi

    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # stricter than browsers: it refuses authorities that readers trust
    context.set_alpn_protocols(["http/1.1"])
    return context


@cache
def looking() -> ssl.SSLContext:
    """Trusts everybody: only to look at a certificate that was refused, never to send a request."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def why_refused(error: ssl.SSLError, address: str, port: int, host: str) -> Trouble:
    """What a failed handshake proves: a bad certificate is proof, an incomplete chain (browsers complete it) and anything else is not."""
    if not isinstance(error, ssl.SSLCertVerificationError):
        return Trouble("tls", f"no encrypted connection could be agreed on ({error.reason or 'handshake failed'})")
    if error.verify_code in _UNKNOWN_ISSUER and _ISSUER_ADDRESS in await _certificate(address, port, host):
        return Trouble("incomplete-chain", "the server does not send the whole chain of its certificate; browsers fetch what is missing")
    return Trouble("certificate", f"its certificate is not valid: {(error.verify_message or 'verification failed').rstrip('.')}")


async def _certificate(address: str, port: int, host: str) -> bytes:
    """The server's own certificate as it came, or nothing."""
    try:
        _, writer = await asyncio.open_connection(address, port, ssl=looking(), server_hostname=host)
    except (OSError, ssl.SSLError):
        return b""
    try:
        return writer.get_extra_info("ssl_object").getpeercert(binary_form=True) or b""
    finally:
        writer.transport.abort()

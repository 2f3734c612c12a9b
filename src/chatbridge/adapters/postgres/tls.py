"""TLS to a database, as its URL wishes it, in asyncpg's terms."""

import ssl
from dataclasses import dataclass
from typing import Any

VERIFYING = {"verify-ca", "verify-full"}
_PROTOCOLS = {f"tlsv1.{minor}": ssl.TLSVersion[f"TLSv1_{minor}"] for minor in (2, 3)}


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsWish:
    """What a URL says of TLS; `local` is whether all of its hosts are this machine."""

    mode: str
    local: bool
    direct: bool
    root: str | None
    certificate: str | None
    key: str | None
    key_password: str | None
    revoked: str | None
    lowest: ssl.TLSVersion | None


# Python refuses what is older than 1.2 by itself.
def lowest_protocol(given: str) -> ssl.TLSVersion | None:
    """The lowest version that may be spoken, if that is not Python's own. Raises ValueError."""
    if given.lower() in ("", "tlsv1", "tlsv1.1", "tlsv1.2"):
        return None
    if given.lower() not in _PROTOCOLS:
        raise ValueError("unknown ssl_min_protocol_version in the database URL: TLSv1.2 or TLSv1.3")
    return _PROTOCOLS[given.lower()]


def tls_arguments(wish: TlsWish) -> dict[str, Any]:
    """The arguments of a connect. Raises ValueError for what can't be read, or be had."""
    arguments: dict[str, Any] = {"direct_tls": True} if wish.direct else {}
    if wish.lowest and wish.mode == "disable":
        raise ValueError("ssl_min_protocol_version needs TLS, but sslmode is disable")
    if wish.mode in VERIFYING or wish.certificate or wish.lowest:
        return arguments | {"ssl": _context(wish)}
    if wish.mode == "disable" or (wish.local and not wish.mode):
        return arguments | {"ssl": False}
    return arguments | ({"ssl": wish.mode} if wish.mode else {})


def _context(wish: TlsWish) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=None if wish.root == "system" else wish.root)
        if wish.certificate:
            context.load_cert_chain(wish.certificate, wish.key, wish.key_password)
        if wish.revoked and wish.mode in VERIFYING:
            context.load_verify_locations(wish.revoked)
            context.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_CHAIN
    except OSError as error:
        raise ValueError(
            f"a certificate that the database URL names cannot be read: {error}"
        ) from error
    context.check_hostname = wish.mode == "verify-full"
    if wish.mode not in VERIFYING:
        context.verify_mode = ssl.CERT_NONE
    if wish.lowest:
        context.minimum_version = wish.lowest
    return context

"""Keys that verify, each bound to the one algorithm that it may be used with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from jose import jwk
from jose.backends.base import Key
from jose.exceptions import JOSEError
from jose.utils import base64_to_long

from chatbridge.adapters.jwt.reading import MAX_KEY_ID_CHARS, decoded

MIN_SECRET_BYTES = 32
PUBLIC_KEY_ALGORITHMS = frozenset({"EdDSA", "ES256", "RS256"})

# By the kind of key (`kty`, `crv`): an RSA key has no curve.
_ALGORITHMS: Mapping[tuple[object, object], str] = {
    ("OKP", "Ed25519"): "EdDSA",
    ("EC", "P-256"): "ES256",
    ("RSA", None): "RS256",
}
_PUBLIC_MEMBERS = frozenset({"kty", "crv", "x", "y", "n", "e"})
_RSA_BITS = range(2048, 8193)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationKey:
    """A key of python-jose and its algorithm; a token that names another is refused."""

    algorithm: str
    key: Key


class Ed25519Key(Key):
    """EdDSA for python-jose, which has none: verifies only, from a JWK (RFC 8037)."""

    def __init__(self, key: Mapping[str, str], algorithm: str = "EdDSA") -> None:
        self._public = Ed25519PublicKey.from_public_bytes(decoded(key["x"]))

    def verify(self, msg: bytes, sig: bytes) -> bool:
        """Whether this key signed the message."""
        try:
            self._public.verify(sig, msg)
        except InvalidSignature:
            return False
        return True


jwk.register_key("EdDSA", Ed25519Key)


def secret_key(secret: bytes, called: str = "The secret for signing tokens") -> VerificationKey:
    """The HS256 key of a shared secret; `called` is what the operator knows it as.

    Raises ValueError, with a text for the operator, for fewer than 32 bytes (RFC 7518 3.2) and
    for a public key or certificate, which is no secret.
    """
    if len(secret) < MIN_SECRET_BYTES:
        raise ValueError(
            f"{called} has {len(secret)} bytes and needs at least {MIN_SECRET_BYTES}: make one "
            "with `openssl rand -base64 32`."
        )
    try:
        return VerificationKey(algorithm="HS256", key=jwk.construct(secret, "HS256"))
    except JOSEError:
        raise ValueError(f"{called} is a PEM or SSH key or a certificate, not a secret.") from None


def published_key(entry: Mapping[str, object]) -> tuple[str, VerificationKey] | None:
    """The id and the key of one JWK; None for one that can't be used here.

    Only Ed25519, P-256 and RSA keys (2048 to 8192 bits) that are meant for signatures and have an
    id of at most 128 characters; symmetric keys never. Private members are dropped.
    """
    algorithm = _ALGORITHMS.get((_text(entry, "kty"), _text(entry, "crv")))
    key_id = _text(entry, "kid")
    if algorithm is None or not key_id or len(key_id) > MAX_KEY_ID_CHARS:
        return None
    if entry.get("alg", algorithm) != algorithm or not _signs(entry):
        return None
    key = _public_key(entry, algorithm)
    return (key_id, key) if key else None


def _public_key(entry: Mapping[str, object], algorithm: str) -> VerificationKey | None:
    public: dict[str, Any] = {name: entry[name] for name in _PUBLIC_MEMBERS & entry.keys()}
    try:
        if algorithm == "RS256" and base64_to_long(public["n"]).bit_length() not in _RSA_BITS:
            return None
        return VerificationKey(algorithm=algorithm, key=jwk.construct(public, algorithm))
    # One odd key, broken in whatever way, must not cost us the others of the set.
    except Exception:
        return None


def _signs(entry: Mapping[str, object]) -> bool:
    operations = entry.get("key_ops", ["verify"])
    return entry.get("use", "sig") == "sig" and (
        isinstance(operations, list) and "verify" in operations
    )


def _text(entry: Mapping[str, object], name: str) -> str | None:
    value = entry.get(name)
    return value if isinstance(value, str) else None

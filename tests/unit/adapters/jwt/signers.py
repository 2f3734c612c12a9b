"""Sign-ins that sign with `cryptography` alone, so that nothing under test signs for itself."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ISSUER = "https://sign-in.example"
AUDIENCE = "https://chat.example"
USER = "ZqmBsWBZvhRmFBAbwBVsxMN0ii3KcipZ"
SECRET = b"a shared secret of more than thirty-two bytes"


def part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value: int, size: int) -> str:
    return part(value.to_bytes(size, "big"))


def good_claims(**changes: Any) -> dict[str, Any]:
    """What a good token says; a change to `...` leaves the claim out."""
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": USER, "iat": now, "exp": now + 900}
    return {name: value for name, value in (claims | changes).items() if value is not ...}


def as_json(value: Mapping[str, Any] | bytes) -> bytes:
    return value if isinstance(value, bytes) else json.dumps(value).encode()


def assembled(
    header: Mapping[str, Any] | bytes,
    claims: Mapping[str, Any] | bytes,
    sign: Callable[[bytes], bytes],
) -> str:
    signed = f"{part(as_json(header))}.{part(as_json(claims))}"
    return f"{signed}.{part(sign(signed.encode()))}"


@dataclass(frozen=True, kw_only=True)
class Signer:
    algorithm: str
    key_id: str | None
    sign: Callable[[bytes], bytes]
    jwk: Mapping[str, Any] = field(default_factory=dict)
    public: Mapping[str, bytes] = field(default_factory=dict)

    def header(self, **changes: Any) -> dict[str, Any]:
        header = {"alg": self.algorithm, "kid": self.key_id or ..., **changes}
        return {name: value for name, value in header.items() if value is not ...}

    def token(
        self,
        claims: Mapping[str, Any] | bytes | None = None,
        header: Mapping[str, Any] | bytes | None = None,
    ) -> str:
        return assembled(
            self.header() if header is None else header,
            good_claims() if claims is None else claims,
            self.sign,
        )


def hs256(secret: bytes = SECRET, *, key_id: str | None = None) -> Signer:
    return Signer(
        algorithm="HS256",
        key_id=key_id,
        sign=lambda data: hmac.digest(secret, data, hashlib.sha256),
    )


def eddsa(key_id: str = "ed") -> Signer:
    private = ed25519.Ed25519PrivateKey.generate()
    public = private.public_key()
    x = part(public.public_bytes(Encoding.Raw, PublicFormat.Raw))
    return Signer(
        algorithm="EdDSA",
        key_id=key_id,
        sign=private.sign,
        jwk={"alg": "EdDSA", "crv": "Ed25519", "x": x, "kty": "OKP", "kid": key_id},
        public=_spellings(public)
        | {"raw": public.public_bytes(Encoding.Raw, PublicFormat.Raw), "jwk member": x.encode()},
    )


def es256(key_id: str = "ec") -> Signer:
    private = ec.generate_private_key(ec.SECP256R1())
    public, numbers = private.public_key(), private.public_key().public_numbers()
    x, y = number(numbers.x, 32), number(numbers.y, 32)

    def sign(data: bytes) -> bytes:
        r, s = decode_dss_signature(private.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    return Signer(
        algorithm="ES256",
        key_id=key_id,
        sign=sign,
        jwk={"kty": "EC", "crv": "P-256", "x": x, "y": y, "use": "sig", "kid": key_id},
        public=_spellings(public) | {"jwk member": x.encode()},
    )


def rs256(key_id: str = "rsa", *, bits: int = 2048) -> Signer:
    private = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    public = private.public_key()
    n = number(public.public_numbers().n, bits // 8)
    return Signer(
        algorithm="RS256",
        key_id=key_id,
        sign=lambda data: private.sign(data, padding.PKCS1v15(), hashes.SHA256()),
        jwk={"kty": "RSA", "n": n, "e": "AQAB", "kid": key_id, "key_ops": ["verify"]},
        public=_spellings(public) | {"jwk member": n.encode()},
    )


def _spellings(
    public: ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey,
) -> dict[str, bytes]:
    return {
        "pem": public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "der": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "ssh": public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH),
    }

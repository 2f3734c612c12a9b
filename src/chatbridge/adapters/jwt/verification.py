"""The guard around python-jose, which checks signatures here and decides nothing else."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from jose import jws

from chatbridge.adapters.jwt.keys import VerificationKey
from chatbridge.adapters.jwt.reading import UnverifiedToken, json_object
from chatbridge.domain.model import refusals
from chatbridge.domain.model.identifiers import UserId, is_user_id

LEEWAY_SECONDS = 30
MAX_LIFETIME_SECONDS = 24 * 60 * 60

_REQUIRED = ("iss", "aud", "sub", "iat", "exp")
_LATEST = 2**53


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a verified token says; times are seconds since 1970, `all` has every claim."""

    subject: UserId
    issued_at: float
    expires_at: float
    all: Mapping[str, object]


def verified_claims(
    token: UnverifiedToken, key: VerificationKey, *, issuer: str, audience: str
) -> Claims:
    """The claims of a token that this key signed, for this audience, and that is good now.

    Raises Unauthenticated, and nothing else whatever the token is, with the code
    `wrong_algorithm`, `bad_signature`, `claim_missing`, `claim_invalid`, `wrong_issuer`,
    `wrong_audience`, `token_expired`, `token_not_yet_valid` or `token_lifetime`. Clocks may
    differ by 30 seconds; no token may live for more than 24 hours.
    """
    found = _signed_claims(token, key)
    _check_present(found)
    _check_parties(found, issuer, audience)
    claims = _typed(found)
    _check_times(claims, _not_before(found))
    return claims


def require_subject(text: str) -> None:
    """Raises Invalid (`user_id`) for the id of a user who could not be authenticated."""
    if not is_user_id(text):
        raise refusals.invalid_user_id()


def _signed_claims(token: UnverifiedToken, key: VerificationKey) -> Mapping[str, object]:
    # python-jose chooses how to read a key by the token's `alg`: a public key would do as a secret.
    if token.algorithm != key.algorithm:
        raise refusals.wrong_algorithm()
    try:
        return json_object(jws.verify(token.text, key.key, [key.algorithm]))
    # It raises more than it names; a token must never be a server error.
    except Exception:
        raise refusals.bad_signature() from None


def _check_present(found: Mapping[str, object]) -> None:
    for name in _REQUIRED:
        if name not in found:
            raise refusals.claim_missing(name)


def _check_parties(found: Mapping[str, object], issuer: str, audience: str) -> None:
    if not isinstance(found["iss"], str):
        raise refusals.claim_invalid("iss")
    if found["iss"] != issuer:
        raise refusals.wrong_issuer()
    if audience not in _audiences(found["aud"]):
        raise refusals.wrong_audience()


def _audiences(value: object) -> list[str]:
    listed = cast("list[object]", value if isinstance(value, list) else [value])
    named = [each for each in listed if isinstance(each, str)]
    if not named or len(named) < len(listed):
        raise refusals.claim_invalid("aud")
    return named


def _typed(found: Mapping[str, object]) -> Claims:
    subject = found["sub"]
    if not isinstance(subject, str) or not is_user_id(subject):
        raise refusals.claim_invalid("sub")
    return Claims(
        subject=UserId(subject),
        issued_at=_seconds(found, "iat"),
        expires_at=_seconds(found, "exp"),
        all=found,
    )


def _not_before(found: Mapping[str, object]) -> float | None:
    return _seconds(found, "nbf") if "nbf" in found else None


def _seconds(found: Mapping[str, object], name: str) -> float:
    value = found[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise refusals.claim_invalid(name)
    # Before any arithmetic: what JSON calls a number may be infinite or have a thousand digits.
    if not 0 <= value <= _LATEST:
        raise refusals.claim_invalid(name)
    return value


def _check_times(claims: Claims, not_before: float | None) -> None:
    now = time.time()
    if claims.expires_at <= now - LEEWAY_SECONDS:
        raise refusals.token_expired()
    if max(claims.issued_at, not_before or 0) > now + LEEWAY_SECONDS:
        raise refusals.token_not_yet_valid()
    if not 0 < claims.expires_at - claims.issued_at <= MAX_LIFETIME_SECONDS:
        raise refusals.token_lifetime()

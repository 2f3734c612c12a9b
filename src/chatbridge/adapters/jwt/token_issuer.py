"""The short-lived tokens that chatbridge signs, as JWTs that no other key and audience fits."""

import hmac
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from jose import jwt

from chatbridge.adapters.jwt.keys import VerificationKey, secret_key
from chatbridge.adapters.jwt.reading import read_token
from chatbridge.adapters.jwt.verification import (
    MAX_LIFETIME_SECONDS,
    Claims,
    require_subject,
    verified_claims,
)
from chatbridge.domain.model import refusals
from chatbridge.domain.model.caller import CHAT_SESSION, Caller
from chatbridge.domain.model.identifiers import ConversationId, UserId
from chatbridge.ports.token_issuer import IssuedToken

ISSUER = "chatbridge"


class JwtTokenIssuer:
    """Signs with HS256, by a key of its own for each audience.

    So a token for one audience is not even well signed for another, should a check of the
    audience ever be forgotten.
    """

    def __init__(self, secret: bytes) -> None:
        """Raises ValueError for fewer than 32 bytes."""
        # The secret itself signs nothing, but it must be one that could.
        secret_key(secret)
        self._secret = secret

    def issue(self, caller: Caller, *, audience: str, lifetime: timedelta) -> IssuedToken:
        """A token for the caller, and for the caller's conversation if it is bound to one.

        Times are cut to whole seconds. Raises Invalid (`user_id`) for an id that no token may
        carry; ValueError for a lifetime of less than a second or more than 24 hours.
        """
        return _signed(_claims(caller, audience), self._key(audience), lifetime)

    def verify(self, token: str, *, audience: str) -> Caller:
        """The caller that it was issued for; of a chat session, a caller `via` session.

        Raises Unauthenticated, with the codes of `read_token` and `verified_claims`.
        """
        claims = verified_claims(
            read_token(token), self._key(audience), issuer=ISSUER, audience=audience
        )
        return Caller(
            user_id=claims.subject,
            via="session" if audience == CHAT_SESSION else "token",
            conversation_id=_conversation_id(claims),
            claims=_further(claims),
        )

    def _key(self, audience: str) -> VerificationKey:
        return secret_key(
            hmac.digest(self._secret, f"chatbridge token {audience}".encode(), "sha256")
        )


class SharedSecretTokens:
    """Tokens for a tool server of somebody else's, by a secret that only it and we know.

    It verifies them (HS256) with the secret as it is. None of them fits chatbridge itself.
    """

    def __init__(self, secret: bytes, audience: str, lifetime: timedelta) -> None:
        """Raises ValueError for fewer than 32 bytes."""
        self._key = secret_key(secret)
        self._audience = audience
        self._lifetime = lifetime

    def token(self, user_id: UserId) -> str:
        """A token that names the user. Raises like `JwtTokenIssuer.issue`."""
        claims = _claims(Caller(user_id=user_id), self._audience)
        return _signed(claims, self._key, self._lifetime).token


def _signed(claims: dict[str, Any], key: VerificationKey, lifetime: timedelta) -> IssuedToken:
    require_subject(claims["sub"])
    issued_at = int(time.time())
    expires_at = issued_at + _whole_seconds(lifetime)
    times = {"iat": issued_at, "exp": expires_at}
    return IssuedToken(
        token=jwt.encode(claims | times, key.key, algorithm="HS256"),
        expires_at=datetime.fromtimestamp(expires_at, UTC),
    )


def _claims(caller: Caller, audience: str) -> dict[str, Any]:
    claims: dict[str, Any] = {"iss": ISSUER, "aud": audience, "sub": caller.user_id}
    if caller.conversation_id is not None:
        claims["conversation_id"] = caller.conversation_id
    if caller.claims:
        claims["claims"] = dict(caller.claims)
    return claims


def _whole_seconds(lifetime: timedelta) -> int:
    seconds = int(lifetime.total_seconds())
    if not 0 < seconds <= MAX_LIFETIME_SECONDS:
        raise ValueError("A token lives for at least a second and at most 24 hours.")
    return seconds


def _conversation_id(claims: Claims) -> ConversationId | None:
    value = claims.all.get("conversation_id")
    if value is None:
        return None
    if not isinstance(value, str) or not value:
        raise refusals.claim_invalid("conversation_id")
    return ConversationId(value)


def _further(claims: Claims) -> Mapping[str, Any]:
    value = claims.all.get("claims", {})
    if not isinstance(value, dict):
        raise refusals.claim_invalid("claims")
    return cast(dict[str, Any], value)

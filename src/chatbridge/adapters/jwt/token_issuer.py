"""chatbridge's own short-lived tokens, as JWTs that no other key and no other audience fits."""

import hmac
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from jose import jwt

from chatbridge.adapters.jwt.keys import VerificationKey, secret_key
from chatbridge.adapters.jwt.reading import read_token
from chatbridge.adapters.jwt.verification import (
    MAX_LIFETIME_SECONDS,
    Claims,
    invalid_claim,
    is_subject,
    verified_claims,
)
from chatbridge.domain.model.caller import CHAT_SESSION, Caller
from chatbridge.domain.model.errors import Invalid
from chatbridge.domain.model.identifiers import ConversationId
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
        if not is_subject(caller.user_id):
            raise Invalid("A user id is 1 to 128 letters, digits or _.:@|+=~'-", code="user_id")
        issued_at = int(time.time())
        expires_at = issued_at + _whole_seconds(lifetime)
        claims = _claims(caller, audience) | {"iat": issued_at, "exp": expires_at}
        return IssuedToken(
            token=jwt.encode(claims, self._key(audience).key, algorithm="HS256"),
            expires_at=datetime.fromtimestamp(expires_at, UTC),
        )

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
        )

    def _key(self, audience: str) -> VerificationKey:
        return secret_key(
            hmac.digest(self._secret, f"chatbridge token {audience}".encode(), "sha256")
        )


def _claims(caller: Caller, audience: str) -> dict[str, Any]:
    claims: dict[str, Any] = {"iss": ISSUER, "aud": audience, "sub": caller.user_id}
    if caller.conversation_id is not None:
        claims["conversation_id"] = caller.conversation_id
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
        raise invalid_claim("conversation_id")
    return ConversationId(value)

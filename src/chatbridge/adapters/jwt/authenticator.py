"""Who shows which token: one of the configured sign-in, or one of chatbridge's own."""

from dataclasses import dataclass, replace

from chatbridge.adapters.jwt.hints import ConfigurationHints
from chatbridge.adapters.jwt.key_source import KeySource
from chatbridge.adapters.jwt.reading import UnverifiedToken, read_token
from chatbridge.adapters.jwt.token_issuer import ISSUER
from chatbridge.adapters.jwt.verification import verified_claims, wrong_algorithm
from chatbridge.domain.model.caller import CHAT_SESSION, DEVELOPMENT, Caller
from chatbridge.domain.model.errors import Unauthenticated
from chatbridge.ports.token_issuer import TokenIssuer


@dataclass(frozen=True, slots=True)
class SignIn:
    """The sign-in that users come from: its keys, and the exact `iss` and `aud` of its tokens."""

    key_source: KeySource
    issuer: str
    audience: str

    def __post_init__(self) -> None:
        """Raises ValueError if issuer or audience is empty."""
        if not self.issuer or not self.audience:
            raise ValueError("The sign-in needs an issuer and an audience.")


class JwtAuthenticator:
    """Chat sessions and development tokens are chatbridge's own; all else is the sign-in's.

    The token says who issued it and so chooses who verifies it; a false claim leads to a key that
    it is not signed with. Tokens for tool servers are never accepted.
    """

    def __init__(self, *, issuer: TokenIssuer, sign_in: SignIn | None, development: bool) -> None:
        """Raises ValueError if the sign-in issues under chatbridge's own name."""
        if sign_in and sign_in.issuer == ISSUER:
            raise ValueError(f"The sign-in can't be called {ISSUER!r}: that is our own issuer.")
        self._issuer = issuer
        self._sign_in = sign_in
        self._development = development
        self._hints = ConfigurationHints(
            issuer=sign_in.issuer if sign_in else "",
            audience=sign_in.audience if sign_in else "",
        )

    async def authenticate(self, token: str, *, loopback: bool) -> Caller:
        """The caller. `loopback` says whether the request came from this machine.

        Raises Unauthenticated, with the codes of `read_token`, `verified_claims` and
        `KeySource.key_for`, and `development_token` and `sign_in_not_configured`; Unavailable
        (`sign_in_unavailable`).
        """
        unverified = read_token(token)
        if unverified.claims.get("iss") == ISSUER:
            return self._own(unverified, loopback=loopback)
        try:
            return await self._signed_in(unverified)
        except Unauthenticated as refusal:
            self._hints.give(refusal.code)
            raise

    def _own(self, token: UnverifiedToken, *, loopback: bool) -> Caller:
        audience = token.claims.get("aud")
        if audience == CHAT_SESSION:
            return self._session(token.text)
        if audience == DEVELOPMENT:
            return self._developer(token.text, loopback=loopback)
        raise Unauthenticated("This token is not for this interface.", code="wrong_audience")

    def _session(self, token: str) -> Caller:
        # Said here too: whichever issuer it is, a session must never pass for a user's own token.
        return replace(self._issuer.verify(token, audience=CHAT_SESSION), via="session")

    def _developer(self, token: str, *, loopback: bool) -> Caller:
        if not (self._development and loopback):
            raise Unauthenticated(
                "Development tokens are accepted in development only, and only from the machine "
                "that chatbridge runs on (loopback).",
                code="development_token",
            )
        caller = self._issuer.verify(token, audience=DEVELOPMENT)
        return Caller(user_id=caller.user_id, via="token")

    async def _signed_in(self, token: UnverifiedToken) -> Caller:
        sign_in = self._sign_in
        if sign_in is None:
            raise Unauthenticated(
                "No sign-in is configured on this server.", code="sign_in_not_configured"
            )
        if token.algorithm not in sign_in.key_source.algorithms:
            raise wrong_algorithm()
        key = await sign_in.key_source.key_for(token.key_id)
        claims = verified_claims(token, key, issuer=sign_in.issuer, audience=sign_in.audience)
        return Caller(user_id=claims.subject)

"""Who shows which token: one of the configured sign-in, one of chatbridge's own, a service key."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from chatbridge.adapters.jwt.hints import ConfigurationHints
from chatbridge.adapters.jwt.key_source import KeySource, SharedSecret
from chatbridge.adapters.jwt.reading import UnverifiedToken, read_token
from chatbridge.adapters.jwt.service_keys import PREFIX, ServiceKeys
from chatbridge.adapters.jwt.token_issuer import ISSUER
from chatbridge.adapters.jwt.verification import (
    require_subject,
    verified_claims,
)
from chatbridge.domain.model import refusals
from chatbridge.domain.model.caller import CHAT_SESSION, DEVELOPMENT, Caller
from chatbridge.domain.model.errors import Unauthenticated
from chatbridge.domain.model.identifiers import UserId
from chatbridge.ports.token_issuer import TokenIssuer


@dataclass(frozen=True, slots=True)
class SignIn:
    """The sign-in that users come from: its keys, and the exact `iss` and `aud` of its tokens."""

    key_sources: tuple[KeySource, ...]
    issuer: str
    audience: str

    def __post_init__(self) -> None:
        """Raises ValueError if issuer or audience is empty."""
        if not self.issuer or not self.audience:
            raise ValueError("The sign-in needs an issuer and an audience.")

    @property
    def algorithms(self) -> frozenset[str]:
        """What its tokens may be signed with."""
        return frozenset[str]().union(*(source.algorithms for source in self.key_sources))

    def key_source(self, algorithm: str) -> KeySource:
        """The only keys that a token of this algorithm is ever tried with.

        Raises Unauthenticated (`wrong_algorithm`).
        """
        for source in self.key_sources:
            if algorithm in source.algorithms:
                return source
        raise refusals.wrong_algorithm()


class JwtAuthenticator:
    """Chat sessions and development tokens are chatbridge's own; all else is the sign-in's.

    The token says who issued it and so chooses who verifies it; a false claim leads to a key that
    it is not signed with. Tokens for tool servers are never accepted. A service key is no JWT and
    is told by its prefix; it is good where the request says for whom. `claims` names those of the
    sign-in's tokens that a caller comes with.
    """

    def __init__(
        self,
        *,
        issuer: TokenIssuer,
        sign_in: SignIn | None,
        development: bool,
        service_keys: ServiceKeys,
        claims: Sequence[str] = (),
    ) -> None:
        """Raises ValueError if the sign-in issues under chatbridge's own name."""
        if sign_in and sign_in.issuer == ISSUER:
            raise ValueError(f"The sign-in can't be called {ISSUER!r}: that is our own issuer.")
        self._issuer = issuer
        self._sign_in = sign_in
        self._development = development
        self._service_keys = service_keys
        self._claims = claims
        self._hints = ConfigurationHints(
            issuer=sign_in.issuer if sign_in else "",
            audience=sign_in.audience if sign_in else "",
            algorithms=sign_in.algorithms if sign_in else (),
        )

    async def authenticate(self, token: str, *, service_for: UserId | None = None) -> Caller:
        """The caller. `service_for` is the user whom a service key may name here, None where it
        is not good.

        Raises Unauthenticated, with the codes of `read_token`, `verified_claims` and
        `KeySource.key_for`, and `development_token`, `sign_in_not_configured`,
        `unknown_service_key` and `service_key_not_accepted`; Invalid (`user_id`) for a
        `service_for` that no token may carry; Unavailable (`sign_in_unavailable`).
        """
        give_hint = self._hints.give
        try:
            if token.startswith(PREFIX):
                return self._service(token, service_for)
            unverified = read_token(token)
            if unverified.claims.get("iss") == ISSUER:
                give_hint = self._hints.give_on_own
                return self._own(unverified)
            if unverified.algorithm in SharedSecret.algorithms:
                give_hint = self._hints.give_on_shared
            return await self._signed_in(unverified)
        except Unauthenticated as refusal:
            give_hint(refusal.code)
            raise

    def issued(self, token: str) -> bool:
        """See the port."""
        try:
            return token.startswith(PREFIX) or read_token(token).claims.get("iss") == ISSUER
        except Unauthenticated:
            return False

    def _service(self, key: str, user: UserId | None) -> Caller:
        if not self._service_keys.know(key):
            raise refusals.unknown_service_key()
        if user is None:
            raise refusals.service_key_not_accepted()
        require_subject(user)
        return Caller(user_id=user, via="service")

    def _own(self, token: UnverifiedToken) -> Caller:
        audience = token.claims.get("aud")
        if audience == CHAT_SESSION:
            return self._session(token.text)
        if audience == DEVELOPMENT:
            return self._developer(token.text)
        raise refusals.wrong_audience()

    def _session(self, token: str) -> Caller:
        # Said here too: whichever issuer it is, a session must never pass for a user's own token.
        return replace(self._issuer.verify(token, audience=CHAT_SESSION), via="session")

    def _developer(self, token: str) -> Caller:
        if not self._development:
            raise refusals.development_token()
        caller = self._issuer.verify(token, audience=DEVELOPMENT)
        return Caller(user_id=caller.user_id, via="token")

    async def _signed_in(self, token: UnverifiedToken) -> Caller:
        sign_in = self._sign_in
        if sign_in is None:
            raise refusals.sign_in_not_configured()
        key = await sign_in.key_source(token.algorithm).key_for(token.key_id)
        claims = verified_claims(token, key, issuer=sign_in.issuer, audience=sign_in.audience)
        chosen = {name: claims.all[name] for name in self._claims if name in claims.all}
        return Caller(user_id=claims.subject, claims=chosen)

"""What a refused token tells the operator about a mistake in the configuration."""

import logging
import time
from collections.abc import Callable, Collection, Mapping

HINT_SECONDS = 60

_HINTS: Mapping[str, str] = {
    "token_malformed": (
        "it is no signed JWT; the sign-in must give one to the page, not the id of its own session "
        "(Better Auth: the jwt plugin's /api/auth/token)"
    ),
    "wrong_type": (
        "its header says that it was made for something else; the page must show the sign-in's "
        "token, not its session cache"
    ),
    "unknown_service_key": (
        "CHATBRIDGE_SERVICE_KEYS must hold the hash of each key in use; `chatbridge service-key` "
        "makes a new key"
    ),
    "service_key_not_accepted": (
        "a back end that has a service key asks for a chat session (POST "
        "/api/USER/chatkit/session) and gives its secret to the page; the key is good for nothing "
        "else"
    ),
    "sign_in_not_configured": (
        "set BETTER_AUTH_URL, or CHATBRIDGE_AUTH__JWKS_URL or CHATBRIDGE_AUTH__SECRET with "
        "CHATBRIDGE_AUTH__ISSUER and CHATBRIDGE_AUTH__AUDIENCE"
    ),
    "wrong_algorithm": (
        "BETTER_AUTH_URL or CHATBRIDGE_AUTH__JWKS_URL is for tokens signed with EdDSA, ES256 or "
        "RS256, BETTER_AUTH_SECRET or CHATBRIDGE_AUTH__SECRET for HS256 (taken now: {algorithms}); "
        "set what the sign-in uses"
    ),
    "unknown_key": (
        "BETTER_AUTH_URL or CHATBRIDGE_AUTH__JWKS_URL must lead to the key set of the sign-in that "
        "issued it"
    ),
    "bad_signature": (
        "the key set that BETTER_AUTH_URL or CHATBRIDGE_AUTH__JWKS_URL leads to must be that of "
        "the sign-in"
    ),
    "wrong_issuer": (
        "it is well signed, so CHATBRIDGE_AUTH__ISSUER (now {issuer}) should equal its `iss` claim"
    ),
    "wrong_audience": (
        "it is well signed, so CHATBRIDGE_AUTH__AUDIENCE (now {audience}) should be in its `aud` "
        "claim, or the sign-in should issue tokens for this audience"
    ),
    "claim_missing": "the sign-in must put iss, aud, sub, iat and exp into every token",
    "claim_invalid": (
        "times must be numbers, and user ids (`sub`) 1 to 128 letters, digits or _.:@|+=~'-"
    ),
    "token_expired": (
        "the page must get a new token before the old one ends, or after this answer; if new ones "
        "are refused, the clock of the sign-in or that of this machine is wrong"
    ),
    "token_lifetime": "the sign-in must issue tokens that live for 24 hours at most",
    "token_not_yet_valid": "the clock of the sign-in or that of this machine is wrong",
}
_SHARED_HINTS: Mapping[str, str] = {
    **_HINTS,
    "bad_signature": (
        "it is signed with HS256, so BETTER_AUTH_SECRET or CHATBRIDGE_AUTH__SECRET must be the "
        "secret that the sign-in signs with"
    ),
}
_OWN_HINTS: Mapping[str, str] = {
    "bad_signature": (
        "it says that it is one of chatbridge's own; CHATBRIDGE_SECRET must be the same on all "
        "replicas, and a token from before it was changed is no good any more"
    ),
    "development_token": (
        "such tokens are for CHATBRIDGE_ENVIRONMENT=development; for others configure a sign-in"
    ),
}

logger = logging.getLogger(__name__)


class ConfigurationHints:
    """Logs how to mend it, by the code of the refusal; never anything of the token itself.

    Each kind of mistake once a minute, since every request would make the same one, and so that
    who sends forged tokens can't fill the log.
    """

    def __init__(
        self,
        *,
        issuer: str,
        audience: str,
        algorithms: Collection[str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._configured = {
            "issuer": issuer,
            "audience": audience,
            "algorithms": ", ".join(sorted(algorithms)),
        }
        self._clock = clock
        self._given_at: dict[str, float] = {}

    def give(self, code: str) -> None:
        """Logs the hint on a token of the sign-in, if there is one for this code and it is due."""
        self._give(code, _HINTS.get(code))

    def give_on_shared(self, code: str) -> None:
        """The same for a token that is signed with HS256, well or not."""
        self._give(code, _SHARED_HINTS.get(code))

    def give_on_own(self, code: str) -> None:
        """The same for a token that names chatbridge as its issuer."""
        self._give(code, _OWN_HINTS.get(code))

    def _give(self, code: str, hint: str | None) -> None:
        now = self._clock()
        if hint is None or now - self._given_at.get(hint, -HINT_SECONDS) < HINT_SECONDS:
            return
        self._given_at[hint] = now
        told = hint.format_map(self._configured)
        logger.info("A token was refused (%s): %s.", code, told)

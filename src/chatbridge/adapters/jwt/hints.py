"""What a refused token tells the operator about a mistake in the configuration."""

import logging
import time
from collections.abc import Mapping

HINT_SECONDS = 60

_HINTS: Mapping[str, str] = {
    "sign_in_not_configured": (
        "set CHATBRIDGE_AUTH__JWKS_URL or CHATBRIDGE_AUTH__SECRET, and CHATBRIDGE_AUTH__ISSUER "
        "and CHATBRIDGE_AUTH__AUDIENCE"
    ),
    "wrong_algorithm": (
        "CHATBRIDGE_AUTH__JWKS_URL is for tokens signed with EdDSA, ES256 or RS256, "
        "CHATBRIDGE_AUTH__SECRET for HS256; set the one that the sign-in uses"
    ),
    "unknown_key": "CHATBRIDGE_AUTH__JWKS_URL must be the key set of the sign-in that issued it",
    "bad_signature": (
        "CHATBRIDGE_AUTH__SECRET, or the key set at CHATBRIDGE_AUTH__JWKS_URL, must be that of "
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
    "token_lifetime": "the sign-in must issue tokens that live for 24 hours at most",
    "token_not_yet_valid": "the clock of the sign-in or that of this machine is wrong",
}

logger = logging.getLogger(__name__)


class ConfigurationHints:
    """Logs how to mend it, by the code of the refusal; never anything of the token itself.

    Each kind of mistake once a minute, since every request would make the same one.
    """

    def __init__(self, *, issuer: str, audience: str) -> None:
        self._configured = {"issuer": issuer, "audience": audience}
        self._given_at: dict[str, float] = {}

    def give(self, code: str) -> None:
        """Logs the hint for this code, if there is one and it is due."""
        now = time.monotonic()
        if code not in _HINTS or now - self._given_at.get(code, -HINT_SECONDS) < HINT_SECONDS:
            return
        self._given_at[code] = now
        hint = _HINTS[code].format_map(self._configured)
        logger.info("A token was refused (%s): %s.", code, hint)

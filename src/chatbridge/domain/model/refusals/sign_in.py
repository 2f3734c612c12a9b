"""Nobody whom we know is asking."""

from chatbridge.domain.model.errors import Unauthenticated
from chatbridge.domain.model.refusals.refusal import Refusal

token_missing = Refusal(
    Unauthenticated,
    "token_missing",
    "You are not signed in: show a token (`Authorization: Bearer ...`).",
)
not_signed_in = Refusal(
    Unauthenticated, "not_signed_in", "You are not signed in: sign in to the application first."
)
token_malformed = Refusal(
    Unauthenticated, "token_malformed", "This is not a token that chatbridge can read."
)
key_missing = Refusal(
    Unauthenticated,
    "key_missing",
    "Show the key of this start (`Authorization: Bearer ...`): it is in the address that "
    "chatbridge printed when it was started, or in the one that `chatbridge page` prints.",
)
wrong_type = Refusal(Unauthenticated, "wrong_type", "This token was made for another purpose.")
wrong_algorithm = Refusal(
    Unauthenticated,
    "wrong_algorithm",
    "This token is signed by a method that is not accepted here.",
)
unknown_key = Refusal(
    Unauthenticated,
    "unknown_key",
    "This token is signed with a key that the sign-in does not publish; sign in again.",
)
bad_signature = Refusal(
    Unauthenticated, "bad_signature", "The signature of this token is not right."
)
claim_missing = Refusal(
    Unauthenticated, "claim_missing", "The token lacks the claim `{}`.", example=("aud",)
)
claim_invalid = Refusal(
    Unauthenticated, "claim_invalid", "The claim `{}` is not of the right form.", example=("exp",)
)
wrong_issuer = Refusal(
    Unauthenticated,
    "wrong_issuer",
    "This token was issued by a sign-in that is not trusted here.",
)
wrong_audience = Refusal(
    Unauthenticated, "wrong_audience", "This token was issued for another service."
)
token_expired = Refusal(Unauthenticated, "token_expired", "This token has expired; sign in again.")
token_not_yet_valid = Refusal(
    Unauthenticated, "token_not_yet_valid", "This token is not good yet; check the clocks."
)
token_lifetime = Refusal(
    Unauthenticated, "token_lifetime", "A token may live for a second to a day."
)
development_token = Refusal(
    Unauthenticated,
    "development_token",
    "Development tokens are accepted in development only (CHATBRIDGE_ENVIRONMENT).",
)
sign_in_not_configured = Refusal(
    Unauthenticated, "sign_in_not_configured", "No sign-in is configured on this server."
)
session_not_accepted = Refusal(
    Unauthenticated, "session_not_accepted", "A chat session's secret is good for /chatkit only."
)
service_key_not_accepted = Refusal(
    Unauthenticated,
    "service_key_not_accepted",
    "A service key is good for making chat sessions only.",
)
unknown_service_key = Refusal(
    Unauthenticated, "unknown_service_key", "This is not a service key of this server."
)

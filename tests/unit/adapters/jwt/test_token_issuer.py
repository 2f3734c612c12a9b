"""chatbridge's own tokens: good for their caller, their audience and their time, and no more."""

import hmac
from datetime import UTC, datetime, timedelta

import pytest

from chatbridge.adapters.jwt.reading import read_token
from chatbridge.adapters.jwt.token_issuer import JwtTokenIssuer
from chatbridge.domain.model.caller import CHAT_SESSION, DEVELOPMENT, TASKS_TOOLS, Caller
from chatbridge.domain.model.errors import Invalid, Unauthenticated
from chatbridge.domain.model.identifiers import ConversationId, UserId
from chatbridge.ports.token_issuer import TokenIssuer
from tests.unit.adapters.jwt.signers import good_claims, hs256

SECRET = b"a secret of chatbridge's own, of more than 32 bytes"
AUDIENCES = (CHAT_SESSION, TASKS_TOOLS, DEVELOPMENT)
ADA = Caller(user_id=UserId("ada"))
MINUTE = timedelta(minutes=1)


@pytest.fixture
def issuer() -> TokenIssuer:
    return JwtTokenIssuer(SECRET)


def refusal_of(issuer: TokenIssuer, token: str, audience: str) -> str:
    with pytest.raises(Unauthenticated) as caught:
        issuer.verify(token, audience=audience)
    return caught.value.code


@pytest.mark.parametrize("audience", AUDIENCES)
@pytest.mark.parametrize("conversation_id", [None, ConversationId("conv_1")])
def test_a_token_tells_whom_it_was_issued_for(
    issuer: TokenIssuer, audience: str, conversation_id: ConversationId | None
) -> None:
    caller = Caller(user_id=UserId("ada"), conversation_id=conversation_id)
    issued = issuer.issue(caller, audience=audience, lifetime=MINUTE)
    verified = issuer.verify(issued.token, audience=audience)
    assert (verified.user_id, verified.conversation_id) == ("ada", conversation_id)
    assert verified.via == ("session" if audience == CHAT_SESSION else "token")


def test_another_replica_with_the_same_secret_verifies_it(issuer: TokenIssuer) -> None:
    token = issuer.issue(ADA, audience=CHAT_SESSION, lifetime=MINUTE).token
    assert JwtTokenIssuer(SECRET).verify(token, audience=CHAT_SESSION).user_id == "ada"


@pytest.mark.parametrize("made_for", AUDIENCES)
@pytest.mark.parametrize("used_for", AUDIENCES)
def test_a_token_is_not_even_well_signed_for_another_audience(
    issuer: TokenIssuer, made_for: str, used_for: str
) -> None:
    if made_for != used_for:
        token = issuer.issue(ADA, audience=made_for, lifetime=MINUTE).token
        assert refusal_of(issuer, token, used_for) == "bad_signature"


def test_another_secret_signs_nothing_for_us(issuer: TokenIssuer) -> None:
    other = JwtTokenIssuer(b"a secret of somebody else, of more than 32 bytes")
    token = other.issue(ADA, audience=CHAT_SESSION, lifetime=MINUTE).token
    assert refusal_of(issuer, token, CHAT_SESSION) == "bad_signature"


def test_the_secret_itself_signs_nothing(issuer: TokenIssuer) -> None:
    token = hs256(SECRET).token(good_claims(iss="chatbridge", aud=CHAT_SESSION))
    assert refusal_of(issuer, token, CHAT_SESSION) == "bad_signature"


@pytest.mark.parametrize("conversation_id", ["", 1, ["conv_1"], False])
def test_an_odd_conversation_is_refused_even_if_well_signed(
    issuer: TokenIssuer, conversation_id: object
) -> None:
    derived = hmac.digest(SECRET, f"chatbridge token {CHAT_SESSION}".encode(), "sha256")
    claims = good_claims(iss="chatbridge", aud=CHAT_SESSION)
    assert issuer.verify(hs256(derived).token(claims), audience=CHAT_SESSION)
    odd = hs256(derived).token(claims | {"conversation_id": conversation_id})
    assert refusal_of(issuer, odd, CHAT_SESSION) == "claim_invalid"


def test_it_expires_when_it_says(issuer: TokenIssuer) -> None:
    issued = issuer.issue(ADA, audience=CHAT_SESSION, lifetime=MINUTE)
    claims = read_token(issued.token).claims
    assert issued.expires_at == datetime.fromtimestamp(float(str(claims["exp"])), UTC)
    assert timedelta(seconds=58) < issued.expires_at - datetime.now(UTC) <= MINUTE


def test_it_is_no_good_after_that(issuer: TokenIssuer, monkeypatch: pytest.MonkeyPatch) -> None:
    issued = issuer.issue(ADA, audience=CHAT_SESSION, lifetime=MINUTE)
    later = issued.expires_at.timestamp() + 31
    monkeypatch.setattr("time.time", lambda: later)
    assert refusal_of(issuer, issued.token, CHAT_SESSION) == "token_expired"


def test_it_says_no_more_than_it_must(issuer: TokenIssuer) -> None:
    token = issuer.issue(ADA, audience=CHAT_SESSION, lifetime=MINUTE).token
    assert read_token(token).claims.keys() == {"iss", "aud", "sub", "iat", "exp"}


@pytest.mark.parametrize("user_id", ["", "a/b", "..", "a user", "u" * 129])
def test_an_id_that_no_token_may_carry_is_invalid(issuer: TokenIssuer, user_id: str) -> None:
    with pytest.raises(Invalid) as caught:
        issuer.issue(Caller(user_id=UserId(user_id)), audience=DEVELOPMENT, lifetime=MINUTE)
    assert caught.value.code == "user_id"


@pytest.mark.parametrize("hours", [-1, 0, 24.001])
def test_a_lifetime_is_more_than_nothing_and_a_day_at_most(
    issuer: TokenIssuer, hours: float
) -> None:
    with pytest.raises(ValueError, match="at most 24 hours"):
        issuer.issue(ADA, audience=DEVELOPMENT, lifetime=timedelta(hours=hours))


def test_a_short_secret_is_refused_at_start() -> None:
    with pytest.raises(ValueError, match="needs at least 32"):
        JwtTokenIssuer(b"short")

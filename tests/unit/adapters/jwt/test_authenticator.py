"""Which token opens which door: sessions, development tokens, tool tokens and the sign-in's."""

import logging
from collections.abc import Sequence
from datetime import timedelta
from itertools import cycle, islice

import httpx2
import pytest

from chatbridge.adapters.jwt.authenticator import JwtAuthenticator, SignIn
from chatbridge.adapters.jwt.hints import ConfigurationHints
from chatbridge.adapters.jwt.key_source import Jwks, SharedSecret
from chatbridge.adapters.jwt.service_keys import ServiceKeys, new_service_key
from chatbridge.adapters.jwt.token_issuer import JwtTokenIssuer
from chatbridge.domain.model.caller import CHAT_SESSION, DEVELOPMENT, TASKS_TOOLS, Caller
from chatbridge.domain.model.errors import Invalid, Unauthenticated, Unavailable
from chatbridge.domain.model.identifiers import ConversationId, UserId
from chatbridge.ports.authenticator import Authenticator
from tests.unit.adapters.jwt.forgeries import FORGERIES
from tests.unit.adapters.jwt.key_server import KeyServer
from tests.unit.adapters.jwt.signers import (
    AUDIENCE,
    ISSUER,
    SECRET,
    USER,
    eddsa,
    good_claims,
    hs256,
)

OURS = JwtTokenIssuer(b"a secret of chatbridge's own, of more than 32 bytes")
SIGN_IN = SignIn((SharedSecret(SECRET),), ISSUER, AUDIENCE)
SERVICE = new_service_key()
ADA = Caller(user_id=UserId("ada"))


def authenticator(
    *,
    sign_in: SignIn | None = SIGN_IN,
    development: bool = False,
    service_keys: Sequence[str] = (),
    claims: Sequence[str] = (),
) -> Authenticator:
    return JwtAuthenticator(
        issuer=OURS,
        sign_in=sign_in,
        development=development,
        service_keys=ServiceKeys(service_keys),
        claims=claims,
    )


def own_token(audience: str, caller: Caller = ADA) -> str:
    return OURS.issue(caller, audience=audience, lifetime=timedelta(minutes=1)).token


async def refusal_of(token: str, doorkeeper: Authenticator) -> Unauthenticated:
    with pytest.raises(Unauthenticated) as caught:
        await doorkeeper.authenticate(token)
    return caught.value


@pytest.mark.parametrize("sign_in", [SIGN_IN, None])
@pytest.mark.parametrize("conversation_id", [None, ConversationId("conv_1")])
async def test_a_chat_session_is_its_users_with_or_without_a_sign_in(
    sign_in: SignIn | None, conversation_id: ConversationId | None
) -> None:
    token = own_token(CHAT_SESSION, Caller(user_id=UserId("ada"), conversation_id=conversation_id))
    caller = await authenticator(sign_in=sign_in).authenticate(token)
    assert caller == Caller(user_id=UserId("ada"), via="session", conversation_id=conversation_id)


async def test_a_development_token_is_good_in_development() -> None:
    bound = Caller(user_id=UserId("ada"), conversation_id=ConversationId("conv_1"))
    token = own_token(DEVELOPMENT, bound)
    caller = await authenticator(development=True).authenticate(token)
    assert caller == Caller(user_id=UserId("ada"), via="token")


async def test_a_development_token_is_good_nowhere_else() -> None:
    refusal = await refusal_of(own_token(DEVELOPMENT), authenticator(development=False))
    assert refusal.code == "development_token"
    assert "development only" in refusal.detail


@pytest.mark.parametrize("audience", [TASKS_TOOLS, "chatbridge:something-new", AUDIENCE])
@pytest.mark.parametrize("sign_in", [SIGN_IN, None])
async def test_a_token_for_a_tool_server_is_no_user_token(
    audience: str, sign_in: SignIn | None
) -> None:
    doorkeeper = authenticator(sign_in=sign_in, development=True)
    assert (await refusal_of(own_token(audience), doorkeeper)).code == "wrong_audience"


@pytest.mark.parametrize("audience", [CHAT_SESSION, DEVELOPMENT])
async def test_the_sign_in_cannot_sign_in_our_name(audience: str) -> None:
    token = hs256(SECRET).token(good_claims(iss="chatbridge", aud=audience))
    refusal = await refusal_of(token, authenticator(development=True))
    assert refusal.code == "bad_signature"


async def test_a_tool_token_that_claims_to_be_a_session_is_not_well_signed() -> None:
    claims, signature = own_token(CHAT_SESSION).rsplit(".", 1)[0], own_token(TASKS_TOOLS)
    forged = f"{claims}.{signature.rsplit('.', 1)[1]}"
    assert (await refusal_of(forged, authenticator())).code == "bad_signature"


async def test_a_list_of_our_audiences_is_none_of_them() -> None:
    token = hs256(SECRET).token(good_claims(iss="chatbridge", aud=[CHAT_SESSION, DEVELOPMENT]))
    doorkeeper = authenticator(development=True)
    assert (await refusal_of(token, doorkeeper)).code == "wrong_audience"


async def test_without_a_sign_in_its_tokens_are_refused() -> None:
    refusal = await refusal_of(hs256(SECRET).token(), authenticator(sign_in=None))
    assert refusal.code == "sign_in_not_configured"


async def test_a_user_of_the_sign_in_is_a_caller_by_token() -> None:
    caller = await authenticator().authenticate(hs256(SECRET).token())
    assert caller == Caller(user_id=UserId(USER), via="token")


async def test_a_caller_comes_with_the_claims_that_are_chosen() -> None:
    token = hs256(SECRET).token(good_claims(plan="pro", roles=["a"], email="ada@example.com"))
    doorkeeper = authenticator(claims=["plan", "roles", "team"])
    caller = await doorkeeper.authenticate(token)
    assert caller.claims == {"plan": "pro", "roles": ["a"]}
    session = await doorkeeper.authenticate(own_token(CHAT_SESSION, caller))
    assert (session.via, session.claims) == ("session", caller.claims)


async def test_a_token_says_whether_it_is_one_of_ours() -> None:
    doorkeeper = authenticator()
    ours = [own_token(CHAT_SESSION), own_token(DEVELOPMENT), SERVICE.key]
    theirs = [hs256(SECRET).token(), "no token", ""]
    assert [doorkeeper.issued(token) for token in [*ours, *theirs]] == [True] * 3 + [False] * 3


async def test_a_conversation_in_a_token_of_the_sign_in_means_nothing() -> None:
    token = hs256(SECRET).token(good_claims(conversation_id="conv_1", via="session"))
    caller = await authenticator().authenticate(token)
    assert caller == Caller(user_id=UserId(USER), via="token")


@pytest.mark.parametrize("sign_in", [SIGN_IN, None])
async def test_a_service_key_is_good_for_whom_the_request_names(sign_in: SignIn | None) -> None:
    doorkeeper = authenticator(sign_in=sign_in, service_keys=[SERVICE.hash])
    for user in ("ada", "grace"):
        caller = await doorkeeper.authenticate(SERVICE.key, service_for=UserId(user))
        assert caller == Caller(user_id=UserId(user), via="service")


async def test_a_service_key_is_good_for_nothing_where_nobody_is_named() -> None:
    doorkeeper = authenticator(development=True, service_keys=[SERVICE.hash])
    assert (await refusal_of(SERVICE.key, doorkeeper)).code == "service_key_not_accepted"


@pytest.mark.parametrize("hashes", [[], [new_service_key().hash]])
async def test_an_unknown_service_key_is_refused_wherever_it_is(hashes: list[str]) -> None:
    doorkeeper = authenticator(service_keys=hashes)
    assert (await refusal_of(SERVICE.key, doorkeeper)).code == "unknown_service_key"
    with pytest.raises(Unauthenticated) as caught:
        await doorkeeper.authenticate(SERVICE.key, service_for=UserId("ada"))
    assert caught.value.code == "unknown_service_key"


@pytest.mark.parametrize("user", ["", "a/b", "..", "a b", "\0", "u" * 129])
async def test_a_service_key_names_nobody_who_could_not_sign_in(user: str) -> None:
    doorkeeper = authenticator(service_keys=[SERVICE.hash])
    with pytest.raises(Invalid) as caught:
        await doorkeeper.authenticate(SERVICE.key, service_for=UserId(user))
    assert caught.value.code == "user_id"


async def test_a_users_token_stays_its_users_where_a_service_may_name_anybody() -> None:
    doorkeeper = authenticator(service_keys=[SERVICE.hash])
    caller = await doorkeeper.authenticate(hs256(SECRET).token(), service_for=UserId("ada"))
    assert caller == Caller(user_id=UserId(USER), via="token")


async def test_keys_that_cannot_be_had_are_not_the_callers_fault(
    key_server: KeyServer, http: httpx2.AsyncClient
) -> None:
    key_server.status = 500
    jwks = Jwks(key_server.url, http)
    doorkeeper = authenticator(sign_in=SignIn((jwks,), ISSUER, AUDIENCE))
    token = hs256(SECRET).token(header={"alg": "EdDSA", "kid": "ed"})
    with pytest.raises(Unavailable) as caught:
        await doorkeeper.authenticate(token)
    assert caught.value.code == "sign_in_unavailable"


def test_a_sign_in_under_our_own_name_is_refused_at_start() -> None:
    with pytest.raises(ValueError, match="our own issuer"):
        authenticator(sign_in=SignIn((SharedSecret(SECRET),), "chatbridge", AUDIENCE))


@pytest.mark.parametrize(("issuer", "audience"), [("", AUDIENCE), (ISSUER, "")])
def test_a_sign_in_names_its_issuer_and_its_audience(issuer: str, audience: str) -> None:
    with pytest.raises(ValueError, match="an issuer and an audience"):
        SignIn((SharedSecret(SECRET),), issuer, audience)


@pytest.mark.parametrize(
    ("token", "settings"),
    [
        (
            hs256(SECRET).token(good_claims(aud="x")),
            [f"CHATBRIDGE_AUTH__AUDIENCE (now {AUDIENCE})"],
        ),
        (hs256(SECRET).token(good_claims(iss="x")), [f"CHATBRIDGE_AUTH__ISSUER (now {ISSUER})"]),
        (
            hs256(SECRET).token(header={"alg": "EdDSA", "kid": "ed"}),
            ["BETTER_AUTH_URL or CHATBRIDGE_AUTH__JWKS_URL", "(taken now: HS256)"],
        ),
        (hs256(b"x" * 32).token(), ["BETTER_AUTH_SECRET or CHATBRIDGE_AUTH__SECRET"]),
    ],
    ids=["audience", "issuer", "mode", "secret"],
)
async def test_a_mistake_in_the_configuration_is_told_once_with_its_remedy(
    token: str, settings: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    doorkeeper = authenticator()
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            await refusal_of(token, doorkeeper)
    (record,) = [each for each in caplog.records if each.name.startswith("chatbridge")]
    assert record.levelno == logging.INFO
    assert all(setting in record.getMessage() for setting in settings)


async def test_without_a_sign_in_the_operator_is_told_what_to_set(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO):
        await refusal_of(hs256(SECRET).token(), authenticator(sign_in=None))
    assert "set BETTER_AUTH_URL, or CHATBRIDGE_AUTH__JWKS_URL" in caplog.text


REMEDIES = {
    "token_malformed": "the jwt plugin's /api/auth/token",
    "wrong_type": "not its session cache",
    "wrong_algorithm": "set what the sign-in uses",
    "bad_signature": "BETTER_AUTH_SECRET or CHATBRIDGE_AUTH__SECRET must be the secret",
    "claim_missing": "iss, aud, sub, iat and exp",
    "claim_invalid": "1 to 128 letters",
    "wrong_issuer": f"CHATBRIDGE_AUTH__ISSUER (now {ISSUER})",
    "wrong_audience": f"CHATBRIDGE_AUTH__AUDIENCE (now {AUDIENCE})",
    "token_expired": "the page must get a new token",
    "token_not_yet_valid": "the clock",
    "token_lifetime": "24 hours at most",
}


def told_to_the_operator(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.name.startswith("chatbridge")]


def test_every_kind_of_forgery_has_its_remedy() -> None:
    assert {code for _, code in FORGERIES.values()} == REMEDIES.keys()


@pytest.mark.parametrize("code", REMEDIES)
async def test_the_log_says_how_to_mend_what_was_refused(
    code: str, caplog: pytest.LogCaptureFixture
) -> None:
    forge = next(forge for forge, its_code in FORGERIES.values() if its_code == code)
    with caplog.at_level(logging.INFO):
        assert (await refusal_of(forge(hs256(SECRET)), authenticator())).code == code
    (told,) = told_to_the_operator(caplog)
    assert told.startswith(f"A token was refused ({code}): ")
    assert REMEDIES[code] in told


async def test_an_unknown_key_is_told_with_its_remedy(
    key_server: KeyServer, http: httpx2.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    key_server.publish(eddsa("known"))
    jwks = Jwks(key_server.url, http)
    doorkeeper = authenticator(sign_in=SignIn((jwks,), ISSUER, AUDIENCE))
    with caplog.at_level(logging.INFO, "chatbridge"):
        refusal = await refusal_of(eddsa("unknown").token(), doorkeeper)
    assert refusal.code == "unknown_key"
    (told,) = told_to_the_operator(caplog)
    assert "CHATBRIDGE_AUTH__JWKS_URL must lead to the key set of the sign-in" in told


async def test_where_both_kinds_of_keys_are_taken_the_log_says_which_one_did_not_fit(
    key_server: KeyServer, http: httpx2.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    key_server.publish(eddsa("known"))
    sources = (Jwks(key_server.url, http), SharedSecret(SECRET))
    doorkeeper = authenticator(sign_in=SignIn(sources, ISSUER, AUDIENCE))
    tokens = (
        (eddsa("known").token(), "bad_signature", "the key set that BETTER_AUTH_URL or"),
        (hs256(b"x" * 32).token(), "bad_signature", "so BETTER_AUTH_SECRET or"),
        (eddsa().token(header={"alg": "PS256"}), "wrong_algorithm", "ES256, EdDSA, HS256, RS256"),
    )
    with caplog.at_level(logging.INFO, "chatbridge"):
        for token, code, _ in tokens:
            assert (await refusal_of(token, doorkeeper)).code == code
    for told, (_, _, remedy) in zip(told_to_the_operator(caplog), tokens, strict=True):
        assert remedy in told


async def test_a_session_of_another_secret_is_told_with_its_remedy(
    caplog: pytest.LogCaptureFixture,
) -> None:
    another = JwtTokenIssuer(b"the secret of another replica, also long enough")
    token = another.issue(ADA, audience=CHAT_SESSION, lifetime=timedelta(minutes=1)).token
    with caplog.at_level(logging.INFO):
        assert (await refusal_of(token, authenticator())).code == "bad_signature"
    (told,) = told_to_the_operator(caplog)
    assert "CHATBRIDGE_SECRET must be the same on all replicas" in told


async def test_a_development_token_elsewhere_is_told_with_its_remedy(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO):
        await refusal_of(own_token(DEVELOPMENT), authenticator())
    (told,) = told_to_the_operator(caplog)
    assert "CHATBRIDGE_ENVIRONMENT=development" in told


@pytest.mark.parametrize(
    ("hashes", "remedy"),
    [([], "CHATBRIDGE_SERVICE_KEYS must hold the hash"), ([SERVICE.hash], "for nothing else")],
)
async def test_a_refused_service_key_is_told_with_its_remedy_and_without_the_key(
    hashes: list[str], remedy: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        await refusal_of(SERVICE.key, authenticator(service_keys=hashes))
    (told,) = told_to_the_operator(caplog)
    assert remedy in told.replace("good for nothing", "for nothing")
    assert SERVICE.key not in told


async def test_ten_thousand_forged_tokens_do_not_fill_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    doorkeeper, signer = authenticator(), hs256(SECRET)
    forged = [(forge(signer), code) for forge, code in FORGERIES.values()]
    with caplog.at_level(logging.INFO):
        for token, code in islice(cycle(forged), 10_000):
            assert (await refusal_of(token, doorkeeper)).code == code
    told = told_to_the_operator(caplog)
    # a run on a slow machine may take longer than a minute
    assert len(set(told)) == len(REMEDIES)
    assert len(told) <= 10 * len(REMEDIES)
    assert not any(USER in line for line in told)


def test_a_mistake_that_lasts_is_told_again_every_minute(
    caplog: pytest.LogCaptureFixture,
) -> None:
    moments = iter(range(0, 600, 10))
    hints = ConfigurationHints(
        issuer="i", audience="a", algorithms=["HS256"], clock=lambda: next(moments)
    )
    with caplog.at_level(logging.INFO):
        for _ in range(60):
            hints.give("wrong_audience")
    assert len(told_to_the_operator(caplog)) == 10

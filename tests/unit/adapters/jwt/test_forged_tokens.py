"""No forged token comes in, whatever keys are taken, and each refusal says what was wrong."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from chatbridge.adapters.jwt.authenticator import JwtAuthenticator, SignIn
from chatbridge.adapters.jwt.key_source import Jwks, SharedSecret
from chatbridge.adapters.jwt.service_keys import ServiceKeys
from chatbridge.adapters.jwt.token_issuer import JwtTokenIssuer
from chatbridge.domain.model.errors import Unauthenticated, Unavailable
from tests.unit.adapters.jwt.forgeries import FORGERIES
from tests.unit.adapters.jwt.key_server import running_key_server
from tests.unit.adapters.jwt.signers import (
    AUDIENCE,
    ISSUER,
    SECRET,
    USER,
    Signer,
    assembled,
    eddsa,
    es256,
    good_claims,
    hs256,
    rs256,
)

PUBLIC = {signer.algorithm: signer for signer in (eddsa(), es256(), rs256())}
SHARED = hs256()
SIGNERS = {**PUBLIC, "HS256": SHARED}
# which keys are taken, and an algorithm of theirs
TAKEN = [
    *(("published", algorithm) for algorithm in PUBLIC),
    ("shared", "HS256"),
    *(("both", algorithm) for algorithm in SIGNERS),
]
OURS = JwtTokenIssuer(b"a secret of chatbridge's own, of more than 32 bytes")


def authenticator_for(sign_in: SignIn) -> JwtAuthenticator:
    return JwtAuthenticator(
        issuer=OURS, sign_in=sign_in, development=True, service_keys=ServiceKeys(())
    )


@pytest.fixture(scope="module")
async def jwks() -> AsyncIterator[Jwks]:
    with running_key_server() as server:
        server.publish(*PUBLIC.values())
        async with httpx2.AsyncClient(trust_env=False) as http:
            jwks = Jwks(server.url, http)
            yield jwks
            await jwks.close()


@pytest.fixture(scope="module")
def published(jwks: Jwks) -> JwtAuthenticator:
    return authenticator_for(SignIn((jwks,), ISSUER, AUDIENCE))


@pytest.fixture(scope="module")
def shared() -> JwtAuthenticator:
    return authenticator_for(SignIn((SharedSecret(SECRET),), ISSUER, AUDIENCE))


@pytest.fixture(scope="module")
def both(jwks: Jwks) -> JwtAuthenticator:
    return authenticator_for(SignIn((jwks, SharedSecret(SECRET)), ISSUER, AUDIENCE))


@pytest.fixture
def doorkeepers(
    published: JwtAuthenticator, shared: JwtAuthenticator, both: JwtAuthenticator
) -> dict[str, JwtAuthenticator]:
    return {"published": published, "shared": shared, "both": both}


async def refusal_of(token: str, authenticator: JwtAuthenticator) -> Unauthenticated:
    with pytest.raises(Unauthenticated) as caught:
        await authenticator.authenticate(token)
    return caught.value


@pytest.mark.parametrize(("taken", "algorithm"), TAKEN)
async def test_a_good_token_comes_in(
    taken: str, algorithm: str, doorkeepers: dict[str, JwtAuthenticator]
) -> None:
    token = SIGNERS[algorithm].token()
    caller = await doorkeepers[taken].authenticate(token)
    assert (caller.user_id, caller.via, caller.conversation_id) == (USER, "token", None)


@pytest.mark.parametrize(("taken", "algorithm"), TAKEN)
@pytest.mark.parametrize("name", FORGERIES)
async def test_a_forged_token_is_refused_for_what_is_wrong_with_it(
    name: str, taken: str, algorithm: str, doorkeepers: dict[str, JwtAuthenticator]
) -> None:
    forge, code = FORGERIES[name]
    refusal = await refusal_of(forge(SIGNERS[algorithm]), doorkeepers[taken])
    assert refusal.code == code


@pytest.mark.parametrize("name", FORGERIES)
async def test_a_refusal_repeats_nothing_of_the_token(
    name: str, shared: JwtAuthenticator, caplog: pytest.LogCaptureFixture
) -> None:
    forge, _ = FORGERIES[name]
    token = forge(SHARED)
    with caplog.at_level("DEBUG"):
        refusal = await refusal_of(token, shared)
    told = f"{refusal!r} {refusal.detail} {caplog.text}"
    assert not any(part in told for part in token.split(".") if len(part) > 8)
    assert not any(claim in told for claim in (USER, "somebody-else", "evil.example"))
    assert refusal.__cause__ is None


@pytest.mark.parametrize(
    ("algorithm", "spelling"),
    [(signer.algorithm, spelling) for signer in PUBLIC.values() for spelling in signer.public],
)
@pytest.mark.parametrize("taken", ["published", "both"])
async def test_a_public_key_is_no_secret(
    algorithm: str, spelling: str, taken: str, doorkeepers: dict[str, JwtAuthenticator]
) -> None:
    signer = PUBLIC[algorithm]
    forger = hs256(signer.public[spelling], key_id=signer.key_id)
    for header in (forger.header(), forger.header(kid=...), signer.header()):
        refusal = await refusal_of(forger.token(header=header), doorkeepers[taken])
        assert refusal.code in {"wrong_algorithm", "bad_signature"}


@pytest.mark.parametrize("secret", [b"", b"\0" * 32, b"secret", SECRET[:-1], SECRET + b"\n"])
@pytest.mark.parametrize("taken", ["shared", "both"])
async def test_another_secret_is_not_the_secret(
    secret: bytes, taken: str, doorkeepers: dict[str, JwtAuthenticator]
) -> None:
    assert (await refusal_of(hs256(secret).token(), doorkeepers[taken])).code == "bad_signature"


@pytest.mark.parametrize("signer", PUBLIC.values(), ids=PUBLIC)
async def test_the_algorithm_that_a_token_names_alone_says_which_keys_are_asked(
    signer: Signer, both: JwtAuthenticator
) -> None:
    by_the_secret_as_if_by_the_key = SHARED.token(header=signer.header())
    by_the_key_as_if_by_the_secret = signer.token(header=signer.header(alg="HS256"))
    for token in (by_the_secret_as_if_by_the_key, by_the_key_as_if_by_the_secret):
        assert (await refusal_of(token, both)).code == "bad_signature"
    for named in ({"kid": ...}, {"kid": "foreign"}):
        by_the_secret_and_no_key = SHARED.token(header=signer.header(**named))
        assert (await refusal_of(by_the_secret_and_no_key, both)).code == "unknown_key"


@pytest.mark.parametrize("key_id", [None, "foreign", *(s.key_id for s in PUBLIC.values())])
async def test_the_secret_is_asked_whatever_key_a_token_of_it_names(
    key_id: str | None, both: JwtAuthenticator
) -> None:
    token = hs256(SECRET, key_id=key_id).token()
    assert (await both.authenticate(token)).user_id == USER


async def test_without_its_key_set_the_sign_in_has_its_secret_and_neither_is_the_others() -> None:
    with running_key_server() as server:
        server.status = 404
        async with httpx2.AsyncClient(trust_env=False) as http:
            jwks = Jwks(server.url, http)
            both = authenticator_for(SignIn((jwks, SharedSecret(SECRET)), ISSUER, AUDIENCE))
            assert await both.authenticate(SHARED.token())
            assert server.hits == 0
            ed = PUBLIC["EdDSA"]
            for token in (ed.token(), SHARED.token(header=ed.header())):
                with pytest.raises(Unavailable):
                    await both.authenticate(token)
            await jwks.close()


@pytest.mark.parametrize("signer", PUBLIC.values(), ids=PUBLIC)
async def test_a_publicly_signed_token_has_the_wrong_algorithm_for_a_shared_secret(
    signer: Signer, shared: JwtAuthenticator
) -> None:
    assert (await refusal_of(signer.token(), shared)).code == "wrong_algorithm"


async def test_a_token_of_the_shared_secret_has_the_wrong_algorithm_for_published_keys(
    published: JwtAuthenticator,
) -> None:
    assert (await refusal_of(SHARED.token(), published)).code == "wrong_algorithm"


async def test_one_published_key_does_not_serve_for_the_algorithm_of_another(
    published: JwtAuthenticator,
) -> None:
    ed, ec = PUBLIC["EdDSA"], PUBLIC["ES256"]
    token = assembled(ed.header(kid=ec.key_id), good_claims(), ed.sign)
    assert (await refusal_of(token, published)).code == "wrong_algorithm"


@pytest.mark.parametrize("header", [{"kid": "foreign"}, {"kid": "../../etc/passwd"}, {"kid": ...}])
async def test_a_key_that_is_not_published_is_unknown(
    header: dict[str, object], published: JwtAuthenticator
) -> None:
    signer = PUBLIC["EdDSA"]
    token = signer.token(header=signer.header(**header))
    assert (await refusal_of(token, published)).code == "unknown_key"


@pytest.mark.parametrize("kind", ["JWT", "jwt", "at+jwt", "AT+JWT"])
async def test_the_types_of_access_tokens_are_accepted(kind: str, shared: JwtAuthenticator) -> None:
    token = SHARED.token(header=SHARED.header(typ=kind))
    assert (await shared.authenticate(token)).user_id == USER


@pytest.mark.parametrize(
    "subject",
    [
        "0b6ce5a6-2d34-4c1e-8a4e-6f1d3c0d9b11",
        "auth0|507f1f77bcf86cd799439020",
        "ada.o'brien+chat@example.co.uk",
        "-nano_id~1=",
        "...",
        "u" * 128,
    ],
)
async def test_the_ids_of_usual_sign_ins_are_accepted(
    subject: str, shared: JwtAuthenticator
) -> None:
    token = SHARED.token(good_claims(sub=subject))
    assert (await shared.authenticate(token)).user_id == subject


async def test_clocks_may_differ_by_half_a_minute(shared: JwtAuthenticator) -> None:
    now = good_claims()["iat"]
    for claims in (
        good_claims(iat=now + 25, nbf=now + 25),
        good_claims(iat=now - 900, exp=now - 25),
        good_claims(iat=now - 0.5, exp=now + 86_399.5),
    ):
        assert await shared.authenticate(SHARED.token(claims))


async def test_one_of_several_audiences_may_be_ours(shared: JwtAuthenticator) -> None:
    token = SHARED.token(good_claims(aud=["https://other.example", AUDIENCE]))
    assert await shared.authenticate(token)


async def test_a_token_of_just_eight_kilobytes_is_read(shared: JwtAuthenticator) -> None:
    token = SHARED.token(good_claims(more="x" * 5900))
    assert 8000 < len(token) <= 8192
    assert await shared.authenticate(token)

"""Published keys against a real HTTP server: they rotate, they vanish, they come from strangers."""

import asyncio
import gzip
import json
import logging
import socket
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from chatbridge.adapters.jwt.key_source import Jwks, SharedSecret
from chatbridge.domain.model.errors import Unauthenticated, Unavailable
from tests.unit.adapters.jwt.key_server import KeyServer
from tests.unit.adapters.jwt.signers import Signer, eddsa, es256, rs256
from tests.waiting import until

FIVE_MINUTES = 300
A_DAY = 24 * 60 * 60


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def jwks(
    key_server: KeyServer, http: httpx2.AsyncClient, clock: Clock
) -> AsyncIterator[Jwks]:
    source = Jwks(key_server.url, http, clock=clock)
    yield source
    await source.close()


async def knows(jwks: Jwks, signer: Signer) -> bool:
    """Whether a signature of this signer is good by the key of that id."""
    try:
        key = await jwks.key_for(signer.key_id)
    except Unauthenticated:
        return False
    return key.algorithm == signer.algorithm and key.key.verify(b"data", signer.sign(b"data"))


async def is_unavailable(jwks: Jwks, key_id: str = "ed") -> bool:
    with pytest.raises(Unavailable) as caught:
        await jwks.key_for(key_id)
    return caught.value.code == "sign_in_unavailable"


async def test_every_kind_of_key_is_used_with_its_one_algorithm(
    jwks: Jwks, key_server: KeyServer
) -> None:
    signers = [eddsa(), es256(), rs256()]
    key_server.publish(*signers)
    assert [await knows(jwks, signer) for signer in signers] == [True] * 3
    assert key_server.hits == 1


async def test_a_new_key_is_found_at_once(jwks: Jwks, key_server: KeyServer, clock: Clock) -> None:
    old, new = eddsa("old"), es256("new")
    key_server.publish(old)
    assert await knows(jwks, old)
    clock.now += 6
    key_server.publish(old, new)
    assert await knows(jwks, new)
    assert await knows(jwks, old)
    assert key_server.hits == 2


async def test_ten_thousand_unknown_keys_are_one_fetch_in_five_seconds(
    jwks: Jwks, key_server: KeyServer, clock: Clock
) -> None:
    signer = eddsa()
    key_server.publish(signer)
    assert await knows(jwks, signer)
    for _ in range(2):
        clock.now += 5
        before = key_server.hits
        storm = [jwks.key_for(uuid4().hex) for _ in range(5000)]
        results = await asyncio.gather(*storm, return_exceptions=True)
        assert all(isinstance(each, Unauthenticated) for each in results)
        for _ in range(5000):
            with pytest.raises(Unauthenticated):
                await jwks.key_for(uuid4().hex)
        assert key_server.hits == before + 1


async def test_a_rotated_key_is_good_within_five_seconds_also_amid_unknown_ones(
    jwks: Jwks, key_server: KeyServer, clock: Clock
) -> None:
    old, new = eddsa("old"), eddsa("new")
    key_server.publish(old)
    assert await knows(jwks, old)
    key_server.publish(old, new)
    seconds = 0
    while not await knows(jwks, new):
        with pytest.raises(Unauthenticated):
            await jwks.key_for(uuid4().hex)
        clock.now += 1
        seconds += 1
    assert seconds <= 5
    assert key_server.hits == 2


async def test_an_hour_without_the_sign_in_costs_its_users_nothing(
    jwks: Jwks, key_server: KeyServer, clock: Clock
) -> None:
    signer = eddsa()
    key_server.publish(signer)
    assert await knows(jwks, signer)
    key_server.status = 503
    for _ in range(60):
        clock.now += 60
        assert await knows(jwks, signer)
        with pytest.raises(Unauthenticated):
            await jwks.key_for(uuid4().hex)
    assert key_server.hits == 61


async def test_a_sign_in_that_never_answers_makes_nobody_wait_whose_key_is_known(
    jwks: Jwks, key_server: KeyServer, clock: Clock
) -> None:
    signer = eddsa()
    key_server.publish(signer)
    assert await knows(jwks, signer)
    clock.now += FIVE_MINUTES
    key_server.answers.clear()
    stranger = asyncio.create_task(jwks.key_for("unknown"))
    await until(lambda: key_server.hits == 2)
    assert [await knows(jwks, signer) for _ in range(100)] == [True] * 100
    assert not stranger.done()
    key_server.answers.set()
    with pytest.raises(Unauthenticated):
        await stranger


async def test_callers_who_come_together_share_one_fetch(jwks: Jwks, key_server: KeyServer) -> None:
    signer = eddsa()
    key_server.publish(signer)
    key_server.answers.clear()
    asking = asyncio.gather(*(knows(jwks, signer) for _ in range(100)))
    await until(lambda: key_server.hits)
    key_server.answers.set()
    assert all(await asking)
    assert key_server.hits == 1


async def test_a_caller_who_gives_up_does_not_end_the_fetch_of_the_others(
    jwks: Jwks, key_server: KeyServer
) -> None:
    signer = eddsa()
    key_server.publish(signer)
    key_server.answers.clear()
    first = asyncio.create_task(knows(jwks, signer))
    second = asyncio.create_task(knows(jwks, signer))
    await until(lambda: key_server.hits)
    first.cancel()
    key_server.answers.set()
    assert await second
    assert first.cancelled()
    assert key_server.hits == 1


async def test_a_slow_sign_in_does_not_block_the_loop(jwks: Jwks, key_server: KeyServer) -> None:
    key_server.publish(eddsa())
    key_server.answers.clear()
    waiting = asyncio.create_task(jwks.key_for("ed"))
    await until(lambda: key_server.hits)
    assert not waiting.done()
    key_server.answers.set()
    assert await waiting


async def test_old_keys_serve_while_new_ones_are_fetched_behind_the_request(
    jwks: Jwks, key_server: KeyServer, clock: Clock
) -> None:
    old, new = eddsa("old"), eddsa("new")
    key_server.publish(old)
    assert await knows(jwks, old)
    clock.now += FIVE_MINUTES
    key_server.publish(new)
    key_server.answers.clear()
    assert [await knows(jwks, old) for _ in range(10)] == [True] * 10
    # So that this waits for the fetch that is under way, and could not begin one.
    clock.now -= FIVE_MINUTES
    key_server.answers.set()
    await jwks.refresh()
    assert key_server.hits == 2
    assert await knows(jwks, new)
    assert not await knows(jwks, old)


async def test_fresh_keys_are_not_fetched_again(
    jwks: Jwks, key_server: KeyServer, clock: Clock
) -> None:
    signer = eddsa()
    key_server.publish(signer)
    assert await knows(jwks, signer)
    clock.now += FIVE_MINUTES - 1
    assert await knows(jwks, signer)
    await asyncio.sleep(0.05)
    assert key_server.hits == 1


@pytest.mark.parametrize(
    "broken",
    [
        {"status": 500},
        {"status": 404},
        {"body": b""},
        {"body": b"<html>"},
        {"body": b"[]"},
        {"body": b'{"keys":{}}'},
        {"body": b'{"keys":[]}'},
        {"body": b'{"keys":[],"keys":[]}'},
        {"body": b'{"keys":' + b"[" * 9000},
        {"body": json.dumps({"keys": [eddsa("another").jwk]}).encode().ljust(65_537)},
        {"status": 302, "headers": {"Location": "/elsewhere"}},
    ],
)
async def test_whatever_goes_wrong_the_last_good_keys_are_kept(
    broken: dict[str, Any],
    jwks: Jwks,
    key_server: KeyServer,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    signer = eddsa()
    key_server.publish(signer)
    assert await knows(jwks, signer)
    clock.now += 6
    for name, value in broken.items():
        setattr(key_server, name, value)
    with pytest.raises(Unauthenticated):
        await jwks.key_for("another")
    assert key_server.hits == 2
    assert await knows(jwks, signer)
    assert "CHATBRIDGE_AUTH__JWKS_URL" in caplog.text


async def test_an_outage_is_survived_for_a_day_and_then_ends_by_itself(
    jwks: Jwks, key_server: KeyServer, clock: Clock
) -> None:
    signer = eddsa()
    key_server.publish(signer)
    assert await knows(jwks, signer)
    key_server.status = 503
    clock.now += A_DAY - 1
    assert await knows(jwks, signer)
    await jwks.refresh()
    clock.now += 6
    assert await is_unavailable(jwks)
    key_server.status = 200
    assert await is_unavailable(jwks), "that was too soon to try again"
    clock.now += 6
    assert await knows(jwks, signer)


async def test_without_any_key_so_far_the_sign_in_is_unavailable(
    jwks: Jwks, key_server: KeyServer, clock: Clock
) -> None:
    key_server.status = 500
    results = await asyncio.gather(*(is_unavailable(jwks) for _ in range(20)))
    assert all(results)
    assert key_server.hits == 1
    key_server.status = 200
    key_server.publish(eddsa())
    clock.now += 6
    assert await jwks.key_for("ed")


async def test_a_sign_in_that_is_not_there_is_unavailable(http: httpx2.AsyncClient) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        jwks = Jwks(f"http://127.0.0.1:{unused.getsockname()[1]}/jwks", http)
        assert await is_unavailable(jwks)


async def test_a_nonsensical_url_is_unavailable(http: httpx2.AsyncClient) -> None:
    assert await is_unavailable(Jwks("nonsense", http))


async def test_a_sign_in_that_never_answers_is_given_up(
    jwks: Jwks, key_server: KeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatbridge.adapters.jwt.key_source.FETCH_SECONDS", 0.05)
    key_server.answers.clear()
    assert await is_unavailable(jwks)


async def test_a_redirect_is_not_followed(jwks: Jwks, key_server: KeyServer) -> None:
    key_server.publish(eddsa())
    key_server.status, key_server.headers = 302, {"Location": key_server.url}
    assert await is_unavailable(jwks)
    assert key_server.hits == 1


async def test_a_compressed_answer_is_not_unpacked(jwks: Jwks, key_server: KeyServer) -> None:
    key_server.body = gzip.compress(json.dumps({"keys": [eddsa().jwk]}).encode())
    key_server.headers = {"Content-Encoding": "gzip"}
    assert await is_unavailable(jwks)


async def test_the_largest_answer_is_64_kilobytes(jwks: Jwks, key_server: KeyServer) -> None:
    key_server.publish(eddsa())
    key_server.body += b" " * (65_536 - len(key_server.body))
    assert await jwks.key_for("ed")


@pytest.mark.parametrize(
    "changes",
    [
        {"alg": "ES256"},
        {"alg": "HS256"},
        {"alg": ["EdDSA"]},
        {"use": "enc"},
        {"key_ops": ["encrypt"]},
        {"key_ops": "verify"},
        {"kid": 1},
        {"kid": ""},
        {"kid": "k" * 129},
        {"crv": "X25519"},
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "EC"},
        {"kty": ["OKP"]},
        {"x": "c2hvcnQ"},
        {"x": None},
        {"x": "!" * 43},
    ],
)
async def test_a_key_that_is_not_for_us_costs_only_itself(
    changes: dict[str, Any], jwks: Jwks, key_server: KeyServer
) -> None:
    odd, good = eddsa("odd"), eddsa("good")
    key_server.publish_jwks([{**odd.jwk, **changes}, good.jwk])
    assert await knows(jwks, good)
    assert not await knows(jwks, odd)


@pytest.mark.parametrize(
    ("signer", "changes"),
    [
        (es256("odd"), {"y": "AAAA"}),
        (es256("odd"), {"crv": "P-384"}),
        (es256("odd"), {"crv": "secp256k1"}),
        (rs256("odd"), {"alg": "PS256"}),
        (rs256("odd"), {"e": "AQ"}),
        (rs256("odd"), {"n": ...}),
        (rs256("odd"), {"n": "_" * 20_000}),
        (rs256("odd", bits=1024), {}),
    ],
)
async def test_weak_and_broken_keys_are_left_out(
    signer: Signer, changes: dict[str, Any], jwks: Jwks, key_server: KeyServer
) -> None:
    odd = {name: each for name, each in {**signer.jwk, **changes}.items() if each is not ...}
    good = eddsa("good")
    key_server.publish_jwks([odd, good.jwk])
    assert await knows(jwks, good)
    assert not await knows(jwks, signer)


async def test_of_two_keys_with_one_id_the_first_counts(jwks: Jwks, key_server: KeyServer) -> None:
    first, second = eddsa("same"), es256("same")
    key_server.publish(first, second)
    assert await knows(jwks, first)
    assert not await knows(jwks, second)


async def test_a_private_key_that_is_published_by_mistake_serves_as_its_public_half(
    jwks: Jwks, key_server: KeyServer
) -> None:
    signer = rs256()
    key_server.publish_jwks([{**signer.jwk, "d": "AQAB", "p": "AQAB"}])
    assert await knows(jwks, signer)


async def test_a_token_must_name_its_key(jwks: Jwks, key_server: KeyServer) -> None:
    key_server.publish(eddsa())
    with pytest.raises(Unauthenticated) as caught:
        await jwks.key_for(None)
    assert caught.value.code == "unknown_key"
    assert key_server.hits == 0


async def test_keys_can_be_fetched_before_the_first_request(
    jwks: Jwks, key_server: KeyServer
) -> None:
    signer = eddsa()
    key_server.publish(signer)
    await jwks.refresh()
    key_server.status = 500
    assert await knows(jwks, signer)


async def test_closing_ends_a_fetch_that_is_under_way(
    key_server: KeyServer, http: httpx2.AsyncClient
) -> None:
    key_server.answers.clear()
    jwks = Jwks(key_server.url, http)
    waiting = asyncio.create_task(is_unavailable(jwks))
    await until(lambda: key_server.hits)
    await jwks.close()
    assert await waiting


async def test_a_failed_fetch_is_told_to_the_operator(
    jwks: Jwks, key_server: KeyServer, caplog: pytest.LogCaptureFixture
) -> None:
    key_server.status = 500
    assert await is_unavailable(jwks)
    (record,) = [each for each in caplog.records if each.name.startswith("chatbridge")]
    assert record.levelno == logging.WARNING
    assert record.getMessage() == (
        f"No keys from {key_server.url} (CHATBRIDGE_AUTH__JWKS_URL): the answer is 500"
    )


@pytest.mark.parametrize("secret", [b"", b"secret", b"x" * 31])
def test_a_short_secret_is_refused_at_start(secret: bytes) -> None:
    with pytest.raises(ValueError, match=f"has {len(secret)} bytes and needs at least 32"):
        SharedSecret(secret)


@pytest.mark.parametrize("spelling", ["pem", "ssh"])
def test_a_public_key_is_refused_as_a_secret_at_start(spelling: str) -> None:
    with pytest.raises(ValueError, match="PEM or SSH key"):
        SharedSecret(rs256().public[spelling])

"""The sign-in as a host sets it up: Better Auth by its address and secret, others by a key."""

import logging
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.http.asking import operation, require_refused
from tests.serving import Served, served, settings_for
from tests.unit.adapters.jwt.key_server import KeyServer, running_key_server
from tests.unit.adapters.jwt.signers import SECRET, USER, Signer, eddsa, good_claims, hs256

KNOWN = eddsa("known")
LIST = operation("threads.list", "")


@pytest.fixture(scope="module")
def better_auth() -> Iterator[KeyServer]:
    """A sign-in that publishes its keys."""
    with running_key_server() as server:
        server.publish(KNOWN)
        yield server


@pytest.fixture(scope="module")
async def behind_it(better_auth: KeyServer) -> AsyncGenerator[Served]:
    """A service that is told the sign-in's address and nothing else of it."""
    settings = settings_for(
        "memory:",
        environment="production",
        allow=["offline_model"],
        BETTER_AUTH_URL=_address(better_auth),
    )
    async with served(settings) as here:
        yield here


def _address(better_auth: KeyServer) -> str:
    return better_auth.url.removesuffix("/jwks")


async def asked_with(service: Served, token: str) -> httpx.Response:
    client = service.as_user(None)
    client.headers["Authorization"] = f"Bearer {token}"
    return await client.post("/chatkit", json=LIST)


async def test_better_auths_address_alone_lets_its_users_in(
    behind_it: Served, better_auth: KeyServer
) -> None:
    here = _address(better_auth)
    answer = await asked_with(behind_it, KNOWN.token(good_claims(iss=here, aud=here)))
    assert answer.status_code == 200
    assert better_auth.asked_path == "/api/auth/jwks"


async def test_better_auths_secret_beside_its_address_lets_both_kinds_of_its_tokens_in(
    better_auth: KeyServer,
) -> None:
    here = _address(better_auth)
    settings = settings_for(
        "memory:",
        environment="production",
        allow=["offline_model"],
        BETTER_AUTH_URL=here,
        BETTER_AUTH_SECRET=SECRET.decode(),
    )
    good = good_claims(iss=here, aud=here)
    async with served(settings) as service:
        for signer in (KNOWN, hs256()):
            assert (await asked_with(service, signer.token(good))).status_code == 200
        for signer, code in (
            (eddsa("known"), "bad_signature"),
            (hs256(KNOWN.public["der"], key_id="known"), "bad_signature"),
            (hs256(KNOWN.public["jwk member"]), "bad_signature"),
        ):
            require_refused(await asked_with(service, signer.token(good)), 401, code)


Mistake = tuple[Signer, Callable[[str], dict[str, Any]], str]

MISTAKES: dict[str, Mistake] = {
    "expired": (
        KNOWN,
        lambda _: {"iat": time.time() - 900, "exp": time.time() - 300},
        "token_expired",
    ),
    "another audience": (KNOWN, lambda _: {"aud": "https://other.example"}, "wrong_audience"),
    "another issuer": (KNOWN, lambda _: {"iss": "https://other.example"}, "wrong_issuer"),
    "an unknown key": (eddsa("unknown"), lambda _: {}, "unknown_key"),
    "a key that is not that of its name": (eddsa("known"), lambda _: {}, "bad_signature"),
    "a secret, where none is shared": (hs256(), lambda _: {}, "wrong_algorithm"),
}


@pytest.mark.parametrize("name", MISTAKES)
async def test_a_refusal_says_what_kind_of_mistake_it_was_and_repeats_nothing(
    name: str, behind_it: Served, better_auth: KeyServer, caplog: pytest.LogCaptureFixture
) -> None:
    signer, changes, code = MISTAKES[name]
    here = _address(better_auth)
    token = signer.token(good_claims(**{"iss": here, "aud": here, **changes(here)}))
    with caplog.at_level(logging.INFO):
        answer = await asked_with(behind_it, token)
    problem = require_refused(answer, 401, code)
    secrets = (token, token.split(".")[2], USER, here, "other.example", "unknown", "CHATBRIDGE")
    assert not [each for each in secrets if each in problem["detail"]]
    logged = [each.getMessage() for each in caplog.records if each.name.startswith("chatbridge")]
    assert [line for line in logged if line.startswith(f"A token was refused ({code}): ")]
    assert not [line for line in logged if token in line or USER in line]


def made_by_the_command(directory: Path, *known: str) -> tuple[str, str]:
    """A new key, and what CHATBRIDGE_SERVICE_KEYS should be then."""
    done = subprocess.run(
        [sys.executable, "-m", "chatbridge", "service-key"],
        cwd=directory,
        env={"CHATBRIDGE_SERVICE_KEYS": ",".join(known)},
        capture_output=True,
        text=True,
        check=True,
    )
    key, setting = done.stdout.splitlines()
    return key, setting.removeprefix("CHATBRIDGE_SERVICE_KEYS=")


async def test_a_service_key_is_changed_without_a_gap(tmp_path: Path) -> None:
    old, at_first = made_by_the_command(tmp_path)
    new, both = made_by_the_command(tmp_path, at_first)
    _, after_another = made_by_the_command(tmp_path, *both.split(","))
    in_the_end = both.split(",")[0]
    assert both.split(",")[1] == at_first
    assert after_another.split(",")[1] == in_the_end
    for setting, good in ((at_first, {old}), (both, {old, new}), (in_the_end, {new})):
        settings = settings_for("memory:", service_keys=setting)
        async with served(settings) as here:
            for key in (old, new):
                client = here.as_user(None)
                client.headers["Authorization"] = f"Bearer {key}"
                answer = await client.post("/api/alice/chatkit/session")
                assert answer.status_code == (200 if key in good else 401)


def test_what_the_command_prints_is_kept_nowhere(tmp_path: Path) -> None:
    made_by_the_command(tmp_path)
    assert not list(tmp_path.iterdir())

"""A development token is for whoever has the key of this start, wherever a request comes from."""

import time
from functools import cache
from pathlib import Path
from stat import S_IMODE
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from chatbridge.container import Container
from chatbridge.main import create_app
from chatbridge.running import running
from chatbridge.settings import Settings
from tests.unit.entrypoints.page.test_page import production

BOB = {"user": "bob"}
TOKEN = "/development/token"


def container_of(**changes: Any) -> Container:
    return Container(
        settings=Settings(_env_file=None, secret="s" * 32, database={"url": "memory:"}, **changes)
    )


@cache
def development() -> tuple[Container, FastAPI]:
    container = container_of()
    return container, create_app(container)


def client_of(app: FastAPI | None = None, *, key: str | None = None) -> httpx.AsyncClient:
    """A client that shows this key; None: the right one; empty: none."""
    container, development_app = development()
    shown = container.key().value if key is None else key
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app or development_app),
        base_url="http://127.0.0.1:8000",
        headers={"Authorization": f"Bearer {shown}"} if shown else {},
    )


def require_refused(answer: httpx.Response, status: int, code: str) -> None:
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["detail"]
    assert "token" not in problem


async def test_the_token_is_good_for_the_user_that_was_named() -> None:
    async with client_of() as client:
        answer = await client.post(TOKEN, json=BOB)
    assert answer.status_code == 200
    said = answer.json()
    caller = await development()[0].authenticator().authenticate(said["token"])
    assert (caller.user_id, caller.via) == ("bob", "token")
    assert time.time() < said["expires_at"] <= time.time() + 86_400


@pytest.mark.parametrize("key", ["", "x", "ä", "x" * 32, "x" * 20_000])
async def test_nobody_gets_one_without_the_key(key: str) -> None:
    async with client_of(key="") as client:
        headers = {"Authorization": f"Bearer {key}".encode()} if key else {}
        expected = (403, "wrong_key") if key else (401, "key_missing")
        require_refused(await client.post(TOKEN, json=BOB, headers=headers), *expected)


async def test_each_start_has_a_key_of_its_own() -> None:
    async with client_of(key=container_of().key().value) as client:
        require_refused(await client.post(TOKEN, json=BOB), 403, "wrong_key")


@pytest.mark.parametrize("site", ["cross-site", "same-site", "Same-Origin", ""])
async def test_what_a_browser_sends_for_a_page_of_another_site_is_refused(site: str) -> None:
    async with client_of() as client:
        headers = {"Sec-Fetch-Site": site}
        require_refused(await client.post(TOKEN, json=BOB, headers=headers), 403, "foreign_origin")
        require_refused(await client.get("/development", headers=headers), 403, "foreign_origin")


@pytest.mark.parametrize("site", ["same-origin", "none"])
async def test_the_page_itself_and_a_person_may_ask(site: str) -> None:
    async with client_of() as client:
        headers = {"Sec-Fetch-Site": site}
        assert (await client.post(TOKEN, json=BOB, headers=headers)).status_code == 200


async def test_the_key_is_in_a_file_that_only_its_user_may_read_while_it_is_good(
    tmp_path: Path,
) -> None:
    container = container_of(data_dir=tmp_path / "data", PORT=8123)
    file = tmp_path / "data" / "key-8123"
    async with running(container), client_of(create_app(container), key="") as client:
        assert (await client.get("/development")).json() == {"directory": str(file.parent)}
        assert (file.read_text(), S_IMODE(file.stat().st_mode)) == (container.key().value, 0o600)
    assert not file.exists()


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
async def test_what_a_page_may_send_unasked_is_refused(media_type: str) -> None:
    async with client_of() as client:
        headers = {"Content-Type": media_type}
        answer = await client.post(TOKEN, content=b'{"user": "bob"}', headers=headers)
        require_refused(answer, 415, "unsupported_media_type")


async def test_no_other_site_is_told_that_it_may_ask() -> None:
    async with client_of() as client:
        asked = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
        answer = await client.options(TOKEN, headers=asked)
        assert answer.status_code == 405
        assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("name", ["", "a b", "a/b", "x" * 129, "ä", "a\n"])
async def test_a_name_that_is_no_users_is_refused(name: str) -> None:
    async with client_of() as client:
        require_refused(await client.post(TOKEN, json={"user": name}), 422, "user_id")


@pytest.mark.parametrize("body", [{}, {"user": 3}, {"user": None}, {**BOB, "admin": True}, []])
async def test_a_body_of_another_form_is_refused(body: Any) -> None:
    async with client_of() as client:
        require_refused(await client.post(TOKEN, json=body), 422, "invalid_request")


async def test_who_has_no_key_is_refused_before_the_body_is_read() -> None:
    async def never() -> Any:
        pytest.fail("the body was read")
        yield b""

    async with client_of(key="") as client:
        require_refused(await client.post(TOKEN, content=never()), 401, "key_missing")


@pytest.mark.parametrize("page", [None, True, False])
async def test_there_is_no_such_thing_in_production(page: bool | None) -> None:
    app = production(page={"serve": page})
    async with client_of(app) as client:
        require_refused(await client.post(TOKEN, json=BOB), 404, "no_such_path")
        require_refused(await client.get("/development"), 404, "no_such_path")

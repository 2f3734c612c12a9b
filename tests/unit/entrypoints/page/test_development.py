"""A development token is for whoever sits at the machine, and for no page of another site."""

import time
from functools import cache
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from chatbridge.container import Container
from chatbridge.main import create_app
from chatbridge.settings import Settings
from tests.unit.entrypoints.page.test_page import SIGN_IN

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


def client_at(
    host: str = "127.0.0.1:8000", peer: str = "127.0.0.1", app: FastAPI | None = None
) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app or development()[1], client=(peer, 1234))
    return httpx.AsyncClient(transport=transport, base_url=f"http://{host}")


def require_refused(answer: httpx.Response, status: int, code: str) -> None:
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["detail"]
    assert "token" not in problem


async def test_the_token_is_good_for_the_user_that_was_named() -> None:
    container, app = development()
    async with client_at(app=app) as client:
        answer = await client.post(TOKEN, json=BOB)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    said = answer.json()
    caller = await container.authenticator().authenticate(said["token"], loopback=True)
    assert (caller.user_id, caller.via) == ("bob", "token")
    assert time.time() < said["expires_at"] <= time.time() + 3600


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:8000", "localhost", "LocalHost:3000", "[::1]", "[::1]:8000"]
)
@pytest.mark.parametrize("peer", ["127.0.0.1", "::1"])
async def test_every_name_of_this_machine_is_good(host: str, peer: str) -> None:
    async with client_at(host, peer) as client:
        assert (await client.post(TOKEN, json=BOB)).status_code == 200
        own = await client.post(TOKEN, json=BOB, headers={"Origin": f"http://{host}"})
        assert own.status_code == 200


@pytest.mark.parametrize("peer", ["203.0.113.7", "10.0.0.1", "192.168.1.2", "2001:db8::7", "unix"])
async def test_nobody_elsewhere_gets_one(peer: str) -> None:
    async with client_at(peer=peer) as client:
        require_refused(await client.post(TOKEN, json=BOB), 403, "not_loopback")


@pytest.mark.parametrize("header", ["Forwarded", "Via", "X-Forwarded-For", "X-Real-IP"])
async def test_nobody_gets_one_through_a_proxy_that_names_itself(header: str) -> None:
    async with client_at() as client:
        answer = await client.post(TOKEN, json=BOB, headers={header: "127.0.0.1"})
        require_refused(answer, 403, "not_loopback")


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8000",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "localhost.",
        "127.0.0.1@evil.example",
        "0.0.0.0:8000",
        "127.0.0.1:8000, evil.example",
        "",
    ],
)
async def test_a_name_that_was_made_to_lead_here_is_refused(host: str) -> None:
    async with client_at() as client:
        for origin in ({}, {"Origin": f"http://{host}"}):
            answer = await client.post(TOKEN, json=BOB, headers={"Host": host, **origin})
            require_refused(answer, 403, "foreign_host")


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "http://127.0.0.1:9999",
        "http://localhost:8000",
        "https://127.0.0.1:8000",
        "http://127.0.0.1:8000.evil.example",
        "null",
        "",
    ],
)
async def test_a_page_of_another_origin_is_refused(origin: str) -> None:
    async with client_at() as client:
        answer = await client.post(TOKEN, json=BOB, headers={"Origin": origin})
        require_refused(answer, 403, "foreign_origin")


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
async def test_what_a_page_may_send_unasked_is_refused(media_type: str) -> None:
    async with client_at() as client:
        headers = {"Content-Type": media_type}
        answer = await client.post(TOKEN, content=b'{"user": "bob"}', headers=headers)
        require_refused(answer, 415, "unsupported_media_type")


async def test_no_other_site_is_told_that_it_may_ask() -> None:
    async with client_at() as client:
        asked = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
        answer = await client.options(TOKEN, headers=asked)
        assert answer.status_code == 405
        assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("name", ["", "a b", "a/b", "x" * 129, "ä", "a\n"])
async def test_a_name_that_is_no_users_is_refused(name: str) -> None:
    async with client_at() as client:
        require_refused(await client.post(TOKEN, json={"user": name}), 422, "user_id")


@pytest.mark.parametrize("body", [{}, {"user": 3}, {"user": None}, {**BOB, "admin": True}, []])
async def test_a_body_of_another_form_is_refused(body: Any) -> None:
    async with client_at() as client:
        require_refused(await client.post(TOKEN, json=body), 422, "invalid_request")


async def test_who_is_elsewhere_is_refused_before_the_body_is_read() -> None:
    async def never() -> Any:
        pytest.fail("the body was read")
        yield b""

    async with client_at(peer="203.0.113.7") as client:
        require_refused(await client.post(TOKEN, content=never()), 403, "not_loopback")


@pytest.mark.parametrize("page", [None, True, False])
async def test_there_is_no_such_thing_in_production(page: bool | None) -> None:
    container = container_of(environment="production", auth=SIGN_IN, page=page)
    async with client_at(app=create_app(container)) as client:
        require_refused(await client.post(TOKEN, json=BOB), 404, "no_such_path")

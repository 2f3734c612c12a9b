"""The contract is read here, and nobody else is asked for anything to show it."""

import re
from base64 import b64encode
from hashlib import sha256

from fastapi import FastAPI

from chatbridge.entrypoints.contract_page import contract_router
from tests.unit.entrypoints.page.test_page import app_of, client_of, directives, production


async def test_the_docs_show_the_whole_contract_and_load_nothing() -> None:
    app = app_of()
    async with client_of(app) as client:
        page = await client.get("/docs")
    assert page.status_code == 200
    (style,) = re.findall(r"<style>(.*?)</style>", page.text, re.S)
    named = b64encode(sha256(style.encode()).digest()).decode()
    policy = directives(page)
    assert policy.pop("style-src") == f"'sha256-{named}'"
    assert set(policy.values()) == {"'none'"}
    assert not re.search(r"<script|<link|<img|\bsrc=|style=|url\(|@import", page.text)
    for path, operations in app.openapi()["paths"].items():
        for method in operations:
            assert f"<code>{method.upper()} {path}</code>" in page.text


async def test_what_the_contract_says_is_text() -> None:
    app = FastAPI(title="<b>x</b>", openapi_url=None)
    app.openapi = lambda: {
        "info": {"title": "<b>x</b>", "version": "1", "description": "<script>"},
        "tags": [],
        "paths": {},
        "components": {"schemas": {"<i>": {"<u>": 1}}},
    }
    app.include_router(contract_router(app))
    async with client_of(app) as client:
        page = (await client.get("/docs")).text
    assert not re.search(r"<(b|i|u|script)>", page)


async def test_the_contract_names_where_it_is_mounted() -> None:
    host = FastAPI()
    host.mount("/chat", app_of())
    async with client_of(host) as client:
        assert (await client.get("/chat/openapi.json")).json()["servers"] == [{"url": "/chat"}]
        assert 'href="openapi.json"' in (await client.get("/chat/docs")).text


async def test_production_has_no_docs_unless_they_are_turned_on() -> None:
    apps = ((production(), 404), (production(docs=True), 200), (app_of(docs=False), 404))
    for app, status in apps:
        async with client_of(app) as client:
            assert (await client.get("/docs")).status_code == status
            assert (await client.get("/openapi.json")).status_code == status
            assert (await client.get("/redoc")).status_code == 404

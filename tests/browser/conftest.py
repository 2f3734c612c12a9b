"""The browser of a run, the pages that a test may ask for, and that nothing goes wrong in them."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, Route, async_playwright, expect
from sqlalchemy.ext.asyncio import AsyncEngine

from scripts.web import Web
from tests.browser import bundles, web_stack
from tests.browser.chat_server import ChatServer, started
from tests.browser.chromium import ARTEFACTS, Watch, launched
from tests.browser.endpoint import PATIENCE, Endpoint, endpoint_served
from tests.integration.scripted_endpoint import ScriptedEndpoint

expect.set_options(timeout=PATIENCE * 1000)

_FAILED = pytest.StashKey[bool]()

NewContext = Callable[..., Awaitable[BrowserContext]]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Remember a failure for the fixtures that keep what the page looked like."""
    report = yield
    item.stash[_FAILED] = item.stash.get(_FAILED, False) or report.failed
    return report


@pytest.fixture(scope="session")
async def browser(worker_id: str) -> AsyncIterator[Browser]:
    """The Chromium of a worker; nothing but loopback can be reached from it."""
    async with (
        async_playwright() as playwright,
        launched(playwright, ARTEFACTS / f"net-log-{worker_id}.json") as browser,
    ):
        yield browser


@pytest.fixture(scope="session")
def watch() -> Watch:
    """What has gone wrong in the pages of this test; a test says what it expects."""
    return Watch()


@pytest.fixture(autouse=True)
def _nothing_goes_wrong(watch: Watch) -> Iterator[None]:
    watch.forget()
    yield
    assert watch.unexpected() == []


@pytest.fixture
async def new_context(
    browser: Browser, watch: Watch, request: pytest.FixtureRequest
) -> AsyncIterator[NewContext]:
    """Makes browser profiles; what their pages look like is kept if the test fails."""
    made: list[BrowserContext] = []

    async def new_context(**options: Any) -> BrowserContext:
        context = await browser.new_context(**options)
        made.append(context)
        context.set_default_timeout(PATIENCE * 1000)
        await watch.over(context)
        await context.tracing.start(snapshots=True)
        return context

    yield new_context
    name = re.sub(r"\W+", "-", request.node.name)
    for number, context in enumerate(made):
        await _closed(context, ARTEFACTS / f"{name}-{number}", kept=request.node.stash[_FAILED])


async def _closed(context: BrowserContext, where: Path, *, kept: bool) -> None:
    if kept:
        for number, page in enumerate(context.pages):
            await page.screenshot(path=where.with_name(f"{where.name}-{number}.png"))
        await context.tracing.stop(path=where.with_suffix(".trace.zip"))
    await context.close()


@pytest.fixture
async def context(new_context: NewContext) -> BrowserContext:
    """One profile."""
    return await new_context()


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The element's files by their names, made of the sources as they are."""
    return bundles.element(tmp_path_factory.mktemp("element"))


@pytest.fixture(scope="session")
def modules_bundle(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The script that makes the global `modules`."""
    return bundles.modules(tmp_path_factory.mktemp("modules") / "modules.js")


@pytest.fixture(scope="session")
async def modules_page(browser: Browser, watch: Watch, modules_bundle: str) -> AsyncIterator[Page]:
    """A blank page of its own origin in which `modules` are element/test/modules.ts."""
    context = await browser.new_context()
    await watch.over(context)
    await context.route("**/*", _blank)
    page = await context.new_page()
    await page.goto("http://modules.test/")
    await page.evaluate(f"{modules_bundle}\nglobalThis.modules = modules;")
    yield page
    await context.close()


async def _blank(route: Route) -> None:
    await route.fulfill(content_type="text/html", body="<!doctype html><title>Modules</title>")


@pytest.fixture(scope="session")
async def endpoints(bundle: dict[str, str]) -> AsyncIterator[Endpoint]:
    """The server behind `endpoint`."""
    async with endpoint_served(bundle) as endpoint:
        yield endpoint


@pytest.fixture
def endpoint(endpoints: Endpoint) -> Endpoint:
    """A ChatKit server without a conversation, whose streams the test writes itself."""
    endpoints.forget()
    return endpoints


@pytest.fixture(scope="session")
async def _chat_server(
    postgres_url: str, engine: AsyncEngine, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ChatServer]:
    server = await started(tmp_path_factory.mktemp("server"), postgres_url, engine)
    yield server
    server.process.stop()


@pytest.fixture
async def chat_server(_chat_server: ChatServer) -> ChatServer:
    """chatbridge as a process on the run's Postgres, with its page at `/`; it runs."""
    if _chat_server.process.process.poll() is not None:
        await _chat_server.start_again()
    return _chat_server


@pytest.fixture(scope="session")
async def models() -> AsyncIterator[ScriptedEndpoint]:
    """The endpoint of the models that a message in the web app may choose; it takes dictation."""
    async with ScriptedEndpoint().running() as models:
        yield models


@pytest.fixture(scope="session")
async def web(
    tmp_path_factory: pytest.TempPathFactory, models: ScriptedEndpoint
) -> AsyncIterator[Web]:
    """The web app with all that is behind it; tokens by the key set that it publishes."""
    more = {
        "CHATBRIDGE_AGENT__BASE_URL": models.url,
        "CHATBRIDGE_AGENT__API_KEY": "the key of the tests",
        "CHATBRIDGE_AGENT__MODELS": '{"quick": {"label": "Quick", "model": "m-quick"}}',
        "CHATBRIDGE_DICTATION__MODEL": "m-hears",
    }
    async with web_stack.stack(tmp_path_factory.mktemp("web"), **more) as web:
        yield web


@pytest.fixture(scope="session")
async def other_web(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Web]:
    """The same with all that can be chosen otherwise: tokens signed with the secret, chat sessions,
    and OpenAI's element."""
    directory = tmp_path_factory.mktemp("other-web")
    more = {
        "AUTH_TOKEN_ALGORITHM": "HS256",
        "CHATKIT_DOMAIN_KEY": "domain_pk_of_the_tests",
        "CHATKIT_SESSIONS": "on",
    }
    async with web_stack.stack(directory, **more) as web:
        yield web

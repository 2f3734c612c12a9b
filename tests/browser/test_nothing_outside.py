"""A browser that shows the chat asks for nothing but what is served here."""

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Playwright, async_playwright, expect

from scripts.web import Web
from tests.browser.chat_server import ChatServer
from tests.browser.chromium import ARTEFACTS, launched
from tests.browser.web_stack import open_chat, sign_up

HERE = ("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:", "about:", "chrome:")

# It would ask the browser's maker what a form's fields are for, in the page's name.
NO_AUTOFILL = "--disable-features=AutofillServerCommunication"


@pytest.fixture(scope="module")
async def playwright() -> Any:
    """For browsers whose whole log is read."""
    async with async_playwright() as playwright:
        yield playwright


def asked_outside(net_log: Path) -> list[str]:
    """The addresses that pages of ours asked for, or names that they looked up, elsewhere.

    What the browser wants for itself (updates, accounts) is not a page's: it has no page's key.
    """
    log = json.loads(net_log.read_text())
    kinds = {number: name for name, number in log["constants"]["logEventTypes"].items()}
    found: list[str] = []
    for event in log["events"]:
        told = event.get("params", {})
        keys = ("network_isolation_key", "network_anonymization_key", "initiator")
        if not any("127.0.0.1" in str(told.get(key)) for key in keys):
            continue
        match kinds[event["type"]]:
            case "URL_REQUEST_START_JOB" if not told["url"].startswith(HERE):
                found.append(told["url"])
            case "HOST_RESOLVER_MANAGER_REQUEST" if "127.0.0.1" not in told["host"]:
                found.append(told["host"])
    return found


async def test_the_page_and_the_web_app_ask_for_nothing_elsewhere(
    playwright: Playwright, chat_server: ChatServer, web: Web
) -> None:
    log = ARTEFACTS / "net-log-of-everything.json"
    async with launched(playwright, log, NO_AUTOFILL) as browser:
        chat = await chat_server.open(await browser.new_context(), "net")
        await chat.ask("add a task: look at the log")
        await chat.open_history()
        context = await browser.new_context()
        await sign_up(context, web.url, "Net")
        chat = await open_chat(context, web.url)
        await chat.ask("add a task: look at the log")
        await chat.page.get_by_role("link", name="Tasks").click()
        await expect(chat.page.get_by_role("heading", level=1, name="Tasks")).to_be_visible()
    assert chat_server.url in log.read_text()
    assert asked_outside(log) == []


async def test_a_request_elsewhere_would_be_seen(
    playwright: Playwright, chat_server: ChatServer
) -> None:
    log = ARTEFACTS / "net-log-of-a-leak.json"
    async with launched(playwright, log, NO_AUTOFILL) as browser:
        page = await (await browser.new_context(bypass_csp=True)).new_page()
        await page.goto(chat_server.url)
        await page.evaluate("fetch('https://fonts.example/a.woff2').catch(() => {})")
    assert "https://fonts.example/a.woff2" in asked_outside(log)

"""The chat page and answers that are left, joined, cut and orphaned in the middle."""

import asyncio
import re
import time
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import BrowserContext, expect

from tests.browser.chat_server import ChatServer
from tests.browser.chromium import Watch
from tests.browser.conftest import NewContext
from tests.browser.element_page import Chat
from tests.browser.test_page import thread_of
from tests.chatkit_client import text_of
from tests.serving import Spawned
from tests.tcp_proxy import TcpProxy

LOST = ("Failed to load resource: net::ERR_",)
SOME_WORDS = re.compile(r"(\w+ ){5}")


async def halfway(chat: Chat, words: int = 120) -> str:
    """A long answer has begun; what is seen of it."""
    await chat.say(f"rehearse a long answer of {words} words")
    await expect(chat.log.locator(".prose")).to_contain_text(SOME_WORDS)
    return await said(chat)


async def said(chat: Chat) -> str:
    """The answer as it is seen now."""
    return await chat.log.locator(".prose").last.inner_text()


async def grown(chat: Chat, seen: str) -> str:
    """Wait until there is more than `seen`, which is its beginning; what is there then."""
    await expect(chat.log.locator(".prose").last).not_to_have_text(seen)
    more = await said(chat)
    assert more.startswith(seen)
    return more


async def kept_text(server: ChatServer, user: str, chat: Chat) -> str:
    """The last answer that the server keeps."""
    _, kept = await server.kept(user, thread_of(chat))
    return text_of(kept[-1])


@pytest.fixture
async def proxy(chat_server: ChatServer) -> AsyncIterator[TcpProxy]:
    """The network between the browser and the server."""
    proxy = TcpProxy("127.0.0.1", int(chat_server.url.rpartition(":")[2]))
    await proxy.start()
    yield proxy
    await proxy.stop()


@pytest.fixture
async def other_server(chat_server: ChatServer) -> AsyncIterator[Spawned]:
    """A second replica."""
    other = await chat_server.another()
    yield other
    other.thaw()
    other.stop()


async def test_a_reload_in_the_middle_of_an_answer_goes_on_live(
    chat_server: ChatServer, context: BrowserContext
) -> None:
    chat = await chat_server.open(context, "gil")
    seen = await halfway(chat)
    await chat.page.reload()
    await expect(chat.log.locator(".prose")).to_contain_text(seen)
    await expect(chat.stop_button).to_be_visible()
    await chat.picture("reloaded-in-the-middle")
    seen = await grown(chat, await said(chat))
    assert len(seen.split()) < 120
    await chat.answered()
    await chat.loaded(2)
    assert await said(chat) == await kept_text(chat_server, "gil", chat)
    assert len((await said(chat)).split()) >= 120


async def test_the_same_answer_is_seen_and_stopped_in_another_browser(
    chat_server: ChatServer, new_context: NewContext
) -> None:
    first = await chat_server.open(await new_context(), "two")
    await halfway(first, 400)
    second = await chat_server.open(await new_context(), "two", thread_of(first))
    await expect(second.stop_button).to_be_visible()
    await grown(second, await said(second))
    await second.stop_button.click()
    for chat in (first, second):
        await chat.answered()
        assert await said(chat) == await kept_text(chat_server, "two", chat)
        await expect(chat.alert).to_have_count(0)
    assert len((await said(first)).split()) < 400


async def test_a_tool_that_runs_is_joined_with_its_badge(
    chat_server: ChatServer, context: BrowserContext
) -> None:
    chat = await chat_server.open(context, "tia")
    await chat.say("rehearse a slow tool for 4 seconds")
    await expect(chat.badges).to_have_text(["Running"])
    await chat.page.reload()
    await expect(chat.badges).to_have_text(["Running"])
    await expect(chat.stop_button).to_be_visible()
    await expect(chat.badges).to_have_text(["Success"])
    await chat.answered()
    await chat.loaded(3)


async def test_a_connection_that_is_cut_again_and_again_loses_and_repeats_nothing(
    chat_server: ChatServer, context: BrowserContext, watch: Watch, proxy: TcpProxy
) -> None:
    watch.expect(*LOST)
    chat = await chat_server.open(context, "cut", url=f"http://127.0.0.1:{proxy.port}")
    await halfway(chat)
    for _ in range(3):
        seen = await said(chat)
        await proxy.cut()
        await grown(chat, seen)
    await chat.answered()
    assert await said(chat) == await kept_text(chat_server, "cut", chat)
    _, kept = await chat_server.kept("cut", thread_of(chat))
    assert [item["type"] for item in kept] == ["user_message", "assistant_message"]
    assert await chat.answers() == 1


async def test_a_message_that_is_sent_while_the_network_is_away_is_sent_once(
    chat_server: ChatServer, context: BrowserContext, watch: Watch, proxy: TcpProxy
) -> None:
    watch.expect(*LOST)
    chat = await chat_server.open(context, "unheard", url=f"http://127.0.0.1:{proxy.port}")
    await chat.ask("Hello")
    await proxy.stop()
    await chat.say("add a task: once is enough")
    await expect(chat.progress).to_have_text("Connection lost. Reconnecting")
    await proxy.start()
    await chat.answered(1)
    await expect(chat.badges).to_have_text(["Success"])
    assert await chat_server.tasks("unheard") == ["once is enough"]
    await expect(chat.alert).to_have_count(0)


async def test_after_a_crash_the_answer_is_interrupted_and_one_click_asks_again(
    chat_server: ChatServer, context: BrowserContext, watch: Watch
) -> None:
    watch.expect(*LOST)
    chat = await chat_server.open(context, "kim")
    await halfway(chat, 120)
    chat_server.process.kill()
    await expect(chat.progress).to_have_text("Connection lost. Reconnecting")
    seen = await said(chat)
    await chat_server.start_again()
    await expect(chat.alert).to_contain_text("interrupted")
    await chat.picture("interrupted")
    assert (await said(chat)).startswith(seen)
    kept = await kept_text(chat_server, "kim", chat)
    assert await said(chat) == kept
    await chat.page.reload()
    await expect(chat.alert).to_contain_text("interrupted")
    await chat.picture("interrupted-reloaded")
    assert await said(chat) == kept
    before = await chat.answers()
    await chat.alert.get_by_role("button", name="Retry").click()
    await chat.answered(before)
    assert len((await said(chat)).split()) >= 120
    await expect(chat.alert).to_have_count(0)
    await chat.loaded(2)


@pytest.mark.parametrize("fault", ["frozen", "killed"])
async def test_a_replica_that_is_gone_is_noticed_within_seconds_and_what_was_shown_is_kept(
    chat_server: ChatServer,
    context: BrowserContext,
    watch: Watch,
    proxy: TcpProxy,
    other_server: Spawned,
    fault: str,
) -> None:
    watch.expect(*LOST)
    proxy.lead_to("127.0.0.1", int(other_server.url.rpartition(":")[2]))
    url = f"http://127.0.0.1:{proxy.port}"
    chat = await chat_server.open(context, f"gone-{fault}", url=url, key=other_server.key)
    await halfway(chat, 400)
    if fault == "frozen":
        other_server.freeze()
    else:
        other_server.kill()
    since = time.monotonic()
    # what is on its way still arrives
    await asyncio.sleep(0.5)
    seen = await said(chat)
    proxy.lead_to("127.0.0.1", int(chat_server.url.rpartition(":")[2]))
    await expect(chat.alert).to_contain_text("interrupted")
    took = time.monotonic() - since
    other_server.thaw()
    # 8 seconds, and what a busy machine takes
    assert took < 12
    # what was kept at the last moment may not have been shown yet; nothing that was shown is lost
    assert (await said(chat)).startswith(seen)
    assert await kept_text(chat_server, f"gone-{fault}", chat) == await said(chat)


async def test_whoever_watches_on_a_replica_that_stops_goes_on_at_another(
    chat_server: ChatServer,
    context: BrowserContext,
    new_context: NewContext,
    watch: Watch,
    proxy: TcpProxy,
    other_server: Spawned,
) -> None:
    watch.expect(*LOST)
    chat = await chat_server.open(context, "moved")
    await halfway(chat, 600)
    proxy.lead_to("127.0.0.1", int(other_server.url.rpartition(":")[2]))
    url = f"http://127.0.0.1:{proxy.port}"
    there = await chat_server.open(
        await new_context(), "moved", thread_of(chat), url=url, key=other_server.key
    )
    seen = await grown(there, await said(there))
    proxy.lead_to("127.0.0.1", int(chat_server.url.rpartition(":")[2]))
    await asyncio.to_thread(other_server.stop)
    await grown(there, seen)
    await there.stop_button.click()
    for each in (chat, there):
        await each.answered()
        await expect(each.alert).to_have_count(0)
    assert await said(there) == await said(chat) == await kept_text(chat_server, "moved", chat)


async def test_an_answer_is_watched_on_another_replica_than_its_own(
    chat_server: ChatServer, context: BrowserContext, new_context: NewContext, other_server: Spawned
) -> None:
    chat = await chat_server.open(context, "far")
    await halfway(chat)
    there = await chat_server.open(
        await new_context(),
        "far",
        thread_of(chat),
        url=other_server.url,
        key=other_server.key,
    )
    await grown(there, await said(there))
    for each in (chat, there):
        await each.answered()
    assert await said(there) == await said(chat)

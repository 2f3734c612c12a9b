"""What a host's own code may do wrong: it is answered in words, and ends nobody's process."""

from collections.abc import AsyncGenerator

import httpx
import pytest

from chatbridge.container import Container
from chatbridge.domain.model.conversation import Conversation
from chatbridge.domain.model.identifiers import ConversationId, UserId
from chatbridge.domain.model.page import PageRequest
from tests.chatkit_client import add, create, say, text_of
from tests.hosts.bridged import Bridged, bridged
from tests.hosts.misbehaving import LEAVING, Misbehaving, nested
from tests.hosts.scripts import action, item_of, saying, thread_of
from tests.round_trips import at_once
from tests.serving import Served, served, settings_for

WENT_WRONG = "Something went wrong while answering."


@pytest.fixture(scope="module", params=[False, True], ids=["shared", "own"])
async def host(request: pytest.FixtureRequest) -> AsyncGenerator[tuple[Bridged, str, str]]:
    """A server in each kind of loop, with a thread and a widget in it."""
    async with bridged() as bridge:
        bridge.serve(Misbehaving, own_loop=request.param)
        told = await saying("hello")(bridge)
        yield bridge, thread_of(told), item_of(told, "widget")


@pytest.mark.parametrize("how", [*LEAVING, "none", "text", "dict"])
async def test_a_server_that_leaves_or_brings_what_it_may_not_fails_alone(
    host: tuple[Bridged, str, str], how: str
) -> None:
    bridge, thread, widget = host
    told = await bridge.ask(action(thread, widget, "misbehave", {"how": how}))
    assert (told[-1]["type"], told[-1]["message"]) == ("error", WENT_WRONG)
    answer = await bridge.answer(action(thread, widget, "misbehave", {"how": how}, sync=True))
    assert (answer.status_code, answer.json()["code"]) == (502, "host_failed")
    assert (await bridge.ask(add(thread, "again")))[-1]["type"] == "thread.item.done"
    # nobody has stopped anything, and no model is told that somebody has
    assert "cancelled the stream" not in str(await _notes(bridge.container, thread))


async def test_an_item_that_is_not_there_is_no_answer(host: tuple[Bridged, str, str]) -> None:
    bridge, thread, widget = host
    pressed = action(thread, widget, "misbehave", {"how": "strange"}, sync=True)
    answer = await bridge.answer(pressed)
    assert (answer.status_code, answer.json()["code"]) == (502, "host_failed")


async def test_a_task_of_the_hosts_that_leaves_ends_no_loop_of_its_own() -> None:
    async with bridged() as bridge:
        bridge.serve(Misbehaving, own_loop=True)
        told = await saying("hello")(bridge)
        pressed = (thread_of(told), item_of(told, "widget"), "misbehave", {"how": "task"})
        assert (await bridge.answer(action(*pressed, sync=True))).status_code == 200
        assert (await bridge.ask(add(pressed[0], "again")))[-1]["type"] == "thread.item.done"


async def test_metadata_of_a_servers_that_is_too_deep_fails_where_it_is_kept(
    host: tuple[Bridged, str, str],
) -> None:
    bridge, thread, widget = host
    told = await bridge.ask(action(thread, widget, "misbehave", {"how": "deep"}))
    assert [text_of(f["item"]) for f in told if f["type"] == "thread.item.done"] == ["Kept."]
    assert (await _kept(bridge.container, thread)).metadata == {"kept": nested(150)}


@pytest.fixture(scope="module")
async def agent() -> AsyncGenerator[Served]:
    agent = {"entry": "tests.hosts.misbehaving:assistant"}
    async with served(settings_for("memory:", agent=agent), at_once) as service:
        yield service


@pytest.fixture(scope="module")
def client(agent: Served) -> httpx.AsyncClient:
    return agent.as_user("ada")


@pytest.mark.parametrize("how", LEAVING)
async def test_a_handler_that_leaves_fails_alone(client: httpx.AsyncClient, how: str) -> None:
    thread, _ = await say(client, create("hello"))
    _, told = await say(client, action(thread, None, "misbehave", {"how": how}))
    assert (told[-1]["type"], told[-1]["message"]) == ("error", WENT_WRONG)
    pressed = action(thread, None, "misbehave", {"how": how}, sync=True)
    answer = await client.post("/chatkit", json=pressed)
    assert (answer.status_code, answer.json()["code"]) == (502, "host_failed")
    _, told = await say(client, add(thread, "hello"))
    assert told[-1]["type"] == "thread.item.done"


@pytest.mark.parametrize("sync", [False, True])
async def test_a_handler_need_not_be_async(
    agent: Served, client: httpx.AsyncClient, sync: bool
) -> None:
    thread, _ = await say(client, create("hello"))
    answer = await client.post("/chatkit", json=action(thread, None, "plain", {}, sync=sync))
    assert answer.status_code == 200
    assert (await _kept(agent.container, thread)).title == "Plain"


async def test_a_tool_that_keeps_too_much_of_a_thread_fails_itself(
    agent: Served, client: httpx.AsyncClient
) -> None:
    thread, told = await say(client, create("please keep_much"))
    assert [f for f in told if f["type"] == "error"] == []
    assert "Success" in str(told)
    assert (await _kept(agent.container, thread)).metadata == {"kept": nested(150)}
    # one that says nothing afterwards has ended before it is seen
    _, told = await say(client, create("please keep_too_much"))
    codes = [f["chatbridge_code"] for f in told if f["type"] == "error"]
    assert codes == ["metadata_too_large"]


async def _notes(container: Container, thread: str) -> list[str]:
    owner = (UserId("ada"), ConversationId(thread))
    page = await container.store().conversations.messages(*owner, PageRequest(), notes=True)
    return [message.content for message in page.items if message.kind == "note"]


async def _kept(container: Container, thread: str) -> Conversation:
    return await container.store().conversations.get(UserId("ada"), ConversationId(thread))

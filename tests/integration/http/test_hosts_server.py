"""A host's own ChatKitServer: what the bare SDK sends for it, and what chatbridge does."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack

import pytest

from chatbridge.adapters.chatkit.entry import load_server
from chatbridge.adapters.chatkit.store import HostStore
from chatbridge.domain.model.identifiers import ConversationId, UserId
from chatbridge.domain.model.page import PageRequest
from tests.chatkit_client import Json, add, create, items, retry
from tests.hosts import servers, showing
from tests.hosts.bare import Bare
from tests.hosts.bridged import Bridged, bridged, frames_in
from tests.hosts.cases import CASES, differences, told_by
from tests.hosts.scripts import (
    action,
    client_output,
    dictated,
    form,
    item_of,
    peeked,
    saying,
    thread_of,
    verdict,
)


@pytest.fixture(scope="module")
async def bridge(store_url: str) -> AsyncGenerator[Bridged]:
    async with bridged(store_url) as bridge:
        yield bridge


@pytest.mark.parametrize("name", CASES)
async def test_what_the_bare_sdk_tells_is_told_and_reloaded(
    bridge: Bridged, name: str, store_url: str
) -> None:
    case = CASES[name]
    bare_frames, bare_reload = await told_by(Bare(case.host), case)
    # each of the two ways to run a host's code, on one of the two stores
    bridge.serve(case.host, own_loop=store_url != "memory:")
    frames, reload = await told_by(bridge, case)
    seen = [*differences(bare_frames, frames), *differences(bare_reload, reload)]
    assert seen == [*case.differs]


# --- what is better here than bare, and is meant so


async def test_answers_of_a_model_that_repeats_its_ids_are_all_kept(bridge: Bridged) -> None:
    bridge.serve(servers.Faking)
    servers.Faking.model.n = 0
    frames = await saying("hello", "again")(bridge)
    (reload,) = await bridge.ask(items(thread_of(frames)))
    said = [i["content"][0]["text"] for i in reload["data"] if i["type"] == "assistant_message"]
    assert said == ["One.", "Two.", "One.", "Two."]
    assert len({item["id"] for item in reload["data"]}) == 6


async def test_an_update_of_an_earlier_widget_is_there_after_a_reload(bridge: Bridged) -> None:
    bridge.serve(servers.Seats)
    frames = await peeked(bridge)
    (reload,) = await bridge.ask(items(thread_of(frames)))
    assert reload["data"][-1]["widget"] == frames[-1]["update"]["widget"]


async def test_an_error_that_is_no_end_ends_nothing(bridge: Bridged) -> None:
    bridge.serve(servers.Failing)
    frames = await saying("yielded")(bridge)
    texts = [f["item"]["content"][0]["text"] for f in frames if f["type"] == "thread.item.done"]
    assert "And on." in texts
    assert [f["message"] for f in frames if f["type"] == "error"] == ["A warning."]
    last = await bridge.container.store().turns.last(
        UserId("ada"), ConversationId(thread_of(frames))
    )
    assert last is not None
    assert last.state == "completed"


async def test_an_attachment_is_refused_before_the_first_byte(bridge: Bridged) -> None:
    bridge.serve(showing.Converting)
    frames = await saying("hello")(bridge)
    asked = add(thread_of(frames), "Look at this")
    asked["params"]["input"]["attachments"] = ["atc_1"]
    # bare it is kept, and its answer a broken stream
    answer = await bridge.answer(asked)
    assert (answer.status_code, answer.json()["code"]) == (404, "no_attachment")
    frames += await bridge.ask(add(thread_of(frames), "Well then"))
    (reload,) = await bridge.ask(items(thread_of(frames)))
    said = [i["content"][0]["text"] for i in reload["data"] if i["type"] == "user_message"]
    assert said == ["hello", "Well then"]


async def test_what_no_database_holds_is_replaced_and_everything_is_kept(bridge: Bridged) -> None:
    bridge.serve(servers.Nul)
    frames = await saying("hello")(bridge)
    (reload,) = await bridge.ask(items(thread_of(frames)))
    _, text, widget = reload["data"]
    assert text["content"][0]["text"] == "a\ufffdb"
    assert widget["widget"]["children"][0]["value"] == "w\ufffd"


async def test_what_an_action_is_answered_with_at_once_is_kept(bridge: Bridged) -> None:
    bridge.serve(servers.Seats)
    frames = await saying("hello")(bridge)
    thread, widget = thread_of(frames), item_of(frames, "widget")
    (answer,) = await bridge.ask(action(thread, widget, "seat.look", {}, sync=True))
    (reload,) = await bridge.ask(items(thread))
    assert reload["data"][-1] == answer["updated_item"]
    assert answer["updated_item"]["widget"]["children"][0]["value"] == "Seat: sync"


# --- actions, and who may send them


async def test_an_action_is_refused_before_the_first_byte(bridge: Bridged) -> None:
    bridge.serve(servers.Seats)
    frames = await saying("hello")(bridge)
    thread, widget = thread_of(frames), item_of(frames, "widget")
    said = item_of(frames, "assistant_message")
    pick = {"seat": "1A"}
    expected = [
        (action(thread, widget, "seat.pick", pick), "bob", 403, "forbidden"),
        (action(thread, widget, "seat.pick", pick, sync=True), "bob", 403, "forbidden"),
        (action(thread, None, "seat.pick", pick), "bob", 403, "forbidden"),
        (action("conv_0", widget, "seat.pick", pick), "ada", 404, "conversation_not_found"),
        (action(thread, "msg_0", "seat.pick", pick), "ada", 404, "message_not_found"),
        (action(thread, said, "seat.pick", pick), "ada", 422, "not_a_widget"),
        (action(thread, widget, "chatbridge.approve", {"call_id": "c"}), "ada", 409, "not_waiting"),
        (action(thread, widget, "chatbridge.other", {}), "ada", 409, "action_not_offered"),
        (client_output(thread), "bob", 403, "forbidden"),
        (client_output(thread), "ada", 409, "no_client_tool_call"),
        (form(thread, widget), "bob", 403, "forbidden"),
        (form(thread, widget), "ada", 409, "no_structured_input"),
    ]
    for request, user, status, code in expected:
        answer = await bridge.answer(request, user)
        assert (answer.status_code, answer.json()["code"]) == (status, code), request
    locked = {"status": "locked"}
    path = f"/api/ada/conversations/{thread}"
    assert (await bridge.client("ada").patch(path, json=locked)).status_code == 200
    for sync in (False, True):
        answer = await bridge.answer(action(thread, widget, "seat.pick", pick, sync=sync))
        assert (answer.status_code, answer.json()["code"]) == (409, "conversation_closed")


async def test_a_verdict_reaches_the_server_once_it_is_kept(bridge: Bridged) -> None:
    bridge.serve(showing.Hearing)
    frames = await saying("hello")(bridge)
    thread, said = thread_of(frames), item_of(frames, "assistant_message")
    for request, user, status in [
        (verdict(thread, said), "bob", 403),
        (verdict(thread, "msg_0"), "ada", 404),
        (verdict(thread, said, "negative"), "ada", 502),
    ]:
        assert (await bridge.answer(request, user)).status_code == status
    owner = UserId("ada"), ConversationId(thread)
    assert (await bridge.container.store().conversations.get(*owner)).metadata == {}
    assert await bridge.ask(verdict(thread, said)) == [{}]
    kept = (await bridge.container.store().conversations.get(*owner)).metadata
    assert kept == {"verdict": "positive", "of": "Well?"}


async def test_a_verdict_reaches_it_whichever_way_it_comes(bridge: Bridged) -> None:
    bridge.serve(showing.Hearing)
    frames = await saying("hello")(bridge)
    thread, said = thread_of(frames), item_of(frames, "assistant_message")
    plain = f"/api/ada/conversations/{thread}/messages/{said}/feedback"
    beside = f"/chatkit/threads/{thread}/feedback"
    client, owner = bridge.client("ada"), (UserId("ada"), ConversationId(thread))

    async def told() -> object:
        return (await bridge.container.store().conversations.get(*owner)).metadata.get("verdict")

    assert (await client.put(plain, json={"kind": "negative"})).status_code == 502
    assert (await client.post(beside, json={"item_ids": ["msg_0"], "kind": "positive"})).is_error
    assert await told() is None
    # the SDK has no word for what is taken back
    assert (await client.delete(plain)).status_code == 204
    none = {"item_ids": [said], "kind": None}
    assert (await client.post(beside, json=none)).status_code == 204
    assert await told() is None
    assert (await client.put(plain, json={"kind": "positive"})).status_code == 204
    assert await told() == "positive"
    thread_again = thread_of(frames := await saying("hello")(bridge))
    owner = UserId("ada"), ConversationId(thread_again)
    good = {"item_ids": [item_of(frames, "assistant_message")], "kind": "positive"}
    path = f"/chatkit/threads/{thread_again}/feedback"
    assert (await client.post(path, json=good)).status_code == 204
    assert await told() == "positive"


async def test_only_a_server_that_hears_is_given_what_is_said_aloud(bridge: Bridged) -> None:
    bridge.serve(servers.Seats)
    assert (await bridge.answer(dictated("aGVsbG8="))).status_code == 501
    bridge.serve(showing.Hearing)
    assert (await bridge.answer(dictated("so"))).json()["code"] == "invalid_request"
    assert (await bridge.answer(dictated("/w=="))).status_code == 502


async def test_two_requests_of_one_key_are_one_action(bridge: Bridged) -> None:
    bridge.serve(servers.Seats)
    frames = await saying("hello")(bridge)
    pick = action(thread_of(frames), item_of(frames, "widget"), "seat.pick", {"seat": "1B"})
    key = {"Idempotency-Key": f"pick of {thread_of(frames)}".replace(" ", "-")}
    first, second = [await bridge.answer(pick, **key) for _ in range(2)]
    assert (first.status_code, first.text) == (200, second.text)
    (reload,) = await bridge.ask(items(thread_of(frames)))
    assert [i["type"] for i in reload["data"]].count("assistant_message") == 2


async def test_only_what_a_widget_offers_may_be_asked_for(store_url: str) -> None:
    async with bridged(store_url, entry="tests.hosts.servers:Seats", actions="offered") as bridge:
        frames = await saying("hello")(bridge)
        thread, widget = thread_of(frames), item_of(frames, "widget")
        for type, payload in [
            ("seat.sell", {"seat": "1A"}),
            ("seat.pick", {"seat": "9Z"}),
            ("seat.pick", {"seat": "1A", "price": 0}),
            ("seat.pick", {}),
        ]:
            answer = await bridge.answer(action(thread, widget, type, payload))
            assert (answer.status_code, answer.json()["code"]) == (409, "action_not_offered")
        pick = action(thread, widget, "seat.pick", {"seat": "1A"})
        key = {"Idempotency-Key": f"pick-of-{thread}"}
        first = await bridge.answer(pick, **key)
        assert first.status_code == 200
        # a double click: the widget has been replaced, and its buttons are disabled
        again = await bridge.answer(pick)
        assert (again.status_code, again.json()["code"]) == (409, "action_not_offered")
        # the same click, sent again because nothing was heard of it
        assert (await bridge.answer(pick, **key)).text == first.text
        other = action(thread, widget, "seat.pick", {"seat": "9Z"})
        reused = await bridge.answer(other, **key)
        assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")


# --- what the bare SDK can't


async def followed(bridge: Bridged, thread: str, after: str) -> str:
    answer = await bridge.client("ada").get(
        f"/chatkit/threads/{thread}/events", params={"after": after}
    )
    assert answer.status_code == 200, answer.text
    return without_silence(answer.text)


def without_silence(stream: str) -> str:
    return stream.replace(": keep-alive\n\n", "")


async def test_a_stream_is_taken_up_again_after_any_frame_and_elsewhere(
    bridge: Bridged, store_url: str
) -> None:
    bridge.serve(servers.Looking)
    servers.Looking.model.n = 0
    resumable = {"X-Chatbridge-Stream": "resumable"}
    whole = without_silence((await bridge.answer(create("hello"), **resumable)).text)
    frames = whole.split("\n\n")
    ids = [f.partition("\n")[0].removeprefix("id: ") for f in frames if f.startswith("id: ")]
    assert len(ids) > 15
    thread = thread_of(frames_in(whole))
    async with AsyncExitStack() as stack:
        elsewhere = bridge
        if store_url != "memory:":
            elsewhere = await stack.enter_async_context(bridged(store_url))
        for id in ids:
            _, _, rest = whole.partition(f"id: {id}\n")
            assert await followed(elsewhere, thread, id) == rest.partition("\n\n")[2]


async def test_a_stop_keeps_what_was_seen_and_the_servers_note(bridge: Bridged) -> None:
    bridge.serve(servers.Slow)
    servers.Slow.cancelled.clear()
    thread, seen = "", ""
    async with bridge.streamed(create("hello")) as stream:
        async for piece in stream.aiter_text():
            seen += piece
            if '"Half"' in seen and not thread:
                thread = thread_of(frames_in(seen[: seen.rindex("\n\n") + 2]))
                stop = f"/chatkit/threads/{thread}/cancel"
                stopped = await bridge.client("ada").post(stop, json={})
                assert stopped.json() == {"cancelled": True}
    assert servers.Slow.cancelled == [["assistant_message", "widget"]]
    (reload,) = await bridge.ask(items(thread))
    _, text, widget = reload["data"]
    assert text["content"][0]["text"] == "Half"
    assert widget["widget"]["children"][0]["value"] == "Seat: 1B"
    page = await bridge.container.store().conversations.messages(
        UserId("ada"), ConversationId(thread), PageRequest(limit=10), notes=True
    )
    assert [m.kind for m in page.items] == ["text", "partial", "shown", "note"]


async def test_a_failed_retry_has_changed_nothing(bridge: Bridged) -> None:
    bridge.serve(servers.FailingRetry)
    servers.FailingRetry.n = 0
    frames = await saying("hello", "again")(bridge)
    thread = thread_of(frames)
    (before,) = await bridge.ask(items(thread))
    await bridge.ask(retry(thread, before["data"][-2]["id"]))
    (after,) = await bridge.ask(items(thread))
    assert after == before


async def test_what_a_task_writes_after_its_turn_is_kept(bridge: Bridged) -> None:
    bridge.serve(servers.Late)
    servers.Late.written.clear()
    frames = await saying("hello")(bridge)
    async with asyncio.timeout(10):
        await servers.Late.written.wait()
    (reload,) = await bridge.ask(items(thread_of(frames)))
    assert [i["content"][0]["text"] for i in reload["data"]] == ["hello", "Done.", "Later."]


async def test_a_server_is_given_the_context_that_the_host_makes() -> None:
    context = {"context": "tests.hosts.servers:context_of"}
    async with bridged("memory:", entry="tests.hosts.servers:Naming", **context) as bridge:
        answer = await bridge.answer(create("hello"), **{"X-Map": "solstice"})
        said = frames_in(answer.text)[-1]["item"]["content"][0]["text"]
        assert said == "ada by solstice False"


async def test_code_that_blocks_holds_up_nobody() -> None:
    servers.Blocking.gate.clear()
    async with bridged("memory:", entry="tests.hosts.servers:Blocking", loop="own") as bridge:
        asking = asyncio.create_task(bridge.ask(create("hello")))
        listed: list[Json] = []
        async with asyncio.timeout(15):
            while not listed:
                (page,) = await bridge.ask({"type": "threads.list", "params": {}})
                listed = page["data"]
        assert not asking.done()
        servers.Blocking.gate.set()
        assert (await asking)[-1]["item"]["content"][0]["text"] == "Let on: True"


async def test_a_server_that_says_nothing_is_not_waited_for() -> None:
    silent = {"entry": "tests.hosts.servers:Endless", "silence": 0.3}
    async with bridged("memory:", **silent) as bridge:
        frames = await bridge.ask(create("hello"))
        assert [f["message"] for f in frames if f["type"] == "error"] == [
            "The answer was stopped: nothing came of it for too long."
        ]


def test_a_server_that_can_not_be_found_is_told_in_a_sentence() -> None:
    for entry, said in {
        "no-colon": "must read module:attribute",
        "nowhere_at_all:Server": "can't be imported",
        "tests.hosts.servers:Nothing": "has no Nothing",
        "tests.hosts.servers:context_of": "context_of",
    }.items():
        with pytest.raises(ValueError, match=said):
            load_server(entry)(HostStore())

"""The element's state after any stream is what the server keeps of it."""

from typing import Any

import pytest
from chatkit.types import ThreadItem, ThreadItemUpdate, ThreadStreamEvent
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.async_api import Page

from tests.browser.endpoint import added, assistant_message, created, delta, done
from tests.browser.sdk_streams import (
    EVENTS,
    HIDDEN,
    ITEMS,
    UPDATES,
    Script,
    as_json,
    framed,
    members,
    scripts,
)
from tests.chatkit_client import Json

FOLD = """async (pieces) => {
  const bytes = pieces.map((piece) => Uint8Array.from(atob(piece), (c) => c.charCodeAt(0)));
  const body = new ReadableStream({
    pull: (to) => bytes.length ? to.enqueue(bytes.shift()) : to.close(),
  });
  const state = new modules.ThreadState();
  for await (const { data } of modules.serverSentEvents(body)) state.apply(JSON.parse(data));
  return { ...state, items: [...state.items.values()] };
}"""

APPLY = """(events) => {
  const state = new modules.ThreadState();
  const known = events.map((event) => state.apply(event));
  return { known, items: [...state.items.values()] };
}"""

conforming = settings(max_examples=120, derandomize=True)


@pytest.mark.parametrize(
    ("union", "generated"),
    [
        (ThreadStreamEvent, set(EVENTS)),
        (ThreadItem, set(ITEMS) | HIDDEN),
        (ThreadItemUpdate, set(UPDATES)),
    ],
    ids=["events", "items", "updates"],
)
def test_everything_that_the_sdk_can_say_is_generated(union: Any, generated: set[Any]) -> None:
    assert members(union) == generated


@conforming
@given(script=scripts(), data=st.data())
async def test_after_every_stream_the_element_has_the_servers_items(
    modules_page: Page, script: Script, data: st.DataObject
) -> None:
    await _conforms(modules_page, script, data)


@settings(conforming, max_examples=40)
@given(script=scripts(whole=True), data=st.data())
async def test_a_stream_with_everything_in_it_too(
    modules_page: Page, script: Script, data: st.DataObject
) -> None:
    await _conforms(modules_page, script, data)


async def _conforms(page: Page, script: Script, data: st.DataObject) -> None:
    state = await page.evaluate(FOLD, data.draw(framed(script.events)))
    assert state["items"] == [as_json(item) for item in script.items.values()]
    assert _without_items(state["thread"]) == _without_items(as_json(script.thread))
    assert state["notices"] == [as_json(notice) for notice in script.notices]
    assert state["allowCancel"] == script.allow_cancel
    failure = script.error and {
        "message": script.error.message,
        "retry": script.error.allow_retry,
    }
    assert state["failure"] == failure


def _without_items(thread: Json) -> Json:
    return {name: value for name, value in thread.items() if name != "items"}


@pytest.mark.parametrize(
    "odd",
    [
        {"type": "thread.of_tomorrow", "thread": {}},
        {"type": "thread.item.updated", "item_id": "unheard", "update": delta("x", "y")["update"]},
        {"type": "thread.item.updated", "item_id": "a", "update": {"type": "of.tomorrow"}},
        {
            "type": "thread.item.updated",
            "item_id": "a",
            "update": {"type": "workflow.task.added", "task_index": 0, "task": {"type": "custom"}},
        },
        {"type": "thread.item.removed", "item_id": "unheard"},
    ],
    ids=["event", "item", "update", "mismatch", "removal"],
)
async def test_what_is_not_known_changes_nothing(modules_page: Page, odd: Json) -> None:
    item = assistant_message("a", "said")
    state = await modules_page.evaluate(APPLY, [created(), done(item), odd])
    assert state["items"] == [item]


async def test_an_item_of_a_new_kind_is_kept_as_it_came(modules_page: Page) -> None:
    odd = {"id": "n", "type": "of_tomorrow", "thread_id": "thr_1", "inside": [1, {"a": None}]}
    state = await modules_page.evaluate(APPLY, [created(), added(odd)])
    assert state["items"] == [odd]

"""Actions of widgets: what a click does, what is seen of it, and who hears of it."""

from typing import Any

import pytest
from playwright.async_api import BrowserContext, expect

from tests.browser.chromium import Watch
from tests.browser.endpoint import Endpoint, assistant_message, done, user_message, widget
from tests.browser.opened import OPTIONS, opened
from tests.chatkit_client import Json

ASKED = user_message("u1", "Show me the seats")


def button(label: str, action: str, **config: Any) -> Json:
    """A button and what it does."""
    on_click = {"type": action, **config}
    return {"type": "Button", "label": label, "onClickAction": on_click}


def seats(label: str = "Take 7A") -> Json:
    """A widget with an action of each kind."""
    return widget(
        "w1",
        {"type": "Text", "value": "Two seats are left."},
        button(label, "take", payload={"seat": "7A"}),
        button("Take 7B", "take", payload={"seat": "7B"}),
        button("Count", "count", streaming=False),
        button("Look closer", "look", handler="client", payload={"seat": "7A"}),
    )


async def test_a_click_changes_the_widget_adds_a_message_and_stays_after_a_reload(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    endpoint.keep("thr_1", ASKED, seats())
    chat = await opened(context, endpoint, initialThread="thr_1")
    take, other, count = (chat.button(name) for name in ("Take 7A", "Take 7B", "Count"))
    await take.dblclick()
    telling = await endpoint.telling()
    assert telling.request["type"] == "threads.custom_action"
    action = {"type": "take", "payload": {"seat": "7A"}}
    assert telling.params == {"thread_id": "thr_1", "item_id": "w1", "action": action}
    # what was pressed says so and keeps the focus; what needs a turn waits
    await expect(take).to_have_attribute("aria-busy", "true")
    await expect(take).to_be_focused()
    await expect(other).to_have_attribute("aria-disabled", "true")
    await other.click(force=True)

    # what needs none does not
    await count.click()
    counted = await endpoint.at_once()
    assert counted.params["action"] == {"type": "count"}
    await expect(count).to_have_attribute("aria-busy", "true")
    counted.answer(seats("Take 7A (last one)"))
    await expect(chat.button("Take 7A (last one)")).to_be_visible()
    await expect(count).not_to_have_attribute("aria-busy", "true")

    taken = widget("w1", {"type": "Badge", "label": "Yours", "color": "success"})
    telling.tell({"type": "thread.item.replaced", "item": taken})
    telling.end(done(assistant_message("a1", "7A is yours.")))
    await chat.answered()
    shown = await chat.shown()
    assert [entry.text.strip() for entry in shown[1:]] == ["Yours", "7A is yours."]
    assert len(endpoint.asked("threads.custom_action")) == 1
    assert len(endpoint.asked("threads.sync_custom_action")) == 1

    endpoint.keep("thr_1", ASKED, taken, assistant_message("a1", "7A is yours."))
    again = await opened(context, endpoint, initialThread="thr_1")
    await again.loaded(3)
    assert await again.shown() == shown


@pytest.mark.parametrize("status", [403, 409, 422])
async def test_a_refused_action_is_said_at_its_widget_which_can_be_used_again(
    context: BrowserContext, endpoint: Endpoint, watch: Watch, status: int
) -> None:
    watch.expect(f"status of {status}")
    endpoint.keep("thr_1", ASKED, seats(), assistant_message("a1", "Take one."))
    chat = await opened(context, endpoint, initialThread="thr_1")
    # what is kept has changed meanwhile
    endpoint.keep("thr_1", ASKED, seats("Take 9C"), assistant_message("a1", "Take one."))
    endpoint.refuse(status, "The seat is gone.")
    await chat.button("Take 7A").click()
    said = chat.log.locator("[data-item-id=w1]").get_by_role("alert")
    await expect(said).to_have_text("The seat is gone.")
    assert await chat.heard("error") == ["The seat is gone."]
    await expect(chat.element.get_by_role("alert")).to_have_count(1)
    await expect(chat.button("Take 9C" if status != 403 else "Take 7A")).to_be_enabled()

    await chat.button("Count").click()
    counted = await endpoint.at_once()
    await expect(said).to_have_count(0)
    counted.refuse(status, "They can't be counted.")
    await expect(said).to_have_text("They can't be counted.")
    await chat.button("Take 7B").click()
    telling = await endpoint.telling()
    await expect(said).to_have_count(0)
    telling.end()
    await chat.answered(1)
    await expect(chat.button("Take 7B")).not_to_have_attribute("aria-disabled", "true")

    # of what is not shown it is said below all
    endpoint.refuse(status, "There is no such widget.")
    await chat.element.evaluate("(e) => e.sendCustomAction({ type: 'take' }, 'w0')")
    await expect(chat.alert).to_contain_text("There is no such widget.")
    await expect(said).to_have_count(0)


FORM = widget(
    "w1",
    {"type": "Input", "name": "who.first", "required": True},
    {"type": "Select", "name": "size", "options": [{"value": "s"}, {"value": "m"}],
     "onChangeAction": {"type": "size", "streaming": False}},
    asForm=True,
    confirm={"label": "Order",
             "action": {"type": "order", "payload": {"id": 1}, "streaming": False}},
    cancel={"label": "Leave it", "action": {"type": "leave", "streaming": False}},
)  # fmt: skip


async def test_what_decides_on_a_card_is_waited_for_by_all_of_it(
    context: BrowserContext, endpoint: Endpoint, watch: Watch
) -> None:
    watch.expect("status of 503")
    endpoint.keep("thr_1", ASKED, FORM)
    chat = await opened(context, endpoint, initialThread="thr_1")
    card = chat.log.locator("[data-item-id=w1] > .widget")
    first = card.locator("[data-name='who.first']")
    await first.fill("Ada")
    # nothing shows a change, and changes arrive in their order
    sizes = card.locator("select")
    await sizes.select_option("s")
    await sizes.select_option("m")
    one = await endpoint.at_once()
    assert one.params["action"]["payload"] == {"who": {"first": "Ada"}, "size": "s"}
    await expect(card).not_to_have_attribute("aria-busy", "true")
    assert len(endpoint.asked("threads.sync_custom_action")) == 1
    one.answer()
    two = await endpoint.at_once()
    assert two.params["action"]["payload"]["size"] == "m"
    two.answer()

    await first.press("Enter")
    order = await endpoint.at_once()
    values = {"who": {"first": "Ada"}, "size": "m"}
    assert order.params["action"] == {"type": "order", "payload": {"id": 1, **values}}
    await expect(card).to_have_attribute("aria-busy", "true")
    await first.press("Enter")
    await chat.button("Leave it").click(force=True)
    order.refuse(503, "Not now.")
    await expect(card).not_to_have_attribute("aria-busy", "true")
    await expect(chat.log.get_by_role("alert")).to_have_text("Not now.")
    # what was filled in is still there, and so is the way to send it
    await expect(first).to_have_value("Ada")
    await chat.button("Order").click()
    (await endpoint.at_once()).answer(assistant_message("w1", "Ordered."))
    await expect(chat.log).to_contain_text("Ordered.")
    assert len(endpoint.asked("threads.sync_custom_action")) == 4


WITH_A_PAGE = """(e, options) => {
  window.handled = [];
  const onAction = async (action, item) => {
    window.handled.push([action, item.id, item.widget.type]);
    await new Promise((done) => (window.finish = done));
    if (window.handled.length > 1) throw new Error("The page failed.");
    await e.sendCustomAction({ type: "looked", payload: { near: true } }, item.id);
  };
  e.setOptions({ ...options, initialThread: "thr_1", widgets: { onAction } });
}"""


async def test_what_the_page_handles_goes_to_nobody_else(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    endpoint.keep("thr_1", ASKED, seats())
    chat = await opened(context, endpoint, initialThread="thr_1")
    look = chat.button("Look closer")
    await look.click()
    # a page that has said nothing of it hears why nothing happens
    await chat.page.wait_for_function("() => window.heard.some((e) => e.name === 'error')")
    assert "widgets.onAction" in (await chat.heard("error"))[0]

    await chat.element.evaluate(WITH_A_PAGE, OPTIONS)
    await look.dblclick()
    await expect(look).to_have_attribute("aria-busy", "true")
    action = {"type": "look", "payload": {"seat": "7A"}}
    assert await chat.page.evaluate("() => window.handled") == [[action, "w1", "Card"]]
    assert not [r for r in endpoint.requests if "action" in r["type"]]
    await chat.page.evaluate("() => window.finish()")
    telling = await endpoint.telling()
    sent = {"type": "looked", "payload": {"near": True}}
    assert telling.params == {"thread_id": "thr_1", "item_id": "w1", "action": sent}
    telling.end(done(assistant_message("a1", "It has a window.")))
    await chat.answered()

    await look.click()
    await chat.page.evaluate("() => window.finish()")
    await expect(look).not_to_have_attribute("aria-busy", "true")
    assert (await chat.heard("error"))[1:] == ["The page failed."]
    await expect(chat.alert).to_have_count(0)

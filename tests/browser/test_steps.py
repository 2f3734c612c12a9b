"""What an answer does on its way: progress, steps that fold, questions, pictures."""

from playwright.async_api import BrowserContext, expect

from tests.browser.chromium import Watch
from tests.browser.endpoint import (
    Endpoint,
    added,
    assistant_message,
    done,
    user_message,
    workflow,
)
from tests.browser.opened import asked, opened
from tests.chatkit_client import Json

ASKED = user_message("u1", "Well?")


def step(number: int, task: Json, *, again: bool = False) -> Json:
    """The event of a task that comes, or changes."""
    update = "updated" if again else "added"
    told = {"type": f"workflow.task.{update}", "task_index": number, "task": task}
    return {"type": "thread.item.updated", "item_id": "w1", "update": told}


def thought(content: str, status: str = "none") -> Json:
    """A task of a model's reasoning."""
    return {"type": "thought", "content": content, "status_indicator": status}


async def test_reasoning_is_open_while_it_goes_on_and_then_folded_with_its_summary(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    chat = await opened(context, endpoint)
    telling = await asked(chat, endpoint)
    telling.tell({"type": "progress_update", "text": "Reading the file", "icon": "document"})
    await expect(chat.progress).to_have_text("Reading the file")
    await expect(chat.progress.locator("svg")).to_have_attribute("data-icon", "document")

    telling.tell(added(workflow("w1", type="reasoning")))
    steps = chat.log.locator("[data-item-id=w1] details")
    await expect(steps.locator("summary")).to_have_text("Thinking")
    telling.tell(step(0, thought("**Where** it is")), step(1, thought("What is in it")))
    await expect(steps.locator("strong")).to_have_text("Where")
    await expect(steps).to_have_attribute("open", "")
    first = await steps.locator(".task").first.element_handle()
    telling.tell(step(1, thought("What was in it"), again=True))
    await expect(steps).to_contain_text("What was in it")
    # a step that stays as it was stays where it was, and so does the focus
    assert first
    assert await first.evaluate("(node) => node.isConnected")

    whole = workflow(
        "w1", thought("**Where** it is"), type="reasoning", summary={"duration": 7}, expanded=False
    )
    telling.tell(done(whole), added(assistant_message("a1", "")))
    await expect(steps).not_to_have_attribute("open", "")
    summary = steps.locator("summary")
    await expect(summary).to_have_text("Thought for 7 s")
    await summary.focus()
    await chat.page.keyboard.press("Enter")
    await expect(steps).to_have_attribute("open", "")
    # what a person has opened stays open
    telling.end(
        {"type": "thread.item.replaced", "item": whole}, done(assistant_message("a1", "So."))
    )
    await chat.answered()
    await expect(steps).to_have_attribute("open", "")
    await expect(summary).to_be_focused()

    endpoint.keep("thr_1", ASKED, whole, assistant_message("a1", "So."))
    again = await opened(context, endpoint, initialThread="thr_1")
    await again.loaded(3)
    await expect(again.log.locator("details")).not_to_have_attribute("open", "")
    await expect(again.log.locator("summary")).to_have_text("Thought for 7 s")


TASKS: list[Json] = [
    {"type": "custom", "title": "Began", "icon": "bolt", "content": "By *hand*"},
    {
        "type": "web_search",
        "title_query": "oat milk",
        "queries": ["oat milk price"],
        "sources": [
            {"type": "url", "title": "A shop", "url": "https://shop.example/milk"},
            {"type": "url", "title": "", "url": "https://other.example/"},
        ],
    },
    thought("It is cheap.", "loading"),
    {"type": "file", "title": "Read",
     "sources": [{"type": "file", "title": "", "filename": "a.csv"}]},
    {"type": "image", "status_indicator": "complete"},
]  # fmt: skip


async def test_every_kind_of_task_says_what_was_done_and_where_it_is_from(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    summary = {"title": "Looked around", "icon": "globe"}
    kept = workflow("w1", *TASKS, summary=summary, expanded=True)
    endpoint.keep("thr_1", ASKED, kept)
    chat = await opened(context, endpoint, initialThread="thr_1")
    await chat.loaded(2)
    lines = await chat.log.locator(".task").evaluate_all(
        """(all) => all.map((line) => [line.querySelector("[role=img]").ariaLabel,
          line.querySelector(".mark [data-icon]")?.dataset.icon ?? "",
          line.innerText.split(/\\s*\\n\\s*/).filter(Boolean).join(" | ")])"""
    )
    assert lines == [
        ["Step", "bolt", "Began | By hand"],
        ["Step", "search", "oat milk | oat milk price | A shop | https://other.example/"],
        ["In progress", "", "It is cheap."],
        ["Step", "document", "Read | a.csv"],
        ["Complete", "check", "Image"],
    ]
    links = chat.log.locator(".found a")
    hrefs = await links.evaluate_all("(all) => all.map((link) => link.href)")
    assert hrefs == ["https://shop.example/milk", "https://other.example/"]
    icons = chat.log.locator("summary [data-icon]")
    assert await icons.evaluate_all("(all) => all.map((icon) => icon.dataset.icon)") == [
        "chevron-right", "globe",
    ]  # fmt: skip


QUESTIONS: Json = {
    **assistant_message("q1", ""),
    "type": "structured_input",
    "status": "pending",
    "inputs": [
        {"type": "multiple_choice", "id": "one", "question": "Which one?",
         "options": [{"value": "This"}, {"value": "That"}]},
        {"type": "multiple_choice", "id": "many", "question": "Which ones?", "multiple": True,
         "options": [{"value": "Red"}, {"value": "Blue"}]},
        {"type": "freeform", "id": "why", "question": "Why?"},
        {"type": "freeform", "id": "else", "question": "Anything else?"},
    ],
}  # fmt: skip


async def test_a_form_takes_other_answers_than_the_suggested_and_keeps_them_while_it_waits(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    chat = await opened(context, endpoint)
    telling = await asked(chat, endpoint)
    telling.tell(done(QUESTIONS))
    one, many = (chat.log.get_by_role("group", name=name) for name in ("one?", "ones?"))
    await one.get_by_label("That").check()
    await many.get_by_label("Blue").check()
    await many.get_by_label("Another answer").fill("Green")
    await chat.log.get_by_label("Why?").fill("Because.")
    telling.end()
    await chat.answered()
    await expect(one.get_by_label("That")).to_be_checked()
    await one.get_by_label("Another answer").fill("Neither")
    await expect(one.get_by_label("That")).not_to_be_checked()
    await chat.button("Submit").click()
    sent = await endpoint.telling()
    values = {"one": ["Neither"], "many": ["Blue", "Green"], "why": ["Because."], "else": []}
    answers = {name: {"values": given} for name, given in values.items()}
    assert sent.params["input"] == {"status": "answered", "answers": answers}
    sent.end()
    await chat.answered(1)


PICTURE = "![A dot](https://img.example/dot.gif) and ![another](https://img.example.evil/dot.gif)"


async def test_pictures_of_an_answer_are_shown_from_allowed_domains_and_else_are_links(
    context: BrowserContext, endpoint: Endpoint, watch: Watch
) -> None:
    watch.expect("img.example")
    endpoint.keep("thr_1", ASKED, assistant_message("a1", PICTURE))
    chat = await opened(context, endpoint, initialThread="thr_1")
    await chat.loaded(2)
    prose = chat.log.locator(".prose")
    await expect(prose.get_by_role("link")).to_have_text(["A dot", "another"])
    await expect(prose.locator("img, .missing")).to_have_count(0)
    # also one whose thread says so only now
    telling = await asked(chat, endpoint, "And now?")
    thread = {**endpoint.threads["thr_1"], "allowed_image_domains": ["img.example"]}
    telling.tell({"type": "thread.updated", "thread": thread})
    # the page's own policy keeps the picture away, and so it is said where it is
    shown = prose.locator(".missing")
    await expect(shown).to_contain_text("A dot")
    await expect(shown.get_by_role("link")).to_have_attribute("href", "https://img.example/dot.gif")
    await expect(prose.get_by_role("link")).to_have_text(["Open the picture", "another"])
    telling.end()
    await chat.answered()

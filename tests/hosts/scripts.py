"""What clients ask of a host's server, in order, whoever answers."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from tests.chatkit_client import Json, add, create, retry, user_input


class Asks(Protocol):
    """Either the bare SDK or chatbridge."""

    async def ask(self, request: Json) -> list[Json]: ...


Script = Callable[[Asks], Awaitable[list[Json]]]


def thread_of(frames: list[Json]) -> str:
    return next(f["thread"]["id"] for f in frames if f["type"] == "thread.created")


def item_of(frames: list[Json], type: str) -> str:
    done = (f["item"] for f in frames if f["type"] == "thread.item.done")
    return next(item["id"] for item in done if item["type"] == type)


def last_of(frames: list[Json], type: str) -> str:
    done = (f["item"] for f in frames[::-1] if f["type"] == "thread.item.done")
    return next(item["id"] for item in done if item["type"] == type)


def action(thread: str, item: str | None, type: str, payload: Json, *, sync: bool = False) -> Json:
    name = "threads.sync_custom_action" if sync else "threads.custom_action"
    pressed = {"type": type, "payload": payload}
    return {"type": name, "params": {"thread_id": thread, "item_id": item, "action": pressed}}


def saying(*texts: str) -> Script:
    async def script(asks: Asks) -> list[Json]:
        told = await asks.ask(create(texts[0]))
        for text in texts[1:]:
            told += await asks.ask(add(thread_of(told), text))
        return told

    return script


async def choosing(asks: Asks) -> list[Json]:
    asked = create("hello")
    chosen = {"model": "quick", "tool_choice": {"id": "seats"}}
    asked["params"]["input"]["inference_options"] = chosen
    return await asks.ask(asked)


async def again(asks: Asks) -> list[Json]:
    told = await saying("hello", "again")(asks)
    return told + await asks.ask(retry(thread_of(told), item_of(told, "user_message")))


async def picked(asks: Asks) -> list[Json]:
    told = await saying("hello")(asks)
    pick = action(thread_of(told), item_of(told, "widget"), "seat.pick", {"seat": "1B"})
    told += await asks.ask(pick)
    return told + await asks.ask(add(thread_of(told), "again"))


async def peeked(asks: Asks) -> list[Json]:
    told = await saying("hello")(asks)
    return told + await asks.ask(action(thread_of(told), item_of(told, "widget"), "seat.peek", {}))


async def answered_by_the_page(asks: Asks) -> list[Json]:
    told = await saying("hello")(asks)
    return told + await asks.ask(client_output(thread_of(told)))


async def filled_in(asks: Asks) -> list[Json]:
    told = await saying("hello")(asks)
    return told + await asks.ask(form(thread_of(told), item_of(told, "structured_input"), q=SO))


def client_output(thread: str) -> Json:
    params = {"thread_id": thread, "result": {"ids": [1]}}
    return {"type": "threads.add_client_tool_output", "params": params}


def form(thread: str, item: str, **answers: Json) -> Json:
    status = "answered" if answers else "skipped"
    filled_in = {"status": status, "answers": answers}
    params = {"thread_id": thread, "item_id": item, "input": filled_in}
    return {"type": "threads.add_structured_input", "params": params}


async def as_if_said(asks: Asks) -> list[Json]:
    told = await saying("hello")(asks)
    return told + await asks.ask(action(thread_of(told), None, "any", {}))


SO: Json = {"values": ["so"]}


async def left_out(asks: Asks) -> list[Json]:
    told = await saying("hello")(asks)
    thread = thread_of(told)
    some = form(thread, item_of(told, "structured_input"), q={"values": ["red"]})
    told += await asks.ask(some)
    told += await asks.ask(add(thread, "hello"))
    return told + await asks.ask(form(thread, last_of(told, "structured_input")))


def at_once(*types: str) -> Script:
    """Actions that are answered without a stream, and then a message."""

    async def script(asks: Asks) -> list[Json]:
        told = await saying("hello")(asks)
        thread, widget = thread_of(told), item_of(told, "widget")
        for type in types:
            told += await asks.ask(action(thread, widget, type, {"seat": "1A"}, sync=True))
        return told + await asks.ask(add(thread, "again"))

    return script


async def tagged(asks: Asks) -> list[Json]:
    said = user_input("Hello, ")
    tag = {"type": "input_tag", "id": "tom", "text": "Tom", "data": {"age": 3}}
    said["content"].append({**tag, "group": None, "interactive": True})
    said["quoted_text"] = "What is that?"
    told = await asks.ask({"type": "threads.create", "params": {"input": said}})
    return told + await asks.ask(add(thread_of(told), "And now?"))


def verdict(thread: str, item: str, kind: str = "positive") -> Json:
    params = {"thread_id": thread, "item_ids": [item], "kind": kind}
    return {"type": "items.feedback", "params": params}


def dictated(audio: str) -> Json:
    params = {"audio_base64": audio, "mime_type": "audio/webm;codecs=opus"}
    return {"type": "input.transcribe", "params": params}


async def judged_and_dictated(asks: Asks) -> list[Json]:
    told = await saying("hello")(asks)
    thread = thread_of(told)
    told += await asks.ask(verdict(thread, item_of(told, "assistant_message")))
    told += await asks.ask(dictated("aGVsbG8="))
    return told + await asks.ask({"type": "threads.get_by_id", "params": {"thread_id": thread}})

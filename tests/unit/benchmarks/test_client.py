"""That no server looks fast by losing words."""

import json

import pytest

from benchmarks.doubles.answers import Script, spoken, words
from benchmarks.doubles.client import shown
from benchmarks.doubles.model import Desk


def chunked(*frames: str) -> bytes:
    """A streamed response."""
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(f), f.encode()) for f in frames)
    return b"HTTP/1.1 200 OK\r\n\r\n" + chunks + b"0\r\n\r\n"


def frame(event: object) -> str:
    return f"data: {json.dumps(event)}\n\n"


def updated(kind: str, **fields: object) -> str:
    update = {"type": f"assistant_message.content_part.{kind}", **fields}
    return frame({"type": "thread.item.updated", "update": update})


def test_words_are_found_in_whatever_form_a_peer_shows_them() -> None:
    assert shown(chunked(frame({"delta": "a "}), frame({"delta": "b"}))) == "a b"
    begun = updated("added", content={"type": "output_text", "text": "a "})
    assert shown(chunked(begun, updated("text_delta", delta="b"))) == "a b"
    assert shown(chunked(frame({"type": "thread.created"}), "data: [DONE]\n\n")) == ""


@pytest.mark.parametrize("api", ["responses", "chat_completions"])
def test_the_model_says_every_word_by_either_api(api: str) -> None:
    answer = spoken(api, 12)
    whole = b"HTTP/1.1 200 OK\r\n\r\n" + answer.begin + b"".join(answer.deltas) + answer.end
    assert shown(whole) == words(12)
    assert shown(whole.replace(answer.deltas[3], b"", 1)) != words(12)


def test_a_model_that_is_to_call_tools_calls_them_once_a_turn() -> None:
    desk = Desk(Script(deltas=3, calls=2, tool="add_task"))
    first, _ = desk.answer("responses", b'{"input":"hello"}')
    then, _ = desk.answer("responses", b'{"input":[{"type":"function_call_output"}]}')
    assert first.begin.count(b"response.output_item.done") // 2 == 2
    assert (len(first.deltas), len(then.deltas)) == (0, 3)

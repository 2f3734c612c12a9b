"""Streams of the Responses API as endpoints send them, each read into the same strict one."""

from typing import Any

import pytest

from chatbridge.adapters.openai.failures import code_of
from chatbridge.adapters.openai.responses_dialect import ResponsesDialect
from chatbridge.adapters.openai.thinking import Thinking
from chatbridge.adapters.openai.troubles import EmptyAnswer, ProviderFailure, TruncatedStream
from chatbridge.domain.model.usage import Usage

Json = dict[str, Any]
X, Y = '{"title":"x"}', '{"title":"y"}'


def call(arguments: Any = X, id: str | None = "call_1", **more: Any) -> Json:
    item = {"type": "function_call", "name": "add", "arguments": arguments, "call_id": id}
    return {k: v for k, v in {**item, **more}.items() if v is not None}


def item(told: Any, index: int | None = 0, kind: str = "done") -> Json:
    return {"type": f"response.output_item.{kind}", "output_index": index, "item": told}


def words(text: str, index: int | None = 0) -> Json:
    return {"type": "response.output_text.delta", "output_index": index, "delta": text}


def arguments(kind: str, text: str, **where: Any) -> Json:
    name = "delta" if kind == "delta" else "arguments"
    return {"type": f"response.function_call_arguments.{kind}", name: text, **where}


def end(*output: Any, kind: str = "completed", **more: Any) -> Json:
    return {"type": f"response.{kind}", "response": {"output": [*output], **more}}


def message(content: Any, **more: Any) -> Json:
    return {"type": "message", "content": content, **more}


def read(*events: Json) -> tuple[str, list[Json], Json]:
    """The words that were told, the items of the last event and its response."""
    dialect = ResponsesDialect(Thinking, {"add"})
    told = [strict for event in events for strict in dialect.read(event)]
    told += dialect.end()
    text = "".join(e["delta"] for e in told if e["type"] == "response.output_text.delta")
    assert not [e for e in told if e.get("item", {}).get("type") == "function_call"]
    return text, told[-1]["response"]["output"], told[-1]["response"]


def calls(*events: Json) -> list[str]:
    called = [each for each in read(*events)[1] if each["type"] == "function_call"]
    assert len({each["call_id"] for each in called}) == len(called)
    assert all(each["name"] == "add" for each in called)
    return [each["arguments"] for each in called]


@pytest.mark.parametrize(
    "events",
    [
        [end(call())],
        [item(call()), end()],
        [item(call()), end(call())],
        [item(call()), item(call(), 1), end(call())],
        [item(call()), end(call(), call())],
        [item(call(id=None), None), end(call(id=None))],
        [item(call(id=None), 3), end(call(id=None))],
        [item(call(), 3), end(call(id="call_other"))],
        [item(call(), 0, "added"), item(call(), 1), end(call())],
        [item(call(""), 0, "added"), arguments("delta", X, output_index=0), end(call(""))],
        [item(call(""), 0, "added"), arguments("done", X, output_index=0), end()],
        [
            item(call("", item_id="i"), 0, "added"),
            arguments("delta", X[:5], output_index=0),
            arguments("delta", X[5:], output_index=0),
            arguments("done", "", output_index=0),
            item(call("{}")),
            end(call("{}")),
        ],
        [item(call()), end(call({"title": "x"}))],
        [
            item({"type": "function", "call_id": "a", "function": {"name": "add", "arguments": X}}),
            end(),
        ],
        [item(call(f"```json\n{X}\n```")), end()],
        [item({"type": "function_call", "name": "", "arguments": ""}), item(call(), 1), end()],
    ],
)
def test_a_call_is_one_however_often_and_in_whatever_pieces_it_is_told(events: list[Json]) -> None:
    assert calls(*events) == [X] or calls(*events) == ['{"title": "x"}']


@pytest.mark.parametrize(
    "events",
    [
        [item(call(X)), item(call(Y), 1), end(call(X), call(Y))],
        [item(call(X)), item(call(Y), 1), end()],
        [item(call(X, "a")), item(call(Y, "b"), 1), end(call(X, "a"), call(Y, "b"))],
        [item(call(X, None), None), item(call(Y, None), None), end(call(X, None), call(Y, None))],
        [end(call(X), call(Y))],
    ],
)
def test_two_calls_stay_apart_though_they_have_one_id(events: list[Json]) -> None:
    assert calls(*events) == [X, Y]


def test_the_same_call_under_another_id_is_another() -> None:
    assert calls(item(call(X, "a")), item(call(X, "b"), 1), end(call(X, "a"), call(X, "b"))) == [
        X,
        X,
    ]


def test_half_a_letter_in_arguments_finds_its_other_half() -> None:
    pieces = ('{"title":"\ud83e', '\udd5b"}')
    deltas = [arguments("delta", piece, output_index=0) for piece in pieces]
    assert calls(item(call(""), 0, "added"), *deltas, end()) == ['{"title":"🥛"}']


@pytest.mark.parametrize("kind", ["incomplete", "failed", "completed"])
def test_a_call_in_an_answer_that_is_cut_is_told_and_not_given_out(kind: str) -> None:
    cut = end(call(), call(X[:5], "b"), kind=kind, status="incomplete", usage={"input_tokens": 3.0})
    with pytest.raises((TruncatedStream, ProviderFailure)) as raised:
        read(item(call()), cut)
    assert raised.value.calls == [("add", X)]
    assert raised.value.usage == Usage(input_tokens=3, output_tokens=0)


def test_items_that_the_last_event_forgets_are_in_it_and_keep_their_order() -> None:
    thought = {"type": "reasoning", "id": "rs_1", "encrypted_content": "x"}
    _, output, _ = read(item(thought), item(message("Hi."), 1), item(call(), 2), end())
    assert [each["type"] for each in output] == ["reasoning", "message", "function_call"]
    assert output[0]["encrypted_content"] == "x"
    _, output, _ = read(words("Hi."), end())
    assert output[0]["content"][0]["text"] == "Hi."
    places = [call(X, "a", id_="1"), thought, call(Y, "b"), thought]
    assert [e["type"] for e in read(end(*places))[1]] == [e["type"] for e in places]


@pytest.mark.parametrize(
    "content",
    [
        "Hi.",
        ["Hi."],
        {"type": "text", "text": "Hi."},
        [{"type": "text", "text": "Hi.", "annotations": None, "logprobs": float("nan")}],
        [{"text": "Hi."}],
        [{"type": "text", "content": "Hi."}],
        [{"type": "output_text", "text": ["Hi", {"text": "."}]}],
        [{"type": "output_text", "text": "<think>hm</think>Hi."}, None, {"type": "output_audio"}],
    ],
    ids=str,
)
def test_a_message_is_its_text_whatever_its_shape(content: Any) -> None:
    for events in ([item(message(content)), end()], [end(message(content, id=7, role=None))]):
        (told,) = read(*events)[1]
        assert "".join(part["text"] for part in told["content"]) == "Hi."
        assert {part["type"] for part in told["content"]} == {"output_text"}


@pytest.mark.parametrize("usage", [3, "x", [1], {"input_tokens": "x"}, {"input_tokens_details": 1}])
def test_an_odd_cost_is_none(usage: Any) -> None:
    _, _, response = read(words("Hi."), end(usage=usage, created_at="now", metadata=3, tools={}))
    assert response["usage"] is None
    _, _, response = read(words("Hi."), end(usage={"input_tokens": "3", "output_tokens": 2.0}))
    assert (response["usage"]["input_tokens"], response["usage"]["output_tokens"]) == (3, 2)


@pytest.mark.parametrize(
    "events",
    [
        [end()],
        [words("\u200b \u2060"), end(message([{"type": "output_text", "text": "\u200b \u2060"}]))],
        [item(message("\ufeff")), end()],
        [item({"type": "reasoning", "summary": []}), end()],
        [item({"type": "function_call"}), end(None, 3, {"type": "function_call", "name": ""})],
    ],
)
def test_an_end_without_a_word_or_a_call_is_no_answer(events: list[Json]) -> None:
    with pytest.raises(EmptyAnswer):
        read(*events)


def test_a_text_that_is_only_told_whole_is_told() -> None:
    done = {"type": "response.output_text.done", "output_index": 0, "text": "Hi."}
    assert read(done, end())[0] == "Hi."
    assert read(words("Hi."), done, end())[0] == "Hi."
    assert read(words("Hi."), {"type": "response.done", "response": {}})[0] == "Hi."


@pytest.mark.parametrize(
    "events",
    [
        [end(output_text="Hi.")],
        [{"type": "response.completed", "response": {"output": message("Hi.")}}],
        [{"type": "response.content_part.done", "part": {"type": "text", "text": "Hi."}}, end()],
        [words("Hi."), {"type": "ping", "message": "alive"}, {}, {"type": "response.completed"}],
        [item(None), item(call("", name=" "), 1), words("Hi."), end()],
    ],
)
def test_the_words_are_found_wherever_they_are_told(events: list[Json]) -> None:
    (told,) = read(*events)[1]
    assert told["content"][0]["text"] == "Hi."


def test_calls_whose_events_share_a_place_stay_apart() -> None:
    first, second = call("", "a"), call("", "b")
    events = [item(first | {"id": "f1"}, None, "added"), item(second | {"id": "f2"}, None, "added")]
    deltas = [arguments("delta", X, item_id="f1"), arguments("delta", Y, item_id="f2")]
    assert calls(*events, *deltas, end()) == [X, Y]


def test_words_of_an_answer_that_was_cut_before_it_told_any_are_told() -> None:
    dialect = ResponsesDialect(Thinking)
    whole = {"object": "response", "status": "incomplete", "output": [message("Half a")]}
    told: list[Json] = []
    with pytest.raises(TruncatedStream, match="incomplete"):
        told.extend(dialect.document(whole))
    assert [each["delta"] for each in told] == ["Half a"]


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ({"type": "error", "code": "server_error", "message": "x"}, "model_unavailable"),
        ({"type": "response.error", "error": {"code": 429}}, "model_rate_limited"),
        ({"message": "x", "code": 401}, "model_unauthorized"),
        (end(kind="failed", error={"code": "rate_limit_exceeded"}), "model_rate_limited"),
        (end(status="failed"), "model_unavailable"),
        (end(kind="incomplete", incomplete_details={"reason": "content_filter"}), "model_filtered"),
        (end(status="cancelled"), "model_stopped"),
        ({"type": "response.keepalive"}, "model_truncated"),
    ],
)
def test_what_is_no_good_end_has_its_code(event: Json, code: str) -> None:
    with pytest.raises((ProviderFailure, TruncatedStream)) as raised:
        read(words("Half"), event)
    assert code_of(raised.value) == code

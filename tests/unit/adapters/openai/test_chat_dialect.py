"""Streams of Chat Completions as endpoints send them, each read into the same strict one."""

import json
from collections.abc import AsyncIterator, Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import pytest
from agents.models.chatcmpl_stream_handler import ChatCmplStreamHandler
from openai.types.chat import ChatCompletionChunk
from openai.types.responses import Response

from chatbridge.adapters.openai.carried import Carried
from chatbridge.adapters.openai.chat_dialect import ChatDialect
from chatbridge.adapters.openai.cost import cost_of
from chatbridge.adapters.openai.failure_line import helpful_setting
from chatbridge.adapters.openai.failures import code_of
from chatbridge.adapters.openai.responses_dialect import ResponsesDialect
from chatbridge.adapters.openai.thinking import Thinking
from chatbridge.adapters.openai.troubles import (
    AnotherApi,
    EmptyAnswer,
    ProviderFailure,
    TruncatedStream,
)
from chatbridge.domain.model.usage import Usage

STOP = {"finish_reason": "stop"}


@dataclass
class Read:
    """What a client would have made of the strict stream."""

    text: str
    thought: str
    calls: list[tuple[str, str]]
    ids: list[str]
    usage: Usage | None = None


def chunk(delta: Any = None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta or {}, "finish_reason": finish}], **more}


def said(content: Any) -> dict[str, Any]:
    return chunk({"content": content})


def call(index: int | None, id: str | None, name: str | None, arguments: Any) -> dict[str, Any]:
    function = {k: v for k, v in (("name", name), ("arguments", arguments)) if v is not None}
    place = {k: v for k, v in (("index", index), ("id", id)) if v is not None}
    return {**place, "function": function}


def calling(*pieces: dict[str, Any]) -> list[dict[str, Any]]:
    return [*(chunk({"tool_calls": [piece]}) for piece in pieces), chunk(finish="tool_calls")]


def read(events: Iterable[dict[str, Any]], carried: Carried | None = None) -> Read:
    dialect = ChatDialect(carried or Carried(), Thinking())
    chunks = [strict for event in events for strict in dialect.read(event)]
    return _folded([*chunks, *dialect.end()])


def _folded(chunks: list[dict[str, Any]]) -> Read:
    deltas = [choice["delta"] for each in chunks for choice in each["choices"]]
    calls: dict[int, list[str]] = {}
    ids: dict[int, str] = {}
    for piece in (piece for delta in deltas for piece in delta.get("tool_calls") or ()):
        known = calls.setdefault(piece["index"], ["", ""])
        known[0] = piece["function"]["name"] or known[0]
        known[1] += piece["function"]["arguments"]
        ids[piece["index"]] = piece.get("id") or ids[piece["index"]]
    return Read(
        text="".join(delta.get("content") or "" for delta in deltas),
        thought="".join(delta.get("reasoning_content") or "" for delta in deltas),
        calls=[(name, arguments) for name, arguments in calls.values()],
        ids=[*ids.values()],
        usage=cost_of(chunks[-1].get("usage")),
    )


@pytest.mark.parametrize(
    "contents",
    [
        ["ans", "wer"],
        [{"type": "text", "content": "answer"}],
        [{"text": "answer"}],
        [{"parts": [{"text": "hm", "thought": True}, {"text": "answer"}]}],
        [["ans", {"type": "text", "text": "wer"}], {"type": "tool_use", "text": "no"}],
        [[{"type": "text", "text": "answer"}]],
        [{"type": "text", "text": "answer"}],
        [[{"type": "output_text", "text": {"value": "answer"}}]],
        ["ans", [{"type": "reference", "reference_ids": [1]}], "wer"],
        [[{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}], "answer"],
        [[{"type": "reasoning", "text": "hm"}, {"type": "text", "text": "answer"}]],
        ["<thi", "nk>hm</th", "ink>\n\nans", "wer"],
        [*"[THINK]hm[/THINK]answer"],
        [
            *"<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>answer"
        ],
    ],
)
def test_an_answer_is_its_text_whatever_its_shape(contents: list[Any]) -> None:
    answer = read([*map(said, contents), chunk(finish="stop")])
    assert answer.text == "answer"
    assert answer.thought in ("", "hm")


@pytest.mark.parametrize("name", ["delta", "message"])
def test_an_answer_that_came_at_once_is_read_too(name: str) -> None:
    dialect = ChatDialect(Carried(), Thinking())
    whole = {"choices": [{name: {"role": "assistant", "content": "answer"}, **STOP}]}
    assert _folded([*dialect.document(whole), *dialect.end()]).text == "answer"


def test_a_letter_in_two_halves_is_whole() -> None:
    events = [said("a \ud83e"), said("\udd5b and "), said("\udce2\udc82"), said("\udcac.")]
    assert read([*events, chunk(finish="stop")]).text == "a 🥛 and €."
    assert read([said("a \ud83e"), chunk(finish="stop")]).text == "a \ufffd"


X, Y = '{"title":"x"}', '{"title":"y"}'


@pytest.mark.parametrize(
    "pieces",
    [
        [call(0, "a", "add", X), call(0, "b", "add", Y)],
        [
            call(0, "a", "add", ""),
            call(0, "a", None, X),
            call(0, "b", "add", ""),
            call(0, "b", None, Y),
        ],
        [
            call(0, "a", "add", ""),
            call(0, None, None, X),
            call(0, "b", "add", ""),
            call(0, None, None, Y),
        ],
        [call(0, "a1", "add", '{"title":'), call(0, "a2", None, '"x"}'), call(1, "b1", "add", Y)],
        [call(0, "a1", "add", '{"title":'), call(0, "a2", "add", '"x"}'), call(1, "b1", "add", Y)],
        [call(1, "a", "add", X), call(2, "b", "add", Y)],
        [call(None, "a", "add", X), call(None, "b", "add", Y)],
        [call(None, None, "add", X), call(None, None, "add", Y)],
        [call(0, None, "add", X), call(0, None, "add", Y)],
        [
            call(None, "a", "add", X[:4]),
            call(None, "b", "add", Y[:4]),
            call(None, "a", None, X[4:]),
            call(None, "b", None, Y[4:]),
        ],
        [
            call(None, "a", "add", ""),
            call(None, "b", "add", Y[:4]),
            call(None, "a", "add", X),
            call(None, "b", "", Y[4:]),
        ],
        [call(0, "same", "add", X), call(1, "same", "add", Y)],
        [call(0, "same", "add", X), call(0, "same", "add", Y)],
        [call(0, "", "add", json.loads(X)), call(1, "", "add", json.loads(Y))],
    ],
    ids=str,
)
def test_two_calls_stay_apart(pieces: list[dict[str, Any]]) -> None:
    answer = read(calling(*pieces))
    assert [json.loads(arguments) for _, arguments in answer.calls] == [
        {"title": "x"},
        {"title": "y"},
    ]
    assert len(set(answer.ids)) == 2


@pytest.mark.parametrize(
    "id", [pytest.param("call_1", id="by its id"), pytest.param(None, id="by its index")]
)
def test_a_call_that_is_told_twice_is_one(id: str | None) -> None:
    told = call(0, id, "add_task", '{"title": "milk"}')
    assert read(calling(told, told)).calls == [("add_task", '{"title": "milk"}')]


def test_the_same_call_under_another_id_is_another() -> None:
    pieces = (call(n, f"call_{n}", "add_task", '{"title": "milk"}') for n in range(2))
    assert len(read(calling(*pieces)).calls) == 2


@pytest.mark.parametrize(
    "pieces",
    [
        [call(0, "a", "add", "{}"), call(0, None, None, X)],
        [call(0, "a", "add", "{}"), call(0, "a", "add", X)],
        [call(0, "a", "add", "{}"), call(0, None, "add", X)],
        [call(0, "a", "add", ""), call(0, "a", "add", X), call(0, "a", "add", "")],
        [call(0, "a", "add", X[:n]) for n in (3, 9, len(X))],
        [call(0, "a" if n == 3 else None, None if n > 3 else "add", X[:n]) for n in (3, len(X))],
        [call(0, "a", "add", '{"title":"x"'), call(0, None, None, "}"), call(0, None, None, X)],
        [call(0, "a", "add", json.dumps(X))],
        [call(0, "a", "add", f"```json\n{X}\n```")],
        [call(0, "a", "add", f"{{}}{X}")],
        [{"id": "a", "function": {"name": "add", "parameters": json.loads(X)}}],
        [{"id": "a", "function": {"name": "add", "arguments": "", "input": json.dumps(X)}}],
        [{"id": "a", "function": {"name": "add", "arguments": {}, "args": json.loads(X)}}],
        [{"id": "a", "function": {"name": "add"}, "arguments": json.loads(X)}],
        [{"id": "a", "function": "add", "params": X}],
        [{"id": "a", "tool_name": "add", "kwargs": json.loads(X)}],
        [call(0, "a", "add", json.dumps(json.dumps(X)))],
        [call(0, "a", "add", json.dumps(X)[:5]), call(0, None, None, json.dumps(X)[5:])],
        [call(0, "a", "ad", ""), call(0, None, "d", ""), call(0, None, None, X)],
        [call(0, "a", "a", None), call(0, "a", "ad", None), call(0, "a", "add", X)],
        [call(None, None, "a", None), call(None, None, "dd", X)],
        [call(0, "a", "add", X), call(1, "a", "add", X)],
        [call(0, "a", "add", X), {}, call(1, "", "", ""), call(2, None, None, "{}")],
    ],
    ids=str,
)
def test_a_call_is_one_in_whatever_pieces_it_comes(pieces: list[dict[str, Any]]) -> None:
    ((name, arguments),) = read(calling(*pieces)).calls
    assert (name, json.loads(arguments)) == ("add", {"title": "x"})


def test_half_a_letter_in_arguments_finds_its_other_half() -> None:
    pieces = [call(0, "a", "add", '{"title":"\ud83e'), call(0, None, None, '\udd5b"}')]
    assert read(calling(*pieces)).calls == [("add", '{"title":"🥛"}')]


@pytest.mark.parametrize("text", ['{"a":1}{"b":2}', '{"filter":', "[1]"])
def test_arguments_that_nobody_understands_stay_as_they_are(text: str) -> None:
    assert read(calling(call(0, "a", "add", text))).calls == [("add", text)]


@pytest.mark.parametrize(
    "placeholder",
    [
        {"tool_calls": [{}]},
        {"tool_calls": [None]},
        {"tool_calls": {}},
        {"tool_calls": [{"index": 0, "type": "function", "function": None}]},
        {"tool_calls": [call(0, "", "", "")]},
        {"tool_calls": [call(0, "call_1", "", "{}")]},
        {"tool_calls": [call(0, "call_1", " ", " ")]},
        {"tool_calls": [call(0, None, "null", "null")]},
        {"tool_calls": [[], "none", 0]},
        {"tool_calls": "[]"},
        {"tool_calls": False, "function_call": "none"},
        {"tool_calls": [call(0, None, None, "null")]},
        {"function_call": {}},
        {"function_call": {"name": "", "arguments": ""}},
    ],
    ids=str,
)
def test_what_names_no_call_is_none(placeholder: Any) -> None:
    answer = read([chunk({"content": "Hi", **placeholder}), chunk(placeholder, "stop")])
    assert (answer.text, answer.calls) == ("Hi", [])
    with pytest.raises(EmptyAnswer):
        read([chunk(placeholder), chunk(finish="tool_calls")])


@pytest.mark.parametrize(
    "extra",
    [
        {"usage": usage}
        for usage in (3, "none", [1], {"prompt_tokens": [1], "completion_tokens": None})
    ]
    + [
        {"usage": {"prompt_tokens": 3.0, "completion_tokens": "2", "prompt_tokens_details": [7]}},
        {"id": 7, "created": "now", "model": None, "object": 1, "system_fingerprint": {}},
        {"service_tier": [], "obfuscation": "x" * 9, "metadata": float("nan")},
        {"error": None, "detail": "fine"},
    ],
    ids=str,
)
def test_an_extra_costs_no_answer(extra: dict[str, Any]) -> None:
    answer = read([said("Hi") | extra, chunk(finish="stop") | extra])
    assert answer.text == "Hi"
    assert answer.usage in (None, Usage(input_tokens=3, output_tokens=2))


@pytest.mark.parametrize(
    "extra",
    [
        {"audio": {"id": "a", "data": "x"}},
        {"annotations": [{"type": "url_citation", "url_citation": 3}, None, 4]},
        {"thinking_blocks": [{"type": "thinking", "thinking": ["hm"], "signature": 3}]},
        {"role": ["assistant"], "refusal": {}, "reasoning": {"text": "hm"}},
        {"logprobs": float("nan"), "images": [{"type": "image_url"}]},
    ],
    ids=str,
)
async def test_neither_does_one_beside_a_word(extra: dict[str, Any]) -> None:
    events = [chunk({"content": "Hi"} | extra), chunk(finish="stop")]
    events[0]["choices"][0] |= {"logprobs": {"content": [{"logprob": "x"}]}}
    assert read(events).text == "Hi"
    dialect = ChatDialect(Carried(), Thinking())
    strict = [each for event in events for each in dialect.read(event)]
    given = [ChatCompletionChunk.construct(**each) for each in [*strict, *dialect.end()]]
    response = Response.construct(id="r", output=[], created_at=1.0)
    told = ChatCmplStreamHandler.handle_stream(response, _stream(given))  # pyright: ignore[reportArgumentType]
    assert [event.type async for event in told][-1] == "response.completed"


@pytest.mark.parametrize(
    "word", ["null", "", "None", "stop", "FINISH_REASON_UNSPECIFIED", "length", "something_new"]
)
def test_a_reason_in_every_event_is_no_end(word: str) -> None:
    dialect = ChatDialect(Carried(), Thinking())
    for said in ("one ", "two "):
        [*dialect.read(chunk({"content": said}, word))]
    assert not dialect.ended
    [*dialect.read(chunk(finish="stop")), *dialect.end()]


@pytest.mark.parametrize(
    "events",
    [
        [chunk({"content": "Hi"}, "FINISH_REASON_UNSPECIFIED"), chunk(finish="STOP")],
        [chunk({"role": "assistant"}, "stop"), said("Hi")],
        [chunk(finish="stop"), said("H"), said("i")],
        [said("Hi"), chunk({"finish_reason": "stop"})],
        [said("Hi"), {"type": "ping", "message": "alive"}, {"event": "ping"}, chunk(finish="stop")],
        [said("Hi"), {"choices": [{"delta": {}, "finish_reason": ["stop"]}]}],
        [chunk({"content": "H"}, "stop"), chunk({"content": "i"}, "stop"), {"choices": []}],
    ],
)
def test_an_end_is_found_wherever_it_is_told(events: list[dict[str, Any]]) -> None:
    assert read(events).text == "Hi"


def test_a_reason_that_is_the_last_is_an_end() -> None:
    dialect = ChatDialect(Carried(), Thinking())
    [*dialect.read(said("one")), *dialect.read(chunk(finish="stop"))]
    assert (dialect.ended, dialect.grace) == (True, 2.0)
    [*dialect.read({"choices": [], "usage": {"prompt_tokens": 3}})]
    assert dialect.grace == 1.0
    dialect = ChatDialect(Carried(), Thinking())
    [*dialect.read(said("one ")), *dialect.read(chunk({"content": "two"}, "stop"))]
    assert dialect.grace == 2.0
    dialect = ChatDialect(Carried(), Thinking())
    [*dialect.read(chunk({"content": "one"}, "stop"))]
    [*dialect.read({"choices": [], "usage": {"prompt_tokens": 3}})]
    assert dialect.grace == 10.0, "more may follow where each event says that it is the last"
    [*dialect.read(chunk({"content": "two"}, "stop"))]
    assert dialect.grace is None


def test_a_bad_end_is_not_made_good_by_what_follows_it() -> None:
    with pytest.raises(TruncatedStream, match="length"):
        read([said("Half a"), chunk(finish="length"), chunk(finish="stop")])


def test_a_call_in_an_answer_that_is_cut_is_told_and_not_given_out() -> None:
    with pytest.raises(TruncatedStream) as raised:
        read([*calling(call(0, "a", "add", X), call(1, "b", "add", X[:4]))[:-1]])
    assert raised.value.calls == [("add", X)]


def test_a_call_of_the_api_before_this_one_is_a_call() -> None:
    old = chunk({"function_call": {"name": "add", "arguments": X}})
    assert read([old, chunk(finish="function_call")]).calls == [("add", X)]


def test_two_calls_without_arguments_stay_apart() -> None:
    pieces = [call(0, "a", "list", ""), call(0, "b", "list", "")]
    assert len(read(calling(*pieces)).calls) == 2


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ({"code": 429, "message": "x"}, "model_rate_limited"),
        ({"code": "429", "message": "x"}, "model_rate_limited"),
        ({"code": 400}, "model_refused"),
        ({"code": 401}, "model_unauthorized"),
        ({"code": 402}, "model_rate_limited"),
        ({"status": 503, "message": "x"}, "model_unavailable"),
        ({"status": "RESOURCE_EXHAUSTED", "message": "x"}, "model_rate_limited"),
        ({"type": "overloaded_error", "message": "x"}, "model_unavailable"),
        ({"type": "rate_limit_error", "code": None}, "model_rate_limited"),
        ({"type": "invalid_request_error", "message": "x"}, "model_refused"),
        ({"message": {"detail": "x"}}, "model_unavailable"),
        ("CUDA out of memory", "model_unavailable"),
        ([{"error": {"code": 404}}], "model_refused"),
        ({"message": "The input token count (12) exceeds the maximum"}, "context_too_long"),
    ],
)
def test_an_error_in_a_stream_has_the_code_of_its_number_or_its_word(error: Any, code: str) -> None:
    with pytest.raises(ProviderFailure) as raised:
        read([said("Half"), chunk({"content": ""}, finish="error", error=error)])
    assert code_of(raised.value) == code


@pytest.mark.parametrize(
    "event",
    [
        {"type": "message_start", "message": {"role": "assistant", "content": []}},
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "Hi"}},
        {"content": "Hi", "stop": False},
        {"response": "Hi", "p": "abc"},
        {"model": "m", "message": {"role": "assistant", "content": "Hi"}, "done": False},
        {"candidates": [{"content": {"parts": [{"text": "Hi"}]}}]},
        {"type": "response.output_text.delta", "delta": "Hi"},
    ],
    ids=str,
)
def test_the_events_of_another_api_are_named_with_the_settings_that_help(event: Any) -> None:
    for dialect in (ChatDialect(Carried(), Thinking()), ResponsesDialect(Thinking)):
        if isinstance(dialect, ResponsesDialect) and "response." in event.get("type", ""):
            continue
        with pytest.raises(AnotherApi) as raised:
            [*dialect.read(event), *dialect.end(done=True)]
        assert (
            helpful_setting(raised.value) == "CHATBRIDGE_AGENT__BASE_URL and CHATBRIDGE_AGENT__API"
        )


def test_progress_is_no_error() -> None:
    waiting = {"object": "progress", "message": "2 before you"}
    assert read([waiting, said("Hi"), chunk(finish="stop")]).text == "Hi"


def test_an_error_within_a_choice_is_one() -> None:
    event = chunk({"content": ""}, "error")
    event["choices"][0]["error"] = {"code": 502, "message": "Provider returned error"}
    with pytest.raises(ProviderFailure) as raised:
        read([event])
    assert (raised.value.status, code_of(raised.value)) == (502, "model_unavailable")


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        (None, "model_truncated"),
        ("length", "model_truncated"),
        ("max_tokens", "model_truncated"),
        ("model_context_window_exceeded", "model_truncated"),
        ("content_filter", "model_filtered"),
        ("SAFETY", "model_filtered"),
        ("error", "model_stopped"),
        ("abort", "model_stopped"),
        ("insufficient_system_resource", "model_stopped"),
        ("MALFORMED_FUNCTION_CALL", "model_stopped"),
        ("something_new", "model_stopped"),
    ],
)
def test_only_the_known_good_ends_are_good(reason: str | None, code: str) -> None:
    with pytest.raises(TruncatedStream) as raised:
        read([said("Half a sen"), chunk(finish=reason)])
    assert code_of(raised.value) == code


@pytest.mark.parametrize(
    "reason",
    ["eos", "eos_token", "end_turn", "stop_sequence", "COMPLETE", "FINISH_REASON_STOP", "tool_use"],
)
def test_a_good_end_is_one_in_whatever_words(reason: str) -> None:
    assert read([said("Hi"), chunk(finish=reason)]).text == "Hi"
    assert read([*calling(call(0, "a", "add", X))[:-1], chunk(finish=reason)]).calls == [("add", X)]


def test_an_end_without_a_name_is_one_where_the_stream_says_that_it_is_done() -> None:
    for last, done, whole in (
        (chunk(finish=""), True, True),
        (chunk(finish=""), False, False),
        (chunk({"content": "!"}, ""), True, False),
        (chunk(), True, False),
    ):
        dialect = ChatDialect(Carried(), Thinking())
        [*dialect.read(said("Hi")), *dialect.read(last)]
        with nullcontext() if whole else pytest.raises(TruncatedStream):
            [*dialect.end(done=done)]


@pytest.mark.parametrize("reason", ["stop", "tool_calls"])
@pytest.mark.parametrize(
    "delta",
    [{}, {"content": " \n"}, {"content": "\u200b\ufeff\u2060"}, {"reasoning_content": "I think."}],
)
def test_an_end_without_a_word_or_a_call_is_no_answer(reason: str, delta: Any) -> None:
    with pytest.raises(EmptyAnswer) as raised:
        read([chunk(delta), chunk(finish=reason)])
    assert code_of(raised.value) == "model_silent"


def test_a_refusal_is_a_word() -> None:
    assert read([chunk({"refusal": "I can't."}), chunk(finish="stop")]).text == ""


def test_what_nobody_knows_goes_back_with_the_call_that_it_came_with() -> None:
    carried = Carried()
    signed = call(0, "a", "add", X) | {"extra_content": {"google": {"thought_signature": "s"}}}
    read([chunk({"reasoning_details": [{"text": "1"}]}), *calling(signed)], carried)
    read(
        [
            chunk({"reasoning_content": "I "}),
            chunk({"reasoning_content": "think."}),
            *calling(call(0, "b", "add", X)),
        ],
        carried,
    )
    asked = [{"role": "assistant", "tool_calls": [{"id": id}]} for id in ("a", "b", "c")]
    carried.put_back([{"role": "user", "content": "x"}, *asked])
    assert asked == [
        {
            "role": "assistant",
            "reasoning_details": [{"text": "1"}],
            "tool_calls": [{"id": "a", "extra_content": {"google": {"thought_signature": "s"}}}],
        },
        {"role": "assistant", "reasoning_content": "I think.", "tool_calls": [{"id": "b"}]},
        {"role": "assistant", "tool_calls": [{"id": "c"}]},
    ]


def test_a_thought_in_pieces_goes_back_in_one_with_its_signature() -> None:
    carried = Carried()
    thought = {"type": "reasoning.text", "index": 0, "format": "anthropic-claude-v1"}
    pieces = [
        *(thought | {"text": text} for text in ("I ", "think.")),
        thought | {"text": None, "signature": "s"},
        {"type": "reasoning.encrypted", "index": 1, "data": "x"},
    ]
    given = [chunk({"reasoning_details": [piece]}) for piece in pieces]
    read([*given, *calling(call(0, "a", "add", X))], carried)
    asked: list[Any] = [{"role": "assistant", "tool_calls": [{"id": "a"}]}]
    carried.put_back(asked)
    assert asked[0]["reasoning_details"] == [
        thought | {"text": "I think.", "signature": "s"},
        pieces[-1],
    ]


def test_an_id_that_comes_again_in_a_turn_becomes_another_and_each_keeps_what_is_its_own() -> None:
    carried = Carried()
    for thought in ("one", "two"):
        told = read([chunk({"reasoning": thought}), *calling(call(0, "a", "add", X))], carried)
    first, second = carried.ids
    assert (first, len(second), told.ids) == ("a", 9, [second])
    asked: list[Any] = [{"tool_calls": [{"id": id}]} for id in (first, second)]
    carried.put_back(asked)
    assert [message["reasoning"] for message in asked] == ["one", "two"]


def test_a_cost_that_stands_elsewhere_is_found() -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 2}
    answer = read([said("x"), chunk(finish="stop", x_groq={"usage": usage})])
    assert answer.usage == Usage(input_tokens=3, output_tokens=2)


async def _stream(chunks: list[ChatCompletionChunk]) -> AsyncIterator[ChatCompletionChunk]:
    for each in chunks:
        yield each

"""Bytes of a body, cut anywhere, as events or as the document that they are."""

from typing import Any

import pytest

from chatbridge.adapters.openai import event_stream
from chatbridge.adapters.openai.event_stream import EventStream
from chatbridge.adapters.openai.troubles import NotAStream

BODY = (
    '\ufeff: ping\r\n\r\ndata: {"a":\r\ndata:  "🥛"}\r\n\r\nid: 7\rdata: {"b": 2}\r\r'
    'event: error\ndata: {"code": 3}\n\ndata: "lost"\n\ndata: null\n\ndata: [DONE]\n\n'
    'data: {"late": 1}\n\n'
)
EVENTS = [{"a": "🥛"}, {"b": 2}, {"error": {"code": 3}}, {"error": "lost"}]


def events_of(body: str, size: int = 1000) -> list[Any]:
    stream, sent = EventStream("text/event-stream"), body.encode()
    pieces = [sent[n : n + size] for n in range(0, len(sent), size)]
    return [*(event for piece in pieces for event in stream.feed(piece)), *stream.rest()]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 17, 1000])
def test_a_body_is_its_events_wherever_it_is_cut(size: int) -> None:
    assert events_of(BODY, size) == EVENTS


def test_an_event_is_there_as_soon_as_its_end_is_whatever_the_line_ends_are() -> None:
    for end in ("\n", "\r\n", "\r"):
        stream = EventStream("")
        told = [[*stream.feed(f'data:{{"n": {n}}}{end}{end}'.encode())] for n in range(3)]
        assert told == [[{"n": 0}], [{"n": 1}], [{"n": 2}]]


A, B = '{"a": 1}', '{"b": 2}'


@pytest.mark.parametrize(
    ("body", "events"),
    [
        (f'data: ping\n\ndata: {A}\n\ndata: [PING]\n\ndata: "heartbeat"\n\n', [{"a": 1}]),
        (f'data: "queued"\n\nevent: progress\ndata: {B}\n\ndata: {A}\n\n', [{"a": 1}]),
        (f"data: : keep-alive\n\nevent: ping\ndata: {B}\n\ndata: {A}\n\n", [{"a": 1}]),
        (f"data: -\n\ndata: {A}", [{"a": 1}]),
        (f"data: {A}\ndata: [DONE]", [{"a": 1}]),
        (f'data: {A}\n\ndata: {{"b":', [{"a": 1}]),
        ('data: {"a":\ndata: 1}\n\n', [{"a": 1}]),
        ('data: {"a": 1, "b": tr\ndata:ue}\n\n', [{"a": 1, "b": True}]),
        (f"DATA : {A}\n\n", [{"a": 1}]),
        (f": x\n{A}\n", [{"a": 1}]),
        (f"{A}\n{B}\n", [{"a": 1}, {"b": 2}]),
        (f"data: {A}\ndata: {B}\n", [{"a": 1}, {"b": 2}]),
        (f"data: {A}{B}\n\n", [{"a": 1}, {"b": 2}]),
        (f"[{A},\n{B}]", [{"a": 1}, {"b": 2}]),
        ('data: {"a": NaN}\n\n', [{"a": None}]),
        (f"data: data: {A}\n\n", [{"a": 1}]),
        (f"  data: {A}\n\n1a\n\ndata: {B},\n\n", [{"a": 1}, {"b": 2}]),
        (f"data:\ndata: {A}\ndata:\n\n", [{"a": 1}]),
        (f"data: {A}\nid: 3\n: x\n\n{B}", [{"a": 1}, {"b": 2}]),
        ('data: {"a": "x\ty"}\n\n', [{"a": "x\ty"}]),
        (f"\n\nretry: 3\n\ndata: {A}\r\n\r\ndata: DONE\n\ndata: {B}\n\n", [{"a": 1}]),
    ],
)
def test_what_is_an_event_is_read_and_what_is_none_is_a_sign_of_life(
    body: str, events: list[Any]
) -> None:
    assert events_of(body) == events


def test_an_event_may_say_only_by_its_name_what_it_is() -> None:
    body = 'event: response.created\ndata: {"a": 1}\n\nevent: error\ndata: no room\n\n'
    assert events_of(body) == [{"type": "response.created", "a": 1}, {"error": "no room"}]


def test_half_a_letter_at_the_end_of_an_event_is_kept() -> None:
    stream = EventStream("")
    milk = "🥛".encode()
    body = b'data: {"t": "' + milk[:2] + b'"}\n\ndata: {"t": "' + milk[2:] + b'"}\n\n'
    assert [e["t"] for e in stream.feed(body)] == ["\udcf0\udc9f", "\udca5\udc9b"]


def test_a_document_is_read_whole() -> None:
    stream = EventStream("application/json")
    assert [e for piece in (b" \n{\n", b'"a":\n 1}') for e in stream.feed(piece)] == []
    assert [*stream.rest()] == [{"a": 1}]
    assert stream.is_document


@pytest.mark.parametrize(
    "body", [b"<html>", b"\n<!doctype html>", b"{broken", b"[]", b"upstream error\n"]
)
def test_what_nobody_can_read_is_named_by_its_type(body: bytes) -> None:
    stream = EventStream("text/html")
    with pytest.raises(NotAStream, match="text/html"):
        [*stream.feed(body), *stream.rest()]


def test_a_body_without_end_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "MAX_BYTES", 1000)
    stream = EventStream("text/event-stream")
    assert [*stream.feed(b": ping\n" * 100)] == []
    with pytest.raises(NotAStream, match="too long"):
        [*stream.feed(b": ping\n" * 100)]


def test_an_event_that_is_nested_too_deep_is_named() -> None:
    with pytest.raises(NotAStream, match="too deep"):
        [*EventStream("").feed(b"data: " + b"[" * 200_000 + b"\n\n")]

"""Bytes of a body, cut anywhere, as events or as the document that they are."""

import pytest

from chatbridge.adapters.openai import event_stream
from chatbridge.adapters.openai.event_stream import EventStream
from chatbridge.adapters.openai.troubles import NotAStream

BODY = (
    '\ufeff: ping\r\n\r\ndata: {"a":\r\ndata:  "🥛"}\r\n\r\nid: 7\rdata: {"b": 2}\r\r'
    'event: error\ndata: {"code": 3}\n\ndata: "lost"\n\ndata: null\n\ndata: [DONE]\n\n'
    'data: {"late": 1}\n\n'
).encode()
EVENTS = [{"a": "🥛"}, {"b": 2}, {"error": {"code": 3}}, {"error": "lost"}]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 17, 1000])
def test_a_body_is_its_events_wherever_it_is_cut(size: int) -> None:
    stream = EventStream("text/event-stream")
    pieces = [BODY[n : n + size] for n in range(0, len(BODY), size)]
    assert [event for piece in pieces for event in stream.feed(piece)] == EVENTS
    assert stream.done
    assert stream.document() is None


def test_half_a_letter_at_the_end_of_an_event_is_kept() -> None:
    stream = EventStream("")
    milk = "🥛".encode()
    body = b'data: {"t": "' + milk[:2] + b'"}\n\ndata: {"t": "' + milk[2:] + b'"}\n\n'
    assert [e["t"] for e in stream.feed(body)] == ["\udcf0\udc9f", "\udca5\udc9b"]


def test_an_event_without_an_end_is_none() -> None:
    assert [*EventStream("").feed(b'data: {"a": 1}\n')] == []


def test_a_document_is_read_whole() -> None:
    stream = EventStream("application/json")
    assert [e for piece in (b" \n{\n", b'"a":\n 1}') for e in stream.feed(piece)] == []
    assert stream.document() == {"a": 1}


@pytest.mark.parametrize(
    "body", [b"<html>", b"\n<!doctype html>", b"{broken", b"[]", b"upstream error\n"]
)
def test_what_nobody_can_read_is_named_by_its_type(body: bytes) -> None:
    stream = EventStream("text/html")
    with pytest.raises(NotAStream, match="text/html"):
        [*stream.feed(body), stream.document()]


def test_a_body_without_end_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "MAX_BYTES", 1000)
    stream = EventStream("text/event-stream")
    assert [*stream.feed(b": ping\n" * 100)] == []
    with pytest.raises(NotAStream, match="too long"):
        [*stream.feed(b": ping\n" * 100)]


def test_an_event_that_is_nested_too_deep_is_named() -> None:
    with pytest.raises(NotAStream, match="too deep"):
        [*EventStream("").feed(b"data: " + b"[" * 200_000 + b"\n\n")]

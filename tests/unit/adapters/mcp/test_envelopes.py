"""What a client makes of answers that are hardly JSON-RPC."""

import json
from typing import Any

import pytest
from mcp_types import JSONRPCError, JSONRPCResponse

from chatbridge.adapters.mcp.envelopes import message_in, readable


def answer(**parts: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 7, **parts}).encode()


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        ("no spoons", -32603, "no spoons"),
        ({"message": "no spoons"}, -32603, "no spoons"),
        ({"code": None, "message": "no spoons"}, -32603, "no spoons"),
        ({"code": "E_SPOON", "message": "no spoons"}, -32603, "no spoons"),
        ({"code": "-32001", "message": "no spoons"}, -32001, "no spoons"),
        ({"code": 1.5, "message": "no spoons"}, 1, "no spoons"),
        ({"code": 1e999, "message": "no spoons"}, -32603, "no spoons"),
        ({"code": 5, "message": {"message": "no spoons"}}, 5, "no spoons"),
        ({"code": 5, "message": None, "detail": "no"}, 5, '"detail": "no"'),
        (["no spoons", {"message": "no forks"}], -32603, "no spoons; no forks"),
        ([], -32603, "an error without words"),
        ({}, -32603, "an error without words"),
        ("", -32603, "an error without words"),
        (False, -32603, "false"),
        (404, -32603, "404"),
    ],
)
def test_an_error_in_whatever_form_keeps_its_words(error: Any, code: int, words: str) -> None:
    message = message_in(answer(error=error))
    assert isinstance(message, JSONRPCError)
    assert (message.id, message.error.code) == (7, code)
    assert words in message.error.message


@pytest.mark.parametrize("result", ["done", ["done"], 3, True, None])
def test_a_result_that_is_no_object_is_content(result: Any) -> None:
    message = message_in(answer(result=result))
    assert isinstance(message, JSONRPCResponse)
    assert message.result == {"content": result}


@pytest.mark.parametrize(
    "text",
    [
        b'{"id": 7, "result": {}}',
        b'{"jsonrpc": 2.0, "id": 7.0, "result": {}, "error": null}',
        b'[{"jsonrpc": "2.0", "method": "x"}, {"jsonrpc": "2.0", "id": 7, "result": {}}]',
        b'\xef\xbb\xbf{"jsonrpc": "2.0", "id": 7, "result": {}}',
    ],
)
def test_an_envelope_may_lack_or_have_what_it_likes(text: bytes) -> None:
    message = message_in(text)
    assert isinstance(message, JSONRPCResponse)
    assert (message.id, message.result) == (7, {})


@pytest.mark.parametrize("text", [rb'"\ud83d"', b'"\xe9"'])
def test_half_a_character_costs_only_itself(text: bytes) -> None:
    message = message_in(b'{"jsonrpc": "2.0", "id": 7, "result": {"content": ' + text + b"}}")
    assert isinstance(message, JSONRPCResponse)
    assert message.result["content"] in ("?", "\N{REPLACEMENT CHARACTER}")


@pytest.mark.parametrize("told", ['"id": null, ', ""])
def test_an_answer_without_an_id_is_to_what_was_asked(told: str) -> None:
    text = f'{{"jsonrpc": "2.0", {told}"error": {{"code": 1, "message": "no"}}}}'
    assert message_in(text.encode(), asked=9).id == 9  # type: ignore[union-attr]
    assert message_in(readable(text.encode(), 9)).id == 9  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "text",
    [
        b"Hello!",
        b"{}",
        b"[]",
        b"null",
        b'"error"',
        b'{"level": "info"}',
        b'{"jsonrpc": "2.0", "id": 7}',
        b'{"id": 7, "method": "x", "error": 1}',
        b'{"error": ' + b"[" * 100_000,
    ],
)
def test_what_is_no_answer_stays_as_it_is(text: bytes) -> None:
    assert readable(text, 7) == text
    with pytest.raises(ValueError, match=r"validation error|Expecting value|no answer|too deeply"):
        message_in(text, 7)


def test_what_is_right_stays_as_it_is() -> None:
    for text in (answer(result={"a": "\N{SNOWMAN}"}), answer(error={"code": 1, "message": "no"})):
        assert readable(text, 9) == text

"""What of a tool's answer a model reads."""

from typing import Any

import pytest

from chatbridge.adapters.mcp.answers import legible


def text(words: Any) -> dict[str, Any]:
    return {"type": "text", "text": words}


def read(**result: Any) -> str:
    """The text of the answer."""
    return str(legible(result)["content"][0]["text"])


@pytest.mark.parametrize(
    "result",
    [
        {"content": [text("done"), text(None)]},
        {"content": "done"},
        {"content": text("done")},
        {"content": ["done"]},
        {"content": [{"text": "done"}]},
        {"toolResult": "done"},
        {"content": [{"type": "resource", "resource": {"text": "done"}}]},
        {"content": [text("done")], "isError": None, "_meta": None},
        {"content": [{"type": "resource", "resource": {"resource": {"text": "done"}}}]},
        {"content": [{"type": "resource", "resource": {"contents": [{"text": "done"}, 7]}}]},
        {"content": [{**text("done"), "annotations": {"audience": "user"}}]},
        {"content": [{"type": "remark", "text": "done"}]},
        {"structuredContent": "done"},
    ],
)
def test_words_are_read_in_whatever_form_they_came(result: dict[str, Any]) -> None:
    assert read(**result) == "done"
    assert legible(result)["isError"] is False


@pytest.mark.parametrize(
    ("block", "said"),
    [
        (
            {"type": "image", "url": "a.png", "mimeType": "image/png"},
            "A picture (image/png) came, which can't be shown here.",
        ),
        ({"type": "image"}, "A picture came, which can't be shown here."),
        (
            {"type": "audio", "mimeType": "audio/wav"},
            "Audio (audio/wav) came, which can't be played here.",
        ),
        (
            {"type": "resource", "resource": {"uri": "a.pdf", "mimeType": "x/pdf"}},
            "A file (x/pdf, a.pdf) came, which can't be shown here.",
        ),
        ({"type": "resource_link", "uri": "https://a.example"}, "https://a.example"),
        (
            {"type": "resource_link", "name": "a", "uri": "https://a.example"},
            "a: https://a.example",
        ),
        ({"type": "video"}, "Something of an unknown kind (video) came, which can't be read here."),
        (
            {"type": "video", "data": "aGk="},
            "Something of an unknown kind (video) came, which can't be read here.",
        ),
        ({"type": "chart", "x": [1]}, 'Something of an unknown kind (chart) came: {"x": [1]}'),
    ],
)
def test_what_has_no_words_is_named(block: dict[str, Any], said: str) -> None:
    assert read(content=[text("A chart:"), block]) == f"A chart:\n{said}"
    assert read(content=[block]) == said


@pytest.mark.parametrize("content", [[], None, [text("")], [text(" \n")]])
def test_nothing_is_said_to_be_nothing(content: Any) -> None:
    assert read(content=content) == "The tool answered without words."
    assert read(content=content, isError=True) == "The tool failed without saying why."


DATA = {"items": [1, 2, 3]}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([], '{"items": [1, 2, 3]}'),
        ([text(" \n")], '{"items": [1, 2, 3]}'),
        ([text("3 items")], '3 items\n{"items": [1, 2, 3]}'),
        ([text('{"items":[1,2,3]}')], '{"items":[1,2,3]}'),
        ([text("long " * 300)], "long " * 300 + '\n{"items": [1, 2, 3]}'),
        ([text("1, 2, 3" * 300)], "1, 2, 3" * 300),
        ([text("long " * 9_999)], '{"items": [1, 2, 3]}\n' + "long " * 9_999),
        (
            [{"type": "image"}],
            'A picture came, which can\'t be shown here.\n{"items": [1, 2, 3]}',
        ),
    ],
)
def test_data_is_read_where_the_text_does_not_hold_it(content: Any, said: str) -> None:
    assert read(content=content, structuredContent=DATA) == said


def test_data_of_many_values_is_not_looked_for() -> None:
    many = [*range(1_001)]
    assert read(content=[text(str(many))], structuredContent=many) == f"{many}\n{many}"


@pytest.mark.parametrize(
    ("said", "failed"),
    [
        *((True, True), ("true", True), (1, True), ("Not found", True)),
        *(("false", False), ("no", False), ("", False), (None, False)),
    ],
)
def test_an_error_is_one_in_any_spelling(said: Any, failed: bool) -> None:
    assert legible({"content": [], "isError": said})["isError"] is failed


@pytest.mark.parametrize(
    ("result", "words", "failed"),
    [
        ({"isError": "Not found"}, "Not found", True),
        ({"isError": "Not found", "content": []}, "Not found", True),
        ({"isError": "Not found", "content": [text("It is gone.")]}, "It is gone.", True),
        ({"error": "Not found"}, "Not found", True),
        ({"isError": {"why": 4}, "content": None}, '{"why": 4}', True),
        ({"error": {"code": 4}, "isError": False}, '{"code": 4}', False),
        ({"answer": 42, "_meta": {}}, '{"answer": 42}', False),
    ],
)
def test_what_has_no_content_is_read_all_the_same(
    result: dict[str, Any], words: str, failed: bool
) -> None:
    assert (read(**result), legible(result)["isError"]) == (words, failed)


def test_a_question_in_return_is_said_to_be_one() -> None:
    asked: dict[str, Any] = {"resultType": "input_required", "inputRequests": {}}
    assert read(**asked).startswith("The tool asks for more input")
    assert legible(asked)["isError"]

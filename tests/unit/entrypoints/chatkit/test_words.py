"""What of a person's message a model reads."""

from typing import Any

from chatkit.types import InferenceOptions, UserMessageInput

from chatbridge.adapters.chatkit.items.mapping import to_user_message
from chatbridge.domain.model.identifiers import ConversationId
from chatbridge.domain.model.message import Message
from chatbridge.entrypoints.chatkit.words import words_of
from tests.contracts.agent_runner import said

THREAD = ConversationId("conv_1")


def asked(*parts: dict[str, Any], quote: str | None = None) -> Message:
    sent = UserMessageInput.model_validate(
        {
            "content": parts,
            "attachments": [],
            "quoted_text": quote,
            "inference_options": InferenceOptions(),
        }
    )
    return to_user_message(sent, THREAD)


def text(words: str) -> dict[str, Any]:
    return {"type": "input_text", "text": words}


def tag(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "input_tag", "id": f"id_{name}", "text": name, "data": {}, **more}


def test_a_text_is_read_as_it_is() -> None:
    for message in (
        asked(text("hello "), text("there")),
        said("hello there"),
        said("x", "assistant"),
    ):
        assert words_of(message) == message.content


def test_a_quote_stands_behind_the_text() -> None:
    read = words_of(asked(text("explain this"), quote="E=mc2"))
    assert read == "explain this\n\nThe user is referring to this in particular:\nE=mc2"


def test_a_tag_is_a_name_and_its_data_once() -> None:
    milk = tag("Milk", data={"due": "Friday"}, group="tasks")
    read = words_of(asked(text("complete "), milk, text(" or "), milk, text(" and "), tag("@Tea")))
    said, _, told = read.partition("\n\n")
    assert said == "complete @Milk or @Milk and @Tea"
    assert told.splitlines()[1:] == [
        '@Milk: {"id": "id_Milk", "group": "tasks", "data": {"due": "Friday"}}',
        '@Tea: {"id": "id_@Tea"}',
    ]


def test_a_payload_that_is_no_item_any_more_is_read_by_its_text() -> None:
    message = asked(text("hello"), quote="E=mc2")
    assert message.payload is not None
    message.payload["content"] = "gone"  # pyright: ignore[reportIndexIssue]
    assert words_of(message) == "hello"

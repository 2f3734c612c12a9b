"""Never: the request, or what the answer was to show, can't be taken as it is."""

from chatbridge.domain.model.errors import AgentFailed, Invalid, Unkeepable
from chatbridge.domain.model.limits import (
    MAX_CONTENT,
    MAX_DATA,
    MAX_EVENT,
    MAX_LEVELS,
    MAX_LIMIT,
    MAX_TASK_TITLE,
    MAX_TITLE,
)
from chatbridge.domain.model.refusals.refusal import Refusal

not_kept = Refusal(
    Unkeepable, "not_kept", "A part of the answer can't be kept, so it was stopped there."
)

shown_too_large = Refusal(
    AgentFailed,
    "shown_too_large",
    f"The answer was to show something of more than {MAX_EVENT:,} characters or {MAX_LEVELS} "
    "levels at once, so it was stopped there.",
)

metadata_too_large = Refusal(
    AgentFailed,
    "metadata_too_large",
    f"The answer was to keep more than {MAX_DATA:,} characters or {MAX_LEVELS} levels of metadata "
    "with its conversation, so it was stopped there.",
)

malformed_json = Refusal(Invalid, "malformed_json", "The body is no well-formed JSON.")
invalid_request = Refusal(Invalid, "invalid_request", "{}", example=("body.title: Field required",))
unstorable = Refusal(
    Invalid,
    "invalid_text",
    "The {} holds a character that can't be kept (NUL or a lone surrogate).",
    example=("text",),
)
invalid_number = Refusal(Invalid, "invalid_number", "A number in the body is too large.")
empty_text = Refusal(Invalid, "empty_text", "The message has no text.")
text_too_long = Refusal(
    Invalid,
    "text_too_long",
    f"A message has at most {MAX_CONTENT:,} characters, and so has any other text in a request.",
)
data_too_large = Refusal(
    Invalid,
    "data_too_large",
    f"The tags of a message have at most {MAX_DATA:,} characters of JSON, with their data.",
)
tag_search_failed = Refusal(
    AgentFailed, "tag_search_failed", "The search for tags has failed here; it has been logged."
)
tag_search_slow = Refusal(
    AgentFailed, "tag_search_slow", "The search for tags does not answer; try again."
)
attachments_not_supported = Refusal(
    Invalid, "attachments_not_supported", "Attachments are not supported."
)
attachment_type = Refusal(
    Invalid,
    "attachment_type",
    "Attach a picture (PNG, JPEG, GIF, WebP), a PDF, a document of Word, Excel or PowerPoint "
    "without macros, a text, or audio.",
)
attachment_not_its_type = Refusal(
    Invalid,
    "attachment_type",
    "This file is not what it is said to be ({}).",
    example=("image/png",),
)
attachment_empty = Refusal(Invalid, "attachment_empty", "This file is empty; attach another one.")
attachment_name = Refusal(
    Invalid, "attachment_name", "The name of a file has 1 to 200 characters that can be kept."
)
attachment_too_large = Refusal(
    Invalid,
    "attachment_too_large",
    "The files of a message have at most {} bytes together.",
    example=("25,000,000",),
)
attachment_longer = Refusal(
    Invalid,
    "attachment_too_large",
    "This file is longer than was announced ({} bytes): announce it as it is.",
    example=("1,000",),
)
attachment_too_slow = Refusal(
    Invalid, "attachment_too_slow", "The bytes took more than 20 minutes to come; attach less."
)
too_many_attachments = Refusal(
    Invalid,
    "too_many_attachments",
    "A message carries at most {} files, each of them once.",
    example=("10",),
)
picture_too_large = Refusal(
    Invalid, "attachment_too_large", "This picture has too many pixels; make it smaller."
)
not_a_picture = Refusal(
    Invalid, "attachment_type", "This picture can't be read: it is broken, or something else."
)
model_not_offered = Refusal(
    Invalid,
    "model_not_offered",
    "There is no model '{}' to choose here. Leave `model` out{}.",
    example=("o9", ", or choose one of these: `quick` (Quick answers)"),
)
tool_not_offered = Refusal(
    Invalid,
    "tool_not_offered",
    "There is no tool '{}' to choose here. Leave `tool_choice` out{}.",
    example=("fly", ", or choose one of these: `add_task`"),
)
wrong_answer = Refusal(
    Invalid, "wrong_answer", "{}", example=("“How many?” takes a whole number.",)
)
not_a_widget = Refusal(
    Invalid, "not_a_widget", "An action comes from a widget, and this item is none."
)
unknown_action = Refusal(
    Invalid,
    "unknown_action",
    "The assistant has no handler for the action '{}'.",
    example=("seat.pick",),
)
invalid_payload = Refusal(
    Invalid,
    "invalid_payload",
    "The payload of the action '{}' can't be read: {}.",
    example=("seat.pick", "seat: Field required"),
)
not_retryable = Refusal(Invalid, "not_retryable", "Only a message of the user can be retried.")
key_reused = Refusal(
    Invalid,
    "idempotency_key_reused",
    "This Idempotency-Key was used for another request; choose a new one.",
)
task_key_reused = Refusal(
    Invalid,
    "idempotency_key_reused",
    "Another call was made under this key, so nothing was done.",
)
invalid_title = Refusal(Invalid, "invalid_title", f"A title has 1 to {MAX_TITLE} characters.")
invalid_task = Refusal(Invalid, "invalid_task", f"A task has 1 to {MAX_TASK_TITLE} characters.")
invalid_limit = Refusal(Invalid, "invalid_limit", f"limit must be from 1 to {MAX_LIMIT}.")
invalid_cursor = Refusal(
    Invalid, "invalid_cursor", "`after` must be a cursor from an earlier page."
)
invalid_frame_id = Refusal(
    Invalid,
    "invalid_cursor",
    "`Last-Event-ID` and `after` take an id that a stream of the thread gave.",
)
invalid_user_id = Refusal(Invalid, "user_id", "A user id is 1 to 128 letters, digits or _.:@|+=~'-")
unknown_operation = Refusal(
    Invalid,
    "unknown_operation",
    "{}",
    example=("'type' must be one of 'threads.create', 'threads.list', ...",),
)

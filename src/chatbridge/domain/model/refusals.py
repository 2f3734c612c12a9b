"""Every refusal, said once: its kind, its stable code and its sentence.

Whoever refuses raises one of these; an operation's documentation names the same ones, and the
published contract has its examples from here.
"""

from dataclasses import dataclass
from typing import Generic, TypeVar

from chatbridge.domain.model.errors import (
    AgentFailed,
    Busy,
    ChatbridgeError,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    StaleTurn,
    TurnLost,
    TurnWaits,
    Unauthenticated,
    Unavailable,
    Unkeepable,
)
from chatbridge.domain.model.limits import (
    MAX_CONTENT,
    MAX_DATA,
    MAX_EVENT,
    MAX_LEVELS,
    MAX_LIMIT,
    MAX_TASK_TITLE,
    MAX_TITLE,
)

E_co = TypeVar("E_co", bound=ChatbridgeError, covariant=True)


@dataclass(frozen=True, slots=True)
class Refusal(Generic[E_co]):
    """Called, it makes the error; what is given goes into the sentence's braces, as `example` does
    for documentation."""

    kind: type[E_co]
    code: str
    sentence: str
    example: tuple[object, ...] = ()

    def __call__(self, *given: object) -> E_co:
        return self.kind(self.sentence.format(*given), code=self.code)


# Nobody whom we know is asking.

token_missing = Refusal(
    Unauthenticated,
    "token_missing",
    "You are not signed in: show a token (`Authorization: Bearer ...`).",
)
not_signed_in = Refusal(
    Unauthenticated, "not_signed_in", "You are not signed in: sign in to the application first."
)
token_malformed = Refusal(
    Unauthenticated, "token_malformed", "This is not a token that chatbridge can read."
)
key_missing = Refusal(
    Unauthenticated,
    "key_missing",
    "Show the key of this start (`Authorization: Bearer ...`): it is in the address that "
    "chatbridge printed when it was started, or in the one that `chatbridge page` prints.",
)
wrong_type = Refusal(Unauthenticated, "wrong_type", "This token was made for another purpose.")
wrong_algorithm = Refusal(
    Unauthenticated,
    "wrong_algorithm",
    "This token is signed by a method that is not accepted here.",
)
unknown_key = Refusal(
    Unauthenticated,
    "unknown_key",
    "This token is signed with a key that the sign-in does not publish; sign in again.",
)
bad_signature = Refusal(
    Unauthenticated, "bad_signature", "The signature of this token is not right."
)
claim_missing = Refusal(
    Unauthenticated, "claim_missing", "The token lacks the claim `{}`.", example=("aud",)
)
claim_invalid = Refusal(
    Unauthenticated, "claim_invalid", "The claim `{}` is not of the right form.", example=("exp",)
)
wrong_issuer = Refusal(
    Unauthenticated,
    "wrong_issuer",
    "This token was issued by a sign-in that is not trusted here.",
)
wrong_audience = Refusal(
    Unauthenticated, "wrong_audience", "This token was issued for another service."
)
token_expired = Refusal(Unauthenticated, "token_expired", "This token has expired; sign in again.")
token_not_yet_valid = Refusal(
    Unauthenticated, "token_not_yet_valid", "This token is not good yet; check the clocks."
)
token_lifetime = Refusal(
    Unauthenticated, "token_lifetime", "A token may live for a second to a day."
)
development_token = Refusal(
    Unauthenticated,
    "development_token",
    "Development tokens are accepted in development only (CHATBRIDGE_ENVIRONMENT).",
)
sign_in_not_configured = Refusal(
    Unauthenticated, "sign_in_not_configured", "No sign-in is configured on this server."
)
session_not_accepted = Refusal(
    Unauthenticated, "session_not_accepted", "A chat session's secret is good for /chatkit only."
)
service_key_not_accepted = Refusal(
    Unauthenticated,
    "service_key_not_accepted",
    "A service key is good for making chat sessions only.",
)
unknown_service_key = Refusal(
    Unauthenticated, "unknown_service_key", "This is not a service key of this server."
)

# It is somebody else's.

not_your_account = Refusal(
    Forbidden, "not_your_account", "The path names another user than the token."
)
not_yours = Refusal(Forbidden, "forbidden", "This conversation belongs to somebody else.")
attachment_not_yours = Refusal(Forbidden, "forbidden", "This attachment belongs to another user.")
turn_not_yours = Refusal(Forbidden, "forbidden", "This turn belongs to somebody else.")
address_no_good = Refusal(
    Forbidden,
    "address_expired",
    "This address is no good any more: load the conversation again for another one.",
)
session_is_bound = Refusal(
    Forbidden,
    "session_is_bound",
    "The chat session is bound to one conversation, and this is not for it.",
)
foreign_origin = Refusal(
    Forbidden, "foreign_origin", "Development tokens are given out to chatbridge's own page only."
)
another_user = Refusal(
    Forbidden, "another_user", "Somebody else is signed in now. Reload the page to go on."
)
foreign_site = Refusal(
    Forbidden,
    "foreign_site",
    "A page of another site can't do this in your name: CHATBRIDGE_CORS_ORIGINS names the origins "
    "whose pages may.",
)
wrong_key = Refusal(
    Forbidden,
    "wrong_key",
    "This is not the key of this start. Open the address that chatbridge printed when it was "
    "started, or the one that `chatbridge page` prints.",
)

# It is nobody's.

no_conversation = Refusal(NotFound, "conversation_not_found", "There is no such conversation.")
no_message = Refusal(NotFound, "message_not_found", "The conversation has no such message.")
no_turn = Refusal(NotFound, "turn_not_found", "There is no such turn.")
no_blob = Refusal(NotFound, "no_attachment", "There is no such attachment.")
turn_gone = Refusal(NotFound, "turn_not_found", "The turn is gone with its conversation.")
no_approval = Refusal(
    NotFound,
    "approval_not_found",
    "The conversation has no such approval, or not any more.",
)
no_task = Refusal(NotFound, "task_not_found", "There is no task {}.", example=(7,))

# Not now.

turn_running = Refusal(
    Busy,
    "turn_running",
    "An answer is under way in this conversation: wait for its end, or stop it.",
)
turn_waiting = Refusal(
    TurnWaits, "turn_waiting", "An answer waits for a person in this conversation."
)
not_waiting = Refusal(
    Conflict,
    "not_waiting",
    "This was answered before, or is not asked any more: nothing was done.",
)
question_expired = Refusal(
    Conflict, "question_expired", "This was asked too long ago: nothing was done. Ask again."
)
stale_turn = Refusal(StaleTurn, "stale_turn", "The conversation's turn has lost its server.")
turn_ended = Refusal(
    Conflict,
    "turn_ended",
    "This turn ended a while ago; what it said is among the conversation's messages.",
)
conversation_deleted = Refusal(TurnLost, "conversation_deleted", "The conversation was deleted.")
turn_taken_over = Refusal(TurnLost, "turn_lost", "The turn was taken over by another server.")
closed = Refusal(
    Conflict,
    "conversation_closed",
    "The conversation takes no new messages: it is locked or closed.",
)
no_client_tool_call = Refusal(
    Conflict, "no_client_tool_call", "The conversation does not wait for a tool of the page's."
)
no_structured_input = Refusal(
    Conflict, "no_structured_input", "The conversation does not wait for this form."
)
action_not_offered = Refusal(
    Conflict, "action_not_offered", "The widget does not offer this, or not any more."
)
attachment_sent = Refusal(
    Conflict,
    "attachment_sent",
    "This attachment was sent with a message: it stays with that, and goes with its conversation.",
)
attachment_awaited = Refusal(
    Conflict, "attachment_awaited", "The bytes of `{}` have not come yet.", example=("cat.png",)
)
enough_attachments = Refusal(
    Conflict,
    "enough_attachments",
    "This is more than may be attached in a day; try again later, or remove what was not sent.",
)
message_exists = Refusal(Conflict, "message_exists", "A message with this id is already kept.")
not_started = Refusal(
    Unavailable,
    "not_started",
    "chatbridge is not started: the application that it is mounted in must enter its lifespan, by "
    "`FastAPI(lifespan=bridge.lifespan)`, or by `async with bridge.lifespan(app):` in its own.",
)
stopping = Refusal(Unavailable, "stopping", "This server is stopping; ask again.")
sign_in_unavailable = Refusal(
    Unavailable,
    "sign_in_unavailable",
    "The sign-in can't be reached to check the token; try again in a moment.",
)
blobs_away = Refusal(
    Unavailable, "attachments_unavailable", "Where attachments are kept is away; try again."
)
database_unavailable = Refusal(
    Unavailable, "database_unavailable", "The database is away for a moment; try again."
)
database_refused = Refusal(
    Unavailable,
    "database_refused",
    "The database refuses chatbridge: `/readyz` and the log say what is to be done.",
)
database_slow = Refusal(Unavailable, "database_slow", "The database does not answer.")
schema_missing = Refusal(
    Unavailable,
    "schema_missing",
    "The database lacks chatbridge's schema or has an older one: run `chatbridge migrate`.",
)

# The same, as whoever runs chatbridge reads it: what is lacking, and what mends it.

database_away = Refusal(
    Unavailable,
    "database_unavailable",
    "{}",
    example=("Nobody listens at db.example:5432: start the server, or mend DATABASE_URL.",),
)
database_refuses = Refusal(
    Unavailable,
    "database_refused",
    "{}",
    example=("The role app lacks a right: `grant select on chatbridge.turns to app`.",),
)
schema_lacks = Refusal(
    Unavailable,
    "schema_missing",
    "{}",
    example=("The database shop has no schema chatbridge: run `chatbridge migrate`.",),
)

# Never.

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
attachment_name = Refusal(
    Invalid, "attachment_name", "The name of a file has 1 to 200 characters that can be kept."
)
attachment_too_large = Refusal(
    Invalid,
    "attachment_too_large",
    "The files of a message have at most {} bytes together.",
    example=("25,000,000",),
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

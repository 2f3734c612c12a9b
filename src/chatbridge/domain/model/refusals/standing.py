"""Not now: it does not fit to how the conversation stands."""

from chatbridge.domain.model.errors import Busy, Conflict, StaleTurn, TurnLost, TurnWaits
from chatbridge.domain.model.refusals.refusal import Refusal

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
attachment_tried = Refusal(
    Conflict,
    "attachment_tried",
    "Too many uploads of this file have broken off, or were refused: attach it anew.",
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

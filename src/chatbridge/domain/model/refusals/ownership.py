"""It is somebody else's, or nobody's."""

from chatbridge.domain.model.errors import Forbidden, NotFound
from chatbridge.domain.model.refusals.refusal import Refusal

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

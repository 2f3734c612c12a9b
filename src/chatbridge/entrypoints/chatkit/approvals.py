"""The actions of the card of a call that asks: always ours, and checked against what is asked."""

from chatkit.types import ChatKitReq, ThreadsCustomActionReq, ThreadsSyncCustomActionReq

from chatbridge.adapters.chatkit.items.badges import APPROVE, REJECT
from chatbridge.domain.model import refusals
from chatbridge.domain.model.answer import Answer
from chatbridge.domain.model.identifiers import CallId
from chatbridge.domain.model.limits import MAX_REASON
from chatbridge.domain.model.message import cleaned

OURS = "chatbridge."
"""How the types of our own actions begin: nobody else is given one, wherever it comes from."""

REFUSED = (
    refusals.not_waiting,
    refusals.question_expired,
    refusals.closed,
    refusals.action_not_offered,
)


def answer_in(operation: ChatKitReq) -> Answer | None:
    """What the operation answers to a call that asks; None where it is no action of ours.

    Raises Invalid and Conflict.
    """
    if not isinstance(operation, ThreadsCustomActionReq | ThreadsSyncCustomActionReq):
        return None
    action = operation.params.action
    if not action.type.startswith(OURS):
        return None
    known = action.type in (APPROVE, REJECT) and isinstance(operation, ThreadsCustomActionReq)
    match action.payload:
        case {"call_id": str(call_id)} if known:
            decision = "approved" if action.type == APPROVE else "rejected"
            reason = action.payload.get("reason")
            words = cleaned(reason.strip()[:MAX_REASON]) if isinstance(reason, str) else ""
            return Answer(call_id=CallId(call_id), decision=decision, reason=words)
        case _:
            raise refusals.action_not_offered()

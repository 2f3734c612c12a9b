"""What operations answer to a turn that waits; always checked against what the turn asks."""

import json

from chatkit.types import (
    ChatKitReq,
    StructuredInputSubmission,
    ThreadsAddClientToolOutputReq,
    ThreadsAddStructuredInputReq,
    ThreadsCustomActionReq,
    ThreadsSyncCustomActionReq,
)

from chatbridge.adapters.chatkit.items.asked_form import ANSWER, DECLINE, answers_in
from chatbridge.adapters.chatkit.items.badges import (
    APPROVE,
    APPROVE_FOR_CONVERSATION,
    REJECT,
)
from chatbridge.domain.model import refusals
from chatbridge.domain.model.answer import Answer
from chatbridge.domain.model.identifiers import CallId, MessageId
from chatbridge.domain.model.limits import MAX_REASON
from chatbridge.domain.model.message import cleaned

OURS = "chatbridge."
"""How the types of our own actions begin: nobody else is given one, wherever it comes from."""

_PRESSED = (APPROVE, APPROVE_FOR_CONVERSATION, REJECT)
_FILLED_IN = (ANSWER, DECLINE)

REFUSED = (
    refusals.not_waiting,
    refusals.question_expired,
    refusals.closed,
    refusals.action_not_offered,
    refusals.wrong_answer,
)


def answer_in(operation: ChatKitReq, key: str | None, *, by_host: bool) -> Answer | None:
    """What the operation answers to a call that asks; None where it answers none of ours.

    `by_host`: a server of the host's own is asked for the output of its page's tools, and for its
    forms. Raises Invalid and Conflict.
    """
    match operation:
        case ThreadsCustomActionReq() | ThreadsSyncCustomActionReq():
            return _pressed(operation, key)
        case ThreadsAddClientToolOutputReq() if not by_host:
            output = json.dumps(operation.params.result, ensure_ascii=False)
            return Answer(decision="given", output=output, key=key)
        case ThreadsAddStructuredInputReq() if not by_host:
            return _filled_in(operation.params.item_id, operation.params.input, key)
        case _:
            return None


def _pressed(
    operation: ThreadsCustomActionReq | ThreadsSyncCustomActionReq, key: str | None
) -> Answer | None:
    action = operation.params.action
    if not action.type.startswith(OURS):
        return None
    # a form may be answered while its call goes on, and so in no turn of the answer's own
    known = isinstance(operation, ThreadsCustomActionReq) and action.type in _PRESSED
    match action.payload:
        case {"call_id": str(call_id), "round": int(form)} if action.type in _FILLED_IN:
            given = {id: tuple(map(cleaned, v)) for id, v in answers_in(action.payload).items()}
            answers = given if action.type == ANSWER else None
            return Answer(
                call_id=CallId(call_id),
                decision="skipped" if answers is None else "given",
                answers=answers,
                round=form,
                key=key,
            )
        case {"call_id": str(call_id)} if known:
            reason = action.payload.get("reason")
            words = cleaned(reason.strip()[:MAX_REASON]) if isinstance(reason, str) else ""
            return Answer(
                call_id=CallId(call_id),
                decision="rejected" if action.type == REJECT else "approved",
                reason=words,
                key=key,
                stands=action.type == APPROVE_FOR_CONVERSATION,
            )
        case _:
            raise refusals.action_not_offered()


def _filled_in(item_id: str, form: StructuredInputSubmission, key: str | None) -> Answer:
    where = MessageId(item_id)
    if form.status == "skipped":
        return Answer(message_id=where, decision="skipped", key=key)
    given = {id: each.values for id, each in form.answers.items() if not each.skipped}
    return Answer(message_id=where, decision="given", answers=given, key=key)

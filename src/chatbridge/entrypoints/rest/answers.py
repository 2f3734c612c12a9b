"""Answers to what a turn asks of a person, over REST."""

from typing import Literal

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import Field

from chatbridge.domain.model import refusals
from chatbridge.domain.model.answer import Answer
from chatbridge.domain.model.identifiers import ID_PATTERN, CallId, ConversationId, UserId
from chatbridge.domain.model.limits import MAX_REASON
from chatbridge.domain.model.turn import Asking
from chatbridge.domain.services.turns import Turns
from chatbridge.entrypoints.asking import asking
from chatbridge.entrypoints.authentication import Gate, current_user, guarded
from chatbridge.entrypoints.bodies import Body
from chatbridge.entrypoints.openapi import BODY, CONVERSATION, STORE, TOKEN, problems
from chatbridge.entrypoints.rest.chat import frames, whole
from chatbridge.entrypoints.rest.documentation import EVENTS
from chatbridge.entrypoints.rest.schemas import ID, TurnOut
from chatbridge.entrypoints.showing import ShowingResponse, kept_alive

_CONVERSATION_ID = Path(
    pattern=f"^{ID_PATTERN}$",
    description="The conversation's id.",
    examples=["conv_6f1c2a7d9b3e4c5f8a0b1c2d3e4f5a6b"],
)


class AnswerBody(Body):
    """Leave to run a call that waits, or no, for a reason that the model is told."""

    call_id: str = Field(pattern=ID, examples=["call_0b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e"])
    decision: Literal["approve", "reject"]
    reason: str = Field("", max_length=MAX_REASON, examples=["Not this one."])

    def answer(self) -> Answer:
        """The same in the domain's words."""
        return Answer(
            call_id=CallId(self.call_id),
            decision="approved" if self.decision == "approve" else "rejected",
            reason=self.reason.strip(),
        )


def answers_router(turns: Turns, gate: Gate) -> APIRouter:
    """The router of POST /api/{user_id}/conversations/{conversation_id}/answers."""
    router = APIRouter(route_class=guarded(gate), tags=["chat"])

    @router.post(
        "/api/{user_id}/conversations/{conversation_id}/answers",
        operation_id="answerTurn",
        summary="Approve or reject a tool call",
        response_model=TurnOut,
        responses={
            200: {"description": "The turn at its end, or its events.", "content": EVENTS},
            **problems(
                *TOKEN,
                *CONVERSATION,
                refusals.not_waiting,
                refusals.question_expired,
                refusals.turn_running,
                refusals.turn_ended,
                refusals.closed,
                *BODY,
                *STORE,
                refusals.stopping,
            ),
        },
    )
    async def answer(
        body: AnswerBody,
        request: Request,
        conversation_id: str = _CONVERSATION_ID,
        user: UserId = Depends(current_user),
        asked: Asking = Depends(asking),
    ) -> Response | TurnOut:
        """Answer a call whose state is `waiting`. The turn goes on when all that it asks is
        answered: with `Accept: text/event-stream` its events from the answer on, else the turn at
        its end or where it waits again. The same answer again is answered alike, and nothing is
        run twice."""
        where = ConversationId(conversation_id)
        told = await turns.questions.answer(user, where, body.answer(), asked)
        recording = told.recording
        if "text/event-stream" in request.headers.get("accept", ""):
            return ShowingResponse(turns, recording, kept_alive(frames(recording, told.after)))
        recording.add_viewer()
        try:
            return await whole(recording)
        finally:
            turns.leave(recording)

    return router

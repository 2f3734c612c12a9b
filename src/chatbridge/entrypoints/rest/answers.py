"""Answers to what a turn asks of a person, over REST."""

import json
from typing import Any, Literal

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from chatbridge.domain.model import refusals
from chatbridge.domain.model.answer import Answer
from chatbridge.domain.model.identifiers import ID_PATTERN, CallId, ConversationId, UserId
from chatbridge.domain.model.limits import MAX_REASON
from chatbridge.domain.model.question import NO, YES
from chatbridge.domain.model.tool_call import Decision
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


Given = bool | int | float | str | list[str]
_DECISIONS: dict[str, Decision] = {
    "approve": "approved",
    "approve_for_conversation": "approved",
    "reject": "rejected",
    "skip": "skipped",
}


class AnswerBody(Body):
    """What is answered to a call that waits: a `decision`, with a `reason` that the model is told;
    the `output` of a tool that the page runs, any JSON; or `answers` to questions, by their ids.
    One of the three. `approve_for_conversation` is for a call whose `proposal` says `may_stand`."""

    call_id: str = Field(pattern=ID, examples=["call_0b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e"])
    decision: Literal["approve", "approve_for_conversation", "reject", "skip"] | None = None
    reason: str = Field("", max_length=MAX_REASON, examples=["Not this one."])
    output: Any = None
    answers: dict[str, Given] | None = None
    round: int | None = Field(None, description="Which of the call's forms; else the one it asks.")

    @model_validator(mode="after")
    def _one_of_them(self) -> "AnswerBody":
        given = (self.decision is not None, self.answers is not None)
        # an output may be null
        if sum(given) + ("output" in self.model_fields_set) != 1:
            raise PydanticCustomError("one_of", "give one of decision, output and answers")
        return self

    def answer(self, key: str | None) -> Answer:
        """The same in the domain's words."""
        id = CallId(self.call_id)
        if self.decision:
            return Answer(
                call_id=id,
                decision=_DECISIONS[self.decision],
                reason=self.reason.strip(),
                round=self.round,
                key=key,
                stands=self.decision == "approve_for_conversation",
            )
        if self.answers is not None:
            given = {name: _texts(value) for name, value in self.answers.items()}
            return Answer(call_id=id, decision="given", answers=given, round=self.round, key=key)
        output = json.dumps(self.output, ensure_ascii=False)
        return Answer(call_id=id, decision="given", output=output, key=key)


def _texts(value: bool | float | str | list[str]) -> tuple[str, ...]:
    match value:
        case bool():
            return (YES if value else NO,)
        case list():
            return tuple(value)
        case _:
            return (str(value),)


def answers_router(turns: Turns, gate: Gate) -> APIRouter:
    """The router of POST /api/{user_id}/conversations/{conversation_id}/answers."""
    router = APIRouter(route_class=guarded(gate), tags=["chat"])

    @router.post(
        "/api/{user_id}/conversations/{conversation_id}/answers",
        operation_id="answerTurn",
        summary="Answer what a turn asks",
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
                refusals.wrong_answer,
                refusals.key_reused,
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
        key = asked.once.key if asked.once else None
        told = await turns.questions.answer(user, where, body.answer(key), asked)
        recording = told.recording
        if "text/event-stream" in request.headers.get("accept", ""):
            return ShowingResponse(turns, recording, kept_alive(frames(recording, told.after)))
        recording.add_viewer()
        try:
            return await whole(recording)
        finally:
            turns.leave(recording)

    return router

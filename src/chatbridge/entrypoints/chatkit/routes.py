"""The ChatKit protocol: every status is decided before the first byte of a stream goes out."""

from dataclasses import replace
from typing import Any, Literal

from chatkit.types import (
    ChatKitReq,
    InputTranscribeReq,
    ItemsFeedbackReq,
    StreamingReq,
    SyncCustomActionResponse,
    ThreadsGetByIdReq,
    is_streaming_req,
)
from fastapi import APIRouter, Depends, Header, Request, Response

from chatbridge.adapters.chatkit.items.mapping import BY_NAME, Display
from chatbridge.domain.model import refusals
from chatbridge.domain.model.answer import Answer
from chatbridge.domain.model.caller import Caller
from chatbridge.domain.model.identifiers import ConversationId
from chatbridge.domain.model.turn import Asking
from chatbridge.domain.services.conversation_history import ConversationHistory
from chatbridge.domain.services.dictation import Dictation
from chatbridge.domain.services.recording import Recording
from chatbridge.domain.services.tags import Tags
from chatbridge.domain.services.turns import Turns
from chatbridge.entrypoints.asking import asking
from chatbridge.entrypoints.authentication import Gate, current_caller, guarded, require_bound
from chatbridge.entrypoints.chatkit.acting import REFUSED, Acting, in_its_words
from chatbridge.entrypoints.chatkit.answers import REFUSED as NOT_ANSWERED
from chatbridge.entrypoints.chatkit.answers import answer_in
from chatbridge.entrypoints.chatkit.attachments import Files
from chatbridge.entrypoints.chatkit.choices import Choices
from chatbridge.entrypoints.chatkit.documentation import ANSWERS, REQUEST
from chatbridge.entrypoints.chatkit.frames import RESUMABLE, frames_of
from chatbridge.entrypoints.chatkit.operations import OPERATIONS, Answered, Carried, Streamed
from chatbridge.entrypoints.chatkit.reading import read, tags_of
from chatbridge.entrypoints.chatkit.server import AnsweringServer, BridgeServer
from chatbridge.entrypoints.chatkit.store import Watching
from chatbridge.entrypoints.dictation import audio_of, written_for
from chatbridge.entrypoints.errors import not_served
from chatbridge.entrypoints.openapi import BODY, SIGN_IN, STORE, problems
from chatbridge.entrypoints.showing import ShowingResponse

_STREAM = Header(
    None,
    alias="X-Chatbridge-Stream",
    description="`resumable`: the frames of the answer have ids, and a comment says every two "
    "seconds that the stream is alive. Unset: the SDK's own framing.",
)
RATED = {"X-Chatbridge-Feedback": "given"}
_TAKEN = SyncCustomActionResponse().model_dump_json()
_SERVED = {operation.request: operation for operation in OPERATIONS}
_REFUSED = dict.fromkeys(refusal for operation in OPERATIONS for refusal in operation.refused)


def chatkit_router(
    turns: Turns,
    history: ConversationHistory,
    gate: Gate,
    display: Display = BY_NAME,
    choices: Choices | None = None,
    acting: Acting | None = None,
    files: Files | None = None,
    tags: Tags | None = None,
    dictation: Dictation | None = None,
) -> APIRouter:
    """The router of the ChatKit protocol, whose threads and items are shown so.

    `acting` takes what only a server of the host's own can answer.
    """
    route_class = guarded(gate, sessions=True, long=("params", "audio_base64"))
    router = APIRouter(route_class=route_class, tags=["chatkit"])
    offered, files = choices or Choices(), files or Files(None, None)
    tags = tags or Tags()
    streams = _Streams(turns)

    @router.post(
        "/chatkit",
        operation_id="chatkit",
        summary="The ChatKit protocol",
        responses={
            200: ANSWERS,
            **problems(
                *SIGN_IN,
                refusals.service_key_not_accepted,
                refusals.session_is_bound,
                *BODY,
                refusals.unknown_operation,
                *_REFUSED,
                *REFUSED,
                *NOT_ANSWERED,
                not_served,
                *STORE,
            ),
        },
        openapi_extra=REQUEST,
        response_class=Response,
    )
    async def chatkit(
        request: Request,
        caller: Caller = Depends(current_caller),
        asked: Asking = Depends(asking),
        stream: Literal["resumable"] | None = _STREAM,
    ) -> Response:
        """One operation of the protocol, by its `type`. Those that speak are server-sent events
        (`data: {json}` and a blank line), the others JSON."""
        operation = read(await request.json())
        _require_within(operation, caller)
        offered.require(operation)
        asked = replace(asked, metadata=operation.metadata)
        key = asked.once.key if asked.once else None
        by_host = acting is not None and acting.serves(operation)
        shown = files.display(display, request)
        if answer := answer_in(operation, key, by_host=by_host):
            return await streams.answered(operation, answer, caller, asked, stream, shown)
        match _served(operation, acting):
            case Streamed(begin=begin):
                assert is_streaming_req(operation)  # noqa: S101  # as the SDK sorts them
                carried = Carried(
                    *await files.carried(operation, caller.user_id, asked),
                    await tags.told(caller, tags_of(operation)),
                )
                recording = await begin(turns, caller.user_id, operation, asked, carried)
                return streams.shown(recording, operation, stream, shown)
            case Answered():
                assert not is_streaming_req(operation)  # noqa: S101
                written = written_for(request, dictation)
                answering = AnsweringServer(history, shown, files.store(request), written)
                answer = await answering.answer(operation, caller.user_id)
                if acting and isinstance(operation, ItemsFeedbackReq):
                    in_words = in_its_words(asked, await request.json())
                    await acting.tell(operation, caller.user_id, in_words)
                headers = RESUMABLE | _said_beside(operation, answering)
                return Response(answer, media_type="application/json", headers=headers)
            case None if acting and acting.serves(operation):
                assert is_streaming_req(operation)  # noqa: S101
                in_words = in_its_words(asked, await request.json())
                recording = await acting.begin(operation, caller.user_id, in_words)
                return streams.shown(recording, operation, stream, shown)
            case None:
                in_words = in_its_words(asked, await request.json())
                told = acting and await acting.at_once(operation, caller.user_id, in_words, shown)
                return await _otherwise(told, operation, caller, history)

    return router


class _Streams:
    """The responses that show a turn; each is told in the way of its operation."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._bridge = BridgeServer()

    async def answered(
        self,
        operation: ChatKitReq,
        answer: Answer,
        caller: Caller,
        asked: Asking,
        stream: str | None,
        display: Display,
    ) -> Response:
        """What a turn goes on with that waited for this answer; one that ran on tells it itself."""
        where = ConversationId(_thread_id(operation) or "")
        told = await self._turns.questions.answer(caller.user_id, where, answer, asked)
        if not is_streaming_req(operation):
            return Response(_TAKEN, media_type="application/json")
        return self.shown(told.recording, operation, stream, display, told.after)

    def shown(
        self,
        recording: Recording,
        operation: StreamingReq,
        stream: str | None,
        display: Display,
        after: int = 0,
    ) -> Response:
        """The turn from its event number `after` + 1 on."""
        watching = Watching(recording, display, after=after)
        frames = frames_of(watching, self._bridge, operation, resumable=bool(stream))
        stop = f"chatkit/threads/{recording.turn.conversation.id}/cancel"
        response = ShowingResponse(self._turns, recording, frames, stop=stop)
        response.headers.update(RESUMABLE if stream else {})
        return response


def _require_within(operation: ChatKitReq, caller: Caller) -> None:
    """What is said belongs to no conversation yet: whoever may write in one may dictate."""
    if isinstance(operation, InputTranscribeReq):
        audio_of(operation.params.audio_base64)
    else:
        require_bound(_thread_id(operation), caller)


def _served(operation: ChatKitReq, acting: Acting | None) -> Answered[Any] | Streamed[Any] | None:
    by_host = acting is not None and acting.answers(operation)
    return None if by_host else _SERVED.get(type(operation))


def _said_beside(operation: ChatKitReq, answering: AnsweringServer) -> dict[str, str]:
    rated = RATED if answering.rated else {}
    unfinished = answering.unfinished if isinstance(operation, ThreadsGetByIdReq) else None
    waiting = {"X-Chatbridge-Waiting": " ".join(answering.waiting)} if answering.waiting else {}
    return {**rated, **waiting, **({"X-Turn-Id": unfinished} if unfinished else {})}


async def _otherwise(
    told: bytes | None, operation: ChatKitReq, caller: Caller, history: ConversationHistory
) -> Response:
    if told is not None:
        return Response(told, media_type="application/json")
    if thread_id := _thread_id(operation):
        await history.get(caller.user_id, ConversationId(thread_id))
    raise not_served(operation.type)


def _thread_id(operation: ChatKitReq) -> str | None:
    return getattr(operation.params, "thread_id", None)

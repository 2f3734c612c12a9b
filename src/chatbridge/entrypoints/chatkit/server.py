"""ChatKit's server over ours: its generators only watch, the turn runs elsewhere.

Both are given operations that have been read: ChatKitServer's own `process` reads the request
again, and builds the types of the whole protocol for it each time, which costs more than an answer.
"""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from typing import cast

from chatkit.server import ChatKitServer
from chatkit.store import AttachmentStore
from chatkit.types import (
    AudioInput,
    FeedbackKind,
    NonStreamingReq,
    StreamingReq,
    StreamOptionsEvent,
    ThreadItem,
    ThreadMetadata,
    ThreadStreamEvent,
    TranscriptionResult,
    UserMessageItem,
)

from chatbridge.adapters.chatkit.items.mapping import BY_NAME, Display
from chatbridge.adapters.chatkit.items.wire import Json
from chatbridge.domain.model.identifiers import ConversationId, MessageId, TurnId, UserId
from chatbridge.domain.services.conversation_history import ConversationHistory
from chatbridge.entrypoints.chatkit.events import stream_events
from chatbridge.entrypoints.chatkit.store import ConversationStore, TurnStore, Watching
from chatbridge.entrypoints.dictation import Written


class AnsweringServer(ChatKitServer[UserId]):
    """Serves one operation that answers with JSON."""

    def __init__(
        self,
        history: ConversationHistory,
        display: Display = BY_NAME,
        attachments: AttachmentStore[UserId] | None = None,
        written: Written | None = None,
    ) -> None:
        self._read = ConversationStore(history, display)
        super().__init__(self._read, attachments)
        self._history = history
        self._written = written

    async def answer(self, operation: NonStreamingReq, user_id: UserId) -> bytes:
        """Its answer as JSON; items that somebody has shown are in it as they were shown."""
        answer = await self._process_non_streaming(operation, user_id)
        return _with(self._read.shown, answer) if self._read.shown else answer

    @property
    def rated(self) -> bool:
        """Whether the owner has given a verdict on any item of the answer."""
        return self._read.rated

    @property
    def unfinished(self) -> TurnId | None:
        """The thread's last turn, if its answer was not whole when the items were read."""
        return self._read.unfinished

    @property
    def waiting(self) -> Sequence[ConversationId]:
        """Those of the listed threads in which an answer waits for a person."""
        return self._read.waiting

    def respond(
        self,
        thread: ThreadMetadata,
        input_user_message: UserMessageItem | None,
        context: UserId,
    ) -> AsyncIterator[ThreadStreamEvent]:
        raise NotImplementedError

    async def transcribe(self, audio_input: AudioInput, context: UserId) -> TranscriptionResult:
        assert self._written  # noqa: S101  # given to each that serves a request
        return TranscriptionResult(text=await self._written(context, audio_input.data))

    async def add_feedback(
        self, thread_id: str, item_ids: list[str], feedback: FeedbackKind, context: UserId
    ) -> None:
        await self._history.give_feedback(
            context, ConversationId(thread_id), [MessageId(id) for id in item_ids], feedback
        )


def _with(shown: Mapping[str, Json], answer: bytes) -> bytes:
    told: Json = json.loads(answer)
    page: Json = told.get("items", told)
    page["data"] = [shown.get(item["id"], item) for item in page["data"]]
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


class BridgeServer(ChatKitServer[Watching]):
    """Serves the operations that stream, by watching the turn that was begun for them."""

    def __init__(self) -> None:
        super().__init__(TurnStore())

    def frames(self, operation: StreamingReq, watching: Watching) -> AsyncGenerator[bytes]:
        """Its answer as frames, `data: {json}` and a blank line."""
        return self._process_streaming(operation, watching)

    def options(self, watching: Watching) -> StreamOptionsEvent:
        """What the SDK says of a stream at its beginning."""
        options = self.get_stream_options(watching.thread, watching)
        return StreamOptionsEvent(stream_options=options)

    async def respond(
        self,
        thread: ThreadMetadata,
        input_user_message: UserMessageItem | None,
        context: Watching,
    ) -> AsyncIterator[ThreadStreamEvent]:
        async for number, event in stream_events(context.recording, context.display):
            context.frame = number
            # the SDK writes whatever it is given
            yield cast(ThreadStreamEvent, event)

    async def handle_stream_cancelled(
        self, thread: ThreadMetadata, pending_items: list[ThreadItem], context: Watching
    ) -> None:
        """A lost viewer is not a stop."""

"""A host's own ChatKitServer as the one who answers."""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar

from chatkit.server import ChatKitServer, StreamingResult
from chatkit.store import NotFoundError

from chatbridge.adapters.chatkit.attachments import Asker, HostAttachments, as_chatkit_has_it
from chatbridge.adapters.chatkit.context import ContextOf, plain_context
from chatbridge.adapters.chatkit.entry import MakeServer
from chatbridge.adapters.chatkit.frames import Frames
from chatbridge.adapters.chatkit.host_items import HostItems
from chatbridge.adapters.chatkit.host_loop import HostLoop
from chatbridge.adapters.chatkit.items.wire import wire_dict
from chatbridge.adapters.chatkit.late import keep_late
from chatbridge.adapters.chatkit.speaking import Speaking
from chatbridge.adapters.chatkit.store import ASKER, SPEAKING, HostFiles, HostStore
from chatbridge.domain.model import refusals
from chatbridge.domain.model.asked import Asked
from chatbridge.domain.model.attachment import Attached
from chatbridge.domain.model.conversation import Conversation
from chatbridge.domain.model.errors import AgentFailed, ChatbridgeError
from chatbridge.domain.model.identifiers import AttachmentId, ConversationId, TurnId, UserId
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.payload import Payload
from chatbridge.domain.model.turn import Asking, Turn
from chatbridge.domain.model.turn_event import TurnEvent
from chatbridge.domain.services.made_files import MadeFiles
from chatbridge.ports.agent_runner import AgentRequest, AgentRunner
from chatbridge.ports.conversation_repository import ConversationRepository
from chatbridge.ports.host_code import brought
from chatbridge.ports.host_server import HostServer

_log = logging.getLogger(__name__)

Json = dict[str, Any]
T = TypeVar("T")

_TIDY_UP_SECONDS = 1.0


class HostServerRunner(AgentRunner, HostServer):
    """Runs the host's ChatKitServer.process() in the turn, over a store of ours.

    `own_loop`: in a thread with a loop of its own, where code that blocks holds up nobody's turn.
    `silence` is how many seconds it may say nothing. `pictures` are the domains that pictures of a
    thread without its own may come from. No private name of the SDK is used, and nothing of it is
    rebuilt: its frames are what is read.
    """

    by_host = True

    def __init__(
        self,
        make: MakeServer,
        conversations: ConversationRepository,
        *,
        attachments: HostAttachments | None = None,
        context: ContextOf = plain_context,
        own_loop: bool = True,
        silence: float = 300.0,
        pictures: Sequence[str] | None = None,
        files: MadeFiles | None = None,
        name: str = "a server of the host's own",
    ) -> None:
        self._conversations = conversations
        self._files = files or MadeFiles(None)
        self._context = context
        self._silence = silence
        self._pictures = pictures or ()
        self._name = name
        self._attachments = attachments
        self.serve(make)
        self.loop = HostLoop(own=own_loop)

    def serve(self, make: MakeServer) -> None:
        """Answer with this server. One without an attachment store of its own is given ours."""
        store = HostStore(self._attachments)
        self.server: ChatKitServer[Any] = make(store)
        self.keeps_attachments = self.server.attachment_store is not None
        # what it has replaced in our store, its own store answers
        self._keeps_records = "load_attachment" in vars(store)
        if self._attachments and not self.keeps_attachments:
            self.server.attachment_store = HostFiles(self._attachments)

    @property
    def model(self) -> str:
        """It chooses its models itself: where it was found."""
        return self._name

    async def run(self, request: AgentRequest) -> None:
        here = asyncio.get_running_loop()
        patience = asyncio.timeout(self._silence)

        def say(event: TurnEvent) -> None:
            # one that can't be stopped may still speak when nobody waits for it any more
            if not frames.unheard:
                patience.reschedule(here.time() + self._silence)
                request.say(event)

        speaking = self._speaking(request, partial(here.call_soon_threadsafe, say))
        frames = Frames(speaking)
        try:
            async with patience:
                await self._heard(speaking, frames, request)
        except TimeoutError as error:
            if not patience.expired():
                raise
            sentence = "The answer was stopped: nothing came of it for too long."
            raise AgentFailed(sentence, code="host_silent") from error
        finally:
            frames.unheard = True
        if failure := frames.failure():
            raise failure

    def overrides(self, method: str) -> bool:
        own = getattr(self.server, method)
        return getattr(own, "__func__", own) is not getattr(ChatKitServer, method)

    async def answer_alone(self, user_id: UserId, asking: Asking) -> Payload:
        here = Asker(user_id, asyncio.get_running_loop())
        return await self._in_time(partial(self._alone, here, asking))

    async def attachments(
        self, user_id: UserId, ids: Sequence[AttachmentId], asking: Asking, *, unsent: bool = False
    ) -> tuple[Sequence[Attached], Sequence[Payload]]:
        """See the port."""
        if self._keeps_records or self._attachments is None:
            asked = _asked(user_id, asking)
            return (), await self._in_time(partial(self._loaded, ids, asked))
        rows = await self._attachments.of(user_id, ids)
        if unsent and any(row.sent for row in rows):
            raise refusals.attachment_sent()
        return [row.attached for row in rows], [wire_dict(as_chatkit_has_it(row)) for row in rows]

    async def _loaded(self, ids: Sequence[AttachmentId], asked: Asked) -> Sequence[Payload]:
        context = await brought(self._context, asked)
        try:
            found = [await self.server.store.load_attachment(id, context) for id in ids]
        except NotFoundError:
            raise refusals.no_blob() from None
        unread = {"upload_descriptor": None}
        return [wire_dict(attachment.model_copy(update=unread)) for attachment in found]

    async def answer(
        self, conversation: Conversation, own: Sequence[Message], asking: Asking
    ) -> tuple[Payload, Sequence[TurnEvent]]:
        events: list[TurnEvent] = []
        here = asyncio.get_running_loop()
        items = HostItems(self._conversations, here, conversation, known=own)
        afterwards = partial(keep_late, self._conversations, self._files, conversation, here)
        speaking = Speaking(items, events.append, afterwards=afterwards, pictures=self._pictures)
        asked = _asked(conversation.user_id, asking, conversation.id)
        return await self._in_time(partial(self._answered, speaking, asked, asking)), events

    async def _in_time(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        begun = self.loop.begin(work)
        try:
            async with asyncio.timeout(self._silence):
                return await begun.ended
        except ChatbridgeError:
            raise
        except Exception as error:
            begun.cancel()
            _log.error("the host's server failed", exc_info=error)
            sentence = "The server of this application could not answer."
            raise AgentFailed(sentence, code="host_failed") from error

    @asynccontextmanager
    async def outside(
        self, conversation: Conversation, own: Sequence[Message]
    ) -> AsyncGenerator[tuple[ChatKitServer[Any], list[TurnEvent]]]:
        """See the port: the server, whose store is the conversation's until the context ends."""
        events: list[TurnEvent] = []
        here = asyncio.get_running_loop()
        items = HostItems(self._conversations, here, conversation, known=own)
        afterwards = partial(keep_late, self._conversations, self._files, conversation, here)
        speaking = Speaking(items, events.append, afterwards=afterwards, pictures=self._pictures)
        before = SPEAKING.set(speaking)
        try:
            yield self.server, events
        finally:
            SPEAKING.reset(before)
            speaking.flush()
            speaking.ended = True

    def require(self, operation: Payload) -> None:
        """It says itself what it does with an action."""

    async def _answered(self, speaking: Speaking, asked: Asked, asking: Asking) -> Payload:
        SPEAKING.set(speaking)
        told = await self._told(asked, asking)
        speaking.flush()
        speaking.ended = True
        return told

    async def _alone(self, here: Asker, asking: Asking) -> Payload:
        ASKER.set(here)
        return await self._told(_asked(here.user_id, asking), asking)

    async def _told(self, asked: Asked, asking: Asking) -> Payload:
        told = await self.server.process(
            json.dumps(asking.operation), await brought(self._context, asked)
        )
        return {} if isinstance(told, StreamingResult) else json.loads(told.json)

    async def _heard(self, speaking: Speaking, frames: Frames, request: AgentRequest) -> None:
        work = self.loop.begin(partial(self._pump, speaking, frames, request))
        try:
            await asyncio.shield(work.ended)
        except asyncio.CancelledError:
            # the SDK calls handle_stream_cancelled, and its words are kept
            speaking.hushed = True
            work.cancel()
            await asyncio.wait({work.ended}, timeout=_TIDY_UP_SECONDS)
            raise

    async def _pump(self, speaking: Speaking, frames: Frames, request: AgentRequest) -> None:
        SPEAKING.set(speaking)
        operation = request.asking.operation or _operation(request.turn)
        told = await self.server.process(
            json.dumps(operation), await brought(self._context, request.asked)
        )
        try:
            if isinstance(told, StreamingResult):
                async for frame in told:
                    frames.read(json.loads(frame.removeprefix(b"data: ")))
        finally:
            speaking.flush()
            speaking.ended = True

    def _speaking(self, request: AgentRequest, say: Any) -> Speaking:
        turn, home = request.turn, asyncio.get_running_loop()
        items = HostItems(
            self._conversations,
            home,
            turn.conversation,
            window=request.window,
            known=(request.about,) if request.about else (),
            until=turn.subject if turn.retry else None,
        )
        operation = (request.asking.operation or {}).get("type")
        return Speaking(
            items,
            say,
            afterwards=partial(
                keep_late, self._conversations, self._files, turn.conversation, home
            ),
            subject=turn.subject,
            said_by_person=turn.subject is not None
            and operation != "threads.retry_after_item"
            and not turn.retry,
            stopped=request.stopped,
            pictures=self._pictures,
        )


def _asked(user_id: UserId, asking: Asking, conversation: str = "") -> Asked:
    """Who asks beside the turns."""
    return Asked(
        user_id=user_id,
        conversation_id=ConversationId(conversation),
        turn_id=TurnId(""),
        claims=asking.claims,
        headers=asking.headers,
        metadata=asking.metadata,
    )


def _operation(turn: Turn) -> Json:
    """What ChatKit would have asked, where another surface did."""
    subject = turn.subject
    if subject is None:
        raise AgentFailed("Only ChatKit can ask for this.", code="host_failed")
    if turn.retry:
        params: Json = {"thread_id": subject.conversation_id, "item_id": subject.id}
        return {"type": "threads.retry_after_item", "params": params}
    known = subject.payload or {}
    asked: Json = {
        "content": known.get("content") or [{"type": "input_text", "text": subject.content}],
        "attachments": _attached(subject),
        "quoted_text": known.get("quoted_text"),
        "inference_options": known.get("inference_options") or {},
    }
    params = {"thread_id": subject.conversation_id, "input": asked}
    return {"type": "threads.add_user_message", "params": params}


def _attached(message: Message) -> list[str]:
    """The ids of its files, ours and a host's own."""
    shown: list[Json] = (message.payload or {}).get("attachments") or []
    return [each["id"] for each in shown] or [each.id for each in message.attachments]

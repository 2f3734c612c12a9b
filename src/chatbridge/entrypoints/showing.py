"""A response that watches a turn."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterable
from contextvars import copy_context

from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from chatbridge.domain.model.correlation import in_turn
from chatbridge.domain.services.recording import Recording
from chatbridge.domain.services.turns import Turns

_log = logging.getLogger(__name__)

SILENCE = 2.0
"""After how many seconds without an event a comment says that the stream is alive."""

_DEAD_READER = 30.0
_ALIVE = b": keep-alive\n\n"


class ShowingResponse(StreamingResponse):
    """However it ends (its end, a disconnect, a broken send), the turn hears of it once.

    The headers name the conversation and the turn, keep proxies from buffering (nginx listens to
    X-Accel-Buffering, others to no-transform), and are sent with the first event. `stop`, if
    given, is where to POST to end the turn; relative to the request, so that it outlives a prefix.
    A reader that takes nothing for 30 s is dropped. A response whose turn goes on without it breaks
    off: only the end of the turn looks like one.
    """

    def __init__(
        self,
        turns: Turns,
        recording: Recording,
        content: AsyncIterable[bytes],
        *,
        stop: str | None = None,
    ) -> None:
        self._content = _to_the_end(recording, content)
        super().__init__(
            self._content,
            media_type="text/event-stream",
            headers={
                "Cache-Control": "no-store, no-transform",
                "X-Accel-Buffering": "no",
                "X-Conversation-Id": recording.turn.conversation.id,
                "X-Turn-Id": recording.turn.id,
                **({"Link": f'<{stop}>; rel="stop"'} if stop else {}),
            },
        )
        self._turns, self._recording = turns, recording
        recording.add_viewer()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_in_time(message: Message) -> None:
            async with asyncio.timeout(_DEAD_READER):
                await send(message)

        turn = self._recording.turn
        with in_turn(turn.conversation.id, turn.id):
            try:
                await super().__call__(scope, receive, send_in_time)
            except TimeoutError:
                _log.info("a reader that takes nothing was dropped")
            except _GoesOnElsewhere:
                _log.info("the viewers of a turn have to go on elsewhere")
            finally:
                self._turns.leave(self._recording)
                await self._content.aclose()


class _GoesOnElsewhere(Exception):
    """There is more to come, but not from here."""


async def _to_the_end(
    recording: Recording, content: AsyncIterable[bytes]
) -> AsyncGenerator[bytes, None]:
    try:
        async for piece in content:
            yield piece
    finally:
        if isinstance(content, AsyncGenerator):
            await content.aclose()
    if not recording.is_whole:
        raise _GoesOnElsewhere


async def kept_alive(frames: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """The frames, and a comment wherever there was none for two seconds."""
    # one context for all: the SDK's generator resets at its end what it has set at its beginning
    context, loop = copy_context(), asyncio.get_running_loop()
    coming: asyncio.Task[bytes | None] | None = None
    try:
        while True:
            coming = coming or loop.create_task(_next(frames), context=context)
            done, _ = await asyncio.wait({coming}, timeout=SILENCE)
            if not done:
                yield _ALIVE
                continue
            frame, coming = coming.result(), None
            if frame is None:
                return
            yield frame
    finally:
        if coming:
            coming.cancel()
            await asyncio.wait({coming})
        await loop.create_task(frames.aclose(), context=context)


async def _next(frames: AsyncGenerator[bytes, None]) -> bytes | None:
    return await anext(frames, None)

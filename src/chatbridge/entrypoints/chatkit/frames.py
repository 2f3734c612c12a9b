"""The frames of a turn with ids, so that a stream can be taken up again after any of them."""

import re
from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import aclosing

from chatkit.types import ThreadStreamEvent

from chatbridge.domain.model import refusals
from chatbridge.domain.model.identifiers import ID_PATTERN, TurnId
from chatbridge.domain.services.recording import Recording
from chatbridge.entrypoints.chatkit.events import stream_events
from chatbridge.entrypoints.chatkit.store import Watching

RESUMABLE = {"X-Chatbridge-Stream": "resumable"}
"""Says of a stream that it has ids and is never silent, of any other answer that streams can."""

_CURSOR = re.compile(rf"({ID_PATTERN})/([0-9]{{1,9}})")


async def frames_after(recording: Recording, number: int) -> AsyncGenerator[bytes, None]:
    """The turn's frames but the first `number`, each with its id."""
    counted = 0
    async with aclosing(stream_events(recording)) as events:
        async for event in events:
            counted += 1
            if counted > number:
                yield _id(recording, counted) + _framed(event)


async def with_ids(frames: AsyncIterable[bytes], watching: Watching) -> AsyncGenerator[bytes, None]:
    """The SDK's frames; those that the turn itself gave get their ids."""
    async for frame in frames:
        yield _id(watching.recording, watching.told) + frame if watching.told else frame


def read_cursor(cursor: str) -> tuple[TurnId, int]:
    """The turn and the frame that an id names. Raises Invalid."""
    named = _CURSOR.fullmatch(cursor)
    if named is None:
        raise refusals.invalid_frame_id()
    return TurnId(named[1]), int(named[2])


def _id(recording: Recording, number: int) -> bytes:
    return f"id: {recording.turn.id}/{number}\n".encode()


# as ChatKitServer writes its own
def _framed(event: ThreadStreamEvent) -> bytes:
    written = event.model_dump_json(
        by_alias=True, exclude_none=True, context={"exclude_metadata": True}
    )
    return f"data: {written}\n\n".encode()

"""A turn as the frames of a stream: for who has asked, and for who takes it up again.

From the inside out, each step the whole stream of the one before it:

    Recording.show        what the turn says, as soon as it is durable
    stream_events         the same in ChatKit's words; the n-th of these is frame n of the turn
    BridgeServer          as frames, `data: {json}` and a blank line, behind a prelude of the SDK's
                          own: the new thread, the person's message, the options
    with_kept_times       the prelude with the times that a reload shows
    with_ids              where asked for, `id: turn/n` before frame n; the prelude has none
    kept_alive            and a comment wherever nothing was said for a while
    ShowingResponse       a viewer of the turn, who leaves when the response ends

Who takes a stream up again has seen the prelude: `frames_after` writes the frames as the SDK does,
once for all who do.
"""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import aclosing
from typing import Any
from weakref import WeakKeyDictionary

from chatkit.types import (
    Page,
    StreamingReq,
    Thread,
    ThreadCreatedEvent,
    ThreadItemDoneEvent,
    ThreadsAddUserMessageReq,
    ThreadsCreateReq,
    ThreadStreamEvent,
)

from chatbridge.adapters.chatkit.items.mapping import Display, to_item
from chatbridge.adapters.chatkit.items.wire import wire_json
from chatbridge.domain.model import refusals
from chatbridge.domain.model.identifiers import ID_PATTERN, TurnId
from chatbridge.domain.services.recording import Recording
from chatbridge.entrypoints.chatkit.acting import Acted
from chatbridge.entrypoints.chatkit.events import THINKING, Translation, stream_events
from chatbridge.entrypoints.chatkit.own_words import Said
from chatbridge.entrypoints.chatkit.server import BridgeServer
from chatbridge.entrypoints.chatkit.store import Watching
from chatbridge.entrypoints.showing import kept_alive

RESUMABLE = {"X-Chatbridge-Stream": "resumable"}
"""Says of a stream that it has ids and is never silent, of any other answer that streams can."""

_FRAME_ID = re.compile(rf"({ID_PATTERN})/([0-9]{{1,9}})")
_HEAD, _END = b"data: ", b"\n\n"
_AT_ONCE = 200
"""How many events are translated before somebody else has a turn."""

_ROOM = 65_536
"""The bytes after which frames are sent, though more are there."""

_PRELUDE = (b'data: {"type":"thread.created",', b'data: {"type":"thread.item.done",')


def frames_of(
    watching: Watching, bridge: BridgeServer, operation: StreamingReq, *, resumable: bool
) -> AsyncGenerator[bytes, None]:
    """The whole stream for who has asked this."""
    if watching.recording.turn.by_host or isinstance(operation, Acted):
        frames = _told_by_us(watching, operation, bridge, resumable=resumable)
        return kept_alive(frames) if resumable else frames
    frames = with_kept_times(bridge.frames(operation, watching), watching)
    return kept_alive(with_ids(frames, watching)) if resumable else frames


async def told_so_far(recording: Recording, display: Display) -> dict[str, str]:
    """Says to who joins a turn how many of its frames had been told: what they did is done."""
    frames = await _told(recording, display).count(recording)
    return {"X-Chatbridge-Stream": f"resumable; told={frames}"}


def frames_after(
    recording: Recording, number: int, display: Display
) -> AsyncGenerator[bytes, None]:
    """The turn's frames but the first `number`, each with its id; those that are there at once
    together."""
    return _told(recording, display).after(recording, number)


class _Told:
    """The frames of a turn, each translated and written once for all who take it up again.

    It goes with the recording, and so must not hold it.
    """

    def __init__(self, recording: Recording, display: Display) -> None:
        self._turn_id = recording.turn.id
        self._translation = Translation(recording.turn.conversation, display)
        self._frames = [] if recording.turn.by_host else [self._written(1, THINKING)]
        self._read = 0

    async def count(self, recording: Recording) -> int:
        while self._read < recording.kept:
            self._read_on(recording)
            await asyncio.sleep(0)
        return len(self._frames)

    async def after(self, recording: Recording, number: int) -> AsyncGenerator[bytes, None]:
        goes_on = True
        while goes_on:
            self._read_on(recording)
            # by the others it may be read on, and to its end, while this one waits
            read = self._read
            together = self._together(number)
            number += len(together)
            if together:
                yield b"".join(together)
            else:
                await asyncio.sleep(0)
                goes_on = await recording.goes_on(read)

    def _together(self, number: int) -> list[bytes]:
        found: list[bytes] = []
        room = _ROOM
        while room > 0 and number + len(found) < len(self._frames):
            found.append(self._frames[number + len(found)])
            room -= len(found[-1])
        return found

    def _read_on(self, recording: Recording) -> None:
        for event in recording.shown_after(self._read, _AT_ONCE):
            self._read += 1
            for told in self._translation.of(event):
                self._frames.append(self._written(len(self._frames) + 1, told))

    def _written(self, number: int, event: Said) -> bytes:
        return _id(self._turn_id, number) + _framed(event)


_TAKEN_UP: WeakKeyDictionary[Recording, dict[Display, _Told]] = WeakKeyDictionary()


def _told(recording: Recording, display: Display) -> _Told:
    kept = _TAKEN_UP.setdefault(recording, {})
    return kept.setdefault(display, _Told(recording, display))


async def _told_by_us(
    watching: Watching, operation: StreamingReq, bridge: BridgeServer, *, resumable: bool
) -> AsyncGenerator[bytes, None]:
    """A turn of a host's own server, which has told the options itself, or one that answers no
    message, or goes on after an answer, for which the SDK would read what is not needed."""
    recording = watching.recording
    for event in prelude(watching, operation):
        yield _framed(event)
    if not recording.turn.by_host:
        yield _framed(bridge.options(watching))
    told = stream_events(recording, watching.display, watching.after)
    async with aclosing(told) as events:
        async for counted, event in events:
            yield (_id(recording.turn.id, counted) if resumable else b"") + _framed(event)


def prelude(watching: Watching, operation: StreamingReq) -> list[ThreadStreamEvent]:
    """What the SDK says of a request before the turn: the new thread, the person's message."""
    told: list[ThreadStreamEvent] = []
    if isinstance(operation, ThreadsCreateReq):
        thread = watching.thread.model_dump(exclude={"title", "metadata"})
        told.append(ThreadCreatedEvent(thread=Thread(**thread, items=Page())))
    if isinstance(operation, ThreadsCreateReq | ThreadsAddUserMessageReq):
        told.append(ThreadItemDoneEvent(item=to_item(watching.subject)))
    return told


async def with_kept_times(
    frames: AsyncIterable[bytes], watching: Watching
) -> AsyncGenerator[bytes, None]:
    """The frames, those of the prelude with the times that are kept.

    The SDK gives the new thread and the person's message a time of its own, without a zone, which
    a browser takes for its own zone's; and it lets the new thread load pictures from everywhere.
    """
    async for frame in frames:
        prelude = not watching.frame and frame.startswith(_PRELUDE)
        yield _timed(frame, watching) if prelude else frame


async def with_ids(frames: AsyncIterable[bytes], watching: Watching) -> AsyncGenerator[bytes, None]:
    """The frames; those of the turn with their ids."""
    async for frame in frames:
        yield _id(watching.recording.turn.id, watching.frame) + frame if watching.frame else frame


def read_frame_id(id: str) -> tuple[TurnId, int]:
    """The turn and the frame that an id names. Raises Invalid."""
    named = _FRAME_ID.fullmatch(id)
    if named is None:
        raise refusals.invalid_frame_id()
    return TurnId(named[1]), int(named[2])


def _id(turn_id: TurnId, number: int) -> bytes:
    return f"id: {turn_id}/{number}\n".encode()


def _framed(event: Said) -> bytes:
    return _HEAD + wire_json(event).encode() + _END


def _timed(frame: bytes, watching: Watching) -> bytes:
    event: dict[str, Any] = json.loads(frame.removeprefix(_HEAD))
    if "thread" in event:
        told, kept = event["thread"], watching.thread
        told["allowed_image_domains"] = kept.allowed_image_domains
    else:
        told, kept = event["item"], to_item(watching.subject)
    told["created_at"] = kept.model_dump(mode="json", include={"created_at"})["created_at"]
    return _HEAD + json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode() + _END

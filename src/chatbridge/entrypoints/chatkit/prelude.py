"""The times in what the SDK says before a turn's own events, as they are kept."""

import json
from collections.abc import AsyncGenerator, AsyncIterable
from typing import Any

from chatbridge.entrypoints.chatkit.mapping import to_item, to_thread
from chatbridge.entrypoints.chatkit.store import Watching

_HEAD, _END = b"data: ", b"\n\n"
_THREAD, _ITEM = (b'data: {"type":"thread.created",', b'data: {"type":"thread.item.done",')


async def with_kept_times(
    frames: AsyncIterable[bytes], watching: Watching
) -> AsyncGenerator[bytes, None]:
    """The frames, each with the time that a reload shows.

    The SDK gives the new thread and the person's message a time of its own, without a zone, which
    a browser takes for its own zone's.
    """
    async for frame in frames:
        yield _timed(frame, watching) if frame.startswith((_THREAD, _ITEM)) else frame


def _timed(frame: bytes, watching: Watching) -> bytes:
    event: dict[str, Any] = json.loads(frame.removeprefix(_HEAD))
    told: dict[str, Any] = event.get("thread") or event["item"]
    if told["id"] == watching.subject.id:
        kept = to_item(watching.subject)
    elif told["id"] == watching.recording.turn.conversation.id:
        kept = to_thread(watching.recording.turn.conversation)
    else:
        return frame
    told["created_at"] = kept.model_dump(mode="json", include={"created_at"})["created_at"]
    return _HEAD + json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode() + _END

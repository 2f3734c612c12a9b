"""What a viewer of a turn sees: frames of a stream, followed over replicas and lost connections."""

import json
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

import httpx

Json = dict[str, Any]

_ENDS_WITHIN = 60.0


@dataclass(frozen=True, slots=True)
class Frame:
    """One event of a stream as it was sent."""

    id: str | None
    data: str

    @property
    def json(self) -> Json:
        """Its data, read."""
        return json.loads(self.data)


@dataclass
class Seen:
    """All that a viewer has seen of one turn."""

    frames: list[Frame] = field(default_factory=list)
    keep_alives: int = 0
    longest_silence: float = 0.0

    @property
    def cursor(self) -> str | None:
        """Where to go on: the last frame that had a place."""
        return next((frame.id for frame in reversed(self.frames) if frame.id), None)

    @property
    def text(self) -> str:
        """What of the answer could be read on the screen."""
        told = (frame.json for frame in self.frames)
        return "".join(
            event.get("update", {}).get("delta", "") if "update" in event else event.get("text", "")
            for event in told
            if event["type"] in ("thread.item.updated", "text.delta")
        )

    @property
    def types(self) -> list[str]:
        """The events' types, in order."""
        return [frame.json["type"] for frame in self.frames]

    def bytes(self) -> str:
        """The data of all frames that the turn gave, one after another."""
        return "\n".join(frame.data for frame in self.frames if frame.id)


class Stream:
    """An answer that is still coming; it can be watched a while, left, and watched on."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self._lines = response.aiter_lines()
        self._patience = time.monotonic() + _ENDS_WITHIN
        self.status = response.status_code
        self.headers = response.headers

    async def refusal(self) -> Json:
        """The problem, where there is one."""
        return json.loads(await self._response.aread())

    async def frames(self, seen: Seen) -> AsyncGenerator[Frame, None]:
        """The frames as they come, each added to what was seen. Raises httpx.TransportError."""
        id: str | None = None
        data: list[str] = []
        heard = time.monotonic()
        async for line in self._lines:
            assert time.monotonic() < self._patience, "the stream does not end"
            if line.startswith(":"):
                seen.keep_alives += 1
            elif line.startswith("id: "):
                id = line.removeprefix("id: ")
            elif line.startswith("data: "):
                data.append(line.removeprefix("data: "))
            elif not line and data:
                frame = Frame(id, "\n".join(data))
                seen.frames.append(frame)
                seen.longest_silence = max(seen.longest_silence, time.monotonic() - heard)
                heard = time.monotonic()
                id, data = None, []
                yield frame

    async def rest(self, seen: Seen) -> bool:
        """See what comes until the stream ends; False if it breaks."""
        try:
            async for _ in self.frames(seen):
                pass
        except httpx.TransportError:
            return False
        return True

    async def until_text(self, seen: Seen, words: int) -> None:
        """Watch until so many words are on the screen."""
        async for _ in self.frames(seen):
            if seen.text.count(" ") >= words:
                return
        raise AssertionError(f"the stream ended after {seen.text!r}")

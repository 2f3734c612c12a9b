"""What is said is written down for whoever says it; nothing of it is kept."""

from collections import Counter

from chatbridge.domain.model import refusals
from chatbridge.domain.model.identifiers import UserId
from chatbridge.domain.model.limits import MAX_CONTENT, MAX_RECORDINGS
from chatbridge.domain.model.media import recorded
from chatbridge.ports.transcriber import Transcriber


class Dictation:
    """Of one person no more than `MAX_RECORDINGS` are written down here at once."""

    def __init__(self, transcriber: Transcriber) -> None:
        self._transcriber = transcriber
        self._at_once: Counter[UserId] = Counter()

    async def written(self, user_id: UserId, audio: bytes) -> str:
        """The words of a recording, which is of the type that its bytes say.

        Raises Invalid, Conflict and AgentFailed.
        """
        if not audio:
            raise refusals.recording_empty()
        media_type = recorded(audio)
        if media_type is None:
            raise refusals.recording_type()
        if self._at_once[user_id] >= MAX_RECORDINGS:
            raise refusals.enough_recordings()
        self._at_once[user_id] += 1
        try:
            text = await self._transcriber.transcribe(audio, media_type)
        finally:
            self._at_once[user_id] -= 1
            self._at_once += Counter()  # without those of whom nothing is written down
        if not text:
            raise refusals.nothing_heard()
        return text[:MAX_CONTENT]

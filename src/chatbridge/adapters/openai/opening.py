"""The files of a turn, opened once at its beginning."""

import json
from collections.abc import Iterable, Iterator

from chatbridge.adapters.openai.files import NO_FILES, Files, Tell
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.tool_call import is_of_a_file
from chatbridge.domain.services.reading import Reading
from chatbridge.ports.agent_runner import AgentRequest
from chatbridge.ports.pdf_text import PdfText


class Opening:
    """What a turn's model may be given of files; their texts are `max_characters` together."""

    def __init__(self, reading: Reading, pdfs: PdfText, *, max_characters: int) -> None:
        self._reading = reading
        self._pdfs = pdfs
        self._max_characters = max_characters

    async def files(self, request: AgentRequest, tell: Tell) -> Files:
        """Those of the request's window; of what it has not got, the person is told once there."""
        opened = await self._reading.of(request.on_behalf.user_id, request.window)
        if not opened:
            return NO_FILES
        return Files(
            opened,
            pdfs=self._pdfs,
            max_characters=self._max_characters,
            tell=tell,
            told=_told((*request.window, *(request.before.said if request.before else ()))),
        )


async def no_files(request: AgentRequest, tell: Tell) -> Files:
    """Where nobody opens any, models read their names."""
    return NO_FILES


def _told(window: Iterable[Message]) -> Iterator[str]:
    for call in (call for message in window for call in message.tool_calls):
        if is_of_a_file(call):
            yield str(json.loads(call.arguments).get("attachment_id"))

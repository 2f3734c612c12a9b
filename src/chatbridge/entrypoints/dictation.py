"""How all surfaces take what is said, and give up when nobody waits for it any more."""

import asyncio
from base64 import b64decode
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request

from chatbridge.domain.model import refusals
from chatbridge.domain.model.identifiers import UserId
from chatbridge.domain.services.dictation import Dictation
from chatbridge.entrypoints.errors import no_dictation

Written = Callable[[UserId, bytes], Coroutine[Any, Any, str]]
"""The words of a recording. Raises like `Dictation.written`, and NotServed without one."""


def written_for(request: Request, dictation: Dictation | None) -> Written:
    """Writes down for the one who asks, whose body has been read, as long as they are there."""

    async def written(user_id: UserId, audio: bytes) -> str:
        if dictation is None:
            raise no_dictation()
        writing = asyncio.create_task(dictation.written(user_id, audio))
        leaving = asyncio.create_task(_gone(request))
        try:
            await asyncio.wait((writing, leaving), return_when=asyncio.FIRST_COMPLETED)
            if writing.done():
                return await writing
            # nobody reads it
            raise refusals.nothing_heard()
        finally:
            writing.cancel()
            leaving.cancel()
            await asyncio.wait((writing, leaving))

    return written


def audio_of(encoded: str) -> bytes:
    """The bytes of base64. Raises Invalid."""
    try:
        return b64decode(encoded, validate=True)
    except ValueError:
        raise refusals.invalid_request("body.params.audio_base64: this is no base64") from None


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass

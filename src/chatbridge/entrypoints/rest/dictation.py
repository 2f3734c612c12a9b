"""What is said, written down over REST."""

from fastapi import APIRouter, Depends, Request

from chatbridge.domain.model import refusals
from chatbridge.domain.model.identifiers import UserId
from chatbridge.domain.services.dictation import Dictation
from chatbridge.entrypoints.authentication import Gate, current_user, guarded
from chatbridge.entrypoints.bodies import GuardedRequest
from chatbridge.entrypoints.dictation import written_for
from chatbridge.entrypoints.errors import no_dictation, too_large
from chatbridge.entrypoints.openapi import TOKEN, problems
from chatbridge.entrypoints.rest.schemas import TranscriptionOut

_SCHEMA = {"schema": {"type": "string", "format": "binary"}, "example": "OggS"}
_AUDIO = {"requestBody": {"required": True, "content": {"audio/*": _SCHEMA}}}


def dictation_router(dictation: Dictation | None, gate: Gate) -> APIRouter:
    """The router of /api/{user_id}/transcriptions."""
    router = APIRouter(route_class=guarded(gate, json=False), tags=["chat"])

    @router.post(
        "/api/{user_id}/transcriptions",
        operation_id="transcribe",
        summary="Have a recording written down",
        responses=problems(
            *TOKEN,
            too_large,
            *refusals.RECORDED,
            *refusals.NOT_WRITTEN,
            no_dictation,
            refusals.not_started,
        ),
        openapi_extra=_AUDIO,
    )
    async def transcribe(
        request: Request, user: UserId = Depends(current_user)
    ) -> TranscriptionOut:
        """The recording itself is the body: WebM, Ogg, MP4, MP3 or WAV, told by its bytes, of at
        most 1 MiB. Nothing of it is kept."""
        bounded = GuardedRequest(request.scope, request.receive)
        audio = await bounded.body()
        return TranscriptionOut(text=await written_for(request, dictation)(user, audio))

    return router

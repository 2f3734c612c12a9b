"""Attachments over REST: brought as they are, and named by a message."""

from fastapi import APIRouter, Depends, Request, Response

from chatbridge.domain.model import refusals
from chatbridge.domain.model.identifiers import AttachmentId, UserId
from chatbridge.domain.services.attachments import Attachments
from chatbridge.entrypoints.attachments import (
    ANNOUNCED,
    ATTACHMENT_ID,
    BYTES_IN,
    BYTES_OUT,
    NAME,
    RECEIVED,
    body_of,
    file_response,
)
from chatbridge.entrypoints.authentication import Gate, current_user, guarded
from chatbridge.entrypoints.openapi import STORE, TOKEN, problems
from chatbridge.entrypoints.rest.schemas import AttachmentOut

_ALL = (*TOKEN, refusals.invalid_request, *STORE)
_ONE = (*_ALL, refusals.attachment_not_yours, refusals.no_blob)


def attachments_router(attachments: Attachments, gate: Gate) -> APIRouter:
    """The router of /api/{user_id}/attachments."""
    router = APIRouter(
        prefix="/api/{user_id}/attachments",
        route_class=guarded(gate, json=False),
        tags=["attachments"],
    )

    @router.post(
        "",
        operation_id="createAttachment",
        summary="Bring a file",
        status_code=201,
        responses=problems(*_ALL, *ANNOUNCED, *RECEIVED),
        openapi_extra=BYTES_IN,
    )
    async def create(
        request: Request, user: UserId = Depends(current_user), name: str = NAME
    ) -> AttachmentOut:
        """The file itself is the body, and `Content-Type` its type. Name it in a message within a
        day: then it belongs to that message's conversation, and goes with it."""
        parts = body_of(request, attachments)
        media_type = request.headers.get("content-type", "")
        announced = request.headers.get("content-length", "")
        size = int(announced) if announced.isdecimal() else attachments.allowance.max_bytes
        return AttachmentOut.of(await attachments.bring(user, name, media_type, size, parts))

    one = "/{id}"

    @router.get(
        one,
        operation_id="getAttachment",
        summary="Get a file",
        responses={
            **BYTES_OUT,
            **problems(*_ONE, refusals.attachment_awaited, refusals.blobs_away),
        },
        response_class=Response,
    )
    async def get(
        request: Request, id: str = ATTACHMENT_ID, user: UserId = Depends(current_user)
    ) -> Response:
        """Its bytes, whether it was sent or not. A picture is as it was drawn anew."""
        found = await attachments.of(user, AttachmentId(id))
        return await file_response(attachments, found, request)

    @router.delete(
        one,
        operation_id="deleteAttachment",
        summary="Take a file back",
        status_code=204,
        response_description="It is gone.",
        responses=problems(*_ONE, refusals.attachment_sent),
    )
    async def delete(id: str = ATTACHMENT_ID, user: UserId = Depends(current_user)) -> Response:
        """One that was not sent; what was sent goes with its conversation."""
        await attachments.remove(user, AttachmentId(id))
        return Response(status_code=204)

    return router

"""The bytes of attachments, at signed addresses; and how all surfaces take and give them.

The routes that take them are the only ones with bodies of more than 1 MiB. No byte of one is read
before it is known who sends it, and none is held for longer than it takes to pass it on.
"""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse

from chatbridge.domain.model import refusals
from chatbridge.domain.model.attachment import Attachment
from chatbridge.domain.model.identifiers import ID_PATTERN, AttachmentId
from chatbridge.domain.services.attachments import MAX_NAME, Attachments
from chatbridge.entrypoints.attachment_addresses import Addresses
from chatbridge.entrypoints.openapi import STORE, problems
from chatbridge.entrypoints.ranges import only, range_in

ATTACHMENT_ID = Path(
    pattern=f"^{ID_PATTERN}$",
    description="The attachment's id.",
    examples=["att_4f5a6b7c8d9e0f1a2b3c4d5e6f7a8b9c"],
)
NAME = Query(min_length=1, max_length=MAX_NAME, description="What the file is called.")
_UNTIL = Query(ge=0, le=2**40, description="Until when the address is good, in Unix time.")
_SIGNATURE = Query(max_length=64, description="By which chatbridge knows that it gave it.")

_SCHEMA = {"schema": {"type": "string", "format": "binary"}, "example": "milk,oats"}
_BINARY = {"content": {"application/octet-stream": _SCHEMA}}
BYTES_IN: dict[str, Any] = {"requestBody": {"required": True, **_BINARY}}
BYTES_OUT: dict[int | str, dict[str, Any]] = {
    200: {"description": "The bytes, of the type that they are.", "content": {"*/*": _SCHEMA}},
    206: {"description": "Those of one `Range`.", "content": {"*/*": _SCHEMA}},
}

RECEIVED = (
    refusals.attachment_sent,
    refusals.attachment_tried,
    refusals.attachment_empty,
    refusals.attachment_not_its_type,
    refusals.attachment_too_large,
    refusals.attachment_longer,
    refusals.attachment_too_slow,
    refusals.picture_too_large,
    refusals.not_a_picture,
    refusals.blobs_away,
)
"""Why bytes are not kept."""

ANNOUNCED = (
    refusals.enough_attachments,
    refusals.attachment_type,
    refusals.attachment_name,
    refusals.attachments_not_supported,
)
"""Why no file is awaited."""


def attachment_router(attachments: Attachments, addresses: Addresses) -> APIRouter:
    """The router of what addresses lead to; who has one needs no token."""
    router = APIRouter(tags=["attachments"])
    one = "/attachments/{id}"

    @router.put(
        one,
        operation_id="putAttachment",
        summary="Bring the bytes of an attachment",
        status_code=204,
        response_description="They are kept.",
        responses=problems(
            refusals.address_no_good,
            refusals.no_blob,
            *RECEIVED,
            refusals.invalid_request,
            *STORE,
        ),
        openapi_extra=BYTES_IN,
    )
    async def put(
        request: Request, id: str = ATTACHMENT_ID, until: int = _UNTIL, signature: str = _SIGNATURE
    ) -> Response:
        """The file itself is the body, at the `url` of an `upload_descriptor`."""
        addresses.require("put", id, until, signature)
        attachment = await attachments.find(AttachmentId(id))
        await attachments.receive(attachment, body_of(request, attachments))
        return Response(status_code=204)

    @router.get(
        one,
        operation_id="getAttachmentAt",
        name="attachmentBytes",
        summary="Get the bytes of an attachment",
        responses={
            **BYTES_OUT,
            **problems(
                refusals.address_no_good,
                refusals.no_blob,
                refusals.attachment_awaited,
                refusals.blobs_away,
                refusals.invalid_request,
                *STORE,
            ),
        },
        response_class=Response,
    )
    async def get(
        request: Request, id: str = ATTACHMENT_ID, until: int = _UNTIL, signature: str = _SIGNATURE
    ) -> Response:
        """At a `preview_url`, which is good for 5 to 10 minutes and told anew at each load."""
        addresses.require("get", id, until, signature)
        return await file_response(attachments, await attachments.find(AttachmentId(id)), request)

    return router


def body_of(request: Request, attachments: Attachments, *, beside: int = 0) -> AsyncIterator[bytes]:
    """The body as it comes, a file and so many bytes `beside` it. Raises Invalid at once for one
    that is announced too large."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > attachments.allowance.max_bytes + beside:
        raise refusals.attachment_too_large(f"{attachments.allowance.max_bytes:,}")
    return _parts(request)


async def _parts(request: Request) -> AsyncIterator[bytes]:
    try:
        async for part in request.stream():
            if part:
                yield part
    except ClientDisconnect:
        # nobody reads this; what has come so far is given up
        raise refusals.attachment_too_slow() from None


async def file_response(
    attachments: Attachments, attachment: Attachment, request: Request
) -> Response:
    """Its bytes, or those that are asked for, as a response that no browser runs anything of: a
    picture is shown, all else is saved. Raises like `Attachments.read`."""
    parts, size = await attachments.read(attachment), attachment.size
    how = "inline" if attachment.is_image else "attachment"
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Length": str(size),
        "Content-Disposition": f"{how}; filename*=UTF-8''{quote(attachment.name, safe='')}",
        "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Cache-Control": "private, max-age=300",
    }
    kind = attachment.media_type
    if (asked := range_in(request.headers, size)) is None:
        return StreamingResponse(parts, media_type=kind, headers=headers)
    headers["Content-Length"] = str(asked.size)
    headers["Content-Range"] = f"bytes {asked.first}-{asked.last}/{size}"
    return StreamingResponse(only(asked, parts), 206, media_type=kind, headers=headers)

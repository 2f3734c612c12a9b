"""ChatKit's attachments: announced and deleted by the protocol, or brought at once as a form."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from chatkit.store import AttachmentStore
from chatkit.types import (
    Attachment,
    AttachmentCreateParams,
    AttachmentUploadDescriptor,
    ChatKitReq,
    UserMessageInput,
)
from fastapi import APIRouter, Depends, Request, Response
from pydantic import AnyUrl
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from chatbridge.adapters.chatkit.items.mapping import Display, to_attachment
from chatbridge.adapters.chatkit.items.wire import wire_json
from chatbridge.domain.model import refusals
from chatbridge.domain.model.attachment import Attached
from chatbridge.domain.model.caller import Caller
from chatbridge.domain.model.identifiers import AttachmentId, UserId
from chatbridge.domain.model.payload import Payload
from chatbridge.domain.model.turn import Asking
from chatbridge.domain.services.attachments import Attachments
from chatbridge.entrypoints.attachment_addresses import Addresses
from chatbridge.entrypoints.attachments import ANNOUNCED, RECEIVED, body_of
from chatbridge.entrypoints.authentication import Gate, current_caller, guarded
from chatbridge.entrypoints.chatkit.acting import Acting
from chatbridge.entrypoints.chatkit.documentation import BY_SESSION
from chatbridge.entrypoints.openapi import SIGN_IN, STORE, problems

_AT_ONCE = 64 * 1024
_FORM = 16 * 1024
"""Bytes that a form has besides its file."""

_WANTED = "send a form (multipart/form-data) with one file in it, named `file`"


class Files:
    """What one request does with attachments; None of them where this server takes none. `acting`
    is whose own store may keep them."""

    def __init__(
        self,
        attachments: Attachments | None,
        addresses: Addresses | None,
        acting: Acting | None = None,
    ) -> None:
        self._attachments, self._addresses = attachments, addresses
        self._acting = acting

    def display(self, display: Display, request: Request) -> Display:
        """The same, with addresses by which this caller reaches us."""
        if not (self._attachments and self._addresses):
            return display
        return replace(display, address=self._addresses.to_get(request))

    def store(self, request: Request) -> AttachmentStore[UserId]:
        """What ChatKit's server asks."""
        return _Announced(self._attachments, self._addresses, request)

    async def carried(
        self, operation: ChatKitReq, user_id: UserId, asked: Asking
    ) -> tuple[Sequence[Attached], Sequence[Payload]]:
        """The files of its message, if it has any, and how a host's own store shows them. Raises
        like `Attachments.to_send` and `HostServer.attachments`."""
        ids = _named_by(operation)
        if not ids:
            return (), ()
        if self._acting and self._acting.keeps_attachments:
            return await self._acting.carried(ids, user_id, asked)
        if not self._attachments:
            raise refusals.attachments_not_supported()
        return await self._attachments.to_send(user_id, ids), ()


def _named_by(operation: ChatKitReq) -> list[AttachmentId]:
    """The files that its message names."""
    said = getattr(operation.params, "input", None)
    return (
        [AttachmentId(id) for id in said.attachments] if isinstance(said, UserMessageInput) else []
    )


class _Announced(AttachmentStore[UserId]):
    def __init__(
        self, attachments: Attachments | None, addresses: Addresses | None, request: Request
    ) -> None:
        self._attachments, self._addresses, self._request = attachments, addresses, request

    async def create_attachment(self, input: AttachmentCreateParams, context: UserId) -> Attachment:
        if not (self._attachments and self._addresses):
            raise refusals.attachments_not_supported()
        new, upload = await self._attachments.announce(
            context, input.name, input.mime_type, input.size
        )
        addresses, request = self._addresses, self._request
        url = upload.url if upload else addresses.to_put(request, new)
        headers = upload.headers if upload else {"Content-Type": new.media_type}
        display = Display(address=addresses.to_get(request))
        told = to_attachment(new, display=display)
        told.upload_descriptor = AttachmentUploadDescriptor(
            url=AnyUrl(url), method="PUT", headers=dict(headers)
        )
        return told

    async def delete_attachment(self, attachment_id: str, context: UserId) -> None:
        if not self._attachments:
            raise refusals.attachments_not_supported()
        await self._attachments.remove(context, AttachmentId(attachment_id))


def chatkit_attachments_router(
    attachments: Attachments, addresses: Addresses, gate: Gate
) -> APIRouter:
    """The router of direct uploads."""
    router = APIRouter(route_class=guarded(gate, sessions=True, json=False), tags=["chatkit"])

    @router.post(
        "/chatkit/attachments",
        operation_id="uploadAttachment",
        summary="Bring an attachment at once",
        responses={
            200: {"description": "The attachment, as ChatKit has it."},
            **problems(
                *SIGN_IN,
                refusals.service_key_not_accepted,
                *ANNOUNCED,
                *RECEIVED,
                refusals.invalid_request,
                *STORE,
            ),
        },
        openapi_extra={
            **BY_SESSION,
            "requestBody": {
                "required": True,
                "content": {
                    "multipart/form-data": {
                        "schema": {
                            "type": "object",
                            "required": ["file"],
                            "properties": {"file": {"type": "string", "format": "binary"}},
                        },
                        "example": {"file": "milk,oats"},
                    }
                },
            },
        },
        response_class=Response,
    )
    async def upload(request: Request, caller: Caller = Depends(current_caller)) -> Response:
        """ChatKit's `direct` upload strategy: a form with the one field `file`."""
        async with _form(request, attachments) as file:
            kept = await attachments.bring(
                caller.user_id,
                file.filename or "",
                file.content_type or "",
                file.size or 0,
                _read(file),
            )
        display = Display(address=addresses.to_get(request))
        return Response(
            wire_json(to_attachment(kept, display=display)), media_type="application/json"
        )

    return router


@asynccontextmanager
async def _form(request: Request, attachments: Attachments) -> AsyncGenerator[UploadFile]:
    """The file of the form that a request is; it is on disk. Raises Invalid."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise refusals.invalid_request(f"{_WANTED}; this is none")
    parts = body_of(request, attachments, beside=_FORM)
    parser = _Form(request.headers, _bounded(parts, attachments))
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise refusals.invalid_request(f"{_WANTED}; of this: {error.message}") from None
    except OSError as error:
        raise refusals.blobs_away() from error
    try:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise refusals.invalid_request(f"{_WANTED}; this has no such file in it")
        yield file
    finally:
        await form.close()


class _Form(MultiPartParser):
    """Its reader: a request's own `form()` answers 400 by itself, and takes what is cut off."""

    def __init__(self, headers: Headers, parts: AsyncIterator[bytes]) -> None:
        self._ended = False
        whole = self._whole(parts)
        super().__init__(headers, whole, max_files=1, max_fields=4, max_part_size=4096)

    def on_end(self) -> None:
        """The last boundary was read."""
        self._ended = True

    async def _whole(self, parts: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
        async for part in parts:
            yield part
        if not self._ended:
            raise MultiPartException("It is cut off.")


async def _bounded(
    parts: AsyncIterator[bytes], attachments: Attachments
) -> AsyncGenerator[bytes, None]:
    """What comes in, as far as the largest file in a form."""
    size = 0
    async for part in parts:
        size += len(part)
        if size > attachments.allowance.max_bytes + _FORM:
            raise refusals.attachment_too_large(f"{attachments.allowance.max_bytes:,}")
        yield part


async def _read(file: UploadFile) -> AsyncIterator[bytes]:
    while part := await file.read(_AT_ONCE):
        yield part

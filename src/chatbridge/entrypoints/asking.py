"""What a request for a turn may say besides its body, on every surface the same."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from hashlib import sha256

from fastapi import Depends, Header, Request

from chatbridge.domain.model.caller import Caller
from chatbridge.domain.model.identifiers import ConversationId, MessageId, UserId
from chatbridge.domain.model.message import FeedbackKind
from chatbridge.domain.model.turn import Asking, OnBusy, Once
from chatbridge.entrypoints.authentication import current_caller

_KEY = Header(
    None,
    alias="Idempotency-Key",
    pattern="^[!-~]{1,255}$",
    description="The request's own name, chosen by its sender. The same request under the same key "
    "again is answered with the stream of the turn that it began, and begins no other.",
    examples=["0b1c2d3e-4f5a-4b7c-8d9e-0f1a2b3c4d5e"],
)
_ON_BUSY = Header(
    None,
    alias="X-Chatbridge-On-Busy",
    description="What to do where an answer is under way: `reject` the request with 409, or "
    "`interrupt` that answer and keep what it has said. Unset: as the server is configured.",
)

Rated = Callable[
    [UserId, ConversationId, Sequence[MessageId], FeedbackKind, Asking], Awaitable[None]
]
"""Is told of a verdict on messages, once it is kept. Raises AgentFailed."""

# they sign in, and what a tool has could be told to a model
_SECRET = ("authorization", "cookie", "proxy-authorization")
_ZONE = Header(
    None,
    alias="X-Chatbridge-Time-Zone",
    pattern="^[A-Za-z0-9_+/-]{1,64}$",
    description="The person's time zone by its IANA name, by which the model is told what day it "
    "is. Unset, or not known to the server: UTC.",
    examples=["Europe/Berlin"],
)


async def beside(request: Request, caller: Caller = Depends(current_caller)) -> Asking:
    """Of what begins no turn: what the host's own code is told of the request."""
    return Asking(
        claims=caller.claims,
        headers={name: value for name, value in request.headers.items() if name not in _SECRET},
    )


async def asking(
    request: Request,
    key: str | None = _KEY,
    on_busy: OnBusy | None = _ON_BUSY,
    zone: str | None = _ZONE,
    told: Asking = Depends(beside),
) -> Asking:
    """What the headers say; FastAPI answers 422 where they can't be read."""
    digest = sha256(await request.body()).hexdigest() if key else ""
    once = Once(key=key, digest=digest) if key else None
    return replace(told, once=once, on_busy=on_busy, zone=zone)

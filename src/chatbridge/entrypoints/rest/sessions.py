"""Short-lived secrets with which a page may use /chatkit and nothing else."""

from dataclasses import replace
from datetime import timedelta

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from chatbridge.domain.model import refusals
from chatbridge.domain.model.caller import CHAT_SESSION, Caller
from chatbridge.domain.model.identifiers import ConversationId, UserId
from chatbridge.domain.services.conversation_history import ConversationHistory
from chatbridge.entrypoints.authentication import (
    Gate,
    current_caller,
    current_user,
    guarded,
)
from chatbridge.entrypoints.bodies import Body
from chatbridge.entrypoints.openapi import BODY, CONVERSATION, SIGN_IN, STORE, problems
from chatbridge.entrypoints.rest.examples import CONVERSATION_ID, example
from chatbridge.entrypoints.rest.schemas import ID
from chatbridge.ports.token_issuer import TokenIssuer

LIFETIME = timedelta(minutes=10)


class SessionBody(Body):
    """What a session is to be good for; none: any conversation of the caller's."""

    conversation_id: str | None = Field(None, pattern=ID, examples=[CONVERSATION_ID])


class SessionOut(BaseModel):
    """A short-lived secret for POST /chatkit."""

    model_config = example(
        {
            "client_secret": "eyJhbGciOiJIUzI1NiJ9.e30.signature",
            "expires_at": 1767323645,
            "api_url": "https://chat.example.com/chatkit",
            "conversation_id": None,
        }
    )

    client_secret: str
    expires_at: int = Field(description="Unix time, seconds.")
    api_url: str
    conversation_id: str | None = None


def sessions_router(history: ConversationHistory, gate: Gate, issuer: TokenIssuer) -> APIRouter:
    """The router of POST /api/{user_id}/chatkit/session."""
    router = APIRouter(route_class=guarded(gate, services=True), tags=["chatkit"])

    @router.post(
        "/api/{user_id}/chatkit/session",
        operation_id="createChatSession",
        summary="Make a chat session",
        responses=problems(
            *SIGN_IN,
            refusals.session_not_accepted,
            refusals.not_your_account,
            *CONVERSATION,
            *BODY,
            refusals.invalid_user_id,
            *STORE,
        ),
        openapi_extra={"security": [{"serviceKey": []}]},
    )
    async def create_session(
        request: Request,
        body: SessionBody | None = None,
        user: UserId = Depends(current_user),
        caller: Caller = Depends(current_caller),
    ) -> SessionOut:
        """A client secret that is good for ten minutes and, if the body names a conversation of
        the user's, for that one only. The user asks for it, or, with a service key, the back end
        of a host that knows who the user is."""
        bound = ConversationId(body.conversation_id) if body and body.conversation_id else None
        if bound:
            await history.get(user, bound)
        session = replace(caller, via="session", conversation_id=bound)
        issued = issuer.issue(session, audience=CHAT_SESSION, lifetime=LIFETIME)
        return SessionOut(
            client_secret=issued.token,
            expires_at=int(issued.expires_at.timestamp()),
            api_url=str(request.url_for("chatkit")),
            conversation_id=bound,
        )

    return router

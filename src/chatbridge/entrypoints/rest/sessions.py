"""Short-lived secrets with which a page may use POST /chatkit and nothing else."""

from dataclasses import replace
from datetime import timedelta

from fastapi import APIRouter, Depends, Request

from chatbridge.domain.model.caller import CHAT_SESSION, Caller
from chatbridge.domain.model.identifiers import ConversationId
from chatbridge.domain.services.conversation_history import ConversationHistory
from chatbridge.entrypoints.authentication import current_caller, guarded
from chatbridge.entrypoints.errors import problems
from chatbridge.entrypoints.rest.schemas import SessionBody, SessionOut
from chatbridge.ports.authenticator import Authenticator
from chatbridge.ports.token_issuer import TokenIssuer

LIFETIME = timedelta(minutes=10)


def sessions_router(
    history: ConversationHistory, authenticator: Authenticator, issuer: TokenIssuer
) -> APIRouter:
    """The router of POST /api/{user_id}/chatkit/session."""
    router = APIRouter(route_class=guarded(authenticator), tags=["chatkit"])

    @router.post(
        "/api/{user_id}/chatkit/session",
        summary="Make a chat session",
        responses=problems(401, 403, 404, 413, 415, 422, 503),
    )
    async def create_session(
        request: Request,
        body: SessionBody | None = None,
        caller: Caller = Depends(current_caller),
    ) -> SessionOut:
        """A client secret that is good for ten minutes, and, if it names a conversation of the
        caller's, for that one only."""
        bound = ConversationId(body.conversation_id) if body and body.conversation_id else None
        if bound:
            await history.get(caller.user_id, bound)
        session = replace(caller, via="session", conversation_id=bound)
        issued = issuer.issue(session, audience=CHAT_SESSION, lifetime=LIFETIME)
        return SessionOut(
            client_secret=issued.token,
            expires_at=int(issued.expires_at.timestamp()),
            api_url=str(request.url_for("chatkit")),
            conversation_id=bound,
        )

    return router

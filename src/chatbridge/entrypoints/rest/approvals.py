"""What a person has approved for a whole conversation, over REST: seen, and taken back."""

from datetime import datetime

from fastapi import APIRouter, Depends, Path, Response
from pydantic import BaseModel, Field

from chatbridge.domain.model import refusals
from chatbridge.domain.model.approval import ApprovalId, StandingApproval
from chatbridge.domain.model.identifiers import ConversationId, UserId
from chatbridge.domain.services.conversation_history import ConversationHistory
from chatbridge.entrypoints.authentication import Gate, current_user, guarded
from chatbridge.entrypoints.openapi import CONVERSATION, STORE, TOKEN, problems
from chatbridge.entrypoints.rest.conversations import CONVERSATION_ID
from chatbridge.entrypoints.rest.examples import example
from chatbridge.entrypoints.rest.schemas import ID

_APPROVAL = {
    "id": "appr_0b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e",
    "source": "tasks",
    "tool": "delete_task",
    "fingerprint": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "created_at": "2026-01-02T03:04:05.678901Z",
}
_APPROVAL_ID = Path(pattern=ID, description="The approval's id.", examples=[_APPROVAL["id"]])


class StandingApprovalOut(BaseModel):
    """Every further call of this tool runs unasked in the conversation, until the tool is described
    in another way."""

    model_config = example(_APPROVAL)

    id: str
    source: str = Field(description="The tool server that has it; empty where none has.")
    tool: str = Field(description="The tool's name, as the model calls it.")
    fingerprint: str = Field(description="A hash of all that the tool's server said of it then.")
    created_at: datetime

    @classmethod
    def of(cls, approval: StandingApproval) -> "StandingApprovalOut":
        """The approval as it is kept."""
        return cls.model_validate(approval, from_attributes=True)


class StandingApprovalList(BaseModel):
    """What stands approved, the oldest first."""

    model_config = example({"items": [_APPROVAL]})

    items: list[StandingApprovalOut]


def approvals_router(history: ConversationHistory, gate: Gate) -> APIRouter:
    """The router of what is approved for whole conversations."""
    router = APIRouter(
        prefix="/api/{user_id}/conversations/{conversation_id}/approvals",
        route_class=guarded(gate),
        responses=problems(
            *TOKEN,
            refusals.invalid_request,
            *STORE,
            refusals.not_your_account,
            *CONVERSATION,
        ),
        tags=["conversations"],
    )

    @router.get("", operation_id="listApprovals", summary="List what stands approved")
    async def list_approvals(
        conversation_id: str = CONVERSATION_ID, user: UserId = Depends(current_user)
    ) -> StandingApprovalList:
        """What a person has answered with `approve_for_conversation`, as long as it stands."""
        standing = await history.standing_approvals(user, ConversationId(conversation_id))
        return StandingApprovalList(items=list(map(StandingApprovalOut.of, standing)))

    @router.delete(
        "/{approval_id}",
        operation_id="revokeApproval",
        summary="Have a tool ask again",
        status_code=204,
        response_description="It stands no more.",
        responses=problems(refusals.not_your_account, *CONVERSATION, refusals.no_approval),
    )
    async def revoke(
        conversation_id: str = CONVERSATION_ID,
        approval_id: str = _APPROVAL_ID,
        user: UserId = Depends(current_user),
    ) -> Response:
        """Take it back. An answer that runs goes on with it; the next one asks."""
        await history.revoke(user, ConversationId(conversation_id), ApprovalId(approval_id))
        return Response(status_code=204)

    return router

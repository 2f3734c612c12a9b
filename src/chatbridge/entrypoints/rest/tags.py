"""What can be named with `@` in a message, over REST."""

from typing import Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from chatbridge.domain.model import refusals
from chatbridge.domain.model.caller import Caller
from chatbridge.domain.model.limits import MAX_TAG_QUERY, MAX_TAGS
from chatbridge.domain.model.tag import Tag
from chatbridge.domain.services.tags import Tags
from chatbridge.entrypoints.authentication import Gate, current_caller, current_user, guarded
from chatbridge.entrypoints.openapi import STORE, TOKEN, problems
from chatbridge.entrypoints.rest.examples import example

_TAG = {
    "id": "task_7",
    "title": "buy oat milk",
    "icon": "empty-circle",
    "group": "Tasks",
    "interactive": True,
    "data": {"number": "7", "state": "open"},
}


class TagOut(BaseModel):
    """What a message can name, as ChatKit's `Entity` has it."""

    model_config = example(_TAG)

    id: str
    title: str
    icon: str | None
    group: str | None = Field(description="Below which heading it is listed.")
    interactive: bool = Field(description="Whether it can be clicked and looked at.")
    data: dict[str, Any] = Field(description="Goes along with a message that names it.")

    @classmethod
    def of(cls, tag: Tag) -> "TagOut":
        """The tag as it was found."""
        return cls.model_validate(tag, from_attributes=True)


class TagList(BaseModel):
    """What fits to what was typed, the best first."""

    model_config = example({"items": [_TAG]})

    items: list[TagOut] = Field(max_length=MAX_TAGS)


def tags_router(tags: Tags, gate: Gate) -> APIRouter:
    """The router of the search."""
    router = APIRouter(
        prefix="/api/{user_id}",
        route_class=guarded(gate),
        responses=problems(*TOKEN, refusals.not_your_account, refusals.invalid_request, *STORE),
    )

    @router.get(
        "/tags",
        operation_id="searchTags",
        summary="Search what a message can name with @",
        tags=["chat"],
        dependencies=[Depends(current_user)],
        responses=problems(refusals.tag_search_failed, refusals.tag_search_slow),
    )
    async def search_tags(
        q: str = Query(
            "",
            max_length=MAX_TAG_QUERY,
            description="What was typed behind the @.",
            examples=["milk"],
        ),
        caller: Caller = Depends(current_caller),
    ) -> TagList:
        """Found by the function that the server is set to, or among the caller's tasks. A server
        without either finds nothing."""
        return TagList(items=list(map(TagOut.of, await tags.find(caller, q))))

    return router

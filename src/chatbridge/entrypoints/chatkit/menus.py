"""What a page may put into ChatKit's composer: models and tools to choose, and dictation."""

from typing import Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from chatbridge.domain.model import refusals
from chatbridge.entrypoints.authentication import Gate, current_caller, guarded
from chatbridge.entrypoints.chatkit.choices import Choices
from chatbridge.entrypoints.chatkit.documentation import BY_SESSION
from chatbridge.entrypoints.openapi import SIGN_IN, STORE, problems

_EXAMPLE: dict[str, Any] = {
    "models": [{"id": "quick", "label": "Quick answers", "default": False}],
    "tools": [{"id": "add_task", "label": "Add task", "icon": "bolt"}],
    "dictation": {"enabled": True},
}


class ModelOption(BaseModel):
    """A model of `composer.models`."""

    id: str
    label: str
    default: bool = Field(description="Whether it answers where a message chooses none.")


class ToolOption(BaseModel):
    """A tool of `composer.tools`."""

    id: str
    label: str
    icon: str


class DictationOption(BaseModel):
    """Whether what is said is written down here."""

    enabled: bool


class Menus(BaseModel):
    """What there is for the composer, as ChatKit's option of that name has it."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    models: list[ModelOption]
    tools: list[ToolOption]
    dictation: DictationOption


def menus_of(choices: Choices, *, dictates: bool) -> Menus:
    """A tool is called what its name says; models that leave nothing to choose are no menu."""
    models = [
        ModelOption(id=id, label=label, default=id == choices.usual)
        for id, label in choices.models.items()
    ]
    tools = [
        ToolOption(id=name, label=name.replace("_", " ").capitalize(), icon="bolt")
        for name in choices.tools
    ]
    return Menus(
        models=[] if len(models) == 1 and models[0].default else models,
        tools=tools,
        dictation=DictationOption(enabled=dictates),
    )


def menus_router(menus: Menus, gate: Gate) -> APIRouter:
    """The router of what the protocol has no operation for."""
    router = APIRouter(route_class=guarded(gate, sessions=True), tags=["chatkit"])

    @router.get(
        "/chatkit/menus",
        operation_id="readMenus",
        summary="Read what there is for the composer",
        responses=problems(*SIGN_IN, refusals.service_key_not_accepted, *STORE),
        dependencies=[Depends(current_caller)],
        openapi_extra=BY_SESSION,
    )
    async def offered() -> Menus:
        """The models and tools of `CHATBRIDGE_AGENT__MODELS` and `CHATBRIDGE_AGENT__TOOL_CHOICES`,
        and whether there is dictation, in the form of ChatKit's own options. A server of the host's
        own has its page's menus: then both are empty."""
        return menus

    return router

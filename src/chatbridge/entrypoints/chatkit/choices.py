"""ChatKit's menus of models and tools: what a message has chosen, and what it may choose."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chatkit.types import ChatKitReq, UserMessageInput

from chatbridge.domain.model import refusals
from chatbridge.domain.model.choice import Choice
from chatbridge.domain.model.message import Message

_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Choices:
    """`models` has the label of each that is offered, by its id; `tools` are names.
    `anything` is for a server of the host's own, which knows itself what its page offers.
    `usual` is the model, if it is one of them, that answers where none is chosen."""

    models: Mapping[str, str] = field(default_factory=dict[str, str])
    tools: Collection[str] = ()
    anything: bool = False
    usual: str | None = None

    def require(self, operation: ChatKitReq) -> None:
        """Raises Invalid where its message chooses something else."""
        said = getattr(operation.params, "input", None)
        if self.anything or not isinstance(said, UserMessageInput):
            return
        model, tool = said.inference_options.model, said.inference_options.tool_choice
        if model is not None and model not in self.models:
            labels = [f"`{id}` ({label})" for id, label in self.models.items()]
            raise refusals.model_not_offered(model[:_SHOWN], _or_these(labels))
        if tool is not None and tool.id not in self.tools:
            names = [f"`{name}`" for name in self.tools]
            raise refusals.tool_not_offered(tool.id[:_SHOWN], _or_these(names))


def _or_these(names: Sequence[str]) -> str:
    return f", or choose one of these: {', '.join(names)}" if names else ""


def chosen(message: Message) -> Choice:
    """What the message has chosen when it was sent."""
    options: dict[str, Any] = (message.payload or {}).get("inference_options") or {}
    tool: dict[str, Any] = options.get("tool_choice") or {}
    return Choice(model=options.get("model"), tool=tool.get("id"))

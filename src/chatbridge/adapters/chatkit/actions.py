"""What an agent does when somebody presses what it has shown."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from chatbridge.adapters.chatkit.call_widgets import WidgetOf
from chatbridge.adapters.chatkit.chat import Chat
from chatbridge.adapters.chatkit.entries import Entry
from chatbridge.domain.model import refusals
from chatbridge.ports.host_code import brought

P = TypeVar("P")


@dataclass
class Pressed(Generic[P]):
    """An action with its payload, and the widget that it comes from, if it comes from one."""

    type: str
    payload: P
    sender: Entry | None
    answered: bool = False

    def let_answer(self) -> None:
        """The agent is to answer now; it reads the handler's note, or which action it was."""
        self.answered = True


Handler = Callable[[Chat, Pressed[Any]], Awaitable[None]]
H = TypeVar("H", bound=Callable[..., Awaitable[None]])


@dataclass(frozen=True)
class Known:
    """An action that has a handler."""

    payload: TypeAdapter[Any]
    handler: Handler
    anywhere: bool


class Actions:
    """The actions of an agent's widgets, by their types."""

    def __init__(self) -> None:
        self._known: dict[str, Known] = {}

    def on(self, type: str, payload: Any = None, *, anywhere: bool = False) -> Callable[[H], H]:
        """`@actions.on("seat.pick", Pick)` before the async function that answers it.

        `payload` is a pydantic model, or any type that pydantic reads; left out, the payload comes
        as it is. Only what a widget of the conversation offers at the moment is taken; `anywhere`:
        also what the page sends by itself (`sendCustomAction`), with any payload that can be read.
        Raises ValueError for a type that has a handler.
        """
        if type in self._known:
            raise ValueError(f"The action {type} has a handler already.")

        def add(handler: H) -> H:
            read = TypeAdapter(Any if payload is None else payload)
            self._known[type] = Known(read, handler, anywhere)
            return handler

        return add

    def __bool__(self) -> bool:
        return bool(self._known)

    def only_offered(self, type: str) -> bool:
        """Whether a widget must offer it."""
        known = self._known.get(type)
        return known is None or not known.anywhere

    def pressed(self, action: Mapping[str, Any], sender: Entry | None = None) -> Pressed[Any]:
        """What the handler is given. Raises Invalid for what no handler takes."""
        type = action.get("type", "")
        known = self._known.get(type)
        if known is None:
            raise refusals.unknown_action(type)
        try:
            payload = known.payload.validate_python(action.get("payload"))
        except ValidationError as error:
            raise refusals.invalid_payload(type, _first_of(error)) from error
        return Pressed(type=type, payload=payload, sender=sender)

    async def handle(self, chat: Chat, pressed: Pressed[Any]) -> None:
        """Have its handler do it. Raises whatever that does."""
        await brought(self._known[pressed.type].handler, chat, pressed)


@dataclass(frozen=True)
class Assistant:
    """An agents.Agent, and what it does when somebody presses what it has shown.

    `widgets` are functions by the names of tools: what is shown of what such a tool has brought.
    """

    agent: Any
    actions: Actions = field(default_factory=Actions)
    widgets: Mapping[str, WidgetOf] = field(default_factory=dict[str, WidgetOf])

    def __post_init__(self) -> None:
        """Raises ValueError for what nobody could call."""
        for name, made in self.widgets.items():
            if not callable(made):
                raise ValueError(
                    f"The widget of {name} is of type {type(made).__name__}; it must be a function "
                    "of what the tool has brought."
                )


def _first_of(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(map(str, first["loc"]))
    return f"{place}: {first['msg']}" if place else first["msg"]

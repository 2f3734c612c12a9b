"""The widget that a tool call's result gives, shown behind the line of the call."""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, cast

from chatkit.widgets import (
    DynamicWidgetComponent,
    DynamicWidgetRoot,
    StrictWidgetComponent,
    StrictWidgetRoot,
    WidgetComponentBase,
    WidgetRoot,
)
from pydantic import BaseModel, TypeAdapter, ValidationError

from chatbridge.adapters.chatkit.chat import Chat
from chatbridge.domain.model.tool import Brought
from chatbridge.domain.model.tool_schema import deeper_than
from chatbridge.ports.host_code import brought_in_time

_log = logging.getLogger(__name__)

WidgetOf = Callable[[Brought], Any]
"""A host's function: what is to be shown of what a tool has brought, a widget of ChatKit's or its
JSON, or None for nothing. It may be async."""

LARGEST = 200_000
"""Characters of a widget's JSON."""

_DEEPEST = 100
_SECONDS = 10.0
_ROOT: TypeAdapter[Any] = TypeAdapter(StrictWidgetRoot)
_PART: TypeAdapter[Any] = TypeAdapter(StrictWidgetComponent)
_BASIC = "Basic"
_FOOTER = ("confirm", "cancel")


class NoWidget(ValueError):
    """What was given is none that can be shown, in `words` of our own."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


class CallWidgets:
    """Shows what `functions` make of results, by the names of their tools; of a tool without one,
    the widget that its server gives.

    A model reads the tool's text and nothing of the widget. What can't be shown is refused in the
    log, and the answer goes on.
    """

    def __init__(self, functions: Mapping[str, WidgetOf]) -> None:
        self._functions = functions

    async def show(self, chat: Chat, brought: Brought) -> None:
        """Show the widget, if there is one; nothing is raised."""
        try:
            widget = await self._widget(brought)
            if widget is not None:
                await chat.show(widget, copy_text="")
        except NoWidget as error:
            _log.warning("the widget of %s is not shown: %s", brought.name, error.words)
        except Exception as error:
            _log.error("the widget of %s is not shown", brought.name, exc_info=error)

    async def _widget(self, brought: Brought) -> WidgetRoot | None:
        function = self._functions.get(brought.name)
        if function is None:
            given = brought.widget
            return None if given is None else read_widget(given, acts=brought.acts)
        given = await brought_in_time(_SECONDS, function, brought)
        return None if given is None else read_widget(given)


def read_widget(given: Any, *, acts: bool = True) -> WidgetRoot:
    """The widget as it goes to the client, with nothing in it to press unless it `acts`.

    Raises NoWidget.
    """
    built = isinstance(given, WidgetComponentBase)
    told = given.model_dump(mode="json", exclude_none=True) if built else given
    if not isinstance(told, dict):
        raise NoWidget(f"it is of type {type(given).__name__}, and no widget")
    told = cast(dict[str, Any], told)
    if deeper_than(told, _DEEPEST):
        raise NoWidget(f"it is nested in more than {_DEEPEST} levels")
    try:
        size = len(json.dumps(told, allow_nan=False))
    except (TypeError, ValueError, RecursionError):
        raise NoWidget("it can't be written as JSON") from None
    if size > LARGEST:
        raise NoWidget(f"it has {size:,} characters of JSON, and {LARGEST:,} are shown")
    told = told if acts else _inert(told)
    # one that is built of ChatKit's own parts may be a template's, which are looser
    if not built:
        _require_known(told)
    # as it came: through the strict type 25 would come back as 25.0
    return DynamicWidgetRoot.model_validate(told)


def _require_known(told: dict[str, Any]) -> None:
    try:
        # within a widget the SDK takes what it does not know, or what is wrong, for a template's
        for loose in _loose(_parsed(told)):
            _PART.validate_python(loose.model_dump(mode="json", exclude_none=True))
    except ValidationError as error:
        raise NoWidget(f"ChatKit has none like it: {_wrong(error)}") from None


def _parsed(told: dict[str, Any]) -> Any:
    if told.get("type") != _BASIC:
        return _ROOT.validate_python(told)
    # of the roots the one that the SDK has no class for
    inside: Any = told.get("children") or []
    listed = cast(list[Any], inside) if isinstance(inside, list) else [inside]
    return [_PART.validate_python(each) for each in listed]


def _loose(node: Any) -> Iterator[DynamicWidgetComponent]:
    match node:
        case DynamicWidgetComponent():
            yield node
        case BaseModel():
            for part in vars(node).values():
                yield from _loose(part)
        case list():
            for each in cast(list[Any], node):
                yield from _loose(each)
        case _:
            pass


def _wrong(error: ValidationError) -> str:
    """The kind of the first mistake, and where: by numbers and by what ChatKit itself has named."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    known = _names()
    place = [str(part) for part in first["loc"] if isinstance(part, int) or part in known]
    return f"{first['type']} at {'.'.join(place) or 'its root'}"


@cache
def _names() -> frozenset[str]:
    schemas = _ROOT.json_schema()["$defs"]
    fields = {name for each in schemas.values() for name in each.get("properties", ())}
    return frozenset(fields | set(schemas))


def _inert(node: Any) -> Any:
    match node:
        case dict():
            parts = cast(dict[str, Any], node)
            return {name: _inert(part) for name, part in parts.items() if not _acts(name, part)}
        case list():
            return [_inert(each) for each in cast(list[Any], node)]
        case _:
            return node


def _acts(name: str, part: Any) -> bool:
    return isinstance(part, dict) and (name.lower().endswith("action") or name in _FOOTER)

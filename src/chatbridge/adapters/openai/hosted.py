"""Tools that the model's provider runs by itself, as tool calls that can be shown and kept."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

from openai import BaseModel

from chatbridge.adapters.openai.arguments import storable_arguments
from chatbridge.adapters.openai.images import Images
from chatbridge.domain.model.identifiers import CallId, MessageId, new_call_id, new_message_id
from chatbridge.domain.model.message import cleaned
from chatbridge.domain.model.tool_call import CallState, ToolCall
from chatbridge.domain.model.turn_event import ToolCallFinished, ToolCallStarted, TurnEvent

MAX_OUTPUT = 16_000
_MAX_ARGUMENT = 4_000

Raw = Mapping[str, Any]
Key = int | str


@dataclass(slots=True)
class _Call:
    id: CallId = field(default_factory=new_call_id)
    step: MessageId = field(default_factory=new_message_id)
    finished: bool = False


class HostedCalls:
    """Emits the start and the end of each hosted call of one response, once.

    The provider has begun before it tells: what it does can't wait until it is durable. Each call
    is a message of its own, as the provider calls, says something and calls again.
    """

    def __init__(self, emit: Callable[[TurnEvent], None], images: Images) -> None:
        self._emit, self._images = emit, images
        self._calls: dict[Key, _Call] = {}

    def start(self, index: int | None, item: BaseModel) -> None:
        """The provider has begun; nothing happens where `item` is no hosted call."""
        raw = item.model_dump(mode="json", warnings=False)
        if raw.get("type") in _READERS:
            self._known(index, raw)

    def finish(self, index: int | None, item: BaseModel) -> None:
        """The provider's tool has ended, well or not; only the first word about it counts."""
        raw = item.model_dump(mode="json", warnings=False)
        if raw.get("type") not in _READERS:
            return
        call = self._known(index, raw)
        if call.finished:
            return
        call.finished = True
        read = _READERS[raw["type"]](raw)
        failed = raw.get("status") in ("failed", "incomplete") or bool(raw.get("error"))
        shown = self._images.whole(_key(index, raw.get("id")), raw)
        output = _error(raw) or (read.shown if shown else read.output)
        self._end(call, "failed" if failed else "succeeded", output, read)

    def grow(self, index: int | None, id: str | None, image: str, format: str | None) -> None:
        """A picture that is made is there in part."""
        self._images.grow(_key(index, id), image, format)

    def refuse(self, name: str, arguments: str, why: str) -> None:
        """A call that the provider may not begin."""
        call = _Call()
        self._begin(call, name, arguments)
        self._end(call, "failed", why)

    def _known(self, index: int | None, raw: Raw) -> _Call:
        keys = [key for key in (index, raw.get("id")) if key is not None]
        call = next((self._calls[key] for key in keys if key in self._calls), None)
        if call is None:
            call = _Call()
            read = _READERS[raw["type"]](raw)
            self._begin(call, read.name, read.arguments)
        self._calls |= dict.fromkeys(keys, call)
        return call

    def _begin(self, call: _Call, name: str, arguments: str) -> None:
        asked = ToolCall(
            id=call.id,
            name=cleaned(name),
            arguments=storable_arguments(arguments),
            started_at=datetime.now(UTC),
            hosted=True,
        )
        self._emit(ToolCallStarted(message_id=call.step, call=asked))

    def _end(self, call: _Call, state: CallState, output: str, read: "_Read | None" = None) -> None:
        self._emit(
            ToolCallFinished(
                message_id=call.step,
                call_id=call.id,
                state=state,
                output=cleaned(_short(output, MAX_OUTPUT)),
                at=datetime.now(UTC),
                arguments=storable_arguments(read.arguments) if read else None,
            )
        )


@dataclass(frozen=True, slots=True)
class _Read:
    name: str
    arguments: str
    output: str
    image: str = ""
    """What the output says of pictures that are shown."""

    @property
    def shown(self) -> str:
        return self.image or self.output


def _key(index: int | None, id: str | None) -> Key:
    return index if index is not None else id or ""


def _web_search(raw: Raw) -> _Read:
    actions = _objects([raw.get("action")])
    action: Raw = actions[0] if actions else {}
    found = [str(source["url"]) for source in _objects(action.get("sources")) if "url" in source]
    asked = {k: action.get(k) for k in ("query", "queries", "url", "pattern")}
    return _Read("web_search", _arguments(asked), "\n".join(found))


def _file_search(raw: Raw) -> _Read:
    results = _objects(raw.get("results"))
    found = [f"{r.get('filename') or 'A file'}: {r.get('text') or ''}" for r in results]
    return _Read("file_search", _arguments({"queries": raw.get("queries")}), "\n\n".join(found))


def _code_interpreter(raw: Raw) -> _Read:
    outputs = _objects(raw.get("outputs"))

    def said(image: str) -> str:
        logs = (str(o.get("logs") or "") if o.get("type") == "logs" else image for o in outputs)
        return "\n".join(logs)

    arguments = _arguments({"code": raw.get("code")})
    return _Read("code_interpreter", arguments, said(_IMAGE), said(_SHOWN))


def _mcp(raw: Raw) -> _Read:
    arguments = str(raw.get("arguments") or "{}")
    whole = len(arguments) <= MAX_OUTPUT
    name = str(raw.get("name") or raw.get("server_label") or "")
    return _Read(name, arguments if whole else "{}", str(raw.get("output") or ""))


def _image_generation(raw: Raw) -> _Read:
    like = ", ".join(str(raw[k]) for k in ("output_format", "size") if raw.get(k))
    made = f"An image was made{f' ({like})' if like else ''}."
    asked = _arguments({"prompt": raw.get("revised_prompt")})
    if not raw.get("result"):
        return _Read("image_generation", asked, "")
    kept, shown = f"{made} It is not kept.", f"{made} It was shown to the person."
    return _Read("image_generation", asked, kept, shown)


_IMAGE = "(an image, which is not kept)"
_SHOWN = "(an image, which was shown to the person)"
_READERS: Mapping[Any, Callable[[Raw], _Read]] = {
    "web_search_call": _web_search,
    "file_search_call": _file_search,
    "code_interpreter_call": _code_interpreter,
    "mcp_call": _mcp,
    "image_generation_call": _image_generation,
}


def _error(raw: Raw) -> str:
    error: Any = raw.get("error")
    if not error:
        return ""
    if isinstance(error, dict):
        told = cast(Raw, error)
        said: Any = told.get("message") or told.get("content")
    else:
        said = error
    return said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)


def _arguments(given: Mapping[str, Any]) -> str:
    known = {k: _bounded(v) for k, v in given.items() if v}
    return json.dumps(known, ensure_ascii=False)


def _bounded(value: Any) -> Any:
    return _short(value, _MAX_ARGUMENT) if isinstance(value, str) else value


def _objects(items: Any) -> list[Raw]:
    found = cast(list[Any], items) if isinstance(items, list) else []
    return [cast(Raw, item) for item in found if isinstance(item, dict)]


def _short(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[:longest] + "…"

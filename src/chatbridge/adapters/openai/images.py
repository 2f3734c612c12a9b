"""Pictures that a provider's own tools make: shown while they grow, each an entry of its own.

They go out as data, as they come; whoever keeps what is shown makes files of them.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, cast

from chatbridge.adapters.openai.shown_entry import ShownEntry
from chatbridge.domain.model.payload import Payload
from chatbridge.domain.model.turn_event import Changed, TurnEvent

_FORMATS = ("png", "jpeg", "webp")

Raw = Mapping[str, Any]
Key = int | str


class ImageForms(Protocol):
    """How a surface shows one, and another form of it."""

    def entry(self, id: str, url: str) -> Payload:
        """The picture as it is now."""
        ...

    def change(self, id: str, url: str) -> Payload:
        """Some more of it is there."""
        ...


class Images:
    """Those of one response. Without `forms` none are shown."""

    def __init__(self, emit: Callable[[TurnEvent], None], forms: ImageForms | None) -> None:
        self._emit, self._forms = emit, forms
        self._growing: dict[Key, ShownEntry] = {}

    def grow(self, key: Key, image: str, format: str | None) -> None:
        """A picture is there in part; that of an item comes whole each time."""
        if self._forms is None or not image:
            return
        url = _url(image, format)
        if entry := self._growing.get(key):
            payload = self._forms.change(entry.id, url)
            self._emit(Changed(message_id=entry.id, payload=payload))
        else:
            self._growing[key] = entry = ShownEntry()
            self._emit(entry.shown("added", self._forms.entry(entry.id, url)))

    def whole(self, key: Key, raw: Raw) -> bool:
        """The item has ended; whether it shows pictures."""
        grown = self._growing.pop(key, None)
        urls = _urls(raw) if self._forms else ()
        for url in urls:
            entry, grown = grown or ShownEntry(), None
            assert self._forms  # noqa: S101
            self._emit(entry.shown("done", self._forms.entry(entry.id, url)))
        return bool(urls)


def _urls(raw: Raw) -> Sequence[str]:
    match raw:
        case {"type": "image_generation_call", "result": str(result)} if result:
            return [_url(result, raw.get("output_format"))]
        case {"type": "code_interpreter_call", "outputs": list()}:
            made = cast(list[Any], raw["outputs"])
            found = (cast(Raw, each).get("url") for each in made if isinstance(each, dict))
            return [url for url in found if isinstance(url, str) and url.startswith("data:image/")]
        case _:
            return ()


def _url(image: str, format: str | None) -> str:
    return f"data:image/{format if format in _FORMATS else 'png'};base64,{image}"

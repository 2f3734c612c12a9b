"""What goes with the requests of a turn: its files, and what a provider hung on its answers."""

from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, cast

from chatbridge.adapters.openai.files import NO_FILES, Files

Json = dict[str, Any]

MESSAGE_FIELDS = frozenset(
    {"role", "content", "tool_calls", "function_call", "refusal", "annotations", "audio"}
)
CALL_FIELDS = frozenset({"index", "id", "type", "function"})


class Carried:
    """Fields that no client of the API knows, by the id of the call that they came with.

    A thinking model that is not given its `reasoning_content` or `thought_signature` back may
    refuse to go on, whatever it is called. One turn has one, in memory: providers use an id again
    in another turn, and what was thought in one is nobody else's. So are the `files`.
    """

    def __init__(self, files: Files = NO_FILES) -> None:
        self.files = files
        self._answers: dict[str, tuple[Json, Json]] = {}

    @property
    def ids(self) -> Iterable[str]:
        """The ids of the calls that have come."""
        return self._answers.keys()

    def of(self, id: str) -> tuple[Json, Json]:
        """What came with this call: the fields of its message, and its own."""
        return self._answers.get(id, ({}, {}))

    def keep(self, message: Json, calls: Mapping[str, Json]) -> None:
        """An answer has come: the fields of its message, and those of each of its calls."""
        self._answers |= {id: (message, fields) for id, fields in calls.items()}

    def put_back(self, messages: Iterable[Any]) -> None:
        """Into each message of a request that has calls; a field that is there stays as it is."""
        for message in messages:
            for call in _objects(message, "tool_calls"):
                if known := self._answers.get(str(call.get("id"))):
                    _fill(cast(Json, message), known[0])
                    _fill(call, known[1])


_HERE: ContextVar[Carried] = ContextVar("carried")


@contextmanager
def carrying(files: Files = NO_FILES) -> Generator[None]:
    """What is begun in here is one turn, and so is what that begins."""
    before = _HERE.set(Carried(files))
    try:
        yield
    finally:
        _HERE.reset(before)


def carried() -> Carried:
    """What this turn carries; nothing outside of one."""
    return _HERE.get(None) or Carried()


def unknown(given: Json, known: Iterable[str]) -> Json:
    """The fields that are not among the known ones."""
    return {key: value for key, value in given.items() if key not in known}


def _objects(of: Any, name: str) -> list[Json]:
    given: Any = cast(Json, of).get(name) if isinstance(of, dict) else None
    listed = cast(list[Any], given) if isinstance(given, list) else [given]
    return [cast(Json, each) for each in listed if isinstance(each, dict)]


def _fill(into: Json, fields: Json) -> None:
    for key, value in fields.items():
        into.setdefault(key, value)

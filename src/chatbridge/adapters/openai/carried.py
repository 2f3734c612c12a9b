"""What a provider hung on an answer that called tools, to go back to it within the turn."""

import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any, cast

Json = dict[str, Any]
_MOST = 8_000_000
"""Characters that are kept in all; the oldest are forgotten first."""


class Carried:
    """Fields that no client of the API knows, by the id of the call that they came with.

    A thinking model that is not given its `reasoning_content` or `thought_signature` back may
    refuse to go on, whatever it is called. They are kept in memory alone, and an id that the
    provider gave is only used within its turn.
    """

    def __init__(self) -> None:
        self._answers: OrderedDict[str, tuple[Json, Json, int]] = OrderedDict()
        self._size = 0

    def keep(self, message: Json, calls: Mapping[str, Json]) -> None:
        """An answer has come: the fields of its message, and those of each of its calls."""
        if not message and not any(calls.values()):
            return
        for id, fields in calls.items():
            self._forget(id)
            size = len(json.dumps([message, fields], default=str))
            self._answers[id] = (message, fields, size)
            self._size += size
        while self._size > _MOST:
            self._forget(next(iter(self._answers)))

    def put_back(self, messages: Iterable[Any]) -> None:
        """Into each message of a request that has calls; a field that is there stays as it is."""
        for message in messages:
            if not isinstance(message, dict):
                continue
            for call in cast(list[Any], cast(Json, message).get("tool_calls") or []):
                made = cast(Json, call) if isinstance(call, dict) else {}
                if known := self._answers.get(str(made.get("id"))):
                    _fill(cast(Json, message), known[0])
                    _fill(made, known[1])

    def _forget(self, id: str) -> None:
        _, _, size = self._answers.pop(id, ({}, {}, 0))
        self._size -= size


def _fill(into: Json, fields: Json) -> None:
    for key, value in fields.items():
        into.setdefault(key, value)

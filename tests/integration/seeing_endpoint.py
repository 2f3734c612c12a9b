"""A model endpoint over real HTTP that takes files, or refuses them as real ones do."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

from tests.integration.scripted_endpoint import (
    Answer,
    ScriptedEndpoint,
    completions,
    frame,
    message,
    responses,
)

Json = dict[str, Any]
JSON = {"content-type": "application/json"}
Judge = Callable[[Json], "Refusal | None"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is answered in place of an answer: by a status; by none, where the connection breaks; or
    by an event, where the status is 200."""

    status: int
    body: Any


class SeeingEndpoint(ScriptedEndpoint):
    """Answers each request, but for those that `judge` refuses."""

    def __init__(self) -> None:
        super().__init__()
        self.judge: Judge = lambda asked: None
        self.says: Callable[[Json], str] = lambda asked: "Seen."

    def next_answer(self, asked: Json) -> Answer:
        """See `ScriptedEndpoint`."""
        if self.answers:
            return self.answers.pop(0)
        refusal = self.judge(asked)
        if refusal and refusal.status == 0:
            return Answer(ending="cut")
        if refusal and refusal.status == 200:
            return Answer([frame(refusal.body)])
        if refusal:
            return Answer([json.dumps(refusal.body).encode()], status=refusal.status, headers=JSON)
        text = self.says(asked)
        if "messages" in asked:
            return Answer(completions(text))
        return Answer(responses(message(text)) if text else responses())

    @property
    def last(self) -> list[Any]:
        """What the last message of a person's is, part by part."""
        return parts_of(self.requests[-1])

    @property
    def read(self) -> str:
        """All texts of the last request's."""
        return texts_of(self.requests[-1])


def messages_of(asked: Json) -> list[Json]:
    """What a request has a model read."""
    return cast(list[Json], asked.get("messages") or asked.get("input"))


def parts_of(asked: Json) -> list[Any]:
    """The parts of the last message of a person's; a text alone is one."""
    said = [m for m in messages_of(asked) if m.get("role") == "user"][-1]["content"]
    return [said] if isinstance(said, str) else said


def texts_of(asked: Json) -> str:
    """All texts of a request's."""
    return "\n".join(_texts(messages_of(asked)))


def kinds_of(asked: Json) -> list[str]:
    """The types of all parts that are no texts, in their order."""
    return [part["type"] for part in _parts(asked) if "text" not in part]


def files_of(asked: Json) -> list[str]:
    """What files are called that are given as such."""
    found = [part.get("file") or part for part in _parts(asked)]
    return [part["filename"] for part in found if "filename" in part]


def _parts(asked: Json) -> Iterator[Json]:
    for said in messages_of(asked):
        if isinstance(said.get("content"), list):
            yield from said["content"]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for each in cast(list[Any], value):
            yield from _texts(each)
    elif isinstance(value, dict):
        for name, each in cast(Json, value).items():
            if name in ("text", "content", "output"):
                yield from [each] if isinstance(each, str) else _texts(each)

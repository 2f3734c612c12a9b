"""What of a request an endpoint has refused by its name, so that it can be asked without it."""

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from chatbridge.adapters.openai import refusal as said
from chatbridge.adapters.openai.file_refusals import files_in, is_worded, kinds_refused, tries
from chatbridge.adapters.openai.instructions import has_instructions
from chatbridge.adapters.openai.lesson import (
    NO_CONTENT,
    NO_THOUGHT,
    NOT_APART,
    NOT_AS_DEVELOPER,
    NOT_AS_USER,
    PAST_CALLS,
    UNTHOUGHT_CALLS,
    Lesson,
)
from chatbridge.adapters.openai.request_places import (
    EVERY,
    Json,
    all_paths,
    can_go,
    found,
    name_of,
    spelt,
    tools_of,
    without_content,
)
from chatbridge.adapters.openai.retold import THOUGHT, has_calls, lacks_thoughts

KNOWN_SECONDS = 3600.0
"""How long something is not sent after it was refused."""

_TOOL_PLACE = re.compile(r"(?:function_declarations|tools)[.\[]+(\d+)")
_QUOTED = re.compile(r"['\"`]([\w.-]{1,120})['\"`]")
_SCHEMA = re.compile(
    r"schema|parameter|declaration|propert|definition|invalid (?:function|tool)", re.I
)
# the model's own call was refused, not the tool that was offered
_ABOUT_A_CALL = re.compile(
    r"tool_use_failed|did not match|failed_generation|call validation|generated", re.I
)
_CALLING = r"(?:tools?(?:[ _-]?(?:use|calls?|calling|choice))?|function[ _-]?call\w*|工具|函数)"
_NOT = r"(?:not|n't|n\u2019t|\bno|\bun|requires?|disabled|不|无)"
_ABLE = r"(?:support|enabl|availab|allow|implement|accept|capab|have|endpoint|--|支持|启用)"
_NO_TOOLS = re.compile(
    rf"{_NOT}\W{{0,3}}(?:\w+\W+){{0,3}}?{_ABLE}\w*\W{{0,3}}(?:\w+\W+){{0,6}}?{_CALLING}|"
    rf"{_CALLING}\b.{{0,40}}?{_NOT}\W{{0,3}}(?:\w+\W+){{0,2}}?{_ABLE}|"
    r"不支持.{0,8}(?:工具|函数|tool|function)|(?:工具|函数|tool|function)\w*.{0,8}不支持",
    re.I,
)
_TEMPLATE = re.compile(r"\broles?\b|\balternat|\btools?\b|function.?call|\bjinja|\btemplat", re.I)
_SYSTEM = re.compile(
    r"(?:system|developer)\W{0,3}(?:role|message|prompt|instruction)|"
    r"\brole\b.{0,80}?\b(?:system|developer)\b",
    re.I,
)
_MISSING = re.compile(r"required|missing|must (?:be|contain)|缺少|必填", re.I)
_MOST_TRIED = 20
Finder = Callable[[Any, Json], Iterator[Lesson]]


@dataclass(slots=True)
class Refused:
    """What one endpoint refuses of the requests for one model, each thing for an hour."""

    clock: Callable[[], float] = time.monotonic
    _until: dict[Lesson, float] = field(default_factory=dict[Lesson, float])

    @property
    def lessons(self) -> list[Lesson]:
        """What is known to be refused, now."""
        return [lesson for lesson, until in self._until.items() if until > self.clock()]

    @property
    def tools(self) -> list[str]:
        """The names of the tools among them, or `*` for all."""
        tools = [lesson for lesson in self.lessons if lesson.tool or lesson.path == ("tools",)]
        return [(lesson.tool and name_of(json.loads(lesson.tool))) or EVERY for lesson in tools]

    def keep(self, lessons: list[Lesson]) -> None:
        """An endpoint has taken what these have left of a request."""
        self._until = {lesson: self._until[lesson] for lesson in self.lessons}
        self._until |= dict.fromkeys(lessons, self.clock() + KNOWN_SECONDS)


class Trial:
    """One request that is tried without what was refused, one thing after the other.

    What did not help is put back, and what did not help alone is tried together: a refusal may name
    what it does not mean, or two things for as long as it misses one. Nothing is learnt before the
    endpoint has taken the rest.
    """

    def __init__(self, refused: Refused, body: Json) -> None:
        self._refused = refused
        self._body = body
        files = {id for _, id in files_in(body)}
        known = refused.lessons
        self._known = [each for each in known if not each.files or files & {*each.files}]
        self._learnt: list[Lesson] = []
        self._in_vain: list[Lesson] = []
        self._last: list[Lesson] = []
        self._together = 1
        self._said: Any = None
        self._again = True

    def request(self) -> Json:
        """What may be asked, as far as that is known."""
        request = json.loads(json.dumps(self._body))
        for lesson in (*self._known, *self._learnt):
            lesson.heed(request)
        return request

    def once_more(self, status: int, refusal: Any) -> bool:
        """Whether the same may be asked again, once: a server with files before it has failed, and
        does not say that it was for these."""
        request = self.request()
        again = self._again and status >= 500 and bool(files_in(request))
        self._again = False
        return again and not is_worded(refusal, request)

    def learn(self, refusal: Any) -> Lesson | None:
        """What to leave out besides, after this refusal; None where nobody knows."""
        before, self._said = self._said, ([*said.sentences(refusal)], [*said.fields(refusal)])
        if self._said == before and not any(lesson.tool for lesson in self._last):
            self._learnt = [lesson for lesson in self._learnt if lesson not in self._last]
            self._in_vain += [lesson for lesson in self._last if lesson not in self._in_vain]
        self._last = self._next(refusal)
        self._learnt += self._last
        return self._last[0] if self._last else None

    def _next(self, refusal: Any) -> list[Lesson]:
        tried = [*self._known, *self._learnt, *self._in_vain]
        if len(tried) >= _MOST_TRIED:
            return []
        request = self.request()
        named = lessons_of(refusal, request, tried, _NAMED)
        if not named and len(self._in_vain) > self._together:
            self._together = len(self._in_vain)
            return [*self._in_vain]
        return (named or lessons_of(refusal, request, tried, _GUESSED))[:1]

    def keep(self) -> list[Lesson]:
        """The endpoint has taken what was left: what it has taught."""
        self._refused.keep(self._learnt)
        return self._learnt


def lessons_of(
    refusal: Any, request: Json, known: list[Lesson], finders: tuple[Finder, ...]
) -> list[Lesson]:
    """What a refusal of the request teaches beyond what is known."""
    for find in finders:
        new = [lesson for lesson in dict.fromkeys(find(refusal, request)) if lesson not in known]
        if new:
            return new
    return []


def names_of_tools(request: Json) -> set[str]:
    """What the tools of a request are called."""
    return {name_of(tool) for tool in tools_of(request)}


def _no_content(refusal: Any, request: Json) -> Iterator[Lesson]:
    """A message that only calls has no content, and some want one."""
    if _misses(refusal, "content") and any(without_content(request)):
        yield Lesson(mend=NO_CONTENT)


def _no_thoughts(refusal: Any, request: Json) -> Iterator[Lesson]:
    """What was thought in another turn is not there any more, and some want it with each call."""
    if _misses(refusal, THOUGHT) and lacks_thoughts(request):
        yield Lesson(mend=NO_THOUGHT)
        yield Lesson(mend=UNTHOUGHT_CALLS)


def _misses(refusal: Any, name: str) -> bool:
    missing = "missing" in said.kinds(refusal) or any(map(_MISSING.search, said.sentences(refusal)))
    names = [*said.fields(refusal), *map(said.steps, said.sentences(refusal))]
    return missing and any(name in steps for steps in names)


def _paths(refusal: Any, request: Json) -> Iterator[Lesson]:
    """The places in the request that the refusal names and that it can do without."""
    places = [found(request, steps) for steps in (*said.fields(refusal), *said.named(refusal))]
    texts = [*said.refusing(refusal)]
    every = dict.fromkeys(all_paths(request))
    places += [path for path in every if any(map(spelt(path[-1]).search, texts))]
    places += [found(request, steps) for steps in said.guessed(refusal)]
    yield from (Lesson(path) for path in places if path and can_go(request, path))


def _roles(refusal: Any, request: Json) -> Iterator[Lesson]:
    """Some know no system, or call it the developer."""
    if has_instructions(request) and any(map(_SYSTEM.search, said.refusing(refusal))):
        texts = " ".join(said.sentences(refusal)).lower()
        if "system" in texts and "developer" in texts:
            yield Lesson(mend=NOT_AS_DEVELOPER)
        yield Lesson(mend=NOT_AS_USER)


def _instructions(refusal: Any, request: Json) -> Iterator[Lesson]:
    """The Responses API has a field for them, which some who speak it do not know."""
    names = (*said.fields(refusal), *said.named(refusal), *said.guessed(refusal))
    named = any(steps[-1].lower() == "instructions" for steps in names)
    if named and request.get("instructions") and not _misses(refusal, "instructions"):
        yield Lesson(mend=NOT_APART)


def _one_tool(refusal: Any, request: Json) -> Iterator[Lesson]:
    """The one tool that the refusal is about, by its place or by its name."""
    tools = tools_of(request)
    texts = [*said.sentences(refusal)]
    for text in (*(".".join(steps) for steps in said.fields(refusal)), *texts):
        numbers = [int(place) for place in _TOOL_PLACE.findall(text)]
        if numbers and numbers[-1] < len(tools):
            yield Lesson(tool=json.dumps(tools[numbers[-1]]))
            return
    if _is_about_a_call(refusal):
        return
    quoted = {name for text in texts if _SCHEMA.search(text) for name in _QUOTED.findall(text)}
    named = (tool for tool in tools if name_of(tool) in quoted)
    yield from (Lesson(tool=json.dumps(tool)) for tool in [*named][:1])


def _all_tools(refusal: Any, request: Json) -> Iterator[Lesson]:
    """A model that can't call tools may still answer."""
    knows_none = any(map(_NO_TOOLS.search, said.sentences(refusal)))
    if knows_none and tools_of(request) and not _is_about_a_call(refusal):
        yield Lesson(("tools",))


def _past_calls(refusal: Any, request: Json) -> Iterator[Lesson]:
    """A template that knows users and assistants only may still read of the calls."""
    if has_calls(request) and any(map(_TEMPLATE.search, said.sentences(refusal))):
        yield Lesson(mend=PAST_CALLS)


def _kinds_of_files(refusal: Any, request: Json) -> Iterator[Lesson]:
    """Many models read no pictures, and many endpoints take no files."""
    yield from (Lesson(kind=kind) for kind in kinds_refused(refusal, request))


def _files(refusal: Any, request: Json) -> Iterator[Lesson]:
    """One that can't be read would stand in the way of each further question."""
    yield from (Lesson(files=ids) for ids in tries(refusal, request))


def _is_about_a_call(refusal: Any) -> bool:
    return bool(_ABOUT_A_CALL.search(json.dumps(refusal)))


_NAMED = (_kinds_of_files, _no_content, _no_thoughts, _instructions, _roles, _paths)
_GUESSED = (_one_tool, _all_tools, _past_calls, _files)

"""One thing that an endpoint refuses, and a request that keeps to it."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from chatbridge.adapters.openai.files import in_words
from chatbridge.adapters.openai.instructions import (
    instruct_as_developer,
    instruct_as_user,
    instruct_in_input,
)
from chatbridge.adapters.openai.request_places import (
    Json,
    Path,
    give_empty_contents,
    name_of,
    remove,
    tools_of,
)
from chatbridge.adapters.openai.retold import (
    give_empty_thoughts,
    tell_calls,
    tell_calls_without_thoughts,
)

_WITH_TOOLS = ("tools", "tool_choice", "parallel_tool_calls")

NO_CONTENT = "no messages.*.content"
NO_THOUGHT = "no messages.*.reasoning_content"
UNTHOUGHT_CALLS = "calls without reasoning_content, which are told in words"
PAST_CALLS = "calls of the past, which are told in words"
NOT_APART = "instructions, which are the first message of the input"
NOT_AS_DEVELOPER = "the role of instructions, which are the developer's"
NOT_AS_USER = "instructions, which stand before the user's text"
_MENDS: dict[str, Callable[[Json], None]] = {
    NO_CONTENT: give_empty_contents,
    NO_THOUGHT: give_empty_thoughts,
    UNTHOUGHT_CALLS: tell_calls_without_thoughts,
    PAST_CALLS: tell_calls,
    NOT_APART: instruct_in_input,
    NOT_AS_DEVELOPER: instruct_as_developer,
    NOT_AS_USER: instruct_as_user,
}


@dataclass(frozen=True, slots=True)
class Lesson:
    """One thing that is refused: a name within a request, a tool, or what has another way to say.

    A `path` has `*` for each of a list; a tool is known by all of it, as JSON, so that one
    whose schema changes is offered again. `kind` is one of files; where an endpoint may have only
    stumbled at some, it is those `files`, by their ids.
    """

    path: Path = ()
    tool: str = ""
    mend: str = ""
    kind: str = ""
    files: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.kind or self.files:
            return f"{self.kind}s" if self.kind else f"{len(self.files)} files of one conversation"
        if self.tool:
            return f"the tool {name_of(json.loads(self.tool))}"
        return self.mend or ".".join(self.path)

    def heed(self, request: Json) -> None:
        """Make the request one that keeps to it."""
        if self.kind or self.files:
            in_words(request, self.kind, self.files)
        elif self.tool:
            left = [tool for tool in tools_of(request) if json.dumps(tool) != self.tool]
            request |= {"tools": left} if "tools" in request else {}
        elif self.mend:
            _MENDS[self.mend](request)
        elif self.path:
            remove(request, self.path)
        if not request.get("tools"):
            for name in _WITH_TOOLS:
                request.pop(name, None)

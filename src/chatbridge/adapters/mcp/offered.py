"""What of a tool server the model gets: some of its tools, mended, never the choice of the user."""

import json
import logging
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from typing import Any

from chatbridge.adapters.mcp.approval import Approval, asks
from chatbridge.adapters.mcp.exchange import Alive, Answer, Source
from chatbridge.adapters.mcp.listed import ListedTool
from chatbridge.domain.model.tool import OnBehalf, ToolRequest
from chatbridge.domain.model.tool_schema import Unfit, fitted, hidden, renamed, restored

_log = logging.getLogger(__name__)

LONGEST_DESCRIPTION = 1_024
"""The characters that some endpoints allow; what is longer goes on in the schema."""
_LONGEST_WORDS = 10_000
_LONGEST_NAME = 256
_LONGEST_INSTRUCTIONS = 4_000
_NAME = re.compile(r"[\w./:@-]{1,128}")


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedTool:
    """A server's tool by its own name, whether the user is put into its arguments, and whether it
    asks a person before it is run.

    `own_names` are the arguments' own, by those that stand for them in the parameters.
    `fingerprint` is of all that the server says of it. `described_by` says in words what a call
    with the same arguments would do.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    takes_user: bool = False
    asks: bool = False
    fingerprint: str = ""
    own_names: Mapping[str, str] = field(default_factory=dict[str, str])
    described_by: "OfferedTool | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedList:
    """What is offered of a server, what is not by name with the reason, and its instructions."""

    tools: tuple[OfferedTool, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict[str, str])
    instructions: str = ""


class Offered:
    """A source with only the tools named `only` (None: all), and without their `user_argument`.

    Each tool's schema is made fit for every model; a tool whose can't be is left out. The user's
    argument is in no schema that is listed. In a call, whatever the model says for it is dropped,
    and the user is put in where the tool takes it. `instructions` lets the server's own through.
    `approval` says which tools ask a person. A tool that describes another one's calls is not
    offered.
    """

    def __init__(
        self,
        source: Source,
        *,
        only: Sequence[str] | None = None,
        user_argument: str | None = None,
        instructions: bool = False,
        approval: Approval = "never",
    ) -> None:
        self.source = source
        self._only = only
        self._user_argument = user_argument
        self._instructions = instructions
        self._approval: Approval = approval
        self._logged: set[str] = set()

    async def tools(self, on_behalf: OnBehalf) -> OfferedList:
        """Those of the server's tools that are offered, in its order."""
        listed = await self.source.tools(on_behalf)
        left_out = dict(listed.left_out)
        offered: list[OfferedTool] = []
        describing = _describing(listed.tools)
        for tool in self._chosen([each for each in listed.tools if each.name not in describing]):
            try:
                described_by = self._asked_first(describing.get(tool.described_by))
                offered.append(replace(self._offered(tool), described_by=described_by))
            except Unfit as unfit:
                left_out[tool.name[:_LONGEST_NAME]] = str(unfit)
        self._tell(left_out)
        self._tell_missing("approval", self._approval, listed.tools)
        return OfferedList(
            tools=tuple(offered),
            left_out=left_out,
            instructions=self._heeded(listed.instructions or ""),
        )

    async def call(
        self, tool: OfferedTool, request: ToolRequest, on_behalf: OnBehalf, alive: Alive
    ) -> Answer:
        """Call the tool, once."""
        arguments = dict(restored(request.arguments, tool.own_names))
        if self._user_argument is not None:
            arguments.pop(self._user_argument, None)
            if tool.takes_user:
                arguments[self._user_argument] = on_behalf.user_id
        asked = replace(request, name=tool.name, arguments=arguments)
        return await self.source.call(asked, on_behalf, alive)

    def _chosen(self, tools: list[ListedTool]) -> list[ListedTool]:
        if self._only is None:
            return tools
        self._tell_missing("tools", self._only, tools)
        return [tool for tool in tools if tool.name in self._only]

    def _offered(self, tool: ListedTool) -> OfferedTool:
        if len(tool.name) > _LONGEST_NAME:
            raise Unfit(f"its name has more than {_LONGEST_NAME} characters")
        schema, takes_user = fitted(tool.schema), False
        if self._user_argument is not None:
            schema, takes_user = hidden(schema, self._user_argument)
        schema, own_names = renamed(schema)
        words = tool.description
        return OfferedTool(
            name=tool.name,
            own_names=own_names,
            description=words[:LONGEST_DESCRIPTION],
            parameters=_with_the_rest(schema, words[LONGEST_DESCRIPTION:_LONGEST_WORDS]),
            takes_user=takes_user,
            asks=asks(self._approval, tool.name, tool.hints),
            fingerprint=_hash_of(tool),
        )

    # one that would ask itself is no way around its question
    def _asked_first(self, tool: ListedTool | None) -> OfferedTool | None:
        if tool is None or asks(self._approval, tool.name, tool.hints):
            return None
        with suppress(Unfit):
            return self._offered(tool)
        return None

    def _heeded(self, instructions: str) -> str:
        if instructions and not self._instructions:
            self._log_once(
                "it has instructions for the model, which are not passed on: `instructions` in its "
                "setting would",
                logging.INFO,
            )
        return instructions[:_LONGEST_INSTRUCTIONS] if self._instructions else ""

    def _tell(self, left_out: Mapping[str, str]) -> None:
        for name, reason in left_out.items():
            self._log_once(f"{_shown(name)} is not offered: {reason}")

    def _tell_missing(
        self, setting: str, names: Sequence[str] | str, tools: list[ListedTool]
    ) -> None:
        listed = {tool.name for tool in tools}
        if not isinstance(names, str) and (missing := sorted(set(names) - listed)):
            self._log_once(f"it has no tool {', '.join(missing)}, which its `{setting}` names")

    def _log_once(self, message: str, level: int = logging.WARNING) -> None:
        if message not in self._logged and len(self._logged) < 1_000:
            self._logged.add(message)
            _log.log(level, "tool server %s: %s", self.source.name, message)


def _describing(tools: Sequence[ListedTool]) -> dict[str, ListedTool]:
    """Those that describe other tools' calls, by name: they say that they only read."""
    named = {tool.described_by for tool in tools if tool.described_by != tool.name}
    return {
        tool.name: tool
        for tool in tools
        if tool.name in named and tool.hints.get("readOnlyHint") is True
    }


def _hash_of(tool: ListedTool) -> str:
    return sha256(json.dumps(asdict(tool), sort_keys=True).encode()).hexdigest()


# what no server would call a tool may be anything that it was told
def _shown(name: str) -> str:
    return f"'{name}'" if _NAME.fullmatch(name) else "a tool without a proper name"


def _with_the_rest(schema: dict[str, Any], rest: str) -> dict[str, Any]:
    if not rest:
        return schema
    own = schema.get("description", "")
    return schema | {"description": f"(The tool's description goes on:) {rest}\n{own}".strip()}

"""Tools of the port as tools of the Agents SDK, and the hooks around every tool of a run."""

import asyncio
import json
import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any, cast

from agents import Agent, FunctionTool, RunContextWrapper, RunHooks, ToolErrorFormatterArgs
from agents import Tool as SdkTool
from agents.exceptions import ModelBehaviorError
from agents.tool_context import ToolContext

from chatbridge.adapters.openai.absent import not_yet_shown, words_for
from chatbridge.adapters.openai.arguments import parsed_arguments
from chatbridge.adapters.openai.calls import NOT_JSON, Call, Calls
from chatbridge.adapters.openai.elicited import replies
from chatbridge.adapters.openai.outputs import shown_output
from chatbridge.adapters.openai.standing import Standing
from chatbridge.domain.model.approval import Proposal
from chatbridge.domain.model.identifiers import new_message_id
from chatbridge.domain.model.message import cleaned
from chatbridge.domain.model.question import Answers, Form
from chatbridge.domain.model.tool import Ask, Away, Brought, Tool, ToolRequest, ToolResult
from chatbridge.domain.model.tool_call import listing_of
from chatbridge.domain.model.words import in_a_line
from chatbridge.ports.agent_runner import AgentRequest
from chatbridge.ports.tool_provider import ToolProvider

log = logging.getLogger(__name__)

_CHANGED = (
    "The tool is described in another way than when the person approved this call, so it was not "
    "run. Call it again if it is still wanted: the person is asked again."
)
_DESCRIBING_SECONDS = 2.0
_CRASHED = "The tool failed because of an unexpected error."


class Toolbox:
    """The tools of one run; each is called for the request's user, under the call's own id.

    `rest` ends the run with this step: a tool wants answers of a person before it goes on.
    """

    def __init__(
        self,
        provider: ToolProvider,
        request: AgentRequest,
        calls: Calls,
        standing: Standing,
        rest: Callable[[], None],
    ) -> None:
        self._provider = provider
        self._on_behalf = request.on_behalf
        self._window = request.window
        self._calls = calls
        self._standing = standing
        self._rest = rest
        self._ask = request.ask
        self._keep = request.keep
        self._replies = replies(request.before)
        self.away: tuple[Away, ...] = ()
        self.instructions: Mapping[str, str] = {}
        self.tasks: set[asyncio.Task[Any]] = set()

    async def open(self, own: Collection[str]) -> list[SdkTool]:
        """The tools that can be called now, as the SDK wants them; what is `away` is shown.

        Of two tools of one name, the agent's `own` is the one that is meant.
        """
        offered = await self._provider.tools(self._on_behalf)
        tools = [tool for tool in offered if tool.name not in own]
        self.away = self._provider.away(self._on_behalf)
        self.instructions = self._provider.instructions(self._on_behalf)
        step = new_message_id()
        for each in not_yet_shown(self.away, self._window):
            self._calls.report(step, listing_of(each.source), words_for(each))
        self._calls.sources = {tool.name: tool.source for tool in tools}
        functions = [self._function(tool) for tool in tools]
        named = zip(tools, functions, strict=True)
        self._calls.asking = {t.name: t for t, f in named if t.asks and f.needs_approval}
        return [*functions]

    async def described(
        self, call: Call, arguments: str | None, proposal: Proposal | None
    ) -> Proposal | None:
        """What is proposed, with what its tool's server says that it would do, if it does."""
        tool, parsed = self._calls.asking.get(call.name), parsed_arguments(arguments or "{}")
        # a tool of the host's own may have the same name
        if not (tool and proposal and proposal.fingerprint == tool.fingerprint) or parsed is None:
            return proposal
        request = ToolRequest(call_id=call.id, name=tool.name, arguments=parsed)
        try:
            async with asyncio.timeout(_DESCRIBING_SECONDS):
                words = await self._provider.describe(request, self._on_behalf)
        except Exception as error:
            log.warning("what %s would do is not described (%s)", tool.name, type(error).__name__)
            return proposal
        return replace(proposal, words=in_a_line(cleaned(words)))

    def _function(self, tool: Tool) -> FunctionTool:
        async def invoke(context: ToolContext[Any], arguments: str) -> str:
            return await self._invoke(tool, context.tool_call_id, arguments)

        function = FunctionTool(
            name=tool.name,
            description=tool.description,
            params_json_schema=dict(tool.parameters),
            on_invoke_tool=invoke,
            strict_json_schema=False,
            needs_approval=self._asks if tool.asks else False,
        )
        if tool.asks != "approval":
            return function
        return self._standing.settle(
            function, tool.source, tool.fingerprint, may_stand=tool.may_stand
        )

    async def _asks(self, _: RunContextWrapper[Any], __: Any, provider_id: str) -> bool:
        call = self._calls.find(provider_id)
        return call is None or not call.unfit

    async def _invoke(self, tool: Tool, provider_id: str, arguments: str) -> str:
        self._remember_task()
        call = self._calls.find(provider_id)
        if call is None:
            raise LookupError("The SDK runs a call that the model has not made.")
        if call.proposal and call.proposal.fingerprint != tool.fingerprint:
            call.withdrawn = True
            return _CHANGED
        result = await self._result(call, tool.name, arguments)
        call.failed, call.unknown, call.result = result.failed, result.unknown, result
        if result.wants:
            call.wants = result.wants
            self._rest()
        return cleaned("\n".join(filter(None, [result.output, *await self._kept(call, result)])))

    async def _kept(self, call: Call, result: ToolResult) -> tuple[str, ...]:
        """What became of what it has made, in words."""
        if not result.made:
            return ()
        kept = await self._keep(result.made)
        call.files = kept.files
        return kept.words

    def _asker(self, call: Call) -> Ask | None:
        ask = self._ask
        if ask is None:
            return None

        async def asking(form: Form) -> Answers | None:
            return await ask(self._calls.asks_meanwhile(call, form))

        return asking

    async def _result(self, call: Call, name: str, arguments: str) -> ToolResult:
        parsed = parsed_arguments(arguments)
        if call.unfit or parsed is None:
            return ToolResult(output=call.unfit or NOT_JSON, failed=True)
        request = ToolRequest(
            call_id=call.id,
            name=name,
            arguments=parsed,
            ask=self._asker(call),
            reply=self._replies.pop(call.id, None),
        )
        try:
            return await self._provider.call(request, self._on_behalf)
        except Exception as error:
            log.error("the tool provider failed", exc_info=error)
            return ToolResult(output=_CRASHED, failed=True)

    # The SDK lets go of a tool's task when it is cancelled; whoever closes the run waits for it.
    def _remember_task(self) -> None:
        task = cast(asyncio.Task[Any], asyncio.current_task())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


class ToolHooks(RunHooks[Any]):
    """Asks before each tool runs, and reports each end at once.

    The SDK's own output events come together, when the slowest tool of a step has ended.
    """

    def __init__(
        self,
        request: AgentRequest,
        calls: Calls,
        standing: Standing,
        fail: Callable[[Exception], None],
    ) -> None:
        self._before_call = request.before_call
        self._after_call = request.after_call
        self._calls = calls
        self._standing = standing
        self._fail = fail

    async def on_tool_start(
        self, context: RunContextWrapper[Any], agent: Agent[Any], tool: SdkTool
    ) -> None:
        """Wait until the call is durable; if it can't be, the run ends."""
        call = self._calls.find(_provider_id(context))
        if call:
            call.agent = cleaned(agent.name)
        await self._begin(call)
        if call:
            self._standing.note(tool, call.id)

    async def before_handoff(self, tool_name: str) -> None:
        """The same, before the host's agent hands over."""
        await self._begin(self._calls.unfinished(tool_name))

    async def _begin(self, call: Call | None) -> None:
        if call is None:
            return
        self._calls.begin(call)
        try:
            await self._before_call(call.id)
        except Exception as error:
            self._fail(error)
            raise

    async def on_tool_end(
        self, context: RunContextWrapper[Any], agent: Agent[Any], tool: SdkTool, result: object
    ) -> None:
        """Report the end of the call, and what it has brought."""
        call = self._calls.find(_provider_id(context))
        is_new = call is not None and not call.finished and not call.wants
        self._calls.finish(_provider_id(context), shown_output(result))
        if call and is_new and call.outcome == "succeeded" and self._after_call:
            given = context.tool_arguments if isinstance(context, ToolContext) else ""
            await self._after_call(_brought(call, given, shown_output(result)))

    def failed(self, context: RunContextWrapper[Any], error: BaseException) -> None:
        """The host's tool is about to make an answer out of an error."""
        self._fail_call(self._calls.find(_provider_id(context)), error)

    def describe(self, error: ToolErrorFormatterArgs[Any]) -> str | None:
        """What the model reads about a tool that raised or that there is not."""
        self._fail_call(self._calls.find(error.call_id), error.error)
        if error.kind != "tool_not_found":
            return None
        text = f"There is no tool named {cleaned(error.tool_name)}, so nothing was run."
        self._calls.finish(error.call_id, text)
        return text

    def _fail_call(self, call: Call | None, error: BaseException | None) -> None:
        if call is None:
            return
        call.failed = True
        # arguments that a tool does not take are the model's mistake, and no crash
        if error is not None and not isinstance(error, ModelBehaviorError):
            log.error("the tool %s failed in call %s", call.name, call.id, exc_info=error)


def _brought(call: Call, arguments: str, output: str) -> Brought:
    result = call.result or ToolResult(output=output)
    return Brought(
        call_id=call.id,
        name=call.name,
        arguments=parsed_arguments(arguments) or {},
        output=cleaned(output),
        data=result.data if result.data is not None else _read(output),
        widget=result.widget,
        acts=result.acts,
    )


def _read(output: str) -> Any:
    try:
        return json.loads(output)
    except (ValueError, RecursionError):
        return None


def _provider_id(context: RunContextWrapper[Any]) -> str | None:
    return context.tool_call_id if isinstance(context, ToolContext) else None

"""The host's own function tools in one run: copies that tell when they fail, and in JSON."""

import copy
import json
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from functools import wraps
from inspect import isawaitable
from typing import Any

from agents import (
    CodeInterpreterTool,
    FileSearchTool,
    FunctionTool,
    HostedMCPTool,
    ImageGenerationTool,
    RunContextWrapper,
    Tool,
    WebSearchTool,
)
from agents.tool import (
    ToolErrorFunction,
    default_tool_timeout_error_message,
    resolve_function_tool_failure_error_function,
    set_function_tool_failure_error_function,
)
from agents.tool_context import ToolContext

from chatbridge.adapters.openai.arguments import parsed_arguments
from chatbridge.adapters.openai.outputs import readable_output
from chatbridge.adapters.openai.unoffered import Unoffered
from chatbridge.domain.model.tool_schema import Unfit, fitted, is_strict, renamed, restored
from chatbridge.ports.host_code import HostLeft, brought

HOSTED_TOOLS = (
    CodeInterpreterTool,
    FileSearchTool,
    HostedMCPTool,
    ImageGenerationTool,
    WebSearchTool,
)
Failed = Callable[[RunContextWrapper[Any], BaseException], None]
Invoke = Callable[[ToolContext[Any], str], Awaitable[Any]]


def fit_tools(agent: str, tools: Iterable[Tool], unoffered: Unoffered) -> Iterator[Tool]:
    """The agent's tools, with schemas that every model takes; without one it is left out."""
    for tool in tools:
        try:
            yield _fit(tool) if isinstance(tool, FunctionTool) else tool
        except Unfit as unfit:
            unoffered.note(f"agent {agent}", tool.name, str(unfit))


def _fit(tool: FunctionTool) -> FunctionTool:
    given, (schema, own_names) = tool.params_json_schema, renamed(fitted(tool.params_json_schema))
    if schema == given:
        return tool
    copied = copy.copy(tool)
    copied.params_json_schema = schema
    copied.strict_json_schema = tool.strict_json_schema and is_strict(schema)
    if own_names:
        copied.on_invoke_tool = _under_own_names(tool.on_invoke_tool, own_names)
    return copied


def _under_own_names(invoke: Invoke, own_names: Mapping[str, str]) -> Invoke:
    @wraps(invoke)
    async def named(context: ToolContext[Any], arguments: str) -> Any:
        parsed = parsed_arguments(arguments)
        if parsed is not None:
            arguments = json.dumps(restored(parsed, own_names), ensure_ascii=False)
        return await invoke(context, arguments)

    return named


def telling(tool: Tool, failed: Failed) -> Tool:
    """The tool, which calls `failed` before it makes an answer out of an error.

    The SDK gives such an answer out as any other: that it stands for an error is known only to the
    function that words it.
    """
    if not isinstance(tool, FunctionTool):
        return tool
    copied = copy.copy(tool)
    words = resolve_function_tool_failure_error_function(tool)
    if words is not None and not _told_by_the_sdk(tool):
        set_function_tool_failure_error_function(copied, _noting(words, failed))
    if tool.timeout_seconds is not None:
        late = tool.timeout_error_function or _late(tool.name, tool.timeout_seconds)
        copied.timeout_error_function = _noting(late, failed)
    copied.on_invoke_tool = _staying(copied.on_invoke_tool, words, failed)
    return copied


# The SDK takes `str()` of whatever a tool brings, and reads marks of its own at what it invokes.
def _staying(invoke: Invoke, words: ToolErrorFunction | None, failed: Failed) -> Invoke:
    @wraps(invoke)
    async def readable(context: ToolContext[Any], arguments: str) -> Any:
        try:
            return readable_output(await brought(invoke, context, arguments))
        except HostLeft as left:
            failed(context, left)
            if words is None:
                raise
            said = words(context, left)
            return await said if isawaitable(said) else said

    return readable


# Where a tool has no words of its own for a failure, a run's `tool_error_formatter` is asked.
def _told_by_the_sdk(tool: FunctionTool) -> bool:
    return bool(getattr(tool, "_use_default_failure_error_function", False))


def _noting(words: ToolErrorFunction, failed: Failed) -> ToolErrorFunction:
    def noted(context: RunContextWrapper[Any], error: Exception) -> Any:
        failed(context, error)
        return words(context, error)

    return noted


def _late(name: str, seconds: float) -> ToolErrorFunction:
    message = default_tool_timeout_error_message(tool_name=name, timeout_seconds=seconds)
    return lambda _context, _error: message

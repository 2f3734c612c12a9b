"""What a call brought, or what went wrong with it, in words that the model can use."""

import json
import logging

import httpx2
from mcp import MCPError
from mcp_types import (
    CONNECTION_CLOSED,
    INTERNAL_ERROR,
    INVALID_REQUEST,
    PARSE_ERROR,
    ContentBlock,
    EmbeddedResource,
    InputRequiredResult,
    ResourceLink,
    TextContent,
    TextResourceContents,
)

from chatbridge.adapters.mcp.exchange import Answer, Refused, Unreachable
from chatbridge.domain.model.tool import ToolResult

LONGEST_OUTPUT = 50_000
_LONGEST_REASON = 200

_log = logging.getLogger(__name__)

_NOT_SENT = (
    Unreachable,
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
)
# the client's own words for what it can't read: nonsense, or an HTTP status of a gateway's
_NOT_READ = (PARSE_ERROR, INVALID_REQUEST, INTERNAL_ERROR)


def answered(tool: str, answer: Answer) -> ToolResult:
    """The text and the links of a tool's answer, cut at 50,000 characters."""
    if isinstance(answer, InputRequiredResult):
        return failed("The tool asks for more input than its arguments, which is not supported.")
    texts = [text for block in answer.content if (text := _text(block)) is not None]
    if not texts and answer.structured_content is not None:
        texts = [json.dumps(answer.structured_content, ensure_ascii=False)]
    output = "\n".join(texts)
    if answer.is_error:
        # put there by servers on the Python SDK; the person in the chat reads this too
        output = output.removeprefix(f"Error executing tool {tool}: ")
    return ToolResult(output=_capped(output), failed=answer.is_error)


def timed_out(seconds: float) -> ToolResult:
    """The tool was asked and has not answered."""
    return _unknown(f"The tool did not answer within {seconds:g} s")


def unknown_tool(name: str) -> ToolResult:
    """No server has a tool of that name."""
    return failed(f"There is no tool '{name}'.")


def gone_wrong(server: str, error: Exception) -> ToolResult:
    """The failed result for what a tool server's transport or protocol raised."""
    if isinstance(error, _NOT_SENT):
        _log.warning("tool server %s: not reached (%r)", server, error)
        return failed(f"The tool server '{server}' can't be reached right now.")
    if isinstance(error, Refused):
        _log.warning("tool server %s: refused a call (%s)", server, error)
        return failed(f"The tool server '{server}' refused the call ({error}); nothing was done.")
    if _lost(error):
        _log.warning("tool server %s: connection lost during a call (%r)", server, error)
        return _unknown(f"The connection to the tool server '{server}' was lost")
    if isinstance(error, MCPError):
        _log.warning("tool server %s: protocol error %s: %s", server, error.code, error)
        return _refused(server, error)
    _log.error("tool server %s: a call failed unexpectedly", server, exc_info=error)
    return _unknown(f"The call to the tool server '{server}' failed")


def failed(output: str) -> ToolResult:
    """A failed result with these words."""
    return ToolResult(output=output, failed=True)


def _refused(server: str, error: MCPError) -> ToolResult:
    if error.code in _NOT_READ:
        first = str(error).partition("\n")[0][:_LONGEST_REASON]
        return _unknown(f"The tool server '{server}' gave no answer that can be read ({first})")
    return failed(_capped(f"The tool server '{server}' answered with an error: {error}"))


def _unknown(what: str) -> ToolResult:
    return ToolResult(
        output=f"{what}; whether the tool did its work is unknown. Check before trying again.",
        failed=True,
        unknown=True,
    )


def _text(block: ContentBlock) -> str | None:
    match block:
        case TextContent():
            return block.text
        case ResourceLink():
            return f"{block.title or block.name}: {block.uri}"
        case EmbeddedResource(resource=TextResourceContents() as resource):
            return resource.text
        case _:
            return None


def _lost(error: Exception) -> bool:
    if isinstance(error, MCPError):
        return error.code == CONNECTION_CLOSED
    return isinstance(error, httpx2.TransportError)


def _capped(output: str) -> str:
    if len(output) <= LONGEST_OUTPUT:
        return output
    note = f"[Cut here: {len(output):,} characters, of which {LONGEST_OUTPUT:,} are shown.]"
    return f"{output[:LONGEST_OUTPUT]}\n{note}"

"""What a call brought, or what went wrong with it, in words that the model can use."""

import logging
from typing import Any, cast

import httpx2
from mcp import MCPError
from mcp_types import (
    CONNECTION_CLOSED,
    INVALID_REQUEST,
    PARSE_ERROR,
    CallToolResult,
    InputRequiredResult,
    TextContent,
)

from chatbridge.adapters.mcp.answers import LONGEST_OUTPUT, WITHOUT_WORDS, added
from chatbridge.adapters.mcp.contents import Contents
from chatbridge.adapters.mcp.elicitation.forms import Unaskable
from chatbridge.adapters.mcp.elicitation.requests import pages_first, wanted
from chatbridge.adapters.mcp.envelopes import TO_ANOTHER_CALL
from chatbridge.adapters.mcp.exchange import Answer, NoMessage, Refused, TooLarge, Unreachable
from chatbridge.domain.model.tool import ToolResult
from chatbridge.domain.model.words import quoted

_LONGEST_REASON = 200
_LONGEST_DATA = 2_000

_log = logging.getLogger(__name__)

_NOT_SENT = (
    Unreachable,
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
)
# What the client itself makes an error of, by its code and how its words begin; a server's own
# errors bear any number. First: nothing came. Then: what came is nonsense.
_NOTHING_CAME = ((CONNECTION_CLOSED, "Connection closed"), (CONNECTION_CLOSED, "SSE stream "))
_NOT_READ = (
    (PARSE_ERROR, "Failed to parse "),
    (INVALID_REQUEST, "server answered a request with 202"),
    (INVALID_REQUEST, TO_ANOTHER_CALL),
)


def answered(
    server: str, tool: str, answer: Answer, widget: str | None = None, *, acts: bool = False
) -> ToolResult:
    """The text of a tool's answer, cut at 50,000 characters; of one that failed, in quotes. Or what
    it wants of a person.

    `widget` is the key under which its server gives a widget, in its data or its metadata.
    """
    if isinstance(answer, InputRequiredResult):
        try:
            return ToolResult(output="", wants=wanted(server, answer))
        except Unaskable as why:
            return failed(
                f"The tool server '{server}' {why}, so it was not asked and nothing more was done."
            )
    found = Contents(answer.meta, tool)
    output = "\n".join(filter(None, [_text(answer), *found.said]))
    made, links = tuple(found.made), tuple(found.links)
    if answer.is_error:
        # put there by servers on the Python SDK; the person in the chat reads this too
        output = output.removeprefix(f"Error executing tool {tool}: ")
        words = quoted(_capped(output)) if output else output
        return ToolResult(output=words, failed=True, made=made, links=links)
    return ToolResult(
        output=_capped(output),
        made=made,
        links=links,
        data=answer.structured_content,
        widget=_held(answer, widget) if widget else None,
        acts=acts,
    )


def told(answer: Answer) -> str:
    """The text of an answer that went well; of any other nothing."""
    if not isinstance(answer, CallToolResult) or answer.is_error:
        return ""
    return "" if (text := _text(answer)) == WITHOUT_WORDS else text


def _text(answer: CallToolResult) -> str:
    return "\n".join(block.text for block in answer.content if isinstance(block, TextContent))


def _held(answer: CallToolResult, key: str) -> Any:
    for held in (answer.structured_content, answer.meta):
        if isinstance(held, dict) and key in held:
            return cast(dict[str, Any], held)[key]
    return None


def pages_needed(server: str, error: MCPError) -> ToolResult:
    """A page is to be opened before the call can be made."""
    try:
        return ToolResult(output="", wants=pages_first(server, error.data))
    except (Unaskable, TypeError):
        return _refused(server, error)


def timed_out(seconds: float) -> ToolResult:
    """The tool was asked and has not answered."""
    return _unknown(f"The tool did not answer within {seconds:g} s")


def too_deep(levels: int) -> ToolResult:
    """The arguments were not sent."""
    return failed(
        f"The arguments are nested in more than {levels} levels, so the tool was not run. "
        "Make them flatter."
    )


def unknown_tool(name: str) -> ToolResult:
    """No server has a tool of that name."""
    return failed(f"There is no tool '{name}'.")


def not_reached(server: str) -> ToolResult:
    """Nothing was asked of the server."""
    return failed(f"The tool server '{server}' can't be reached right now.")


def gone_wrong(server: str, error: Exception) -> ToolResult:
    """The failed result for what a tool server's transport or protocol raised."""
    if isinstance(error, _NOT_SENT):
        _log.warning("tool server %s: not reached (%s)", server, type(error).__name__)
        return not_reached(server)
    if isinstance(error, Refused):
        _log.warning("tool server %s: refused a call (%s)", server, error.words)
        return failed(f"The tool server '{server}' refused the call ({error}); nothing was done.")
    if isinstance(error, NoMessage):
        _log.warning("tool server %s: no answer that can be read (%s)", server, error.words)
        return _not_read(server, str(error))
    if isinstance(error, TooLarge):
        _log.warning("tool server %s: answered a call with %s", server, error.words)
        return failed(
            f"The tool server '{server}' answered with {error}, which was not read. Ask for less."
        )
    if _lost(error):
        _log.warning("tool server %s: connection lost during a call", server)
        return _unknown(f"The connection to the tool server '{server}' was lost")
    if isinstance(error, MCPError):
        return _refused(server, error)
    _log.error("tool server %s: a call failed unexpectedly", server, exc_info=error)
    return _unknown(f"The call to the tool server '{server}' failed")


def failed(output: str) -> ToolResult:
    """A failed result with these words."""
    return ToolResult(output=output, failed=True)


def _refused(server: str, error: MCPError) -> ToolResult:
    if _is_one_of(_NOT_READ, error):
        first = str(error).partition("\n")[0][:_LONGEST_REASON]
        _log.warning("tool server %s: no answer that can be read (%s)", server, first)
        return _not_read(server, first)
    _log.warning("tool server %s: protocol error %s", server, error.code)
    words = added(str(error)[:LONGEST_OUTPUT], error.data, _LONGEST_DATA)
    return failed(f"The tool server '{server}' answered with an error: {quoted(_capped(words))}")


def _not_read(server: str, why: str) -> ToolResult:
    return _unknown(f"The tool server '{server}' gave no answer that can be read ({why})")


def _unknown(what: str) -> ToolResult:
    return ToolResult(
        output=f"{what}; whether the tool did its work is unknown. Check before trying again.",
        failed=True,
        unknown=True,
    )


def _is_one_of(own: tuple[tuple[int, str], ...], error: MCPError) -> bool:
    return any(error.code == code and str(error).startswith(words) for code, words in own)


def _lost(error: Exception) -> bool:
    if isinstance(error, MCPError):
        return _is_one_of(_NOTHING_CAME, error)
    return isinstance(error, httpx2.TransportError)


def _capped(output: str) -> str:
    if len(output) <= LONGEST_OUTPUT:
        return output
    note = f"[Cut here: {len(output):,} characters, of which {LONGEST_OUTPUT:,} are shown.]"
    return f"{output[:LONGEST_OUTPUT]}\n{note}"

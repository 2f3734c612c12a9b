"""Whether the bundled tools are where they will be called."""

import asyncio
import logging
from collections.abc import Callable

import httpx

_log = logging.getLogger(__name__)

_TRIES = 3
_PATIENCE = 5.0
_PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
_ACCEPT = "application/json, text/event-stream"


async def look_for_tasks(
    url: str, token: Callable[[], str], http: httpx.AsyncClient, *, pause: float = 1.0
) -> None:
    """Say once in the log what to set where they are not.

    Whoever serves us does so only after our own start: it is tried thrice, with pauses in seconds.
    """
    said = ""
    for _ in range(_TRIES):
        await asyncio.sleep(pause)
        said = await _asked(url, token(), http)
        if not said:
            return
    _log.warning(
        "The bundled task tools are not served at %s (%s). Where chatbridge is mounted in another "
        "application, CHATBRIDGE_MCP__TASKS_URL is the address there, with /mcp/tasks at its end; "
        "CHATBRIDGE_AGENT__TOOLS=servers does without them.",
        url,
        said,
    )


async def _asked(url: str, token: str, http: httpx.AsyncClient) -> str:
    """What is wrong there; nothing, if they answer."""
    headers = {"Authorization": f"Bearer {token}", "Accept": _ACCEPT}
    try:
        async with asyncio.timeout(_PATIENCE):
            answer = await http.post(url, json=_PING, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        return type(error).__name__
    answers = answer.status_code == 200 and '"jsonrpc"' in answer.text[:1000]
    return "" if answers else f"{answer.status_code}"

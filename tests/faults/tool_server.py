"""A tool server as a process: one tool with an effect, and a log of each time it took place."""

import asyncio
import sys
from pathlib import Path

import asyncpg
from mcp.server import MCPServer
from mcp.server.mcpserver import Context

from tests.faults import child

KEY = "chatbridge/idempotency-key"
"""Where in a request's `_meta` chatbridge names the call."""

_RECORDED = """
select exists (select from chatbridge.turn_events
  where event->>'type' = 'tool_call.started' and event->'call'->>'arguments' like $1)"""
_APPROVED = """
select exists (select from chatbridge.turn_events s
  join chatbridge.turn_events a on a.user_id = s.user_id and a.turn_id = s.turn_id
    and a.event->>'call_id' = s.event->'call'->>'id' and a.event->>'decision' = 'approved'
  join chatbridge.turn_events r on r.user_id = s.user_id and r.turn_id = s.turn_id
    and r.number > a.number and r.event->>'type' = 'turn.resumed'
  where s.event->>'type' = 'tool_call.started' and s.event->'call'->>'arguments' like $1)"""


DATABASE = "x-faults-database"
"""The header that names the database of whoever calls."""


def tool_server(notes: child.Notes) -> MCPServer:
    """Its only tool is `charge`: what must not happen twice, nor unnoticed.

    Each time it first looks for itself whether the call is in its caller's database, and whether it
    was approved there, and its turn has gone on.
    """
    server = MCPServer("ledger", log_level="ERROR")

    async def charge(order: str, pause: float, context: Context) -> str:
        """Charge an order. It takes `pause` seconds after the effect."""
        connection = await asyncpg.connect((context.headers or {})[DATABASE])
        recorded, approved = [
            await connection.fetchval(whether, f'%"{order}"%') for whether in (_RECORDED, _APPROVED)
        ]
        await connection.close()
        meta = context.request_context.meta or {}
        seen = {"recorded": recorded, "approved": approved}
        notes.write("charged", order=order, key=meta.get(KEY), **seen)
        await asyncio.sleep(pause)
        return f"charged {order}"

    server.add_tool(charge, structured_output=False)
    return server


if __name__ == "__main__":
    server = tool_server(child.Notes(Path(sys.argv[1])))
    child.serve(server.streamable_http_app(stateless_http=True))

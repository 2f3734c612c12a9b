"""The growing tool server as one of 2025-06-18, which tells all its clients, in plain JSON."""

import json
import sys
from typing import Any

offered = ["grow"]


def result_of(method: str, parameters: dict[str, Any]) -> dict[str, Any] | None:
    """What is answered; None: there is no such method."""
    match method:
        case "initialize":
            return {
                "protocolVersion": "2025-06-18",
                "capabilities": {"tools": {"listChanged": True}},
                "serverInfo": {"name": "growing", "version": "1"},
            }
        case "tools/list":
            schema = {"type": "object"}
            return {"tools": [{"name": name, "inputSchema": schema} for name in offered]}
        case "tools/call":
            if parameters["name"] == "grow":
                offered.append("grown")
                tell({"method": "notifications/tools/list_changed"})
            return {"content": [{"type": "text", "text": "I am new."}]}
        case _:
            return None


def tell(message: dict[str, Any]) -> None:
    """Write a message."""
    print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)


if __name__ == "__main__":
    for line in sys.stdin:
        asked = json.loads(line)
        if "id" not in asked:
            continue
        result = result_of(asked["method"], asked.get("params", {}))
        none = {"code": -32601, "message": "Method not found"}
        tell({"id": asked["id"], **({"error": none} if result is None else {"result": result})})

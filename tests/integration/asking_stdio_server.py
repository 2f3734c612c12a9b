"""A tool server on standard input and output that asks the person, run as a child process: by the
SDK, or with `older` line by line as before 2026-07-28."""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

TOOLS = [{"name": name, "inputSchema": {"type": "object"}} for name in ("patient", "hasty")]
SURE = {"type": "object", "properties": {"sure": {"type": "boolean", "title": "Sure?"}}}


def send(**message: Any) -> None:
    print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)


def answered(message: dict[str, Any]) -> dict[str, Any]:
    asked: dict[str, Any] = message.get("params") or {}
    match message["method"]:
        case "initialize":
            who = {"name": "older", "version": "1"}
            asks = "elicitation" in asked["capabilities"]
            version = {"protocolVersion": "2025-11-25", "serverInfo": who}
            return {"result": {**version, "capabilities": {"tools": {}}, "instructions": str(asks)}}
        case "tools/list":
            return {"result": {"tools": TOOLS}}
        case "tools/call":
            params = {"message": "Well?", "requestedSchema": SURE}
            send(id=7, method="elicitation/create", params=params)
            # it goes on by itself once the test lets it
            while asked["name"] == "hasty" and not Path(os.environ["HURRY"]).exists():
                time.sleep(0.01)
            heard = sys.stdin.readline() if asked["name"] == "patient" else '{"result": "nothing"}'
            text = {"type": "text", "text": json.dumps(json.loads(heard)["result"])}
            return {"result": {"content": [text]}}
        case _:
            return {"error": {"code": -32601, "message": "Method not found"}}


if __name__ == "__main__":
    if "older" in sys.argv:
        for line in sys.stdin:
            message = json.loads(line)
            if "method" in message and "id" in message:
                send(id=message["id"], **answered(message))
    else:
        from tests.integration.asking_server import AskingServer

        AskingServer().server().run()

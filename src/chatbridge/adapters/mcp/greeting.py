"""How a server of before 2026 introduces itself, in the form that MCP's types take."""

from collections.abc import Mapping
from typing import Any, cast

from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS

Json = Any


def readable_greeting(result: Mapping[str, Json], asked: Json) -> dict[str, Json]:
    """What is used of it; a version that nobody knows is taken for the one that was asked for."""
    version, said = result.get("protocolVersion"), result.get("instructions")
    info = _object(result.get("serverInfo"))
    return {
        "protocolVersion": version if version in HANDSHAKE_PROTOCOL_VERSIONS else asked,
        "capabilities": {"tools": {"listChanged": _tells_of_changes(result)}},
        "serverInfo": {name: str(info.get(name, "")) for name in ("name", "version")},
        **({"instructions": said} if isinstance(said, str) else {}),
    }


def _tells_of_changes(result: Mapping[str, Json]) -> bool:
    return bool(_object(_object(result.get("capabilities")).get("tools")).get("listChanged"))


def _object(value: Json) -> dict[str, Json]:
    return cast(dict[str, Json], value) if isinstance(value, dict) else {}

"""Which of a server's tools ask a person before they are run."""

from collections.abc import Mapping
from typing import Any, Literal

APPROVALS = ("auto", "always", "never")
Approval = Literal["auto", "always", "never"] | tuple[str, ...]
"""By what the server says of its tools, all of them, none, or those of these names."""


def asks(approval: Approval, name: str, hints: Mapping[str, Any]) -> bool:
    """Whether a call of this tool is asked about.

    `auto` goes by MCP's annotations: one that says it destroys asks, unless it only reads. What a
    server says nothing of is let run: MCP's own default, that such a tool may destroy, would have
    every call of most servers asked about.
    """
    match approval:
        case "always":
            return True
        case "never":
            return False
        case "auto":
            return hints.get("destructiveHint") is True and hints.get("readOnlyHint") is not True
        case _:
            return name in approval

"""How a tool call looks: a row with its name and a badge of its state."""

from collections.abc import Sequence
from typing import Any

from chatkit.widgets import DynamicWidgetRoot

from chatbridge.domain.model.tool_call import CallState, ToolCall

# a state's label, its colour, and whether the output says why it came so
_BADGES: dict[CallState, tuple[str, str, bool]] = {
    "running": ("Running", "secondary", False),
    "succeeded": ("Success", "success", False),
    "failed": ("Failed", "danger", True),
    "cancelled": ("Cancelled", "warning", False),
    "unknown": ("Outcome unknown", "warning", True),
}
_MAX_REASON = 200


def badges(calls: Sequence[ToolCall]) -> dict[str, Any]:
    """The widget of one model step's calls, and the text that stands for it when copied."""
    return {
        "widget": DynamicWidgetRoot.model_validate(
            {"type": "Card", "size": "sm", "children": [_line(call) for call in calls]}
        ),
        "copy_text": "\n".join(f"{_title(c)}: {_BADGES[c.state][0]}" for c in calls),
    }


def _line(call: ToolCall) -> dict[str, Any]:
    label, color, has_reason = _BADGES[call.state]
    row = {
        "type": "Row",
        "align": "center",
        "gap": 2,
        "children": [
            {"type": "Icon", "name": "bolt", "size": "sm"},
            {"type": "Text", "value": _title(call), "size": "sm"},
            {"type": "Spacer"},
            {"type": "Badge", "label": label, "color": color, "variant": "soft", "size": "sm"},
        ],
    }
    reason = [_reason(call.output)] if has_reason and call.output else []
    return {"type": "Col", "key": call.id, "gap": 1, "children": [row, *reason]}


def _reason(output: str) -> dict[str, Any]:
    short = output if len(output) <= _MAX_REASON else output[:_MAX_REASON] + "…"
    return {"type": "Text", "value": short, "size": "xs", "color": "secondary"}


def _title(call: ToolCall) -> str:
    return call.name.replace("_", " ").strip().capitalize() or "Tool"

"""How a tool call looks: a row with its name and a badge of its state."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from chatkit.widgets import DynamicWidgetRoot

from chatbridge.domain.model.tool_call import CallState, ToolCall

_MAX_REASON = 200


def badges(calls: Sequence[ToolCall]) -> dict[str, Any]:
    """The widget of one model step's calls, and the text that stands for it when copied."""
    return {
        "widget": DynamicWidgetRoot.model_validate(
            {"type": "Card", "size": "sm", "children": [_line(call) for call in calls]}
        ),
        "copy_text": "\n".join(f"{_title(c)}: {_badge(c.state).label}" for c in calls),
    }


class _Badge(NamedTuple):
    """A state's label and colour, and whether the call's output says why it came so."""

    label: str
    color: str
    has_reason: bool = False


def _badge(state: CallState) -> _Badge:
    match state:
        case "running":
            return _Badge("Running", "secondary")
        case "succeeded":
            return _Badge("Success", "success")
        case "failed":
            return _Badge("Failed", "danger", has_reason=True)
        case "cancelled":
            return _Badge("Cancelled", "warning")
        case "unknown":
            return _Badge("Outcome unknown", "warning", has_reason=True)


def _line(call: ToolCall) -> dict[str, Any]:
    badge = _badge(call.state)
    row = {
        "type": "Row",
        "align": "center",
        "gap": 2,
        "children": [
            {"type": "Icon", "name": "bolt", "size": "sm"},
            {"type": "Text", "value": _title(call), "size": "sm"},
            {"type": "Spacer"},
            {
                "type": "Badge",
                "label": badge.label,
                "color": badge.color,
                "variant": "soft",
                "size": "sm",
            },
        ],
    }
    reason = [_reason(call.output)] if badge.has_reason and call.output else []
    return {"type": "Col", "key": call.id, "gap": 1, "children": [row, *reason]}


def _reason(output: str) -> dict[str, Any]:
    short = output if len(output) <= _MAX_REASON else output[:_MAX_REASON] + "…"
    return {"type": "Text", "value": short, "size": "xs", "color": "secondary"}


def _title(call: ToolCall) -> str:
    return call.name.replace("_", " ").strip().capitalize() or "Tool"

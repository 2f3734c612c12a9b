"""How a tool call looks: a row with its name and a badge of its state."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from unicodedata import category

from chatkit.widgets import DynamicWidgetRoot

from chatbridge.domain.model.tool_call import CallState, ToolCall, is_listing

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
            {"type": "Icon", "name": _icon(call), "size": "sm"},
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


def _icon(call: ToolCall) -> str:
    return "warning" if is_listing(call) else "bolt"


def _title(call: ToolCall) -> str:
    """A notice of ours in words, a tool by its server and its name, in which no blank can be."""
    if is_listing(call):
        return _seen(call.name).capitalize()
    name = "_".join(_seen(call.name).split()) or "tool"
    return f"{_seen(call.source)} · {name}" if call.source else name


def _seen(name: str) -> str:
    """The name without what is not seen, which can turn other words round or hide between them."""
    return "".join(char for char in name if category(char) != "Cf")

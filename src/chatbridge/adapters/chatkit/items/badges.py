"""How a tool call looks: a row with its name and a badge of its state.

A line is a component with an id, so that one that comes or changes is told alone. The protocol can
put a component in another's place and can't append one: while calls come, a card has places left.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from chatkit.types import WidgetComponentUpdated
from chatkit.widgets import DynamicWidgetComponent, DynamicWidgetRoot

from chatbridge.adapters.chatkit.items.asked_form import asked_form
from chatbridge.adapters.chatkit.items.brought import Address, brought
from chatbridge.adapters.chatkit.items.in_words import in_words, seen
from chatbridge.domain.model.tool_call import CallState, ToolCall, is_notice, is_of_a_file
from chatbridge.domain.model.words import visible

APPROVE, REJECT = "chatbridge.approve", "chatbridge.reject"
APPROVE_FOR_CONVERSATION = "chatbridge.approve_for_conversation"
"""The actions of a call that asks; their payload names the call, and everything else is ours."""

DETAILS = "chatbridge-details"
"""The key of what a line is opened to."""

ASKED = "chatbridge-asked"
"""The key of a form whose buttons answer what it begins with."""

_MAX_REASON = 200
_STANDING = {"label": "Approve for this conversation", "style": "secondary"}
_CHANGED = "Approved for this conversation before; its description has changed since."
_MAX_DETAIL = 2_000
_FENCES = re.compile("`{3,}")


def badges(
    calls: Sequence[ToolCall], *, details: bool = False, address: Address | None = None
) -> dict[str, Any]:
    """The widget of one model step's calls, and the text that stands for it when copied."""
    return {
        "widget": card(calls, details=details, address=address),
        "copy_text": "\n".join(map(_in_a_line, calls)),
    }


def card(
    calls: Sequence[ToolCall],
    places: int = 0,
    *,
    details: bool = False,
    address: Address | None = None,
) -> DynamicWidgetRoot:
    """The calls as lines of one card that has so many places in all, or as many as it needs."""
    lines = [_line(place, calls, details, address) for place in range(len(calls))]
    # nothing is seen of a place that is left: it has no height, and no gap before it
    lines += [{"type": "Col", "id": _id(place)} for place in range(len(calls), places)]
    inside = {"type": "Col", "gap": 0, "children": lines}
    return DynamicWidgetRoot.model_validate({"type": "Card", "size": "sm", "children": [inside]})


def line_updated(
    place: int,
    calls: Sequence[ToolCall],
    *,
    details: bool = False,
    address: Address | None = None,
) -> WidgetComponentUpdated:
    """What stands in this place of the card of these calls now."""
    line = DynamicWidgetComponent.model_validate(_line(place, calls, details, address))
    return WidgetComponentUpdated(component_id=_id(place), component=line)


class _Badge(NamedTuple):
    """A state's label and colour, and whether the call's output says why it came so."""

    label: str
    color: str
    has_reason: bool = False


_ASKS = _Badge("Asks you", "warning")
_LEFT_OUT = _Badge("Left out", "warning", has_reason=True)
_BADGES: Mapping[CallState, _Badge] = {
    "running": _Badge("Running", "secondary"),
    "waiting": _Badge("Needs approval", "warning"),
    "approved": _Badge("Approved", "info"),
    "succeeded": _Badge("Success", "success"),
    "failed": _Badge("Failed", "danger", has_reason=True),
    "rejected": _Badge("Rejected", "warning", has_reason=True),
    "withdrawn": _Badge("Not run", "secondary", has_reason=True),
    "cancelled": _Badge("Cancelled", "warning"),
    "unknown": _Badge("Outcome unknown", "warning", has_reason=True),
}


def _badge(call: ToolCall) -> _Badge:
    if is_of_a_file(call):
        return _LEFT_OUT
    return _ASKS if call.state == "waiting" and call.form else _BADGES[call.state]


def _id(place: int) -> str:
    return f"call-{place}"


def _line(
    place: int, calls: Sequence[ToolCall], details: bool, address: Address | None
) -> dict[str, Any]:
    call = calls[place]
    badge = _badge(call)
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
    # as long as another one of the step runs, there is no leave to give yet
    at_rest = call.form is not None or all(each.state != "running" for each in calls)
    asked = call.state == "waiting" and at_rest
    apart = {"padding": {"top": 2}} if place else {}
    # what is asked shows what it would be called with, whoever wants to see more or less
    told = _details(call) if details and not asked else []
    head = {"type": "Col", "id": _id(place), "key": call.id, "gap": 1}
    line = [row, *reason, *(_question(call) if asked else []), *told]
    if more := brought(call, address):
        # apart from the line, which is opened as a whole
        line = [{"type": "Col", "gap": 1, "children": line}, *more]
    return {**head, **apart, "children": line}


def _question(call: ToolCall) -> list[dict[str, Any]]:
    """What it would be run with, or wants to know, and the ways to answer."""
    if call.form:
        return asked_form(call, call.form)
    approve = {"label": "Approve", "style": "primary", "onClickAction": _answer(APPROVE, call)}
    # with the words of the form, and by Enter in its field
    reject = {"label": "Reject", "style": "secondary", "submit": True}
    more = [_STANDING | {"onClickAction": _answer(APPROVE_FOR_CONVERSATION, call)}]
    offers = (approve, *(more if call.proposal and call.proposal.may_stand else ()), reject)
    buttons = [{"type": "Button", "size": "sm", **each} for each in offers]
    why = {"type": "Input", "name": "reason", "placeholder": "Why not? (optional)", "size": "sm"}
    row = {"type": "Row", "gap": 2, "children": buttons}
    asked = {"type": "Text", "value": in_words(call), "size": "sm", "weight": "semibold"}
    changed = [_caption(_CHANGED)] if call.proposal and call.proposal.ended else []
    told = _written("Would be called with", _readable(call.arguments))
    form = {"type": "Form", "key": ASKED, "direction": "col", "gap": 2}
    return [
        {
            **form,
            "onSubmitAction": _answer(REJECT, call),
            "children": [asked, *changed, *told, why, row],
        }
    ]


def _answer(action: str, call: ToolCall) -> dict[str, Any]:
    return {"type": action, "payload": {"call_id": call.id}, "loadingBehavior": "container"}


def _reason(output: str) -> dict[str, Any]:
    cut = "…”" if output.startswith("“") else "…"
    short = output if len(output) <= _MAX_REASON else output[:_MAX_REASON] + cut
    return {"type": "Text", "value": short, "size": "xs", "color": "secondary"}


def _details(call: ToolCall) -> list[dict[str, Any]]:
    """What is opened with the line in our element, and stands below it in OpenAI's."""
    if is_notice(call.name):
        return []
    took = (call.ended_at - call.started_at).total_seconds() if call.ended_at else None
    parts = [
        *_written("Called with", _readable(call.arguments)),
        *([] if call.output is None else _written("Result", _readable(call.output))),
        *([] if took is None else [_caption(f"Took {took:.2f} s")]),
    ]
    return [{"type": "Col", "key": DETAILS, "gap": 1, "children": parts}]


def _written(what: str, text: str) -> list[dict[str, Any]]:
    is_cut = len(text) > _MAX_DETAIL
    short = visible(text[:_MAX_DETAIL]) + (f"… ({len(text):,} characters in all)" if is_cut else "")
    # longer than any run of them inside, or the text could end its block
    fence = "`" * (max((len(run) for run in _FENCES.findall(short)), default=2) + 1)
    return [_caption(what), {"type": "Markdown", "value": f"{fence}\n{short}\n{fence}"}]


def _readable(text: str) -> str:
    """JSON with a value a line; any other text as it is."""
    if len(text) > _MAX_DETAIL:
        return text
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return text


def _caption(words: str) -> dict[str, Any]:
    return {"type": "Caption", "value": words, "size": "sm"}


def _in_a_line(call: ToolCall) -> str:
    asked = f" ({in_words(call)})" if call.state == "waiting" else ""
    return f"{_title(call)}: {_badge(call).label}{asked}"


def _icon(call: ToolCall) -> str:
    return "warning" if is_notice(call.name) else "bolt"


def _title(call: ToolCall) -> str:
    """A notice of ours in words, a tool by its server and its name, in which no blank can be."""
    if is_notice(call.name):
        words = seen(call.name)
        return f"{words[:1].upper()}{words[1:]}"
    name = "_".join(seen(call.name).split()) or "tool"
    return f"{seen(call.source)} · {name}" if call.source else name

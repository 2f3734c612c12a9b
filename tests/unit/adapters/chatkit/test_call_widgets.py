"""Which widgets are shown of what tools bring, and which are refused in words."""

from typing import Any

import pytest
from chatkit.widgets import Card, Text, WidgetTemplate

from chatbridge.adapters.chatkit.actions import Assistant
from chatbridge.adapters.chatkit.call_widgets import LARGEST, NoWidget, read_widget

PRESS = {"type": "press", "payload": {"n": 1}}
BUTTON = {"type": "Button", "label": "Press", "onClickAction": PRESS}
FOOTER = {"label": "Yes", "action": PRESS}


def deep(levels: int) -> dict[str, Any]:
    inside: dict[str, Any] = {"type": "Text", "value": "deep"}
    for _ in range(levels):
        inside = {"type": "Box", "children": [inside]}
    return inside


def card(*children: Any, **more: Any) -> dict[str, Any]:
    return {"type": "Card", "children": [*children], **more}


@pytest.mark.parametrize(
    "widget",
    [
        card(),
        card({"type": "Text", "value": "👋 \u202e"}),
        card({"type": "Box", "size": 25, "padding": {"top": 2}, "children": []}),
        card({"type": "Image", "src": "https://pictures.example/a.png"}),
        card(
            {
                "type": "Chart",
                "data": [{"month": "May", "transaction": 2}],
                "series": [{"type": "bar", "dataKey": "transaction", "label": "Sold"}],
                "xAxis": {"dataKey": "month"},
            }
        ),
        card(BUTTON, confirm=FOOTER),
        card(deep(30)),
        card({"type": "Text", "value": "x", "newer": {"than": "this SDK"}}),
        {"type": "ListView", "children": [{"type": "ListViewItem", "children": []}]},
        {"type": "Basic", "children": {"type": "Text", "value": "one"}},
    ],
)
def test_it_is_shown_as_it_came(widget: dict[str, Any]) -> None:
    assert read_widget(widget).model_dump(mode="json", exclude_none=True) == widget


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("Card", "it is of type str, and no widget"),
        ([card()], "it is of type list, and no widget"),
        (42, "it is of type int, and no widget"),
        ({}, "ChatKit has none like it: union_tag_not_found at its root"),
        ({"type": "Text", "value": "no root"}, "none like it"),
        ({"type": "Card"}, "none like it: missing at Card.children"),
        (card("text"), "none like it"),
        (card(deep(60)), "it is nested in more than 100 levels"),
        (card({"type": "Spaceship"}), "ChatKit has none like it: union_tag_invalid at its root"),
        (card({"type": "Badge"}), "ChatKit has none like it: missing at Badge.label"),
        (card({"type": "Text", "value": 5}), "none like it: string_type at Text.value"),
        (card({"type": "Row", "children": [{"type": "secret words"}]}), "union_tag_invalid at"),
        (card({"type": "Button", "onClickAction": "press"}), "none like it"),
        (card({"type": "Text", "value": "x" * LARGEST}), "characters of JSON, and 200,000 are"),
        (card({"type": "Text", "value": float("nan")}), "it can't be written as JSON"),
        (card({"type": "Text", "value": {1, 2}}), "it can't be written as JSON"),
        ({"type": "Card", "children": None}, "none like it"),
        ({"type": "Basic", "children": [{"type": "Badge"}]}, "missing at Badge.label"),
        ({"type": "card", "children": []}, "none like it"),
    ],
)
def test_what_is_none_of_chatkits_is_refused_without_its_words(given: Any, why: str) -> None:
    with pytest.raises(NoWidget) as refused:
        read_widget(given)
    assert why in str(refused.value)
    assert "secret" not in str(refused.value)


def test_what_may_not_act_has_nothing_to_press() -> None:
    form = {"type": "Form", "onSubmitAction": PRESS, "children": [BUTTON]}
    rows = [{"type": "ListViewItem", "onClickAction": {**PRESS, "handler": "client"}}]
    acting = card(form, BUTTON, confirm=FOOTER, cancel=FOOTER, asForm=True)
    quiet = [
        read_widget(each, acts=False)
        for each in (
            acting,
            {"type": "ListView", "children": [{**row, "children": []} for row in rows]},
        )
    ]
    assert "press" not in str([each.model_dump() for each in quiet])
    assert "Press" in str(quiet[0].model_dump())


def test_one_that_is_built_is_taken_as_it_is() -> None:
    built = Card(children=[Text(value="built")])
    template = WidgetTemplate(
        {"version": "1.0", "name": "t", "template": '{"type":"Card","children":[{"type":"New"}]}'}
    ).build()
    assert read_widget(built).model_dump(exclude_none=True) == built.model_dump(exclude_none=True)
    assert "New" in str(read_widget(template).model_dump())


def test_a_widget_is_made_by_a_function() -> None:
    widgets: Any = {"find_seats": "seats"}
    with pytest.raises(ValueError, match="The widget of find_seats is of type str; it must be a"):
        Assistant(None, widgets=widgets)

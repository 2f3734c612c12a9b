"""What becomes of schemas that public trackers show."""

from typing import Any

import pytest

from chatbridge.domain.model.tool_schema import Unfit, fitted, hidden, renamed, restored

TEXT = {"type": "string"}
ANY_ARRAY = {"type": "array", "items": {}}
NULL = {"type": "null"}


NAN = float("nan")


def told(words: str) -> Any:
    """What is said of a keyword that some reader would not take."""
    return {"description": f"({words})"}


def fit(prop: Any, **more: Any) -> Any:
    """What becomes of a property."""
    return fitted({"type": "object", "properties": {"a": prop}, **more})["properties"]["a"]


@pytest.mark.parametrize(
    ("given", "mended"),
    [
        ({"type": "array"}, ANY_ARRAY),
        ({"type": "array", "items": None}, ANY_ARRAY),
        ({"type": "array", "items": [TEXT]}, {**ANY_ARRAY, "prefixItems": [TEXT]}),
        ({"type": ["array", "null"]}, {"type": ["array", "null"], "items": {}}),
        (
            {"anyOf": [{"type": "array"}, {"type": "null"}]},
            {"anyOf": [ANY_ARRAY, {"type": "null"}]},
        ),
        ({"additionalProperties": {"type": "array"}}, {"additionalProperties": ANY_ARRAY}),
        ({"type": "any"}, {}),
        ({"type": "int"}, {"type": "integer"}),
        ({"type": "STRING"}, TEXT),
        ("string", TEXT),
        (True, {}),
        (None, {}),
        ({**TEXT, "enum": []}, TEXT),
        ({**TEXT, "enum": ["a", "a", 1]}, {**TEXT, "enum": ["a"]}),
        ({**TEXT, "nullable": True}, {"type": ["string", "null"]}),
        ({**TEXT, "description": 5, "minLength": "3", "x-order": 1}, TEXT),
        ({"type": "object", "properties": []}, {"type": "object"}),
        ({"$ref": "https://example.com/a.json", "description": "x"}, {"description": "x"}),
        ({"$ref": "#/$defs/none"}, {}),
        ({"const": "a"}, {"enum": ["a"]}),
        ({"enum": [1, "a", None]}, {"enum": [1, "a", None]}),
        ({"enum": [1, 10**30]}, {}),
        ({"default": NAN, "examples": [[NAN]], "const": {"a": NAN}}, {}),
        ({"default": 10**30, "maximum": 10**30}, {}),
        ({**TEXT, "title": "\ud800"}, TEXT),
        (False, {"not": {}}),
        ({"additionalProperties": False}, {"additionalProperties": False}),
        ({**TEXT, "format": "uuid"}, {**TEXT, "format": "uuid"}),
        ({**TEXT, "format": "uri", "title": "a"}, {**TEXT, "title": "a", **told("format: uri")}),
        ({**TEXT, "pattern": "^[a-z]{2,9}$"}, {**TEXT, "pattern": "^[a-z]{2,9}$"}),
        ({**TEXT, "pattern": "["}, {**TEXT, **told("pattern: [")}),
        ({**TEXT, "pattern": "^(?!a)b$"}, {**TEXT, **told("pattern: ^(?!a)b$")}),
        ({**TEXT, "pattern": "^a{9000}$"}, {**TEXT, **told("pattern: ^a{9000}$")}),
        ({**TEXT, "pattern": "a", "description": "x"}, {**TEXT, "description": "x (pattern: a)"}),
        ({**TEXT, "maxLength": 2**62}, {**TEXT, **told(f"maxLength: {2**62}")}),
        ({**TEXT, "minLength": 5, "maxLength": 2}, {**TEXT, **told("minLength: 5; maxLength: 2")}),
        ({"minimum": 2, "maximum": 1}, {}),
        ({"not": {"enum": [1]}}, {"not": {"enum": [1]}}),
        ({"not": {**TEXT, "pattern": "a"}}, {}),
        ({"oneOf": [TEXT, {"minLength": 9_000}]}, {"anyOf": [TEXT, told("minLength: 9000")]}),
    ],
)
def test_a_property_is_mended(given: Any, mended: Any) -> None:
    assert fit(given) == mended


def test_a_definition_that_is_there_is_kept_wherever_it_was() -> None:
    for place in ("$defs", "definitions"):
        schema = {"properties": {"a": {"$ref": f"#/{place}/A"}}, place: {"A": {"type": "array"}}}
        mended = fitted(schema)
        assert mended["properties"] == {"a": {"$ref": "#/$defs/A"}}
        assert mended["$defs"] == {"A": ANY_ARRAY}


def test_what_refers_to_the_whole_refers_to_a_definition_of_it() -> None:
    """A real llama.cpp refuses `#`, and all tools with it."""
    schema = {"anyOf": [{"properties": {"or": {"items": {"$ref": "#"}}}}], "description": "x"}
    mended = fitted(schema)
    assert mended["properties"]["or"] == {"items": {"$ref": "#/$defs/whole"}}
    assert mended["$defs"]["whole"]["anyOf"] == [{"properties": mended["properties"]}]


def test_a_definition_is_not_its_own_beginning() -> None:
    """A real llama.cpp refuses that, and all tools with it."""
    a, b, c = ({"$ref": f"#/$defs/{name}"} for name in "ABC")
    definitions = {
        "A": {"title": "A", "anyOf": [b, TEXT]},
        "B": {"title": "B", "allOf": [{"oneOf": [a]}]},
        "C": {"title": "C", "items": c, "anyOf": [{"properties": {"c": c}}]},
    }
    mended = fitted({"properties": {"a": a, "b": b, "c": c}, "$defs": definitions})
    assert mended["$defs"] == {
        "A": {"title": "A", "anyOf": [{}, TEXT]},
        "B": {"title": "B", "allOf": [{"anyOf": [{}]}]},
        "C": definitions["C"],
    }


def test_names_that_some_endpoint_refuses_are_others_for_the_model() -> None:
    more = {"$top": TEXT, "_top": TEXT, "größe": TEXT, "": TEXT, "a" * 70: TEXT}
    schema = fitted(
        {
            "properties": {"filter": {"properties": {**more}, "required": ["$top"]}},
            "default": {"filter": {"$top": "1"}},
        }
    )
    shown, own = renamed(schema)
    names = ["_top_2", "_top", "gr__e", "_", "a" * 64]
    assert [*shown["properties"]["filter"]["properties"]] == names
    assert shown["properties"]["filter"]["required"] == ["_top_2"]
    assert shown["default"] == {"filter": {"_top_2": "1"}}
    said = {"filter": {name: [{name: "1"}] for name in names}}
    assert restored(said, own) == {"filter": {name: [{name: "1"}] for name in more}}
    assert renamed(shown) == (shown, {})


@pytest.mark.parametrize(
    ("required", "names"),
    [(None, None), (True, None), ("a", None), (["a", 1, "a"], ["a"]), (["b"], ["b"])],
)
def test_required_is_a_list_of_names_that_are_there(required: Any, names: Any) -> None:
    mended = fitted({"properties": {"a": TEXT}, "required": required})
    assert mended.get("required") == names
    assert set(names or ()) <= mended["properties"].keys()


def test_a_property_that_says_itself_that_it_is_required_is() -> None:
    assert fitted({"properties": {"a": {**TEXT, "required": True}}})["required"] == ["a"]


@pytest.mark.parametrize(
    ("outermost", "properties", "required"),
    [
        ({"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"a": TEXT, "b": TEXT}, None),
        ({"allOf": [{"required": ["a"]}]}, {"a": TEXT, "b": TEXT}, ["a"]),
        ({"enum": [{}], "not": {"required": ["a"]}}, {"a": TEXT, "b": TEXT}, None),
        (
            {"$ref": "#/$defs/In", "$defs": {"In": {"properties": {"c": TEXT}, "required": ["c"]}}},
            {"a": TEXT, "b": TEXT, "c": TEXT},
            ["c"],
        ),
    ],
)
def test_what_is_combined_outermost_becomes_one_object(
    outermost: Any, properties: Any, required: Any
) -> None:
    mended = fitted({"type": "object", "properties": {"a": TEXT, "b": TEXT}, **outermost})
    assert mended["properties"] == properties
    assert mended.get("required") == required
    assert not mended.keys() & {"anyOf", "allOf", "oneOf", "$ref", "enum", "not"}


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ([], "no object"),
        ({"$ref": "https://example.com/a.json"}, "elsewhere"),
        ({"properties": [{"name": "a"}]}, "no names"),
        ({"oneOf": [{"type": "string"}]}, "no arguments fit"),
        ({"properties": {"\ud800": {}}}, "as JSON"),
        ({"maxProperties": 10**5_000}, "as JSON"),
        ({"description": "x" * 70_000}, "more than 65,536 characters"),
        ({"allOf": [{"anyOf": [{"oneOf": [{}] * 10}] * 10}] * 10}, "too many branches"),
    ],
)
def test_what_can_not_be_mended_is_refused_with_the_reason(schema: Any, reason: str) -> None:
    with pytest.raises(Unfit, match=reason):
        fitted(schema)


def test_a_schema_without_end_is_refused() -> None:
    schema: Any = {}
    for _ in range(5_000):
        schema = {"not": schema}
    with pytest.raises(Unfit, match="64 levels"):
        fitted(schema)


# the argument that names the user

USER = {"user_id": TEXT, "q": TEXT}


@pytest.mark.parametrize(
    "more",
    [
        {"required": ["user_id"]},
        {"anyOf": [{"required": ["user_id"]}, {"required": ["email"]}]},
        {"dependentRequired": {"q": ["user_id"]}},
        {"if": {"required": ["q"]}, "then": {"required": ["user_id"]}},
        {"propertyNames": {"enum": ["user_id", "q"]}},
        {"default": {"user_id": "bob"}, "examples": [{"user_id": "bob"}]},
        {"minProperties": 2},
        {"$defs": {"user_id": TEXT}, "allOf": [{"properties": {"c": {"$ref": "#/$defs/user_id"}}}]},
    ],
)
def test_the_argument_is_taken_out_with_all_that_speaks_of_it(more: Any) -> None:
    without, takes = hidden(fitted({"properties": USER, **more}), "user_id")
    assert takes
    assert "user_id" not in str(without)
    assert "bob" not in str(without)


def test_what_refers_to_the_argument_keeps_its_meaning() -> None:
    schema = {"properties": {**USER, "order_id": {"$ref": "#/properties/user_id"}}}
    without, _ = hidden(fitted(schema), "user_id")
    name = without["properties"]["order_id"]["$ref"].removeprefix("#/$defs/")
    assert without["$defs"][name] == TEXT
    assert "user_id" not in str(without)


@pytest.mark.parametrize(
    "below",
    [
        {"$ref": "#"},
        {"items": {"$ref": "#"}, "type": "array"},
        {"required": ["user_id"]},
        {"patternProperties": {"^user_": TEXT}},
        {"anyOf": [{"properties": {"user_id": TEXT}}]},
        {"default": {"user_id": "bob"}},
        {"propertyNames": {"enum": ["user_id"]}},
    ],
)
def test_an_argument_that_is_out_of_reach_is_no_ones_to_fill(below: Any) -> None:
    with pytest.raises(Unfit, match="inside of another argument"):
        hidden(fitted({"properties": {**USER, "child": below}}), "user_id")


@pytest.mark.parametrize(
    ("more", "takes"),
    [
        ({}, False),
        ({"required": ["user_id"]}, True),
        ({"patternProperties": {"_id$": TEXT}}, True),
        ({"additionalProperties": True}, True),
        ({"additionalProperties": False}, False),
    ],
)
def test_the_user_is_put_in_where_the_tool_takes_it(more: Any, takes: bool) -> None:
    assert hidden(fitted({"properties": {"q": TEXT}, **more}), "user_id")[1] is takes

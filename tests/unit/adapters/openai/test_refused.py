"""What a refusal names is left out of the request, and nothing else is."""

import copy
from typing import Any

import pytest

from chatbridge.adapters.openai.refused import KNOWN_SECONDS, Refused, Trial

TOOL = {"type": "function", "function": {"name": "add_task", "strict": False, "parameters": {}}}
ODD = {
    "type": "function",
    "function": {"name": "odd.tool", "strict": False, "parameters": {"a": 1}},
}
REQUEST: dict[str, Any] = {
    "model": "m",
    "messages": [
        {"role": "user", "content": "text"},
        {"role": "assistant", "content": None, "reasoning_content": "hm", "tool_calls": []},
    ],
    "tools": [TOOL, ODD],
    "stream": True,
    "stream_options": {"include_usage": True},
    "parallel_tool_calls": True,
    "store": False,
    "reasoning": {"effort": "low"},
}


def openai(message: str, param: str | None = None) -> Any:
    return {"error": {"message": message, "type": "invalid_request_error", "param": param}}


def pydantic(*loc: Any, kind: str = "extra_forbidden") -> Any:
    return {"detail": [{"type": kind, "loc": [*loc], "msg": "Extra inputs are not permitted"}]}


def left(*refusals: Any, request: Any = REQUEST) -> dict[str, Any]:
    """What is asked after these refusals, one after the other."""
    trial = Trial(Refused(), copy.deepcopy(request))
    for refusal in refusals:
        trial.learn(refusal)
    return trial.request()


@pytest.mark.parametrize(
    ("refusal", "name"),
    [
        (pydantic("body", "stream_options"), "stream_options"),
        (
            {"object": "error", "message": pydantic("body", "parallel_tool_calls")},
            "parallel_tool_calls",
        ),
        (openai("Unknown parameter: 'store'.", "store"), "store"),
        (openai("Unknown parameter: 'stream_options'."), "stream_options"),
        (openai("Unrecognized request argument supplied: stream_options"), "stream_options"),
        (openai("Unrecognized request argument supplied: store"), "store"),
        (openai("property 'store' is unsupported"), "store"),
        (openai("`reasoning` is not supported by this model"), "reasoning"),
        (openai("Unsupported parameter: 'reasoning.effort' is not supported"), "reasoning"),
        ({"error": 'json: unknown field "stream_options"'}, "stream_options"),
        ({"message": "unknown field `store`, expected one of `model`, `messages`"}, "store"),
        (
            {"error": {"message": "m does not support parameters: ['parallel_tool_calls']"}},
            "parallel_tool_calls",
        ),
        (
            "[{'type': 'extra_forbidden', 'loc': ('body', 'stream_options'), 'msg': 'Extra'}]",
            "stream_options",
        ),
        (
            [{"error": {"message": 'Unknown name "store": Cannot find field.'}}],
            "store",
        ),
        ({"detail": [{"loc": ["body", "stream"], "type": "value_error", "msg": "x"}]}, "stream"),
        (openai("stream_options must not be set for this model"), "stream_options"),
        (openai("parallel tool calls are not implemented"), "parallel_tool_calls"),
        (openai("`store` is not available in your region"), "store"),
        (openai("The parameter store is deprecated"), "store"),
        (openai("Illegal argument: store"), "store"),
        (openai("parallelToolCalls: unexpected property"), "parallel_tool_calls"),
        (openai("Invalid field `streamOptions`"), "stream_options"),
        (openai("x", "streamOptions"), "stream_options"),
        (openai("参数 stream_options 不支持"), "stream_options"),
        (openai("当前模型不支持parallel_tool_calls参数"), "parallel_tool_calls"),
        (openai("参数store无效"), "store"),
        (openai("stream_options cannot be used here. Use 'stream' instead"), "stream_options"),
        ({"error": {"details": [{"fieldViolations": [{"field": "store"}]}]}}, "store"),
        (
            {
                "error": {
                    "message": "Provider returned error",
                    "metadata": {
                        "raw": '{"error": {"message": "Unknown parameter: stream_options"}}'
                    },
                }
            },
            "stream_options",
        ),
        (openai("Unknown parameter: 'stream_options.include_usage'."), "stream_options"),
        (openai("#: extraneous key [store] is not permitted"), "store"),
        (openai("This model does not support reasoning"), "reasoning"),
        (openai("Streaming is not supported"), "stream"),
        (openai("Model does not support parallel function calling"), "parallel_tool_calls"),
        (openai("This model only supports single tool-calls at once!"), "parallel_tool_calls"),
        (openai("store=false is not permitted"), "store"),
        (openai("Stream options can only be defined when `stream=True`."), "stream_options"),
        (openai("Der Parameter 'store' wird nicht unterst\u00fctzt"), "store"),
        (openai("Le param\u00e8tre `stream_options` n'est pas pris en charge"), "stream_options"),
        (
            {"errors": [{"path": ["stream_options"], "message": "Unrecognized key"}]},
            "stream_options",
        ),
    ],
)
def test_a_parameter_that_is_refused_by_name_is_left_out(refusal: Any, name: str) -> None:
    request = left(refusal)
    assert {**REQUEST, **request, name: request.get(name)} == {**REQUEST, name: request.get(name)}
    assert not request.get(name)


@pytest.mark.parametrize(
    "refusal",
    [
        pydantic("body", "tools", 0, "function", "strict"),
        openai("strict mode is not implemented"),
        openai("extraneous key [strict] is not permitted"),
        pydantic("body", "tools", 1, "Tool", "function", "strict"),
        openai("Unknown parameter: 'tools[0].function.strict'.", "tools[0].function.strict"),
        openai("Unknown parameter: strict is not supported", "strict"),
        [
            {
                "error": {
                    "message": "Unknown name \"strict\" at 'tools[0].function': Cannot find field."
                }
            }
        ],
    ],
)
def test_a_part_of_a_tool_is_left_out_of_all_tools(refusal: Any) -> None:
    tools = left(refusal)["tools"]
    assert [*tools[0]["function"]] == [*tools[1]["function"]] == ["name", "parameters"]


@pytest.mark.parametrize(
    "refusal",
    [
        pydantic("body", "messages", 1, "AssistantMessage", "reasoning_content"),
        openai("'messages.1' : property 'reasoning_content' is unsupported"),
        openai("messages.1.reasoning_content: Extra inputs are not permitted"),
    ],
)
def test_a_part_of_a_message_is_left_out_of_all_messages(refusal: Any) -> None:
    assert ["reasoning_content" in m for m in left(refusal)["messages"]] == [False, False]


@pytest.mark.parametrize(
    "refusal",
    [
        pydantic("body", "messages", 1, "content", kind="string_type"),
        openai("Invalid type for 'messages[1].content': expected a string", "messages.[1].content"),
    ],
)
def test_a_content_of_nothing_is_left_out_and_one_of_something_is_not(refusal: Any) -> None:
    assert ["content" in m for m in left(refusal)["messages"]] == [True, False]


@pytest.mark.parametrize(
    "refusal",
    [
        pydantic("body", "messages", 1, "content", kind="missing"),
        openai("messages.1.content: Field required"),
        openai("Missing required parameter: 'messages[1].content'.", "messages[1].content"),
    ],
)
def test_a_content_that_is_missed_is_an_empty_one(refusal: Any) -> None:
    null = pydantic("body", "messages", 1, "content", kind="string_type")
    for refusals in ([refusal], [null, refusal]):
        assert [m["content"] for m in left(*refusals)["messages"]] == ["text", ""]


@pytest.mark.parametrize(
    "words",
    [
        "registry.ollama.ai/library/gemma:2b does not support tools",
        'No endpoints found that support tool use. Try disabling "add_task".',
        "tools param requires --jinja flag",
        '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
        "This model doesn't support tool use in streaming mode.",
        "Function calling is not enabled for models/gemma-3-27b-it",
        "`tool calling` is not supported with this model",
        "deepseek-reasoner does not support Function Calling",
        "该模型不支持工具调用",
    ],
)
def test_a_model_that_knows_no_tools_is_asked_without(words: str) -> None:
    request = left(openai(words), request=REQUEST | {"tool_choice": "auto"})
    if "tools" in request:  # what is named comes first
        request = left(openai(words), openai(words), request=REQUEST | {"tool_choice": "auto"})
    assert not {"tools", "tool_choice", "parallel_tool_calls"} & request.keys()
    assert request["stream_options"] == REQUEST["stream_options"]


@pytest.mark.parametrize(
    "refusal",
    [
        openai("Invalid schema for function 'odd.tool': array schema missing items"),
        openai("Invalid schema", "tools[1].function.parameters"),
        openai("tools.1.custom.input_schema: JSON schema is invalid"),
        pydantic("body", "tools", 1, "function", "parameters", "properties", kind="dict_type"),
        [
            {
                "error": {
                    "message": "tools[0].function_declarations[1].parameters.items: missing field"
                }
            }
        ],
    ],
)
def test_a_tool_that_is_refused_is_left_out_and_the_others_stay(refusal: Any) -> None:
    assert left(refusal)["tools"] == [TOOL]


@pytest.mark.parametrize(
    "refusal",
    [
        {
            "error": {
                "message": "Tool call validation failed: parameters for tool 'odd.tool' did not "
                "match schema: errors: [missing properties: 'title']",
                "code": "tool_use_failed",
                "failed_generation": "{}",
            }
        },
        {
            "detail": [
                {
                    "loc": ["body"],
                    "msg": "String should have at most 1000 characters",
                    "input": "unsupported: 'stream_options' and 'odd.tool', a schema",
                }
            ]
        },
        openai('The prompt was not allowed by our policy: "how do I use `odd.tool`"'),
        {"detail": [{"loc": ["body"], "msg": "x", "input": {"param": "store", "loc": ["store"]}}]},
        {"error": {"message": "Flagged"}, "messages": [{"error": "stream_options unsupported"}]},
    ],
)
def test_what_a_refusal_only_quotes_is_not_refused(refusal: Any) -> None:
    assert left(refusal) == REQUEST


def test_with_the_last_tool_all_that_is_said_of_tools_goes() -> None:
    asked = REQUEST | {"tools": [ODD], "tool_choice": "auto"}
    request = left(openai("Invalid schema", "tools[0].function.parameters"), request=asked)
    assert not {"tools", "tool_choice", "parallel_tool_calls"} & request.keys()


@pytest.mark.parametrize(
    "refusal",
    [
        openai("The model 'm' does not exist", "model"),
        openai("Invalid 'messages': too many", "messages"),
        openai("Invalid 'tools': array too long.", "tools"),
        openai("Internal server error"),
        openai("Invalid model: this model is not available"),
        openai("Unexpected role 'user' after role 'tool'"),
        openai("messages[1].role: invalid", "messages[1].role"),
        "Bad request",
        None,
    ],
)
def test_what_a_request_can_not_do_without_stays(refusal: Any) -> None:
    trial = Trial(Refused(), copy.deepcopy(REQUEST))
    assert trial.learn(refusal) is None
    assert trial.request() == REQUEST


def test_what_is_named_in_vain_is_put_back() -> None:
    words = "'store' and 'reasoning' can't be used: stream_options is not supported"
    trial = Trial(Refused(), copy.deepcopy(REQUEST))
    for name in ("store", "reasoning", "stream_options"):
        assert str(trial.learn(openai(words))) == name
    assert trial.request() == {k: v for k, v in REQUEST.items() if k != "stream_options"}


def test_what_did_not_help_alone_is_tried_together_once() -> None:
    words = "* GenerateContentRequest.stream_options: unknown\n* tools[0].strict: unknown\n"
    refused = Refused()
    trial = Trial(refused, copy.deepcopy(REQUEST))
    for _ in range(3):
        assert trial.learn(openai(words))
    asked = trial.request()
    assert {*REQUEST} - {*asked} == {"stream_options"}
    assert [[*tool["function"]] for tool in asked["tools"]] == [["name", "parameters"]] * 2
    trial.keep()
    assert Trial(refused, copy.deepcopy(REQUEST)).request() == asked


def test_what_does_not_help_together_is_put_back_too() -> None:
    words = "'store' and 'reasoning' can't be used"
    trial = Trial(Refused(), copy.deepcopy(REQUEST))
    for _ in range(3):
        assert trial.learn(openai(words))
    assert not {"store", "reasoning"} & trial.request().keys()
    assert trial.learn(openai(words)) is None
    assert trial.request() == REQUEST


def test_nothing_is_learnt_for_ever_nor_before_it_has_helped() -> None:
    now = [0.0]
    refused = Refused(clock=lambda: now[0])
    trial = Trial(refused, copy.deepcopy(REQUEST))
    trial.learn(openai("Unknown parameter", "store"))
    assert Trial(refused, REQUEST).request() == REQUEST
    assert [str(each) for each in trial.keep()] == ["store"]
    assert "store" not in Trial(refused, REQUEST).request()
    now[0] = KNOWN_SECONDS + 1
    assert Trial(refused, REQUEST).request() == REQUEST


CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
PAST: dict[str, Any] = {
    "model": "m",
    "messages": [
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": None, "tool_calls": [CALL, {**CALL, "id": "d"}]},
        {"role": "tool", "tool_call_id": "c", "content": "one"},
        {"role": "tool", "tool_call_id": "d", "content": [{"type": "text", "text": "two"}]},
        {"role": "assistant", "content": "Done."},
        {"role": "user", "content": "and?"},
    ],
}


@pytest.mark.parametrize(
    "words",
    [
        "Conversation roles must alternate user/assistant/user/assistant/...",
        "Unexpected role 'tool'",
        "Jinja Exception: Only user and assistant are known",
        "Error rendering prompt with template",
    ],
)
def test_calls_of_the_past_are_told_in_words(words: str) -> None:
    told = left(openai(words), request=PAST)["messages"]
    assert [message["role"] for message in told] == ["user", "assistant"] * 2 + ["user"]
    assert told[1]["content"] == 'I used f({"a": 1}).\nI used f({"a": 1}).'
    assert told[2]["content"] == "The tool f answered:\none\nThe tool f answered:\ntwo"
    assert left(openai(words)) == REQUEST


DEEPSEEK = "The `reasoning_content` in the thinking mode must be passed back to the API."
KIMI = (
    "thinking is enabled but reasoning_content is missing in assistant tool call message at index 1"
)
RUNNING: dict[str, Any] = PAST | {
    "messages": [
        *PAST["messages"],
        {
            "role": "assistant",
            "content": "",
            "reasoning_content": "hm",
            "tool_calls": [{**CALL, "id": "now"}],
        },
        {"role": "tool", "tool_call_id": "now", "content": "three"},
    ]
}


@pytest.mark.parametrize(
    "refusal",
    [
        openai(DEEPSEEK),
        openai(KIMI),
        pydantic("body", "messages", 1, "reasoning_content", kind="missing"),
    ],
)
def test_thoughts_that_are_missed_are_empty_ones(refusal: Any) -> None:
    messages = left(refusal, request=RUNNING)["messages"]
    assert [m.get("reasoning_content") for m in messages if "tool_calls" in m] == ["", "hm"]
    assert [m for m in messages if "tool_calls" not in m] == [
        m for m in RUNNING["messages"] if "tool_calls" not in m
    ]
    assert (
        left(refusal, request=PAST | {"messages": PAST["messages"][-2:]})["messages"]
        == (PAST["messages"][-2:])
    )


@pytest.mark.parametrize("words", [DEEPSEEK, KIMI])
def test_calls_without_thoughts_are_told_where_empty_ones_do_not_do(words: str) -> None:
    refused = Refused()
    trial = Trial(refused, copy.deepcopy(RUNNING))
    trial.learn(openai(words))
    trial.learn(openai(words))
    trial.keep()
    messages = Trial(refused, copy.deepcopy(RUNNING)).request()["messages"]
    assert messages[-2:] == RUNNING["messages"][-2:]  # the running turn's are real
    assert messages[1]["content"] == 'I used f({"a": 1}).\nI used f({"a": 1}).'
    assert messages[2]["content"] == "The tool f answered:\none\nThe tool f answered:\ntwo"


INSTRUCTED: dict[str, Any] = {
    "model": "m",
    "messages": [
        {"role": "system", "content": "Help."},
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": "go"},
        {"role": "user", "content": "now"},
    ],
}
O1 = "'messages[0].role' does not support 'system' with this model."
BY_USER = [("assistant", "Hello."), ("user", "Help.\n\ngo"), ("user", "now")]


def spoken(request: dict[str, Any], within: str = "messages") -> list[tuple[str, Any]]:
    return [(each["role"], each["content"]) for each in request[within]]


@pytest.mark.parametrize(
    "refusal",
    [
        openai("System role not supported"),
        openai(f"Unsupported value: {O1}", "messages[0].role"),
        openai("Developer instruction is not enabled for models/gemma-3-27b-it"),
        openai("This model does not support system messages"),
        openai('messages: Unexpected role "system". Use the top-level parameter instead.'),
        "Jinja Exception: System role not supported",
    ],
)
def test_instructions_stand_before_the_users_text_where_no_role_is_for_them(refusal: Any) -> None:
    assert spoken(left(refusal, request=INSTRUCTED)) == BY_USER


def test_instructions_are_the_developers_where_that_is_asked_for() -> None:
    asks = openai(f"{O1} Use 'developer' instead.", "messages[0].role")
    assert spoken(left(asks, request=INSTRUCTED))[0] == ("developer", "Help.")
    assert spoken(left(asks, asks, request=INSTRUCTED)) == BY_USER
    none = openai("Supported roles are 'user' only: no system, no developer messages.")
    assert spoken(left(none, none, request=INSTRUCTED)) == BY_USER


def test_instructions_stand_before_a_picture_by_either_api() -> None:
    words = openai("System role not supported")
    parts: list[Any] = [{"type": "input_image", "image_url": "x"}]
    request = {"instructions": "Help.", "input": [{"role": "user", "content": parts}]}
    told = left(words, request=request)
    assert told == {
        "input": [{"role": "user", "content": [{"type": "input_text", "text": "Help."}, *parts]}]
    }
    parts = [{"type": "image_url", "image_url": {"url": "x"}}]
    request = {"messages": [INSTRUCTED["messages"][0], {"role": "user", "content": parts}]}
    assert spoken(left(words, request=request)) == [
        ("user", [{"type": "text", "text": "Help."}, *parts])
    ]


ASKED: dict[str, Any] = {
    "model": "m",
    "instructions": "Help.",
    "input": [
        {"type": "message", "role": "user", "content": "go"},
        {"type": "message", "id": "msg_1", "role": "assistant", "content": [{"text": "Hello."}]},
        {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "add", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "done"},
    ],
}


@pytest.mark.parametrize(
    "refusal",
    [
        openai("Unknown parameter: 'input[1].id'.", "input[1].id"),
        openai("Unknown parameter: 'input[1].id'."),
        pydantic("body", "input", 1, "id"),
        pydantic("body", "input", "list", 2, "ResponseFunctionToolCall", "id"),
        openai("input.1.id: Extra inputs are not permitted"),
    ],
)
def test_the_ids_of_items_are_left_out_and_those_of_calls_stay(refusal: Any) -> None:
    items = left(refusal, request=ASKED)["input"]
    assert [item.get("id") for item in items] == [None] * 4
    assert [item.get("call_id") for item in items[2:]] == ["c1", "c1"]


@pytest.mark.parametrize(
    "refusal",
    [
        openai("Unsupported parameter: 'instructions' is not supported.", "instructions"),
        openai("Unknown parameter: instructions"),
        pydantic("body", "instructions"),
        {"error": 'json: unknown field "instructions"'},
        openai("instructions is not permitted"),
    ],
)
def test_instructions_are_a_message_where_no_field_is_for_them(refusal: Any) -> None:
    told = left(refusal, request=ASKED)
    assert "instructions" not in told
    assert told["input"][0] == {"type": "message", "role": "system", "content": "Help."}
    assert told["input"][1:] == ASKED["input"]
    none = openai("System role not supported")
    assert left(refusal, none, request=ASKED)["input"][0]["content"] == "Help.\n\ngo"
    assert left(openai("'instructions' is required"), request=ASKED) == ASKED

"""Tools that the model's provider runs itself: shown, kept with their sources, read by others."""

import json
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any

import pytest
from agents import (
    Agent,
    CodeInterpreterTool,
    FileSearchTool,
    HostedMCPTool,
    ImageGenerationTool,
    WebSearchTool,
)

from chatbridge.adapters.chatkit.items.images import GeneratedImages
from chatbridge.adapters.chatkit.keeping_runner import KeepingRunner
from chatbridge.adapters.memory.attachment_repository import MemoryAttachmentRepository
from chatbridge.adapters.memory.blob_store import MemoryBlobStore
from chatbridge.adapters.memory.memory import Memory
from chatbridge.adapters.openai.agent_runner import OpenAIAgentRunner
from chatbridge.adapters.openai.hosted import MAX_OUTPUT
from chatbridge.adapters.openai.models import Api, openai_model
from chatbridge.adapters.openai.readable import OUTCOME_UNKNOWN
from chatbridge.adapters.openai.run import AT_THE_PROVIDER
from chatbridge.adapters.pillow.pictures import PillowPictures
from chatbridge.domain.model.attachment import Allowance
from chatbridge.domain.model.citation import Citation
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.tool_call import ToolCall
from chatbridge.domain.model.transcript import Transcript
from chatbridge.domain.model.turn_event import (
    Changed,
    Cited,
    Shown,
    ToolCallFinished,
    ToolCallStarted,
)
from chatbridge.domain.services.attachments import Attachments
from chatbridge.domain.services.left_attachments import LeftAttachments
from chatbridge.domain.services.made_files import MadeFiles
from tests.contracts.agent_runner import ADA, all_of, heard, heard_until_failure, kept, said
from tests.contracts.task_tools import TaskTools
from tests.files_of_people import picture
from tests.integration import scripted_endpoint as frames
from tests.integration.scripted_endpoint import ScriptedEndpoint, message, responses
from tests.strict_reader import messages_of

SEARCH = {
    "type": "web_search_call",
    "id": "ws_1",
    "status": "completed",
    "action": {
        "type": "search",
        "query": "oat milk",
        "sources": [{"type": "url", "url": "https://example.com/oats"}],
    },
}
FILES = {
    "type": "file_search_call",
    "id": "fs_1",
    "status": "completed",
    "queries": ["oats"],
    "results": [{"file_id": "file-1", "filename": "oats.pdf", "score": 0.9, "text": "Oats float."}],
}
CODE = {
    "type": "code_interpreter_call",
    "id": "ci_1",
    "status": "completed",
    "code": "print(6 * 7)",
    "container_id": "cntr_1",
    "outputs": [
        {"type": "logs", "logs": "42"},
        {"type": "image", "url": "data:image/png;base64,AAAA"},
    ],
}
MCP = {
    "type": "mcp_call",
    "id": "mcp_1",
    "status": "completed",
    "server_label": "shop",
    "name": "find_order",
    "arguments": '{"number": "1002"}',
    "output": "It is on its way.",
}
IMAGE = {
    "type": "image_generation_call",
    "id": "ig_1",
    "status": "completed",
    "output_format": "png",
    "size": "1024x1024",
    "revised_prompt": "A glass of oat milk",
    "result": "iVBORw0KGgo" * 10_000,
}
PAGE = {
    "type": "url_citation",
    "title": "Oats",
    "url": "https://example.com/oats",
    "start_index": 0,
    "end_index": 4,
}
FILE = {"type": "file_citation", "file_id": "file-1", "filename": "oats.pdf", "index": 9}

ALLOWED = Allowance(max_bytes=10**6, max_files=10, max_bytes_a_day=10**7, max_files_a_day=100)

TOOLS = [
    WebSearchTool(),
    FileSearchTool(vector_store_ids=["vs_1"]),
    CodeInterpreterTool(tool_config={"type": "code_interpreter", "container": {"type": "auto"}}),
    HostedMCPTool(
        tool_config={
            "type": "mcp",
            "server_label": "shop",
            "server_url": "https://example.com/mcp",
            "require_approval": "never",
        }
    ),
    ImageGenerationTool(tool_config={"type": "image_generation"}),
]


def b64(data: bytes) -> str:
    return b64encode(data).decode()


@pytest.fixture
async def endpoint() -> AsyncIterator[ScriptedEndpoint]:
    async with ScriptedEndpoint().running() as here:
        yield here


@pytest.fixture
async def runner(endpoint: ScriptedEndpoint) -> AsyncIterator[OpenAIAgentRunner]:
    async for made in runner_of(endpoint, "responses", TOOLS):
        yield made


async def runner_of(
    endpoint: ScriptedEndpoint, api: Api, tools: list[Any]
) -> AsyncIterator[OpenAIAgentRunner]:
    model = openai_model(model="m", base_url=endpoint.url, api_key=None, api=api)
    agent = Agent(name="Host", tools=tools)
    yield OpenAIAgentRunner(model.model, TaskTools(), instructions="", agent=agent)
    await model.close()


def calls_of(messages: tuple[Message, ...]) -> list[ToolCall]:
    return [call for each in messages for call in each.tool_calls]


@pytest.mark.parametrize(
    ("item", "name", "arguments", "output"),
    [
        (SEARCH, "web_search", {"query": "oat milk"}, "https://example.com/oats"),
        (FILES, "file_search", {"queries": ["oats"]}, "oats.pdf: Oats float."),
        (
            CODE,
            "code_interpreter",
            {"code": "print(6 * 7)"},
            "42\n(an image, which is not kept)",
        ),
        (MCP, "find_order", {"number": "1002"}, "It is on its way."),
        (
            IMAGE,
            "image_generation",
            {"prompt": "A glass of oat milk"},
            "An image was made (png, 1024x1024). It is not kept.",
        ),
    ],
)
async def test_each_is_a_tool_call_with_what_was_asked_and_what_came_of_it(
    endpoint: ScriptedEndpoint,
    runner: OpenAIAgentRunner,
    item: dict[str, Any],
    name: str,
    arguments: dict[str, Any],
    output: str,
) -> None:
    endpoint.answer(*responses(item, message("Here you are.")))
    messages = kept(await heard(runner, "help me"))
    assert [m.kind for m in messages] == ["tools", "text"]
    (call,) = messages[0].tool_calls
    assert (call.name, call.state, call.hosted) == (name, "succeeded", True)
    assert (json.loads(call.arguments), call.output) == (arguments, output)
    assert call.id.startswith("call_")
    assert call.started_at <= (call.ended_at or call.started_at)
    assert call.ended_at is not None


async def test_it_is_shown_as_running_before_the_provider_has_told_what_it_did(
    endpoint: ScriptedEndpoint, runner: OpenAIAgentRunner
) -> None:
    begun, done = {**SEARCH, "action": None}, SEARCH
    first, _, *rest = responses(begun, message("Here you are."))
    later = [f for f in responses(done) if b"output_item.done" in f]
    # the arguments are known only at the end
    added = next(f for f in responses(begun) if b"output_item.added" in f)
    endpoint.answer(first, added, *later, *[f for f in rest if b'"output_index": 1' in f], rest[-1])
    events = await heard(runner, "help me")
    (started,), (finished,) = all_of(ToolCallStarted, events), all_of(ToolCallFinished, events)
    assert (started.call.arguments, started.call.state) == ("{}", "running")
    assert json.loads(finished.arguments or "") == {"query": "oat milk"}
    assert events.index(started) < events.index(finished)


async def test_every_call_is_one_message_in_the_order_of_what_was_said_between(
    endpoint: ScriptedEndpoint, runner: OpenAIAgentRunner
) -> None:
    again = {**SEARCH, "id": "ws_2"}
    endpoint.answer(*responses(message("Let me look."), SEARCH, again, message("Found it.")))
    messages = kept(await heard(runner, "help me"))
    assert [m.kind for m in messages] == ["text", "tools", "tools", "text"]
    assert len({m.id for m in messages} | {c.id for c in calls_of(messages)}) == 6


async def test_sources_are_kept_once_and_in_order(
    endpoint: ScriptedEndpoint, runner: OpenAIAgentRunner
) -> None:
    endpoint.answer(*responses(SEARCH, message("Oats float.", PAGE, FILE)))
    events = await heard(runner, "help me")
    sources = (
        Citation(title="Oats", url="https://example.com/oats", index=4),
        Citation(title="oats.pdf", index=9),
    )
    assert kept(events)[-1].citations == sources
    assert [e.citation for e in all_of(Cited, events)] == [*sources]


@pytest.mark.parametrize("left_out", ["annotation.added", "output_item.done"])
async def test_sources_are_found_wherever_the_provider_names_them(
    endpoint: ScriptedEndpoint, runner: OpenAIAgentRunner, left_out: str
) -> None:
    whole = responses(message("Oats float.", PAGE))
    endpoint.answer(*[f for f in whole if left_out.encode() not in f])
    (answer,) = kept(await heard(runner, "help me"))
    assert [c.title for c in answer.citations] == ["Oats"]


async def test_a_source_in_the_second_part_of_a_message_has_its_place_in_the_whole(
    endpoint: ScriptedEndpoint, runner: OpenAIAgentRunner
) -> None:
    two = message("Oats ")
    two["content"].append({"type": "output_text", "text": "float.", "annotations": [PAGE]})
    created, completed = responses()
    done = frames.frame({"type": "response.output_item.done", "output_index": 0, "item": two})
    endpoint.answer(created, done, completed)
    (answer,) = kept(await heard(runner, "help me"))
    assert (answer.content, answer.citations[0].index) == ("Oats float.", 9)


async def test_a_link_that_is_none_of_the_webs_is_not_kept(
    endpoint: ScriptedEndpoint, runner: OpenAIAgentRunner
) -> None:
    endpoint.answer(*responses(message("Oats.", {**PAGE, "url": "javascript:alert(1)"})))
    (answer,) = kept(await heard(runner, "help me"))
    assert answer.citations == (Citation(title="Oats", index=4),)


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ({**SEARCH, "status": "failed"}, "https://example.com/oats"),
        (
            {
                **MCP,
                "output": None,
                "error": {"type": "http_error", "code": 502, "message": "Bad."},
            },
            "Bad.",
        ),
        ({**MCP, "output": None, "error": "No such order."}, "No such order."),
        (
            {**IMAGE, "status": "failed", "result": None, "error": {"message": "Refused."}},
            "Refused.",
        ),
    ],
)
async def test_one_that_fails_says_so_and_the_answer_goes_on(
    endpoint: ScriptedEndpoint, runner: OpenAIAgentRunner, item: dict[str, Any], reason: str
) -> None:
    endpoint.answer(*responses(item, message("Sorry.")))
    step, answer = kept(await heard(runner, "help me"))
    assert [(c.state, c.output) for c in step.tool_calls] == [("failed", reason)]
    assert answer.content == "Sorry."


async def test_a_long_output_is_cut_and_an_image_is_never_kept_as_text(
    endpoint: ScriptedEndpoint, runner: OpenAIAgentRunner
) -> None:
    endless = {**MCP, "output": "x" * 100_000, "arguments": json.dumps({"q": "y" * 100_000})}
    endpoint.answer(*responses(endless, {**CODE, "code": "z" * 100_000}, IMAGE, message("Done.")))
    calls = calls_of(kept(await heard(runner, "help me")))
    assert [len(c.output or "") for c in calls] == [MAX_OUTPUT + 1, 32, 51]
    assert all(len(json.dumps(json.loads(c.arguments))) < 5_000 for c in calls)


async def test_a_picture_is_shown_as_it_grows_and_each_form_of_it_is_a_file(
    endpoint: ScriptedEndpoint,
) -> None:
    memory, partly, whole = Memory(), b64(picture(size=(30, 40))), b64(picture())
    blobs, repository = MemoryBlobStore(), MemoryAttachmentRepository(memory)
    left = LeftAttachments(repository, blobs)
    attachments = Attachments(repository, blobs, PillowPictures(), ALLOWED, left)
    item = {**IMAGE, "result": whole}
    plot = {"type": "image", "url": f"data:image/png;base64,{whole}"}
    made = (item, {**CODE, "outputs": [plot]}, message("Done."))
    created, added, *rest = responses(*made)
    partial = {"item_id": "ig_1", "output_index": 0, "partial_image_b64": partly}
    kind = "response.image_generation_call.partial_image"
    growing = [frames.frame({"type": kind, **partial, "partial_image_index": n}) for n in range(2)]
    endpoint.answer(created, added, *growing, *rest)
    model = openai_model(model="m", base_url=endpoint.url, api_key=None, api="responses")
    agent = Agent(name="Host", tools=TOOLS)
    painter = OpenAIAgentRunner(
        model.model, TaskTools(), instructions="", agent=agent, images=GeneratedImages()
    )
    events = await heard(KeepingRunner(painter, MadeFiles(attachments)), "draw")
    await model.close()
    assert "base64" not in str(events)
    shown = [e for e in events if isinstance(e, Shown | Changed)]
    assert [getattr(e, "how", "changed") for e in shown] == ["added", "changed", "done", "done"]
    # the same bytes are one file
    (first,), (again,), (last,), (plotted,) = (e.attachments for e in shown)
    assert first == again != last == plotted
    assert shown[2].payload["image"]["url"] == f"attachment:{last.id}"
    (drew, ran) = all_of(ToolCallFinished, events)
    assert drew.output == "An image was made (png, 1024x1024). It was shown to the person."
    assert ran.output == "(an image, which was shown to the person)"
    assert events.index(shown[2]) < events.index(drew)
    kept_now = {m.payload["image"]["url"] for m in kept(events) if m.kind == "shown" and m.payload}
    assert kept_now == {f"attachment:{last.id}"}


async def test_one_whose_end_nobody_saw_is_unknown(
    endpoint: ScriptedEndpoint, runner: OpenAIAgentRunner
) -> None:
    created, added, *_ = responses(SEARCH)
    endpoint.answer(created, added, ending="cut")
    events, failure = await heard_until_failure(runner, "help me")
    assert failure.code == "model_unavailable"
    (step,) = Transcript(ADA.conversation_id, events).closed()
    assert [c.state for c in step.tool_calls] == ["unknown"]


async def test_one_and_a_tool_of_ours_in_the_same_step(
    endpoint: ScriptedEndpoint, runner: OpenAIAgentRunner
) -> None:
    ours = frames.function_call("add_task", '{"title": "oats"}')
    endpoint.answer(*responses(SEARCH, ours)).answer(*responses(message("Noted.")))
    searched, added, answer = kept(await heard(runner, "help me"))
    assert [(c.name, c.state, c.hosted) for c in (*searched.tool_calls, *added.tool_calls)] == [
        ("web_search", "succeeded", True),
        ("add_task", "succeeded", False),
    ]
    assert answer.content == "Noted."


async def test_one_that_needs_an_approval_is_not_run_and_says_so(
    endpoint: ScriptedEndpoint, runner: OpenAIAgentRunner
) -> None:
    asks = {
        "type": "mcp_approval_request",
        "id": "mcpr_1",
        "server_label": "shop",
        "name": "cancel_order",
        "arguments": '{"number": "1002"}',
    }
    endpoint.answer(*responses(asks))
    events, failure = await heard_until_failure(runner, "cancel it")
    assert failure.code == "approval_needed"
    (call,) = calls_of(kept(events))
    assert (call.name, call.arguments, call.state, call.output) == (
        "cancel_order",
        '{"number": "1002"}',
        "failed",
        AT_THE_PROVIDER,
    )


@pytest.mark.parametrize("api", ["responses", "chat_completions"])
async def test_another_provider_reads_them_as_text(
    endpoint: ScriptedEndpoint, runner: OpenAIAgentRunner, api: Api
) -> None:
    endpoint.answer(*responses(SEARCH, message("Oats float.", PAGE)))
    history = [said("help me"), *kept(await heard(runner, "help me"))]
    answer = message("Yes.")
    endpoint.answer(*(responses(answer) if api == "responses" else frames.completions("Yes.")))
    async for other in runner_of(endpoint, api, []):
        assert kept(await heard(other, *history, said("sure?")))[0].content == "Yes."
    read = [message["content"] for message in messages_of(endpoint.requests[-1])]
    assert read == [
        "help me",
        '[The tool web_search was used with {"query": "oat milk"}. '
        "It answered: https://example.com/oats]\n\nOats float.",
        "sure?",
    ]


async def test_by_chat_completions_they_are_refused_at_the_start(
    endpoint: ScriptedEndpoint,
) -> None:
    for tool in TOOLS:
        with pytest.raises(ValueError, match=f"Host has the tool {tool.name}.*API=responses"):
            await anext(runner_of(endpoint, "chat_completions", [tool]))


async def test_one_that_was_cut_off_is_read_as_such(
    endpoint: ScriptedEndpoint, runner: OpenAIAgentRunner
) -> None:
    created, added, *_ = responses(SEARCH)
    endpoint.answer(created, added, ending="cut").answer(*responses(message("Again.")))
    events, _ = await heard_until_failure(runner, "help me")
    closed = Transcript(ADA.conversation_id, events).closed()
    await heard(runner, said("help me"), *closed, said("and?"))
    read = messages_of(endpoint.requests[-1])
    assert read[1]["content"].endswith(f"was cut off: {OUTCOME_UNKNOWN}]")

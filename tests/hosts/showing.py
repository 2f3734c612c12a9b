"""Servers that show, between them, every item, event, update and widget that the SDK knows."""

from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Any

from agents import Agent, Runner
from chatkit.agents import AgentContext, ThreadItemConverter, stream_agent_response
from chatkit.server import stream_widget
from chatkit.types import (
    Annotation,
    AssistantMessageContent,
    AssistantMessageContentPartAdded,
    AssistantMessageContentPartAnnotationAdded,
    AssistantMessageContentPartDone,
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    ClientEffectEvent,
    ClosedStatus,
    CustomSummary,
    CustomTask,
    DurationSummary,
    EndOfTurnItem,
    EntitySource,
    FileSource,
    FileTask,
    HiddenContextItem,
    ImageTask,
    NoticeEvent,
    ProgressUpdateEvent,
    SDKHiddenContextItem,
    SearchTask,
    StructuredInputFreeform,
    StructuredInputItem,
    StructuredInputMultipleChoice,
    StructuredInputMultipleChoiceOption,
    SyncCustomActionResponse,
    TaskItem,
    ThoughtTask,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemUpdated,
    TranscriptionResult,
    URLSource,
    UserMessageTagContent,
    WidgetComponentUpdated,
    WidgetItem,
    WidgetStreamingTextValueDelta,
    Workflow,
    WorkflowItem,
    WorkflowTaskAdded,
    WorkflowTaskUpdated,
)
from chatkit.widgets import Card, Markdown, Text, WidgetRoot
from openai.types.responses import ResponseInputTextParam
from pydantic import TypeAdapter

from tests.hosts.scripted_model import Scripted, text
from tests.hosts.servers import Base, seats, simple_input

Json = dict[str, Any]


class Showing(Base):
    """What every item needs."""

    def new(self, thread, context, kind="message") -> Json:
        id = self.store.generate_item_id(kind, thread, context)
        return {"id": id, "thread_id": thread.id, "created_at": datetime.now()}


class Writing(Showing):
    """A widget that is written while one looks, and one whose parts are changed."""

    async def respond(self, thread, item, context):
        async for event in stream_widget(
            thread,
            drafts(),
            copy_text="a letter",
            generate_id=lambda kind: self.store.generate_item_id(kind, thread, context),
        ):
            yield event
        card = Card(children=[Text(id="a", value="A"), Text(id="b", value="B", streaming=True)])
        widget = WidgetItem(**self.new(thread, context), widget=card)
        yield ThreadItemAddedEvent(item=widget)
        changed = WidgetComponentUpdated(component_id="a", component=Text(id="a", value="A!"))
        yield ThreadItemUpdated(item_id=widget.id, update=changed)
        for delta in (" and", " on"):
            more = WidgetStreamingTextValueDelta(component_id="b", delta=delta, done=delta == " on")
            yield ThreadItemUpdated(item_id=widget.id, update=more)
        whole = Card(children=[Text(id="a", value="A!"), Text(id="b", value="B and on")])
        yield ThreadItemDoneEvent(item=widget.model_copy(update={"widget": whole}))


async def drafts() -> AsyncGenerator[WidgetRoot, None]:
    yield Card(children=[Text(value="Writing")])
    for words in ("Dear", "Dear Harry", "Dear Harry, hello"):
        yield Card(children=[Markdown(id="body", value=words, streaming=words[-1] != "o")])
    yield Card(children=[Markdown(id="body", value="Dear Harry, hello"), Text(value="Sent")])


class Working(Showing):
    """Workflows, with tasks of all kinds, and a task by itself."""

    async def respond(self, thread, item, context):
        begun = Workflow(type="custom", tasks=[CustomTask(title="Begin", icon="search")])
        workflow = WorkflowItem(**self.new(thread, context, "workflow"), workflow=begun)
        yield ThreadItemAddedEvent(item=workflow)
        tasks = list(TASKS)
        for index, task in enumerate(tasks, 1):
            loading = task.model_copy(update={"status_indicator": "loading"})
            added = WorkflowTaskAdded(task_index=index, task=loading)
            yield ThreadItemUpdated(item_id=workflow.id, update=added)
            done = WorkflowTaskUpdated(task_index=index, task=task)
            yield ThreadItemUpdated(item_id=workflow.id, update=done)
        summary = CustomSummary(title="Looked it up", icon="check")
        ended = Workflow(type="custom", tasks=[*begun.tasks, *tasks], summary=summary)
        yield ThreadItemDoneEvent(item=workflow.model_copy(update={"workflow": ended}))
        thoughts = Workflow(
            type="reasoning",
            tasks=[ThoughtTask(title="Hm", content="I think")],
            summary=DurationSummary(duration=3),
            expanded=True,
        )
        yield ThreadItemDoneEvent(
            item=WorkflowItem(**self.new(thread, context, "workflow"), workflow=thoughts)
        )
        yield ThreadItemDoneEvent(
            item=TaskItem(**self.new(thread, context, "task"), task=CustomTask(title="By itself"))
        )
        yield ThreadItemDoneEvent(item=EndOfTurnItem(**self.new(thread, context)))


TASKS = (
    SearchTask(
        title="Search",
        title_query="cats",
        queries=["cats", "dogs"],
        sources=[URLSource(title="Cats", url="https://cats.example/", attribution="Cats")],
        status_indicator="complete",
    ),
    ThoughtTask(title="Think", content="*Hm*", status_indicator="complete"),
    FileTask(title="Read", sources=[FileSource(title="A", filename="a.txt")]),
    ImageTask(title="Look", status_indicator="complete"),
    CustomTask(title="Weigh", content="Both", icon="compass", status_indicator="complete"),
)


class Citing(Showing):
    """An answer in two parts, with sources of all kinds."""

    async def respond(self, thread, item, context):
        answer = AssistantMessageItem(**self.new(thread, context), content=[])
        yield ThreadItemAddedEvent(item=answer)
        sources = [
            URLSource(title="Cats", url="https://cats.example/", group="Animals"),
            FileSource(title="A", filename="a.txt", description="A file"),
            EntitySource(title="Tom", id="tom", icon="user", data={"age": 3, "none": None}),
        ]
        parts = []
        for index, words in enumerate(("First.", "Second.")):
            empty = AssistantMessageContent(text="")
            updates: list[Any] = [
                AssistantMessageContentPartAdded(content_index=index, content=empty)
            ]
            updates += [
                AssistantMessageContentPartTextDelta(content_index=index, delta=delta)
                for delta in (words[:2], words[2:])
            ]
            notes = [Annotation(source=source, index=n) for n, source in enumerate(sources)]
            for n, note in enumerate(notes):
                updates.append(
                    AssistantMessageContentPartAnnotationAdded(
                        content_index=index, annotation_index=n, annotation=note
                    )
                )
            parts.append(AssistantMessageContent(text=words, annotations=notes))
            updates.append(AssistantMessageContentPartDone(content_index=index, content=parts[-1]))
            for update in updates:
                yield ThreadItemUpdated(item_id=answer.id, update=update)
        yield ThreadItemDoneEvent(item=answer.model_copy(update={"content": parts}))


class Effects(Base):
    """Effects in the page, before, between and after what is said."""

    async def respond(self, thread, item, context):
        yield ClientEffectEvent(name="first", data={"n": None, "deep": {"b": 1, "a": [0.5, 25]}})
        yield self.said(thread, "Done.", context)
        yield ClientEffectEvent(name="last")


class Notices(Base):
    """Notices and progress of all forms."""

    async def respond(self, thread, item, context):
        for words, icon in (("Looking", "search"), ("Still looking", None)):
            yield ProgressUpdateEvent(text=words, icon=icon)
        for level in ("info", "warning", "danger"):
            yield NoticeEvent(level=level, message=f"**{level}**", title="So")
        yield NoticeEvent(level="info", message="Without a title")
        yield self.said(thread, "Done.", context)


class Hiding(Showing):
    """What the model reads and nobody sees: told by a frame, or only stored."""

    async def respond(self, thread, item, context):
        yield ThreadItemDoneEvent(
            item=HiddenContextItem(**self.new(thread, context), content={"a": [1, None]})
        )
        note = SDKHiddenContextItem(**self.new(thread, context), content="<LOOKED/>")
        await self.store.add_thread_item(thread.id, note, context)
        page = await self.store.load_thread_items(thread.id, None, 20, "desc", context)
        yield self.said(thread, str([i.type for i in page.data]), context)


class Retitling(Base):
    """The thread itself: by the object that is given, and by the store; twice in one turn."""

    async def respond(self, thread, item, context):
        thread.title = simple_input(item)
        yield self.said(thread, "Begun.", context)
        thread.title = f"{thread.title}!"
        thread.metadata = {"deep": {"b": None, "a": 25.0}}
        thread.allowed_image_domains = ["a.example", "*.b.example"]
        await self.store.save_thread(thread, context)
        yield self.said(thread, "Done.", context)
        if simple_input(item) == "close":
            thread.status = ClosedStatus()


class Choosing(Showing):
    """A form with questions of both kinds; which one was skipped is read from the store."""

    async def respond(self, thread, item, context):
        if item is None:
            page = await self.store.load_thread_items(thread.id, None, 1, "desc", context)
            skipped = [question.answer.skipped for question in page.data[0].inputs]
            yield self.said(thread, f"Skipped: {skipped}", context)
            return
        options = [StructuredInputMultipleChoiceOption(value=v) for v in ("red", "green")]
        questions = [
            StructuredInputMultipleChoice(id="q", question="Which?", options=options),
            StructuredInputFreeform(id="why", question="Why?", description="In a word"),
        ]
        form = StructuredInputItem(**self.new(thread, context), inputs=questions)
        yield ThreadItemDoneEvent(item=form)


class AtOnce(Showing):
    """A sync action that changes more than the item that it answers with, or nothing at all."""

    async def respond(self, thread, item, context):
        async for event in stream_widget(thread, seats()):
            yield event

    async def sync_action(self, thread, action, sender, context):
        if action.type == "seat.nothing":
            return SyncCustomActionResponse()
        note = HiddenContextItem(**self.new(thread, context), content="<LOOKED/>")
        await self.store.add_thread_item(thread.id, note, context)
        item = sender.model_copy(update={"widget": seats("sync")})
        await self.store.save_item(thread.id, item, context)
        return SyncCustomActionResponse(updated_item=item)


class Hearing(Showing):
    """Takes verdicts, and what is said aloud."""

    async def respond(self, thread, item, context):
        yield self.said(thread, "Well?", context)

    async def add_feedback(self, thread_id, item_ids, feedback, context):
        thread = await self.store.load_thread(thread_id, context)
        item = await self.store.load_item(thread_id, item_ids[0], context)
        if feedback == "negative":
            raise ValueError("not that one")
        thread.metadata = {"verdict": feedback, "of": item.content[0].text}
        await self.store.save_thread(thread, context)

    async def transcribe(self, audio_input, context):
        words = f"{audio_input.data.decode()} as {audio_input.media_type}"
        return TranscriptionResult(text=f"{context['user_id']} says {words}")


class Converter(ThreadItemConverter):
    """Reads tags; knows nothing of files."""

    async def tag_to_message_content(self, tag: UserMessageTagContent) -> ResponseInputTextParam:
        return ResponseInputTextParam(type="input_text", text=f"[{tag.id}: {tag.data}]")


class Converting(Base):
    """An agent that is told what its converter has read."""

    model = Scripted([text("msg_v", "I ", "see.")])

    async def respond(self, thread, item, context):
        page = await self.store.load_thread_items(thread.id, None, 20, "asc", context)
        read = await Converter().to_agent_input(page.data)
        agent_context = AgentContext(thread=thread, store=self.store, request_context=context)
        agent = Agent(name="a", model=self.model)
        result = Runner.run_streamed(agent, read, context=agent_context)
        async for event in stream_agent_response(agent_context, result):
            yield event
        told = self.model.inputs[-1]
        yield self.said(thread, str([part["content"] for part in told]), context)


class Gallery(Showing):
    """Every widget that there is, as JSON, one after the other and each in a root."""

    async def respond(self, thread, item, context):
        for component in COMPONENTS:
            root = {"type": "Card", "key": "k", "size": 25, "children": [component]}
            yield self.shown(thread, context, root)
        for root in ROOTS:
            yield self.shown(thread, context, root)

    def shown(self, thread, context, root: Json) -> ThreadItemDoneEvent:
        widget = TypeAdapter(WidgetRoot).validate_python(root)
        return ThreadItemDoneEvent(item=WidgetItem(**self.new(thread, context), widget=widget))


_GO = {"type": "go", "payload": {"n": 1, "none": None}}
_TEXT = {"type": "Text", "value": "x"}
_CHOICES = [{"label": "A", "value": "a"}, {"label": "B", "value": "b"}]
_SERIES = [{"type": kind, "label": kind, "dataKey": kind} for kind in ("bar", "area", "line")]
COMPONENTS: tuple[Json, ...] = (
    {**_TEXT, "id": "t", "streaming": False, "editable": {"name": "n"}, "minLines": 2},
    {"type": "Title", "value": "x", "size": "lg"},
    {"type": "Caption", "value": "x", "color": {"light": "red", "dark": "blue"}},
    {
        "type": "Chart",
        "data": [{"day": "Mon", "bar": 1, "area": 0.5, "line": 2}],
        "series": _SERIES,
        "xAxis": {"dataKey": "day", "labels": {"Mon": "Monday"}},
    },
    {"type": "Badge", "label": "x", "color": "success"},
    {"type": "Markdown", "value": "**x**"},
    {"type": "Box", "children": [_TEXT], "padding": {"x": 2, "top": "1px"}},
    {"type": "Row", "children": [_TEXT], "gap": 2},
    {"type": "Col", "children": [_TEXT], "border": {"size": 1, "color": "red"}},
    {"type": "Divider", "spacing": 3},
    {"type": "Icon", "name": "check"},
    {"type": "Image", "src": "https://cats.example/a.png", "alt": "A cat", "size": 25},
    {"type": "ListViewItem", "children": [_TEXT], "onClickAction": _GO},
    {"type": "Button", "label": "Go", "onClickAction": {**_GO, "handler": "client"}},
    {"type": "Checkbox", "name": "c", "label": "C", "defaultChecked": True},
    {"type": "Spacer", "minSize": 4},
    {"type": "Select", "name": "s", "options": _CHOICES, "onChangeAction": _GO},
    {"type": "DatePicker", "name": "d", "min": "2026-11-01T10:00:00"},
    {"type": "Form", "children": [_TEXT], "onSubmitAction": {**_GO, "streaming": False}},
    {"type": "Input", "name": "i", "inputType": "email", "required": True},
    {"type": "Label", "value": "x", "fieldName": "i"},
    {"type": "RadioGroup", "name": "r", "options": _CHOICES, "direction": "row"},
    {"type": "Textarea", "name": "a", "rows": 2, "autoResize": True},
    {"type": "Transition", "children": {**_TEXT, "key": "x"}},
)
ROOTS: tuple[Json, ...] = (
    {
        "type": "Card",
        "asForm": True,
        "confirm": {"label": "Go", "action": _GO},
        "children": [_TEXT],
    },
    {
        "type": "ListView",
        "limit": "auto",
        "children": [{"type": "ListViewItem", "children": [_TEXT]}],
    },
    {"type": "Basic", "children": [_TEXT], "theme": "dark"},
)

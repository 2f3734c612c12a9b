"""Streams of every kind of event of the SDK, and the items that they end in, by its own models."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, TypeVar, get_args

from chatkit.server import diff_widget
from chatkit.types import (
    Annotation,
    AssistantMessageContent,
    AssistantMessageContentPartAdded,
    AssistantMessageContentPartAnnotationAdded,
    AssistantMessageContentPartDone,
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    ClientEffectEvent,
    ClientToolCallItem,
    ClosedStatus,
    CustomSummary,
    CustomTask,
    DurationSummary,
    EndOfTurnItem,
    EntitySource,
    ErrorEvent,
    FileAttachment,
    FileSource,
    FileTask,
    GeneratedImage,
    GeneratedImageItem,
    GeneratedImageUpdated,
    HiddenContextItem,
    ImageTask,
    InferenceOptions,
    LockedStatus,
    NoticeEvent,
    Page,
    ProgressUpdateEvent,
    SDKHiddenContextItem,
    SearchTask,
    StreamOptions,
    StreamOptionsEvent,
    StructuredInputFreeform,
    StructuredInputItem,
    StructuredInputMultipleChoice,
    StructuredInputMultipleChoiceOption,
    TaskItem,
    ThoughtTask,
    Thread,
    ThreadCreatedEvent,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemReplacedEvent,
    ThreadItemUpdatedEvent,
    ThreadUpdatedEvent,
    URLSource,
    UserMessageItem,
    UserMessageTagContent,
    UserMessageTextContent,
    WidgetComponentUpdated,
    WidgetItem,
    WidgetRootUpdated,
    WidgetStreamingTextValueDelta,
    Workflow,
    WorkflowItem,
    WorkflowTaskAdded,
    WorkflowTaskUpdated,
)
from chatkit.widgets import Badge, Card, Col, ListView, ListViewItem, Row, Text
from hypothesis import strategies as st
from pydantic import BaseModel

from tests.chatkit_client import Json

HIDDEN = {HiddenContextItem, SDKHiddenContextItem}

_BEGIN = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)
_STATUS: list[Any] = ["none", "loading", "complete"]

Item = TypeVar("Item", bound=BaseModel)

# of one, two, three and four bytes, with what JSON and an event stream treat in ways of their own
_texts = st.text(st.sampled_from('aZ "\\\n\r\té\u2028日\U0001f680:{}'), max_size=8)


def members(union: Any) -> set[type[BaseModel]]:
    """The models of a union, however it is nested and annotated."""
    if isinstance(union, type):
        return {union}
    parts = get_args(union)
    if hasattr(union, "__metadata__"):
        parts = parts[:1]
    return set().union(*map(members, parts))


def as_json(model: BaseModel) -> Json:
    """The model as the SDK's server sends it."""
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


class Script:
    """A stream in the making: what was told so far, and what the server would keep of it."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self.draw = draw
        self.events: list[BaseModel] = []
        self.items: dict[str, BaseModel] = {}
        self.thread = Thread(id="thr_1", created_at=_BEGIN, items=Page())
        self.notices: list[NoticeEvent] = []
        self.error: ErrorEvent | None = None
        self.allow_cancel = True
        self._made = 0

    def text(self) -> str:
        """Some text, perhaps none."""
        return self.draw(_texts)

    def pick(self, options: Any) -> Any:
        """One of these."""
        return self.draw(st.sampled_from(list(options)))

    def tell(self, event: BaseModel) -> None:
        """An event that changes nothing that is kept, or whose change is noted by the caller."""
        self.events.append(event)

    def base(self) -> Json:
        """What every item has."""
        self._made += 1
        at = _BEGIN + timedelta(seconds=self._made)
        return {"id": f"item_{self._made}", "thread_id": "thr_1", "created_at": at}

    def begin(self, item: Item) -> Item:
        """The item is added."""
        self.items[item.id] = item
        self.tell(ThreadItemAddedEvent(item=item.model_copy(deep=True)))
        return item

    def some(self, kind: type[Item]) -> Item:
        """One of the items of this kind; a new one if there is none yet."""
        kept = [item for item in self.items.values() if isinstance(item, kind)]
        return self.pick(kept) if kept else self.begin(ITEMS[kind](self))

    def update(self, item: Item, update: BaseModel, **changes: Any) -> None:
        """The update is told, and this is what it means."""
        self.tell(ThreadItemUpdatedEvent(item_id=item.id, update=update))
        self.items[item.id] = item.model_copy(deep=True, update=changes)


def _user_message(s: Script) -> UserMessageItem:
    tag = UserMessageTagContent(id="e1", text=s.text(), data={"n": [1, None]}, interactive=True)
    file = FileAttachment(id="atc_1", name=s.text(), mime_type="text/plain")
    return UserMessageItem(
        **s.base(),
        content=[UserMessageTextContent(text=s.text()), tag],
        attachments=[file],
        quoted_text=s.pick([None, "quoted"]),
        inference_options=InferenceOptions(model=s.pick([None, "m"])),
    )


def _client_tool_call(s: Script) -> ClientToolCallItem:
    return ClientToolCallItem(**s.base(), call_id="c1", name="look", arguments={"k": s.text()})


def _widget(s: Script) -> WidgetItem:
    streaming = s.pick([True, False])
    badge = Badge(id="badge", label=s.text(), color="warning")
    text = Text(id="text", value=s.text(), streaming=streaming)
    inside = Row(children=[Col(children=[badge, Text(value="")]), text])
    root = s.pick(
        [Card(size="sm", children=[inside]), ListView(children=[ListViewItem(children=[inside])])]
    )
    return WidgetItem(**s.base(), widget=root, copy_text=s.pick([None, "copied"]))


def _structured_input(s: Script) -> StructuredInputItem:
    option = StructuredInputMultipleChoiceOption(value=s.text())
    choice = StructuredInputMultipleChoice(id="q1", question="Which?", options=[option])
    return StructuredInputItem(
        **s.base(), inputs=[choice, StructuredInputFreeform(id="q2", question=s.text())]
    )


def _task(s: Script) -> Any:
    url = URLSource(title=s.text(), url="https://example.com/a")
    status = s.pick(_STATUS)
    return s.pick(
        [
            CustomTask(title=s.text(), icon="bolt", content="c", status_indicator=status),
            SearchTask(title_query=s.text(), queries=["a b"], sources=[url]),
            ThoughtTask(content=s.text()),
            FileTask(sources=[FileSource(title="F", filename=s.text())]),
            ImageTask(title=s.text(), status_indicator=status),
        ]
    )


def _workflow(s: Script) -> WorkflowItem:
    summary = s.pick([None, CustomSummary(title="t"), DurationSummary(duration=3)])
    workflow = Workflow(type=s.pick(["custom", "reasoning"]), tasks=[], summary=summary)
    return WorkflowItem(**s.base(), workflow=workflow)


# How an item of each kind is made.
ITEMS: dict[type[BaseModel], Callable[[Script], Any]] = {
    UserMessageItem: _user_message,
    AssistantMessageItem: lambda s: AssistantMessageItem(**s.base(), content=[]),
    ClientToolCallItem: _client_tool_call,
    WidgetItem: _widget,
    GeneratedImageItem: lambda s: GeneratedImageItem(**s.base()),
    StructuredInputItem: _structured_input,
    WorkflowItem: _workflow,
    TaskItem: lambda s: TaskItem(**s.base(), task=_task(s)),
    EndOfTurnItem: lambda s: EndOfTurnItem(**s.base()),
}


def _content(s: Script) -> AssistantMessageContent:
    return AssistantMessageContent(text=s.text())


def _part_added(s: Script) -> None:
    item = s.some(AssistantMessageItem)
    part = _content(s)
    update = AssistantMessageContentPartAdded(content_index=len(item.content), content=part)
    s.update(item, update, content=[*item.content, part])


def _with_a_part(s: Script) -> tuple[AssistantMessageItem, int]:
    item = s.some(AssistantMessageItem)
    if not item.content:
        _part_added(s)
        return _with_a_part(s)
    return item, s.pick(range(len(item.content)))


def _part(s: Script, item: AssistantMessageItem, at: int, new: Any, update: BaseModel) -> None:
    s.update(item, update, content=[*item.content[:at], new, *item.content[at + 1 :]])


def _text_delta(s: Script) -> None:
    item, at = _with_a_part(s)
    delta = s.text()
    new = item.content[at].model_copy(update={"text": item.content[at].text + delta})
    _part(s, item, at, new, AssistantMessageContentPartTextDelta(content_index=at, delta=delta))


def _annotation_added(s: Script) -> None:
    item, at = _with_a_part(s)
    url = URLSource(title=s.text(), url="https://example.com")
    entity = EntitySource(id="e", title="E", data={"x": 1})
    note = Annotation(source=s.pick([url, entity]), index=s.pick([None, 0, 3]))
    old = item.content[at]
    new = old.model_copy(update={"annotations": [*old.annotations, note]})
    update = AssistantMessageContentPartAnnotationAdded(
        content_index=at, annotation_index=len(old.annotations), annotation=note
    )
    _part(s, item, at, new, update)


def _part_done(s: Script) -> None:
    item, at = _with_a_part(s)
    new = _content(s)
    _part(s, item, at, new, AssistantMessageContentPartDone(content_index=at, content=new))


def _inner(item: WidgetItem) -> Any:
    """The row that holds the badge and the text."""
    child = item.widget.children[0]
    return child if isinstance(child, Row) else child.children[0]


def _text_value(s: Script) -> None:
    item = s.some(WidgetItem)
    after = item.model_copy(deep=True)
    _inner(after).children[1].value += s.text() + "!"
    # what the SDK itself makes of the difference
    (update,) = diff_widget(item.widget, after.widget)
    assert isinstance(update, WidgetStreamingTextValueDelta)
    s.update(item, update, widget=after.widget)


def _root_updated(s: Script) -> None:
    item = s.some(WidgetItem)
    after = item.model_copy(deep=True)
    after.widget.key = f"{item.widget.key}{s.text()}+"
    (update,) = diff_widget(item.widget, after.widget)
    assert isinstance(update, WidgetRootUpdated)
    s.update(item, update, widget=after.widget)


def _component_updated(s: Script) -> None:
    item = s.some(WidgetItem)
    after = item.model_copy(deep=True)
    badge = Badge(id="badge", label=s.text(), color="success")
    _inner(after).children[0].children[0] = badge
    update = WidgetComponentUpdated(component_id="badge", component=badge)
    s.update(item, update, widget=after.widget)


def _task_added(s: Script) -> None:
    item, task = s.some(WorkflowItem), _task(s)
    tasks = [*item.workflow.tasks, task]
    update = WorkflowTaskAdded(task_index=len(item.workflow.tasks), task=task)
    s.update(item, update, workflow=item.workflow.model_copy(update={"tasks": tasks}))


def _task_updated(s: Script) -> None:
    item = s.some(WorkflowItem)
    if not item.workflow.tasks:
        _task_added(s)
        return _task_updated(s)
    at, tasks = s.pick(range(len(item.workflow.tasks))), list(item.workflow.tasks)
    tasks[at] = _task(s)
    update = WorkflowTaskUpdated(task_index=at, task=tasks[at])
    return s.update(item, update, workflow=item.workflow.model_copy(update={"tasks": tasks}))


def _image_updated(s: Script) -> None:
    item = s.some(GeneratedImageItem)
    image = GeneratedImage(id="img", url=f"https://example.com/{len(s.events)}.png")
    s.update(item, GeneratedImageUpdated(image=image, progress=s.pick([None, 0.5])), image=image)


# What each update does to an item.
UPDATES: dict[type[BaseModel], Callable[[Script], None]] = {
    AssistantMessageContentPartAdded: _part_added,
    AssistantMessageContentPartTextDelta: _text_delta,
    AssistantMessageContentPartAnnotationAdded: _annotation_added,
    AssistantMessageContentPartDone: _part_done,
    WidgetStreamingTextValueDelta: _text_value,
    WidgetComponentUpdated: _component_updated,
    WidgetRootUpdated: _root_updated,
    WorkflowTaskAdded: _task_added,
    WorkflowTaskUpdated: _task_updated,
    GeneratedImageUpdated: _image_updated,
}


def _created(s: Script) -> None:
    s.tell(ThreadCreatedEvent(thread=s.thread))


def _updated(s: Script) -> None:
    status = s.pick([LockedStatus(reason="r"), ClosedStatus(), s.thread.status])
    s.thread = s.thread.model_copy(update={"title": s.text(), "status": status})
    s.tell(ThreadUpdatedEvent(thread=s.thread))


def _any_item(s: Script) -> BaseModel:
    return s.pick(s.items.values()) if s.items else s.begin(ITEMS[s.pick(ITEMS)](s))


def _done(s: Script) -> None:
    """An item that had begun, or one that comes whole."""
    whole = s.pick([True, False])
    item = ITEMS[s.pick(ITEMS)](s) if whole else _any_item(s)
    s.items[item.id] = item
    s.tell(ThreadItemDoneEvent(item=item.model_copy(deep=True)))


def _removed(s: Script) -> None:
    item = _any_item(s)
    del s.items[item.id]
    s.tell(ThreadItemRemovedEvent(item_id=item.id))


def _replaced(s: Script) -> None:
    old = _any_item(s)
    new = ITEMS[s.pick(ITEMS)](s).model_copy(update={"id": old.id})
    s.items[old.id] = new
    s.tell(ThreadItemReplacedEvent(item=new.model_copy(deep=True)))


def _stream_options(s: Script) -> None:
    s.allow_cancel = s.pick([True, False])
    s.tell(StreamOptionsEvent(stream_options=StreamOptions(allow_cancel=s.allow_cancel)))


def _error(s: Script) -> None:
    s.error = ErrorEvent(code="stream.error", message=s.text() + "!", allow_retry=s.pick([0, 1]))
    s.tell(s.error)


def _notice(s: Script) -> None:
    s.notices.append(NoticeEvent(level=s.pick(["info", "warning"]), message=s.text()))
    s.tell(s.notices[-1])


# How each event comes about.
EVENTS: dict[type[BaseModel], Callable[[Script], None]] = {
    ThreadCreatedEvent: _created,
    ThreadUpdatedEvent: _updated,
    ThreadItemAddedEvent: lambda s: [s.begin(ITEMS[s.pick(ITEMS)](s))].clear(),
    ThreadItemDoneEvent: _done,
    ThreadItemUpdatedEvent: lambda s: UPDATES[s.pick(UPDATES)](s),
    ThreadItemRemovedEvent: _removed,
    ThreadItemReplacedEvent: _replaced,
    StreamOptionsEvent: _stream_options,
    ProgressUpdateEvent: lambda s: s.tell(ProgressUpdateEvent(text=s.text(), icon="bolt")),
    ClientEffectEvent: lambda s: s.tell(ClientEffectEvent(name="x", data={"k": s.text()})),
    ErrorEvent: _error,
    NoticeEvent: _notice,
}

_STEPS = [
    *EVENTS.values(),
    *UPDATES.values(),
    *[lambda s, make=make: [s.begin(make(s))].clear() for make in ITEMS.values()],
]


@st.composite
def scripts(draw: Callable[[st.SearchStrategy[Any]], Any], *, whole: bool = False) -> Script:
    """A stream of several items side by side. `whole`: with every kind of everything in it."""
    script = Script(draw)
    _created(script)
    steps = st.permutations(_STEPS) if whole else st.lists(st.sampled_from(_STEPS), max_size=25)
    for step in draw(steps):
        step(script)
    return script


@st.composite
def framed(draw: Callable[[st.SearchStrategy[Any]], Any], events: list[BaseModel]) -> list[str]:
    """The events as an event stream, in pieces of bytes (base64) that end anywhere."""
    stream = draw(st.sampled_from([b"", b"\xef\xbb\xbf"]))
    for event in events:
        stream += draw(_noise())
        stream += draw(_frame(event))
    stream += draw(st.sampled_from([b"", b": ping", b'data: {"type": "cut off"}', b"\n"]))
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=30)))
    edges = [0, *cuts, len(stream)]
    pieces = [stream[a:b] for a, b in pairwise(edges)]
    return [base64.b64encode(piece).decode() for piece in pieces]


@st.composite
def _noise(draw: Callable[[st.SearchStrategy[Any]], Any]) -> bytes:
    return draw(st.sampled_from([b"", b": ping\n\n", b":\r\n\r\n", b"retry: 5\nid\n\n", b"\n\n"]))


@st.composite
def _frame(draw: Callable[[st.SearchStrategy[Any]], Any], event: BaseModel) -> bytes:
    # U+0085, U+2028 and U+2029 end a line in Python, but not in an event stream
    indent = draw(st.sampled_from([None, 1]))
    text = event.model_dump_json(by_alias=True, exclude_none=True, indent=indent)
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    field = draw(st.sampled_from(["data: ", "data:"])) if indent is None else "data: "
    before = draw(st.sampled_from(["", f"event: message{end}", f": note{end}", f"data_: x{end}"]))
    lines = [field + line for line in text.split("\n")]
    return (before + end.join(lines) + end + end).encode()

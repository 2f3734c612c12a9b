"""The bundled task list in the chat: rows that complete a task by a click."""

from collections.abc import Collection, Sequence
from typing import Any

from chatkit.errors import CustomStreamError
from chatkit.widgets import DynamicWidgetRoot
from pydantic import BaseModel, ValidationError

from chatbridge.adapters.chatkit.actions import Actions, Pressed
from chatbridge.adapters.chatkit.chat import Chat
from chatbridge.domain.model.identifiers import ConversationId, TurnId, UserId, new_call_id
from chatbridge.domain.model.tool import Brought, OnBehalf, ToolRequest, ToolResult
from chatbridge.ports.tool_provider import ToolProvider

COMPLETE = "tasks.complete"

_MOST = 100
_AT_FIRST = 10
_AWAY = "The tasks can't be reached just now. Please try again in a moment."


class Complete(BaseModel):
    """What a row sends."""

    number: int


class ListedTask(BaseModel):
    """A task as the tools tell it."""

    number: int
    title: str
    done: bool = False


class _Listed(BaseModel):
    tasks: list[ListedTask]


def task_actions(tools: ToolProvider, source: str) -> Actions:
    """What a click in a list does: it calls the tools of the server `source` for whoever clicks."""
    actions = Actions()

    @actions.on(COMPLETE, Complete)
    async def complete(chat: Chat, pressed: Pressed[Complete]) -> None:  # pyright: ignore[reportUnusedFunction]
        here = _TaskTools(tools, source, chat)
        shown = _shown_in(pressed.sender.item.widget) if pressed.sender else set[int]()
        said, still = await _completed(here, pressed.payload.number, shown)
        if pressed.sender:
            await pressed.sender.replace(task_list(still, said), copy_text=in_lines(still))

    return actions


def shown_list(brought: Brought) -> DynamicWidgetRoot | None:
    """What is shown of a call of `list_tasks`; nothing where the model has only looked something
    up, or nothing is open."""
    tasks = [task for task in _tasks_in(brought.output) if not task.done]
    if brought.arguments.get("show") is False or not tasks:
        return None
    all_of_them = "Your open tasks"
    if len(tasks) > _MOST:
        tasks, all_of_them = tasks[-_MOST:], f"The newest {_MOST} of your open tasks"
    return task_list(
        tasks, "Which one is done?" if brought.arguments.get("numbers") else all_of_them
    )


def task_list(tasks: Sequence[ListedTask], said: str) -> DynamicWidgetRoot:
    """A row a task, below what is `said` of them; what is done stays without its click."""
    rows = [_done(task) if task.done else _open(task) for task in tasks]
    return DynamicWidgetRoot.model_validate(
        {"type": "ListView", "status": {"text": said}, "limit": _AT_FIRST, "children": rows}
    )


def in_lines(tasks: Sequence[ListedTask]) -> str:
    """The list as text, which a person copies and a model reads."""
    return "\n".join(f"{t.number}: {t.title}{' (done)' if t.done else ''}" for t in tasks)


class _TaskTools:
    """The tools of a task server for the person in a chat."""

    def __init__(self, tools: ToolProvider, source: str, chat: Chat) -> None:
        self._tools, self._source = tools, source
        self._on_behalf = OnBehalf(
            user_id=UserId(chat.user_id),
            conversation_id=ConversationId(chat.conversation_id),
            turn_id=TurnId(chat.turn_id),
        )

    async def tasks(self, numbers: Collection[int]) -> list[ListedTask]:
        """Those of these that there are. Raises CustomStreamError where they can't be read."""
        result = await self.call("list_tasks", numbers=sorted(numbers), show=False)
        if result.failed:
            raise CustomStreamError(_AWAY)
        return _tasks_in(result.output)

    async def call(self, name: str, **arguments: Any) -> ToolResult:
        """One call. Raises CustomStreamError where there is no such tool."""
        offered = await self._tools.tools(self._on_behalf)
        ours = (t.name for t in offered if t.source == self._source and t.name.endswith(name))
        if (known := next(ours, None)) is None:
            raise CustomStreamError(_AWAY)
        request = ToolRequest(call_id=new_call_id(), name=known, arguments=arguments)
        return await self._tools.call(request, self._on_behalf)


async def _completed(
    tools: _TaskTools, number: int, shown: set[int]
) -> tuple[str, list[ListedTask]]:
    """What there is to say, and those that are `shown` as they are now: that may be long ago."""
    tasks = await tools.tasks(shown | {number})
    task = next((each for each in tasks if each.number == number), None)
    if task is None:
        return f"Task {number} is not there any more", tasks
    if task.done:
        return f"Was done already: {task.title}", tasks
    if (await tools.call("complete_task", number=number)).failed:
        raise CustomStreamError(_AWAY)
    task.done = True
    return f"Done: {task.title}", tasks


def _open(task: ListedTask) -> dict[str, Any]:
    # at once and without a turn: several are clicked one after the other
    action = {"type": COMPLETE, "payload": {"number": task.number}, "streaming": False}
    hint = {"type": "Badge", "label": "Complete", "color": "secondary", "variant": "outline"}
    return {**_row(task, "empty-circle", hint), "onClickAction": action}


def _done(task: ListedTask) -> dict[str, Any]:
    return _row(task, "check-circle-filled", {"type": "Badge", "label": "Done", "color": "success"})


def _row(task: ListedTask, icon: str, state: dict[str, Any]) -> dict[str, Any]:
    title = {"type": "Text", "value": task.title, "size": "sm"}
    children = [{"type": "Icon", "name": icon}, title, {"type": "Spacer"}, state]
    return {"type": "ListViewItem", "key": str(task.number), "gap": 3, "children": children}


def _shown_in(widget: Any) -> set[int]:
    rows = widget.model_dump(mode="json").get("children") or ()
    return {int(row["key"]) for row in rows if str(row.get("key", "")).isdigit()}


def _tasks_in(output: str) -> list[ListedTask]:
    try:
        return _Listed.model_validate_json(output).tasks
    except ValidationError:
        return []

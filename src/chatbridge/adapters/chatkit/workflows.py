"""An agent's workflow: what comes into it is looked at, and what is shown behind it ends it."""

from abc import abstractmethod
from datetime import datetime
from typing import Any

from chatkit.agents import AgentContext
from chatkit.types import (
    ClientToolCallItem,
    DurationSummary,
    HiddenContextItem,
    Task,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadStreamEvent,
    Workflow,
    WorkflowItem,
    WorkflowSummary,
)
from pydantic import TypeAdapter

_TASK: TypeAdapter[Task] = TypeAdapter(Task)
_INVISIBLE = (ClientToolCallItem, HiddenContextItem)


class Workflows(AgentContext[Any]):
    """ChatKit's own, which has no more than one that is open."""

    @abstractmethod
    def _tell(self, event: ThreadStreamEvent) -> None:
        """Keep it and show it."""

    # AgentContext changes the workflow before it looks at what it was given

    async def add_workflow_task(self, task: Task) -> None:
        """As AgentContext has it. Raises ValidationError for what is no task."""
        await super().add_workflow_task(_TASK.validate_python(task))

    async def update_workflow_task(self, task: Task, task_index: int) -> None:
        """The same."""
        await super().update_workflow_task(_TASK.validate_python(task), task_index)

    async def end_workflow(
        self, summary: WorkflowSummary | None = None, expanded: bool = False
    ) -> None:
        """As AgentContext has it. Raises ValidationError for what is no summary."""
        ended = Workflow(type="custom", tasks=[], summary=summary, expanded=expanded)
        await super().end_workflow(ended.summary, ended.expanded)

    def follow_workflow(self, event: ThreadStreamEvent) -> None:
        """It ends when something visible comes after it, as in ChatKit's stream_agent_response."""
        match event:
            case ThreadItemAddedEvent(item=item) | ThreadItemDoneEvent(item=item):
                known = self.workflow_item
                if known and known.id != item.id and not isinstance(item, _INVISIBLE):
                    self.close_workflow()
                if isinstance(event, ThreadItemAddedEvent) and isinstance(item, WorkflowItem):
                    self.workflow_item = item
            case _:
                pass

    def close_workflow(self) -> None:
        """End it as it stands, with how long it took where it says nothing else."""
        item, self.workflow_item = self.workflow_item, None
        if item is None:
            return
        if item.workflow.summary is None:
            took = datetime.now() - item.created_at  # noqa: DTZ005  # as the SDK stamps them
            item.workflow.summary = DurationSummary(duration=int(took.total_seconds()))
        item.workflow.expanded = False
        self._tell(ThreadItemDoneEvent(item=item))

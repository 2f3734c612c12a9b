"""A model's thoughts as ChatKit's workflow: open while it thinks, and folded from then on."""

from collections.abc import Sequence

from chatkit.types import DurationSummary, ThoughtTask, Workflow

from chatbridge.domain.model.payload import Payload


class WorkflowForms:
    """The frames are those of the SDK's own `stream_agent_response`, but that an open one is
    expanded.
    """

    def entry(self, thoughts: Sequence[str], seconds: int | None) -> Payload:
        """The workflow; with `seconds` it has ended."""
        workflow = Workflow(
            type="reasoning",
            tasks=[ThoughtTask(content=thought) for thought in thoughts],
            summary=None if seconds is None else DurationSummary(duration=seconds),
            expanded=seconds is None,
        )
        told = workflow.model_dump(mode="json", by_alias=True, exclude_none=True)
        return {"type": "workflow", "workflow": told}

    def change(self, place: int, thought: str, *, new: bool) -> Payload:
        """The task of a thought, whole each time: ChatKit has no other update of one."""
        task = ThoughtTask(content=thought).model_dump(mode="json", exclude_none=True)
        kind = "workflow.task.added" if new else "workflow.task.updated"
        return {"type": kind, "task": task, "task_index": place}

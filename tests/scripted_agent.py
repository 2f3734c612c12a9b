"""An agent that says what a test tells it to say, when the test says so."""

import asyncio
from datetime import UTC, datetime

from chatbridge.domain.model.identifiers import (
    CallId,
    MessageId,
    UserId,
    new_call_id,
    new_message_id,
)
from chatbridge.domain.model.tool_call import CallState, ToolCall
from chatbridge.domain.model.turn_event import (
    TextDelta,
    TextFinished,
    TextStarted,
    ToolCallFinished,
    ToolCallStarted,
    TurnEvent,
)
from chatbridge.ports.agent_runner import AgentRequest, AgentRunner


class Run:
    """One run of the agent: the test speaks through it, and sees how it ends."""

    def __init__(self, request: AgentRequest) -> None:
        self.request = request
        self.closed = asyncio.Event()
        self.closing = asyncio.Event()
        self.may_close = asyncio.Event()
        self.may_close.set()
        self.tidied_up = False
        self._text: MessageId | None = None
        self._script: asyncio.Queue[TurnEvent | Exception | None] = asyncio.Queue()

    def say(self, *texts: str) -> MessageId:
        """More of the message that is being said; begins one if need be."""
        if self._text is None:
            self._text = new_message_id()
            self.tell(TextStarted(message_id=self._text, at=datetime.now(UTC)))
        for text in texts:
            self.tell(TextDelta(message_id=self._text, text=text))
        return self._text

    def full_stop(self) -> None:
        """The message is whole."""
        assert self._text is not None
        self.tell(TextFinished(message_id=self._text))
        self._text = None

    def start_call(self, name: str = "add_task", step: MessageId | None = None) -> ToolCallStarted:
        """The model asks for a tool; calls with the same `step` run side by side."""
        call = ToolCall(
            id=new_call_id(), name=name, arguments='{"title": "tea"}', started_at=datetime.now(UTC)
        )
        started = ToolCallStarted(message_id=step or new_message_id(), call=call)
        self.tell(started)
        return started

    def end_call(
        self, started: ToolCallStarted, output: str = "done", state: CallState = "succeeded"
    ) -> None:
        """The tool has answered."""
        self.tell(
            ToolCallFinished(
                message_id=started.message_id,
                call_id=started.call.id,
                state=state,
                output=output,
                at=datetime.now(UTC),
            )
        )

    def tell(self, event: TurnEvent) -> None:
        """Any event."""
        self._script.put_nowait(event)

    async def taken_down(self) -> None:
        """Wait until the service has heard all that was said."""
        async with asyncio.timeout(10):
            await self._script.join()

    def finish(self, *texts: str) -> None:
        """Say the last words and end."""
        if texts:
            self.say(*texts)
        if self._text is not None:
            self.full_stop()
        self._script.put_nowait(None)

    def fail(self, error: Exception) -> None:
        """End with an error."""
        self._script.put_nowait(error)

    async def before_call(self, id: CallId) -> None:
        """What every agent waits for before a tool runs."""
        await self.request.before_call(id)

    async def speak(self) -> None:
        """Say to the service what the test says."""
        try:
            while (item := await self._script.get()) is not None:
                if isinstance(item, Exception):
                    raise item
                self.request.say(item)
                self._script.task_done()
        finally:
            self.closing.set()
            await self.may_close.wait()
            self.tidied_up = True
            self.closed.set()


class ScriptedAgent(AgentRunner):
    """Hands each of its runs to the test. `reply`: answers at once with this, untold."""

    model = "scripted"

    def __init__(self, reply: str | None = None) -> None:
        self.reply = reply
        self.runs: list[Run] = []
        self._begun = asyncio.Condition()

    async def run(self, request: AgentRequest) -> None:
        run = Run(request)
        async with self._begun:
            self.runs.append(run)
            self._begun.notify_all()
        if self.reply is not None:
            run.finish(self.reply)
        await run.speak()

    async def next_run(self, user: str) -> Run:
        """The newest run for this user, taken off the list; waits for it."""
        async with asyncio.timeout(10), self._begun:
            await self._begun.wait_for(lambda: self._newest(UserId(user)) is not None)
            run = self._newest(UserId(user))
            assert run is not None
            self.runs.remove(run)
            return run

    def _newest(self, user: UserId) -> Run | None:
        return next((r for r in self.runs if r.request.on_behalf.user_id == user), None)

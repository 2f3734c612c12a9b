"""An agent whose files are kept before anybody is shown them, in the order of what it says."""

import asyncio
from collections import deque
from dataclasses import replace
from functools import partial

from chatbridge.adapters.chatkit.inline_files import ItemFiles
from chatbridge.domain.model.identifiers import CallId
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.question import Answers
from chatbridge.domain.model.turn import Ending, Turn
from chatbridge.domain.model.turn_event import ToolCallAsked, TurnEvent
from chatbridge.domain.services.made_files import MadeFiles
from chatbridge.ports.agent_runner import AgentRequest, AgentRunner


class KeepingRunner(AgentRunner):
    """Another agent, of which an event with a file in it waits until that is kept, and what it says
    next behind it. All else is said at once."""

    def __init__(self, agent: AgentRunner, files: MadeFiles) -> None:
        self._agent, self._files = agent, files
        self.by_host = agent.by_host

    @property
    def model(self) -> str:
        """See the port."""
        return self._agent.model

    def model_for(self, message: Message | None) -> str:
        """See the port."""
        return self._agent.model_for(message)

    def kept(self, turn: Turn, ending: Ending) -> None:
        """See the port."""
        self._agent.kept(turn, ending)

    async def run(self, request: AgentRequest) -> None:
        """See the port."""
        said = _InOrder(request, ItemFiles(self._files))
        where = request.turn.conversation
        try:
            await self._agent.run(
                replace(
                    request,
                    say=said.say,
                    before_call=said.before_call,
                    ask=said.ask if request.ask else None,
                    keep=partial(self._files.keep_all, where.user_id, where.id),
                )
            )
            await said.all_said()
        except Exception:
            # of a failed answer too, all is shown that came before
            await said.all_said()
            raise
        finally:
            said.close()


class _InOrder:
    def __init__(self, request: AgentRequest, files: ItemFiles) -> None:
        self._request, self._files = request, files
        self._held: deque[TurnEvent] = deque()
        self._work: asyncio.Task[None] | None = None

    def say(self, event: TurnEvent) -> None:
        if self._held or self._files.has_any(event):
            self._held.append(event)
            self._work = self._work or asyncio.create_task(self._say_held())
        else:
            self._request.say(event)

    async def before_call(self, id: CallId) -> None:
        await self.all_said()
        await self._request.before_call(id)

    async def ask(self, asked: ToolCallAsked) -> Answers | None:
        await self.all_said()
        assert self._request.ask  # noqa: S101  # it is only given where there is one
        return await self._request.ask(asked)

    async def all_said(self) -> None:
        while self._work:
            # shielded: whoever waits may be cancelled, and the others wait on
            await asyncio.shield(self._work)

    def close(self) -> None:
        if self._work:
            self._work.cancel()

    async def _say_held(self) -> None:
        where = self._request.turn.conversation
        try:
            while self._held:
                told = await self._files.taken_out(where.user_id, where.id, [self._held[0]])
                self._held.popleft()
                for event in told:
                    self._request.say(event)
        finally:
            self._work = None

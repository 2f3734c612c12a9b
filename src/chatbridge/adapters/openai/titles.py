"""A conversation's title, which the model makes beside the first answer."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import Any, cast

from agents import Model, ModelSettings, ModelTracing
from agents.items import TResponseStreamEvent

from chatbridge.adapters.openai.calls import Calls
from chatbridge.adapters.openai.events import ResponseReader
from chatbridge.adapters.openai.failure_line import failure_line, in_the_code
from chatbridge.adapters.openai.models import is_chat_completions
from chatbridge.adapters.openai.patient_model import PatientModel
from chatbridge.adapters.openai.said_title import said_title
from chatbridge.adapters.openai.thoughts import Thoughts
from chatbridge.domain.model.conversation import TITLE_ASKED, title_from
from chatbridge.domain.model.turn_event import TextDelta, Titled, TokensUsed, TurnEvent
from chatbridge.ports.agent_runner import AgentRequest
from chatbridge.ports.conversation_repository import ConversationRepository

log = logging.getLogger(__name__)

_HEAD_START = 0.1
"""How long the answer's first words are ahead of it, in seconds: they go to the store meanwhile."""

_LATE = 1.0
"""How long it is waited for when the answer is there."""

_MAX_SECONDS = 20.0
_MAX_TOKENS = 1_000
"""Of a model that thinks, most of these are thoughts."""

_MAX_WORDS = 400
"""Characters: what is longer is no title, so it need not be heard to its end."""

_MOST_READ = 2_000
"""Characters of the message: what it is about stands at its beginning."""


class Titles:
    """Makes them for conversations that have none. `conversations` say whether somebody has given
    one meanwhile."""

    def __init__(self, conversations: ConversationRepository, *, log_words: bool) -> None:
        self._conversations = conversations
        self._log_words = log_words

    @asynccontextmanager
    async def beside(
        self, request: AgentRequest, model: Model, settings: ModelSettings
    ) -> AsyncGenerator[AgentRequest]:
        """The request that is to be answered, and a title beside it.

        It is asked for when the answer has begun, so that an endpoint that answers one request at
        a time answers the person first; and what is not there a second after the answer's end is
        given up.
        """
        subject = request.turn.subject
        if (
            request.turn.conversation.title is not None
            or subject is None
            # files alone: the first one's name says more than what is made of nothing
            or not subject.content.strip()
        ):
            yield request
            return
        began = asyncio.Event()

        def say(event: TurnEvent) -> None:
            request.say(event)
            began.set()

        ask = _Ask(subject.content, model, settings, request.say)
        making = asyncio.create_task(self._make(request, ask, began))
        try:
            yield replace(request, say=say)
            if began.is_set():
                await asyncio.wait({making}, timeout=_LATE)
        finally:
            making.cancel()
            await asyncio.wait({making}, timeout=_LATE)

    async def _make(self, request: AgentRequest, ask: "_Ask", began: asyncio.Event) -> None:
        await began.wait()
        await asyncio.sleep(_HEAD_START)
        try:
            async with asyncio.timeout(_MAX_SECONDS):
                title = said_title(await ask.said())
                if title and title != title_from(ask.text) and await self._is_untitled(request):
                    request.say(Titled(title=title))
        except Exception as error:
            log.warning(
                "the first line stays the title: %s",
                failure_line(error, words=self._log_words),
                exc_info=in_the_code(error),
            )

    # While the first turn runs, only a person or the host's own code gives one to the store.
    async def _is_untitled(self, request: AgentRequest) -> bool:
        known = request.turn.conversation
        now = await self._conversations.get(known.user_id, known.id)
        return now.title is None


class _Ask:
    """What a model is asked, and what it says; `say` is told what it costs."""

    def __init__(
        self, text: str, model: Model, settings: ModelSettings, say: Callable[[TurnEvent], None]
    ) -> None:
        self.text = text
        # once: a title is not worth asking again for
        self._model = model.model if isinstance(model, PatientModel) else model
        # nothing is to be called; and OpenAI's own models that think take no such limit by Chat
        # Completions, where it has another name for them
        limit = None if is_chat_completions(model) else _MAX_TOKENS
        self._settings = replace(
            settings, tool_choice=None, parallel_tool_calls=None, max_tokens=limit
        )
        self._say = say
        self._words = ""

    async def said(self) -> str:
        """All that it says; nothing where it will not, or goes on and on. Raises what it raises."""
        silent = Thoughts(self._hear, None, summaries=True, chat=is_chat_completions(self._model))
        reader = ResponseReader(self._hear, Calls(self._hear), silent)
        try:
            async with aclosing(cast(Any, self._events())) as events:
                count = 0
                async for event in events:
                    reader.read(event)
                    count += 1
                    endless = len(self._words) > _MAX_WORDS or count > _MAX_TOKENS
                    if endless or event.type == "response.refusal.delta":
                        return ""
            reader.end()
        except Exception as error:
            reader.broke_off(error)
            raise
        return self._words

    def _events(self) -> AsyncIterator[TResponseStreamEvent]:
        return self._model.stream_response(
            TITLE_ASKED,
            [{"type": "message", "role": "user", "content": self.text[:_MOST_READ]}],
            self._settings,
            [],
            None,
            [],
            ModelTracing.DISABLED,
            previous_response_id=None,
            conversation_id=None,
            prompt=None,
        )

    def _hear(self, event: TurnEvent) -> None:
        match event:
            case TextDelta(text=text):
                self._words += text
            case TokensUsed():
                self._say(event)
            case _:
                pass

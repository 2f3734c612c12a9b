"""chatbridge as a part of an application of one's own.

The imports inside functions are meant: to import chatbridge costs nothing until a Bridge is made.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from chatbridge.domain.model import refusals
from chatbridge.domain.model.asked import Asked
from chatbridge.domain.model.identifiers import ConversationId, UserId
from chatbridge.domain.model.message import storable
from chatbridge.domain.model.tag import TagSearch, TagWords
from chatbridge.ports.host_server import HostServer

Authenticator = Callable[[Any], Any]
Instructions = Callable[[Asked], str | Awaitable[str]]


class Bridge:
    """chatbridge to be mounted: `app` below a path, `lifespan` around the application.

    `agent` is an agents.Agent, an Assistant (an Agent with the actions of its widgets), a function
    that makes one, or `module:attribute`. Without one the
    model of the settings answers, by `instructions`: a text, or a function of who asks.
    `server`, in the place of an agent, is a ChatKitServer, its class, a function that makes one, or
    `module:attribute`; its code runs in a thread with an event loop of its own, or, for one that
    shares pools with the application, in the application's: CHATBRIDGE_SERVER__LOOP=shared.
    `authenticator` is the application's own sign-in: a function, async or not, from Starlette's
    request to the user's id, or to a Caller with claims; None for nobody. `context` makes of who
    asks what the agent's tools find in the context of their run, as `request_context`, or what the
    server is given as its context. `tag_search` is a function, async or not, from a Caller and what
    was typed behind an `@` to a list of mappings as ChatKit's `Entity`; `tag_words` one from a
    Caller and a tag of a message to what the agent's model is to know of it.
    `settings` are named as the environment has them, and go before it.
    """

    def __init__(
        self,
        *,
        agent: Any = None,
        server: Any = None,
        instructions: str | Instructions | None = None,
        authenticator: Authenticator | None = None,
        context: Callable[[Asked], Any] | None = None,
        tag_search: TagSearch | None = None,
        tag_words: TagWords | None = None,
        settings: Mapping[str, object] | None = None,
    ) -> None:
        """Raises ValueError with a sentence that says what can't be used."""
        from chatbridge.adapters.chatkit.context import nothing_more, plain_context
        from chatbridge.container import Container
        from chatbridge.entrypoints.hosted import Hosted
        from chatbridge.host import Host
        from chatbridge.host_server import who_answers
        from chatbridge.main import create_app
        from chatbridge.settings import read_settings

        host = Host(
            agent=agent,
            server=server,
            instructions=instructions,
            signed_in=authenticator,
            context=context or (plain_context if server is not None else nothing_more),
            tag_search=tag_search,
            tag_words=tag_words,
        )
        container = Container(
            settings=read_settings({} if settings is None else settings), host=host
        )
        self._app = create_app(container)
        self._turns = container.turns()
        self._history = container.history()
        ours = who_answers(container.settings(), host) == "agent"
        self._host: HostServer = container.chat() if ours else container.host_server()
        self._was_entered = False
        self.app = Hosted(self._app)
        """To be mounted: `app.mount("/chat", bridge.app)`."""

    @asynccontextmanager
    async def lifespan(self, app: object = None) -> AsyncGenerator[None]:
        """For as long as it lasts chatbridge is open: `FastAPI(lifespan=bridge.lifespan)`, or
        `async with bridge.lifespan():` in a lifespan of the application's own.

        Where uvicorn is told to stop, streams end within CHATBRIDGE_TURNS__DRAIN seconds. Raises
        RuntimeError where it has been entered before.
        """
        from chatbridge.entrypoints.hosted import until_server_stops

        # its clients are closed for good, and its waits belong to one event loop
        if self._was_entered:
            raise RuntimeError(
                "A Bridge is started once. To start the application again, as tests do, make both "
                "anew: in a function that makes the Bridge and the application around it."
            )
        self._was_entered = True
        async with (
            self._app.router.lifespan_context(self._app),
            until_server_stops(self._turns.stop),
        ):
            yield

    @asynccontextmanager
    async def acting_for(self, user_id: str, conversation_id: str) -> AsyncGenerator[Any]:
        """Show something in somebody's conversation where they have not asked, as a webhook does:
        a `Chat` where an agent answers, the server where one does, and its store is theirs.

        What was shown is kept when the context ends, all of it or, after an error, nothing. It is
        seen by who looks next; of an entry of an answer that runs it is said at once, or Busy is
        raised where that runs on another replica. Raises NotFound and Forbidden, of
        `chatbridge.domain.model.errors`, and Conflict for a conversation that is locked or closed.
        """
        user, where = UserId(user_id), ConversationId(conversation_id)
        if not (storable(user) and storable(where)):
            raise refusals.no_conversation()
        conversation = await self._history.get(user, where)
        if conversation.status != "active":
            raise refusals.closed()
        own = await self._history.said_so_far(user, where)
        async with self._host.outside(conversation, own) as (found, events):
            yield found
        await self._history.change(user, where, events)

    async def stop(self) -> None:
        """Begin no more turns, and end those that run and their streams: for a server that is not
        uvicorn, as soon as it is to stop."""
        await self._turns.stop()

"""What is open while chatbridge is served: opened in order, and closed the other way round."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from chatbridge.container import Container
from chatbridge.domain.model.errors import Unavailable
from chatbridge.domain.services.pauses import Pauses
from chatbridge.host_server import who_answers
from chatbridge.sign_in import gives_tokens


@asynccontextmanager
async def running(container: Container) -> AsyncGenerator[None]:
    """Everything open, for as long as the context lasts."""
    async with AsyncExitStack() as open_things:
        await open_things.enter_async_context(Pauses().told())
        if gives_tokens(container.settings(), container.host()):
            open_things.enter_context(container.key().kept())
        await open_things.enter_async_context(_store_opened(container))
        with suppress(Unavailable):
            await container.turns().sweep()
        if left := container.left_attachments():
            await open_things.enter_async_context(left.swept())
        open_things.push_async_callback(container.http().aclose)
        if jwks := container.jwks():
            open_things.push_async_callback(jwks.close)
            await jwks.refresh()
        open_things.push_async_callback(container.endpoint().close)
        if transcriber := container.transcriber():
            open_things.push_async_callback(transcriber.close)
        await open_things.enter_async_context(_memory(container))
        open_things.push_async_callback(container.tools().close)
        await open_things.enter_async_context(container.tasks_app().running())
        await open_things.enter_async_context(container.turns().running())
        yield


@asynccontextmanager
async def _memory(container: Container) -> AsyncGenerator[None]:
    """What the model's memory has besides the store."""
    if who_answers(container.settings(), container.host()) == "server":
        yield
        return
    remote = container.conversations()
    async with AsyncExitStack() as open_things:
        if remote:
            open_things.push_async_callback(remote.close)
        await open_things.enter_async_context(container.left_counterparts().swept())
        open_things.push_async_callback(container.recall().close)
        yield


@asynccontextmanager
async def tasks_running(container: Container) -> AsyncGenerator[None]:
    """What the task tools alone need."""
    async with _store_opened(container), container.tasks_app().running():
        yield


@asynccontextmanager
async def _store_opened(container: Container) -> AsyncGenerator[None]:
    async with container.store().opened():
        with suppress(Unavailable):
            await container.readiness().require()
        yield

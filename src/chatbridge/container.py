"""The composition root: which adapter stands behind which port.

Building is synchronous and touches no network; `running` opens and closes what needs it.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from dependency_injector.containers import DeclarativeContainer
from dependency_injector.providers import (
    Callable as CallableProvider,
)
from dependency_injector.providers import Dependency, Provider, Selector, Singleton
from sqlalchemy.ext.asyncio import AsyncEngine

from chatbridge.adapters.embedded.server import EmbeddedPostgres
from chatbridge.adapters.jwt.authenticator import JwtAuthenticator, SignIn
from chatbridge.adapters.jwt.key_source import Jwks, SharedSecret
from chatbridge.adapters.jwt.secret_file import secret_in
from chatbridge.adapters.jwt.service_keys import ServiceKeys
from chatbridge.adapters.jwt.token_issuer import JwtTokenIssuer, SharedSecretTokens
from chatbridge.adapters.mcp.http_server import HttpServer
from chatbridge.adapters.mcp.stdio_server import StdioServer
from chatbridge.adapters.mcp.tool_provider import McpToolProvider
from chatbridge.adapters.memory.conversation_repository import MemoryConversationRepository
from chatbridge.adapters.memory.store import MemoryStore
from chatbridge.adapters.memory.task_repository import MemoryTaskRepository
from chatbridge.adapters.memory.turn_journal import MemoryTurnJournal
from chatbridge.adapters.memory.turn_repository import MemoryTurnRepository
from chatbridge.adapters.offline.model import OfflineModel
from chatbridge.adapters.openai.agent_runner import OpenAIAgentRunner
from chatbridge.adapters.openai.entry import Agent, load_agent
from chatbridge.adapters.openai.models import Endpoint, offline_endpoint, openai_model
from chatbridge.adapters.postgres.conversation_repository import PostgresConversationRepository
from chatbridge.adapters.postgres.engine import postgres_engine
from chatbridge.adapters.postgres.migrate import require_current, upgrade
from chatbridge.adapters.postgres.role import report_role
from chatbridge.adapters.postgres.task_repository import PostgresTaskRepository
from chatbridge.adapters.postgres.turn_journal import PostgresTurnJournal
from chatbridge.adapters.postgres.turn_repository import PostgresTurnRepository
from chatbridge.domain.model.caller import TASKS_TOOLS, Caller
from chatbridge.domain.model.context_window import ContextWindow
from chatbridge.domain.model.errors import Unavailable
from chatbridge.domain.model.tool import OnBehalf
from chatbridge.domain.services.conversation_history import ConversationHistory
from chatbridge.domain.services.turns import Turns
from chatbridge.entrypoints.tasks.server import TASKS_PATH, TasksApp, tasks_server
from chatbridge.ports.agent_runner import AgentRunner
from chatbridge.ports.authenticator import Authenticator
from chatbridge.ports.conversation_repository import ConversationRepository
from chatbridge.ports.task_repository import TaskRepository
from chatbridge.ports.token_issuer import TokenIssuer
from chatbridge.ports.turn_journal import TurnJournal
from chatbridge.ports.turn_repository import TurnRepository
from chatbridge.settings import McpServer, Settings, UserToken

_log = logging.getLogger(__name__)

_TOOL_TOKEN_LIFETIME = timedelta(seconds=60)
_READY_SECONDS = 2.0


def _kind_of_store(settings: Settings) -> str:
    return "memory" if settings.store == "memory" else "postgres"


def _cluster(settings: Settings) -> Path:
    return settings.data_dir / "postgres"


def _is_development(settings: Settings) -> bool:
    return settings.environment == "development"


def _is_offline(settings: Settings) -> bool:
    return settings.agent.model == "offline"


def _secret(settings: Settings) -> bytes:
    if settings.secret:
        return settings.secret.get_secret_value().encode()
    return secret_in(settings.data_dir)


def _jwks(settings: Settings, http: httpx.AsyncClient) -> Jwks | None:
    return Jwks(settings.jwks_url, http) if settings.jwks_url else None


def _sign_in(settings: Settings, jwks: Jwks | None) -> SignIn | None:
    secret = settings.shared_secret
    shared = SharedSecret(secret.encode()) if secret else None
    keys = tuple(source for source in (jwks, shared) if source)
    if not keys and _is_development(settings):
        return None
    if not keys:
        raise ValueError(
            "No sign-in is configured: set BETTER_AUTH_URL, CHATBRIDGE_AUTH__JWKS_URL or "
            "CHATBRIDGE_AUTH__SECRET."
        )
    if not settings.issuer or not settings.audience:
        raise ValueError(
            "The sign-in's tokens must name an issuer and an audience: set BETTER_AUTH_URL, or "
            "CHATBRIDGE_AUTH__ISSUER and CHATBRIDGE_AUTH__AUDIENCE."
        )
    return SignIn(keys, settings.issuer, settings.audience)


def _service_keys(settings: Settings) -> ServiceKeys:
    return ServiceKeys(settings.service_keys or ())


def _endpoint(settings: Settings) -> Endpoint:
    agent = settings.agent
    if _is_offline(settings):
        return offline_endpoint(
            OfflineModel(),
            base_url=agent.base_url,
            api_key=settings.api_key,
            api=agent.api,
            idle=agent.idle,
        )
    return openai_model(
        model=agent.model,
        base_url=agent.base_url,
        api_key=settings.api_key,
        api=agent.api,
        idle=agent.idle,
    )


def _host_agent(settings: Settings) -> Agent[Any] | None:
    return load_agent(settings.agent.entry) if settings.agent.entry else None


def _tasks_url(settings: Settings) -> str:
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104
    return settings.mcp.tasks_url or f"http://{host}:{settings.port}{TASKS_PATH}"


def _tool_servers(settings: Settings, issuer: TokenIssuer) -> list[HttpServer | StdioServer]:
    def token(on_behalf: OnBehalf) -> str:
        caller = Caller(user_id=on_behalf.user_id)
        return issuer.issue(caller, audience=TASKS_TOOLS, lifetime=_TOOL_TOKEN_LIFETIME).token

    bundled = HttpServer(name="tasks", url=_tasks_url(settings), token=token)
    further = (_tool_server(name, server) for name, server in settings.mcp.servers.items())
    match settings.agent.tools:
        case "all":
            return [bundled, *further]
        case "servers":
            return [*further]
        case "none":
            return []


def _tool_server(name: str, server: McpServer) -> HttpServer | StdioServer:
    if server.url:
        return HttpServer(
            name=name,
            url=server.url,
            token=_user_token(server.url, server.send_user_token),
            headers=server.headers,
            timeout=server.timeout,
            tools=server.tools,
            user_argument=server.user_argument,
        )
    return StdioServer(
        name=name,
        command=server.command or "",
        args=server.args,
        env=server.env,
        timeout=server.timeout,
        tools=server.tools,
        user_argument=server.user_argument,
    )


def _user_token(url: str, token: UserToken | None) -> Callable[[OnBehalf], str] | None:
    if token is None:
        return None
    secret = token.secret.get_secret_value().encode()
    tokens = SharedSecretTokens(secret, token.audience or url, _TOOL_TOKEN_LIFETIME)
    return lambda on_behalf: tokens.token(on_behalf.user_id)


def _postgres_url(settings: Settings, embedded: Callable[[], EmbeddedPostgres]) -> str:
    return settings.postgres_url or embedded().url


def _readiness(
    settings: Settings, engine: Callable[[], AsyncEngine], turns: Callable[[], Turns]
) -> Callable[[], Awaitable[None]]:
    async def require_ready() -> None:
        turns().require_open()
        if settings.store == "memory":
            return
        try:
            async with asyncio.timeout(_READY_SECONDS):
                await require_current(engine(), settings.database.schema_name)
        except TimeoutError as error:
            raise Unavailable("The database does not answer.", code="database_slow") from error

    return require_ready


class Container(DeclarativeContainer):
    """The table of ports and their adapters."""

    settings: Provider[Settings] = Dependency(instance_of=Settings)
    _kind = CallableProvider(_kind_of_store, settings)
    _turns = settings.provided.turns
    _schema = settings.provided.database.schema_name

    embedded: Provider[EmbeddedPostgres] = Singleton(
        EmbeddedPostgres, CallableProvider(_cluster, settings)
    )
    postgres_url: Provider[str] = CallableProvider(_postgres_url, settings, embedded.provider)
    engine: Provider[AsyncEngine] = Singleton(
        postgres_engine, postgres_url, settings.provided.database.pool_size
    )
    memory = Singleton(MemoryStore)

    conversations: Provider[ConversationRepository] = Selector(
        _kind,
        memory=Singleton(MemoryConversationRepository, memory),
        postgres=Singleton(PostgresConversationRepository, engine, _schema),
    )
    turn_repository: Provider[TurnRepository] = Selector(
        _kind,
        memory=Singleton(MemoryTurnRepository, memory, lease=_turns.lease),
        postgres=Singleton(PostgresTurnRepository, engine, _schema, lease=_turns.lease),
    )
    journal: Provider[TurnJournal] = Selector(
        _kind,
        memory=Singleton(MemoryTurnJournal, memory, lease=_turns.lease),
        postgres=Singleton(PostgresTurnJournal, engine, _schema, lease=_turns.lease),
    )
    tasks: Provider[TaskRepository] = Selector(
        _kind,
        memory=Singleton(MemoryTaskRepository),
        postgres=Singleton(PostgresTaskRepository, engine, _schema),
    )

    http: Provider[httpx.AsyncClient] = Singleton(httpx.AsyncClient, timeout=5.0)
    jwks: Provider[Jwks | None] = Singleton(_jwks, settings, http)
    issuer: Provider[TokenIssuer] = Singleton(JwtTokenIssuer, CallableProvider(_secret, settings))
    authenticator: Provider[Authenticator] = Singleton(
        JwtAuthenticator,
        issuer=issuer,
        sign_in=CallableProvider(_sign_in, settings, jwks),
        development=CallableProvider(_is_development, settings),
        service_keys=CallableProvider(_service_keys, settings),
    )

    tools: Provider[McpToolProvider] = Singleton(
        McpToolProvider, CallableProvider(_tool_servers, settings, issuer)
    )
    endpoint: Provider[Endpoint] = Singleton(_endpoint, settings)
    agent: Provider[AgentRunner] = Singleton(
        OpenAIAgentRunner,
        endpoint.provided.model,
        tools,
        instructions=settings.provided.agent.instructions,
        agent=CallableProvider(_host_agent, settings),
        named=endpoint.provided.named,
        max_steps=settings.provided.agent.max_steps,
        tracing=settings.provided.agent.tracing,
    )
    tasks_app: Provider[TasksApp] = Singleton(
        TasksApp,
        CallableProvider(
            tasks_server,
            tasks,
            issuer,
            audience=TASKS_TOOLS,
            rehearsal=CallableProvider(_is_offline, settings),
        ),
    )

    turns: Provider[Turns] = Singleton(
        Turns,
        turn_repository,
        journal,
        agent,
        window=Singleton(
            ContextWindow,
            low=settings.provided.window.low,
            high=settings.provided.window.high,
            max_characters=settings.provided.window.max_characters,
        ),
        on_disconnect=_turns.on_disconnect,
        on_busy=_turns.on_busy,
        drain=_turns.drain,
        lease=_turns.lease,
    )
    history: Provider[ConversationHistory] = Singleton(ConversationHistory, conversations, turns)
    require_ready = Singleton(_readiness, settings, engine.provider, turns.provider)


@asynccontextmanager
async def running(container: Container) -> AsyncGenerator[None]:
    """Everything open, for as long as the context lasts."""
    async with AsyncExitStack() as open_things:
        if container.settings().store != "memory":
            await _open_postgres(container, open_things)
        open_things.push_async_callback(container.http().aclose)
        if jwks := container.jwks():
            open_things.push_async_callback(jwks.close)
            await jwks.refresh()
        open_things.push_async_callback(container.endpoint().close)
        open_things.push_async_callback(container.tools().close)
        await open_things.enter_async_context(container.tasks_app().running())
        await open_things.enter_async_context(container.turns().running())
        yield


@asynccontextmanager
async def tasks_running(container: Container) -> AsyncGenerator[None]:
    """What the task tools alone need."""
    async with AsyncExitStack() as open_things:
        if container.settings().store != "memory":
            await _open_postgres(container, open_things)
        await open_things.enter_async_context(container.tasks_app().running())
        yield


async def _open_postgres(container: Container, open_things: AsyncExitStack) -> None:
    settings = container.settings()
    if settings.store == "embedded":
        embedded = container.embedded()
        await asyncio.to_thread(embedded.start)
        open_things.push_async_callback(asyncio.to_thread, embedded.stop)
        await asyncio.to_thread(upgrade, embedded.url, settings.database.schema_name)
        # nobody else can have been using it: what was running has lost its server
        await container.turn_repository().abandon_running()
    open_things.push_async_callback(container.engine().dispose)
    try:
        await container.require_ready()()
    except Unavailable as error:
        _log.warning("not ready yet: %s", error.detail)
    with suppress(Unavailable):
        if settings.store == "postgres":
            await report_role(container.engine())
        await container.turns().sweep()

"""The composition root: which adapter stands behind which port.

Building is synchronous and touches no network; `running` opens and closes what needs it.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

import httpx
from dependency_injector.containers import DeclarativeContainer
from dependency_injector.providers import (
    Callable as CallableProvider,
)
from dependency_injector.providers import Dependency, Object, Provider, Singleton

from chatbridge.adapters.jwt.authenticator import JwtAuthenticator, SignIn
from chatbridge.adapters.jwt.key_source import Jwks, SharedSecret
from chatbridge.adapters.jwt.secret_file import secret_in
from chatbridge.adapters.jwt.service_keys import ServiceKeys
from chatbridge.adapters.jwt.token_issuer import JwtTokenIssuer, SharedSecretTokens
from chatbridge.adapters.mcp.http_server import HttpServer
from chatbridge.adapters.mcp.stdio_server import StdioServer
from chatbridge.adapters.mcp.tool_provider import McpToolProvider
from chatbridge.adapters.offline.model import OfflineModel
from chatbridge.adapters.openai.agent_runner import OpenAIAgentRunner
from chatbridge.adapters.openai.entry import Agent, load_agent
from chatbridge.adapters.openai.host_agents import names_its_model
from chatbridge.adapters.openai.models import Endpoint, offline_endpoint, openai_model
from chatbridge.adapters.openai.patience import Patience
from chatbridge.adapters.openai.unoffered import Unoffered
from chatbridge.domain.model.caller import TASKS_TOOLS, Caller
from chatbridge.domain.model.context_window import ContextWindow
from chatbridge.domain.model.errors import Unavailable
from chatbridge.domain.model.identifiers import UserId
from chatbridge.domain.model.tool import LeftOut, OnBehalf
from chatbridge.domain.services.conversation_history import ConversationHistory
from chatbridge.domain.services.pauses import Pauses
from chatbridge.domain.services.readiness import Readiness
from chatbridge.domain.services.turns import Turns
from chatbridge.entrypoints.chatkit.words import words_of
from chatbridge.entrypoints.logs.turns import TurnLog
from chatbridge.entrypoints.page.key import Key
from chatbridge.entrypoints.rest.health import recently
from chatbridge.entrypoints.tasks.looked_for import look_for_tasks
from chatbridge.entrypoints.tasks.server import TASKS_PATH, TasksApp, tasks_server
from chatbridge.ports.agent_runner import AgentRunner
from chatbridge.ports.authenticator import Authenticator
from chatbridge.ports.store import Store
from chatbridge.ports.token_issuer import TokenIssuer
from chatbridge.settings import Settings
from chatbridge.stores import store_for
from chatbridge.tool_servers import McpServer, UserToken

_log = logging.getLogger(__name__)

_TOOL_TOKEN_LIFETIME = timedelta(seconds=60)
_NOBODY = UserId("nobody")


def _is_development(settings: Settings) -> bool:
    return settings.environment == "development"


def _is_offline(settings: Settings) -> bool:
    return settings.agent.model == "offline"


def _rehearses(settings: Settings) -> bool:
    return _is_offline(settings) and not settings.refuses("offline_model")


def _secret(settings: Settings) -> bytes:
    if settings.secret:
        return settings.secret.get_secret_value().encode()
    if settings.refuses("made_secret"):
        raise ValueError(
            "CHATBRIDGE_SECRET is not set, and in production all replicas need the same one "
            "(`openssl rand -base64 32`); CHATBRIDGE_ALLOW=made_secret keeps one of our making in "
            "CHATBRIDGE_DATA_DIR."
        )
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


def _endpoint(settings: Settings, unoffered: Unoffered) -> Endpoint:
    agent = settings.agent
    if _is_offline(settings):
        return offline_endpoint(
            OfflineModel(),
            base_url=agent.base_url,
            api_key=settings.api_key,
            api=agent.api,
            patience=_patience(settings),
            unoffered=unoffered,
        )
    return openai_model(
        model=agent.model,
        base_url=agent.base_url,
        api_key=settings.api_key,
        api=agent.api,
        patience=_patience(settings),
        unoffered=unoffered,
    )


def _patience(settings: Settings) -> Patience:
    agent = settings.agent
    return Patience(
        first=max(agent.first, agent.idle),
        idle=agent.idle,
        max_seconds=agent.max_seconds,
        max_characters=agent.max_characters,
    )


def _host_agent(settings: Settings) -> Agent[Any] | None:
    agent = load_agent(settings.agent.entry) if settings.agent.entry else None
    if (
        _is_offline(settings)
        and settings.refuses("offline_model")
        and not (agent and names_its_model(agent))
    ):
        raise ValueError(
            "CHATBRIDGE_AGENT__MODEL is not set, and in production the offline model, which "
            "follows rules and can fail on purpose, answers only with "
            "CHATBRIDGE_ALLOW=offline_model."
        )
    return agent


def _tasks_url(settings: Settings) -> str:
    return settings.mcp.tasks_url or f"{settings.own_address}{TASKS_PATH}"


def _task_token(issuer: TokenIssuer, user: UserId) -> str:
    return issuer.issue(
        Caller(user_id=user), audience=TASKS_TOOLS, lifetime=_TOOL_TOKEN_LIFETIME
    ).token


def _tool_servers(settings: Settings, issuer: TokenIssuer) -> list[HttpServer | StdioServer]:
    def token(on_behalf: OnBehalf) -> str:
        return _task_token(issuer, on_behalf.user_id)

    bundled = HttpServer(name="tasks", url=_tasks_url(settings), token=token, one_list=True)
    settings.mcp.require_names(bundled=settings.agent.tools == "all")
    for missing in settings.mcp.missing_programs():
        _log.warning("%s", missing)
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
            longest=server.longest,
            instructions=server.instructions,
            tools=server.tools,
            user_argument=server.user_argument,
        )
    return StdioServer(
        name=name,
        command=server.command or "",
        args=server.args,
        env=server.env,
        timeout=server.timeout,
        longest=server.longest,
        instructions=server.instructions,
        tools=server.tools,
        user_argument=server.user_argument,
    )


def _user_token(url: str, token: UserToken | None) -> Callable[[OnBehalf], str] | None:
    if token is None:
        return None
    secret = token.secret.get_secret_value().encode()
    tokens = SharedSecretTokens(secret, token.audience or url, _TOOL_TOKEN_LIFETIME)
    return lambda on_behalf: tokens.token(on_behalf.user_id)


def _readiness(readiness: Readiness, turns: Callable[[], Turns]) -> Callable[[], Awaitable[None]]:
    require_store = recently(readiness.require)

    async def require_ready() -> None:
        turns().require_open()
        await require_store()

    return require_ready


class Container(DeclarativeContainer):
    """The table of ports and their adapters."""

    settings: Provider[Settings] = Dependency(instance_of=Settings)
    _turns = settings.provided.turns

    store: Provider[Store] = Singleton(store_for, settings)

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

    key: Provider[Key] = Singleton(Key, settings.provided.data_dir, settings.provided.port)

    tools: Provider[McpToolProvider] = Singleton(
        McpToolProvider,
        CallableProvider(_tool_servers, settings, issuer),
        most_tools=settings.provided.mcp.max_tools,
    )
    unoffered: Provider[Unoffered] = Singleton(Unoffered)
    endpoint: Provider[Endpoint] = Singleton(_endpoint, settings, unoffered)
    agent: Provider[AgentRunner] = Singleton(
        OpenAIAgentRunner,
        endpoint.provided.model,
        tools,
        instructions=settings.provided.agent.instructions,
        agent=CallableProvider(_host_agent, settings),
        named=endpoint.provided.named,
        max_steps=settings.provided.agent.max_steps,
        tracing=settings.provided.agent.tracing,
        log_words=settings.provided.log.words,
        words=Object(words_of),
        unoffered=unoffered,
    )
    tasks_app: Provider[TasksApp] = Singleton(
        TasksApp,
        CallableProvider(
            tasks_server,
            store.provided.tasks,
            issuer,
            audience=TASKS_TOOLS,
            rehearsal=CallableProvider(_rehearses, settings),
        ),
    )

    turns: Provider[Turns] = Singleton(
        Turns,
        store.provided.turns,
        store.provided.journal,
        agent,
        window=Singleton(
            ContextWindow,
            low=settings.provided.window.low,
            high=settings.provided.window.high,
            max_characters=settings.provided.window.max_characters,
            words=Object(words_of),
        ),
        on_disconnect=_turns.on_disconnect,
        on_busy=_turns.on_busy,
        drain=_turns.drain,
        lease=_turns.lease,
        report=Singleton(TurnLog, CallableProvider(_secret, settings)),
    )
    history: Provider[ConversationHistory] = Singleton(
        ConversationHistory, store.provided.conversations, turns
    )
    readiness: Provider[Readiness] = Singleton(Readiness, store)
    require_ready = Singleton(_readiness, readiness, turns.provider)


def left_out(container: Container) -> tuple[LeftOut, ...]:
    """The tools of tool servers and of agents that no model is offered, as far as is known."""
    refused = container.endpoint().left_out()
    return (*container.tools().left_out(), *container.unoffered().tools(), *refused)


@asynccontextmanager
async def running(container: Container) -> AsyncGenerator[None]:
    """Everything open, for as long as the context lasts."""
    async with AsyncExitStack() as open_things:
        await open_things.enter_async_context(Pauses().told())
        if _is_development(container.settings()):
            open_things.enter_context(container.key().kept())
        await open_things.enter_async_context(_store_opened(container))
        with suppress(Unavailable):
            await container.turns().sweep()
        open_things.push_async_callback(container.http().aclose)
        if jwks := container.jwks():
            open_things.push_async_callback(jwks.close)
            await jwks.refresh()
        open_things.push_async_callback(container.endpoint().close)
        open_things.push_async_callback(container.tools().close)
        await open_things.enter_async_context(container.tasks_app().running())
        await open_things.enter_async_context(container.turns().running())
        await open_things.enter_async_context(_tasks_looked_for(container))
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


@asynccontextmanager
async def _tasks_looked_for(container: Container) -> AsyncGenerator[None]:
    settings, issuer = container.settings(), container.issuer()
    if settings.agent.tools != "all":
        yield
        return
    looking = asyncio.create_task(
        look_for_tasks(_tasks_url(settings), lambda: _task_token(issuer, _NOBODY), container.http())
    )
    try:
        yield
    finally:
        looking.cancel()
        await asyncio.wait({looking})

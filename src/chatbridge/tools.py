"""Which tool servers an agent gets, and what they are told of who asks."""

import logging
from collections.abc import Callable
from datetime import timedelta

from chatbridge.adapters.jwt.token_issuer import SharedSecretTokens
from chatbridge.adapters.mcp.http_server import HttpServer
from chatbridge.adapters.mcp.stdio_server import StdioServer
from chatbridge.domain.model.caller import TASKS_TOOLS, Caller
from chatbridge.domain.model.identifiers import UserId
from chatbridge.domain.model.tool import OnBehalf
from chatbridge.entrypoints.tasks.server import TASKS_PATH
from chatbridge.ports.token_issuer import TokenIssuer
from chatbridge.settings import Settings
from chatbridge.tool_servers import McpServer, UserToken

_log = logging.getLogger(__name__)

_TOKEN_LIFETIME = timedelta(seconds=60)


def tool_servers(settings: Settings, issuer: TokenIssuer) -> list[HttpServer | StdioServer]:
    """The bundled one and the further ones, as far as the agent is to have them."""

    def token(on_behalf: OnBehalf) -> str:
        return task_token(issuer, on_behalf.user_id)

    bundled = HttpServer(name="tasks", url=tasks_url(settings), token=token, one_list=True)
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


def tasks_url(settings: Settings) -> str:
    """Where the bundled tool server is reached."""
    return settings.mcp.tasks_url or f"{settings.own_address}{TASKS_PATH}"


def task_token(issuer: TokenIssuer, user: UserId) -> str:
    """What the bundled tool server is shown by who asks for this user."""
    return issuer.issue(Caller(user_id=user), audience=TASKS_TOOLS, lifetime=_TOKEN_LIFETIME).token


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
    tokens = SharedSecretTokens(secret, token.audience or url, _TOKEN_LIFETIME)
    return lambda on_behalf: tokens.token(on_behalf.user_id)

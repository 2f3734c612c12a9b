"""Which tool servers an agent gets, and what they are told of who asks."""

import logging
from collections.abc import Callable
from datetime import timedelta

from chatbridge.adapters.chatkit.actions import Assistant
from chatbridge.adapters.chatkit.tasks import shown_list, task_actions
from chatbridge.adapters.jwt.token_issuer import SharedSecretTokens
from chatbridge.adapters.mcp.http_server import HttpServer
from chatbridge.adapters.mcp.stdio_server import StdioServer
from chatbridge.domain.model.ask_person import ASK_PERSON
from chatbridge.domain.model.caller import TASKS_TOOLS, Caller
from chatbridge.domain.model.task import TASK_TOOLS
from chatbridge.domain.model.tool import OnBehalf, Tool
from chatbridge.entrypoints.tasks.server import TasksApp
from chatbridge.host import Host
from chatbridge.ports.token_issuer import TokenIssuer
from chatbridge.ports.tool_provider import ToolProvider
from chatbridge.sections import OurTools
from chatbridge.settings import Settings
from chatbridge.tool_servers import BUNDLED, McpServer, UserToken

_log = logging.getLogger(__name__)

_HERE = "this.process.invalid"
"""No name that can be resolved: what is sent there goes over no network."""

_TOKEN_LIFETIME = timedelta(seconds=60)


def tool_servers(
    settings: Settings, host: Host, issuer: TokenIssuer, tasks: TasksApp
) -> list[HttpServer | StdioServer]:
    """The bundled one and the further ones, as far as the agent is to have them."""
    tools = offered(settings, host)
    bundled = _bundled(settings, issuer, tasks)
    settings.mcp.require_names(bundled=tools == "all")
    taken = [tool.name for tool in settings.agent.client_tools if tool.name in TASK_TOOLS]
    if taken and tools == "all":
        raise ValueError(
            f"CHATBRIDGE_AGENT__CLIENT_TOOLS: {taken[0]} is a bundled tool's name; choose another."
        )
    for missing in settings.mcp.missing_programs():
        _log.warning("%s", missing)
    further = (_tool_server(name, server) for name, server in settings.mcp.servers.items())
    match tools:
        case "all":
            return [bundled, *further]
        case "servers":
            return [*further]
        case "none":
            return []


def asking_tools(settings: Settings) -> list[Tool]:
    """Those that the page runs, and the one that asks a person, as far as they are set."""
    agent = settings.agent
    return [
        *(Tool(**tool.model_dump(), asks="client") for tool in agent.client_tools),
        *([ASK_PERSON] if agent.ask_person else []),
    ]


def offered(settings: Settings, host: Host) -> OurTools:
    """What of ours the agent gets: one of the host's own no bundled tools, unless that is asked."""
    own = settings.agent.entry or host.agent
    return settings.agent.tools or ("servers" if own else "all")


def with_task_list(
    assistant: Assistant, settings: Settings, host: Host, tools: ToolProvider
) -> Assistant:
    """The same; the settings' agent has what the bundled tools show, if it has them."""
    if assistant.agent or offered(settings, host) != "all":
        return assistant
    return Assistant(None, task_actions(tools, BUNDLED), {"list_tasks": shown_list})


def _bundled(settings: Settings, issuer: TokenIssuer, tasks: TasksApp) -> HttpServer:
    """In this process, unless it is said to be elsewhere."""

    def token(on_behalf: OnBehalf) -> str:
        caller = Caller(user_id=on_behalf.user_id)
        return issuer.issue(caller, audience=TASKS_TOOLS, lifetime=_TOKEN_LIFETIME).token

    return HttpServer(
        name=BUNDLED,
        url=settings.mcp.tasks_url or f"http://{_HERE}{tasks.path}",
        token=token,
        one_list=True,
        approval=settings.mcp.tasks_approval,
        approve_for_conversation=settings.mcp.tasks_approve_for_conversation,
        app=None if settings.mcp.tasks_url else tasks,
    )


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
            approval=server.approval,
            approve_for_conversation=server.approve_for_conversation,
            widget=server.widget,
            widget_actions=server.widget_actions,
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
        approval=server.approval,
        approve_for_conversation=server.approve_for_conversation,
        widget=server.widget,
        widget_actions=server.widget_actions,
    )


def _user_token(url: str, token: UserToken | None) -> Callable[[OnBehalf], str] | None:
    if token is None:
        return None
    secret = token.secret.get_secret_value().encode()
    tokens = SharedSecretTokens(secret, token.audience or url, _TOKEN_LIFETIME)
    return lambda on_behalf: tokens.token(on_behalf.user_id)

"""The bundled task-management tools as an MCP server, each call scoped to the token's user."""

import asyncio
import json
import logging
import re
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Annotated, Any

from mcp.server import MCPServer
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import AccessToken, TokenVerifier
from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver import Context, Resolve
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.transport_security import TransportSecuritySettings
from mcp_types import ToolAnnotations
from pydantic import AnyHttpUrl, Field
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from chatbridge.domain.model.errors import Invalid, NotFound, Unauthenticated, Unavailable
from chatbridge.domain.model.identifiers import UserId
from chatbridge.domain.model.task import Rehearsal, Task, checked_task_title
from chatbridge.domain.model.tool import CALL_KEY, DESCRIBED_BY
from chatbridge.entrypoints.bodies import with_bounded_body
from chatbridge.ports.task_repository import TaskRepository
from chatbridge.ports.token_issuer import TokenIssuer

TASKS_PATH = "/mcp/tasks"
LONGEST_REHEARSAL = 30.0

_KEY = re.compile(r"[!-~]{1,255}")

_INSTRUCTIONS = "The tasks of the person in the chat. Tasks are named by their number."


class TasksApp:
    """The server as an ASGI app that answers at exactly `path`; it must be `running()`.

    In a FastAPI app: `app.router.routes.append(tasks.route)`, and `async with tasks.running():` in
    the lifespan, which may be entered again after it was left.
    """

    def __init__(self, server: MCPServer, *, path: str = TASKS_PATH) -> None:
        self.path = path
        self._server = server
        self._app = self._built()

    @property
    def route(self) -> Route:
        """Exactly `path`, for all methods: a mount would redirect to the path with a slash."""
        return Route(self.path, endpoint=self, include_in_schema=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Raises RuntimeError when not running."""
        await with_bounded_body(self._app, scope, receive, send)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Hold the server's session manager open; leaving it cancels what still runs."""
        # a session manager runs once in its life
        self._app = self._built()
        async with self._server.session_manager.run():
            yield

    def _built(self) -> Starlette:
        return self._server.streamable_http_app(
            streamable_http_path=self.path,
            stateless_http=True,
            # No page can send the bearer token that each request needs, whatever name it resolved
            # to this address; so any host name of a deployment is good.
            transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
        )


def tasks_server(
    tasks: TaskRepository, tokens: TokenIssuer, *, audience: str, rehearsal: bool
) -> MCPServer:
    """The server with its tools; every request needs a bearer token for `audience`, else 401.

    `rehearsal` adds a tool that fails, dawdles or crashes on purpose.
    """
    with _logging_untouched():
        server = MCPServer(
            "chatbridge-tasks",
            instructions=_INSTRUCTIONS,
            token_verifier=_Verifier(tokens, audience),
            auth=_auth_settings(),
        )
    tools = _TaskTools(tasks)
    server.add_tool(tools.add_task, annotations=_ADDS, structured_output=False)
    server.add_tool(tools.list_tasks, annotations=_READS, structured_output=False)
    server.add_tool(tools.update_task, annotations=_CHANGES, structured_output=False)
    server.add_tool(tools.complete_task, annotations=_CHANGES, structured_output=False)
    server.add_tool(
        tools.delete_task,
        annotations=_DELETES,
        structured_output=False,
        meta={DESCRIBED_BY: "describe_delete_task"},
    )
    server.add_tool(tools.describe_delete_task, annotations=_READS, structured_output=False)
    if rehearsal:
        server.add_tool(_rehearse, name="rehearse", structured_output=False)
    return server


class _Verifier(TokenVerifier):
    def __init__(self, tokens: TokenIssuer, audience: str) -> None:
        self._tokens = tokens
        self._audience = audience

    async def verify_token(self, token: str) -> AccessToken | None:
        try:
            caller = self._tokens.verify(token, audience=self._audience)
        except Unauthenticated:
            return None
        return AccessToken(token=token, client_id="chatbridge", scopes=[], subject=caller.user_id)


def _current_user() -> UserId:
    token = get_access_token()
    if token is None or not token.subject:
        raise ToolError("Nobody is signed in.")
    return UserId(token.subject)


def _key_of_call(context: Context) -> str | None:
    key = (context.request_context.meta or {}).get(CALL_KEY)
    if key is None or (isinstance(key, str) and _KEY.fullmatch(key)):
        return key
    raise ToolError(f"`{CALL_KEY}` takes 1 to 255 visible ASCII characters.")


_MOST_TOLD = 45_000
"""Characters of a list: of an answer the agent reads 50,000, and of a list that is cut nothing."""

# filled from the token and the request, in no tool's schema: arguments of these names are ignored
_User = Annotated[UserId, Resolve(_current_user)]
_Key = Annotated[str | None, Resolve(_key_of_call)]
_Title = Annotated[str, Field(description="What is to be done, in 1 to 500 characters.")]
_Number = Annotated[int, Field(description="The task's number, as list_tasks shows it.")]
_Numbers = Annotated[
    list[int] | None,
    Field(
        description="Only these. Where several tasks may be the one that is to be completed, list "
        "them so: the person clicks the one that is meant."
    ),
]
_Show = Annotated[
    bool,
    Field(
        description="Whether the person sees the list, in which a click completes a task; false "
        "where you only look something up, such as a number."
    ),
]

_READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
_ADDS = ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=False)
_CHANGES = ToolAnnotations(
    read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)
_DELETES = ToolAnnotations(read_only_hint=False, destructive_hint=True, open_world_hint=False)


class _TaskTools:
    """The docstrings are what the model reads."""

    def __init__(self, tasks: TaskRepository) -> None:
        self._tasks = tasks

    async def add_task(self, title: _Title, user: _User, key: _Key) -> str:
        """Add a task for the person in the chat. Answers the new task with its number."""
        with _in_words():
            return _said(await self._tasks.add(user, _clean(title), key=key))

    async def list_tasks(self, user: _User, numbers: _Numbers = None, show: _Show = True) -> str:
        """List the tasks of the person in the chat, open and done, by number. `left_out` says how
        many more there are than fit in here."""
        with _in_words():
            found = await self._tasks.list(user)
        wanted = found if numbers is None else [t for t in found if t.number in numbers]
        told = _fitting(wanted)
        left_out = {"left_out": len(wanted) - len(told)} if len(told) < len(wanted) else {}
        return _json({**left_out, "tasks": told})

    async def update_task(self, number: _Number, title: _Title, user: _User, key: _Key) -> str:
        """Give a task a new title. Answers the changed task."""
        with _in_words(number):
            return _said(await self._tasks.update(user, number, title=_clean(title), key=key))

    async def complete_task(self, number: _Number, user: _User, key: _Key) -> str:
        """Mark a task as done. Answers the changed task."""
        with _in_words(number):
            return _said(await self._tasks.update(user, number, done=True, key=key))

    async def delete_task(self, number: _Number, user: _User, key: _Key) -> str:
        """Delete a task for good. Answers the task as it was."""
        with _in_words(number):
            return _said(await self._tasks.delete(user, number, key=key))

    async def describe_delete_task(self, number: _Number, user: _User) -> str:
        """Say in words which task delete_task would delete; nothing is deleted."""
        with _in_words(number):
            found = await self._tasks.list(user)
        title = next((task.title for task in found if task.number == number), None)
        if title is None:
            raise ToolError(f"There is no task {number}.")
        return f"Delete task {number} '{title}'"


async def _rehearse(
    outcome: Annotated[Rehearsal, Field(description="What shall happen to this call.")],
    seconds: Annotated[
        float, Field(ge=0, description="How long `slow` takes; 30 seconds at most.")
    ] = 3,
) -> str:
    """Fail, be slow or crash on purpose, to see how a failing tool looks in the chat."""
    if outcome == "fail":
        raise ToolError("The rehearsal failed, as it was asked to.")
    if outcome == "crash":
        raise RuntimeError("the rehearsal crashed, as it was asked to")
    taken = min(seconds, LONGEST_REHEARSAL)
    await asyncio.sleep(taken)
    return _json({"rehearsed": outcome, "seconds": taken})


@contextmanager
def _in_words(number: int | None = None) -> Generator[None]:
    try:
        yield
    except NotFound as error:
        raise ToolError(f"There is no task {number}.") from error
    except Invalid as error:
        raise ToolError(error.detail) from error
    except Unavailable as error:
        raise ToolError("The task store is away for a moment.") from error


def _clean(title: str) -> str:
    # Postgres keeps no NUL
    return checked_task_title(title.replace("\x00", "\ufffd"))


def _said(task: Task) -> str:
    return _json(_shown(task))


def _shown(task: Task) -> dict[str, Any]:
    return {"number": task.number, "title": task.title, "done": task.done}


def _fitting(tasks: Sequence[Task]) -> list[dict[str, Any]]:
    """As many as are told whole: the open ones before those that are done, of each the newest."""
    room, kept = _MOST_TOLD, set[int]()
    for task in sorted(tasks, key=lambda task: (task.done, -task.number)):
        room -= len(_said(task)) + len(", ")
        if room < 0:
            break
        kept.add(task.number)
    return [_shown(task) for task in tasks if task.number in kept]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _auth_settings() -> AuthSettings:
    # There is no authorization server to look for: without a resource URL none is advertised, and
    # the issuer's is asked for but never used.
    return AuthSettings(
        issuer_url=AnyHttpUrl("http://localhost"),
        resource_server_url=None,
        validate_token_resource=False,
    )


@contextmanager
def _logging_untouched() -> Generator[None]:
    """Undo that an MCPServer configures the process's logging when it is made."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)

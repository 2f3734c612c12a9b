"""The settings of tool servers, as people write and paste them, and what is wrong with them."""

import re
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from shutil import which
from typing import Annotated, Any, Self, cast
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode

from chatbridge.adapters.mcp.approval import APPROVALS, Approval
from chatbridge.domain.model.task import TASK_TOOLS
from chatbridge.environment import Section, words


class UserToken(Section):
    """How a tool server learns who asks: a token signed with a secret that it alone shares.

    `audience` unset: the server's `url`.
    """

    secret: SecretStr
    audience: str | None = None

    @field_validator("secret")
    @classmethod
    def _long(cls, secret: SecretStr) -> SecretStr:
        if len(secret.get_secret_value().encode()) < 32:
            raise ValueError("it needs 32 bytes: make one with `openssl rand -base64 32`")
        return secret


_BY_ADDRESS = ("http", "streamable-http", "streamable_http", "streamableHttp", "streamableHTTP")
_BY_COMMAND = ("stdio",)
_PASTED = ("type", "transport", "disabled", "enabled")
_FORM = '{"name": {"url": "https://..."}, "other": {"command": "..."}}'
_RIGHT_FORM = f"the form is {_FORM}"
_LISTS = {"args": '["-y", "..."]', "tools": '["add_task"]'}
_BY_NAME = {"headers": '{"X-Key": "..."}', "env": '{"KEY": "..."}'}
BUNDLED = "tasks"
"""The name of the bundled tool server, which no other has beside it."""
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e]*")


class McpServer(Section):
    """A further tool server: an address (streamable HTTP) or a command (stdio).

    `tools` unset: all that it has. `user_argument` names the argument that is hidden from the
    model and filled with the user. `instructions` gives the server's own to the model. `approval`
    says which tools a person is asked about: `always` all, `never` none, `auto` those that say of
    themselves that they destroy, or a list of their names; with `approve_for_conversation` an
    approval may be given for the whole conversation. `widget` is the key under which a result's
    `structuredContent` or `_meta` gives a widget; with `widget_actions` it can be pressed.
    """

    url: str | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    command: str | None = None
    args: list[str] = Field(default_factory=list)
    env: dict[str, str] = Field(default_factory=dict)
    timeout: float = Field(default=30, gt=0, description="Seconds that one call may take.")
    longest: float = Field(
        default=600, gt=0, description="Seconds that a call may take that reports its progress."
    )
    tools: list[str] | None = Field(default=None, min_length=1)
    user_argument: str | None = Field(default=None, min_length=1)
    instructions: bool = False
    approval: Approval = "never"
    approve_for_conversation: bool = False
    widget: str | None = Field(default=None, min_length=1)
    widget_actions: bool = False
    send_user_token: UserToken | None = None

    @field_validator("approval")
    @classmethod
    def _names(cls, approval: Approval) -> Approval:
        if isinstance(approval, tuple) and (words := {*APPROVALS} & {n.lower() for n in approval}):
            raise ValueError(f"{words.pop()} is no name of a tool: it stands alone, without a list")
        return approval

    @model_validator(mode="before")
    @classmethod
    def _as_pasted(cls, server: Any) -> Any:
        """What other programs write besides is understood where it says nothing else."""
        if not isinstance(server, dict):
            raise ValueError(f"a tool server is an object; {_RIGHT_FORM}")
        found = cast(dict[str, Any], server)
        kind = found.get("type", found.get("transport"))
        if kind in ("sse", "http+sse"):
            raise ValueError(
                "the old transport (SSE) is not spoken; give the address of the server's "
                "streamable HTTP, which often ends in /mcp"
            )
        if kind is not None and kind not in (_BY_COMMAND if "command" in found else _BY_ADDRESS):
            raise ValueError(f"`type` or `transport` fits no server like this; {_RIGHT_FORM}")
        server = {name: found[name] for name in found if name not in _PASTED}
        for name, value in server.items():
            _require_form(name, value, cls.model_fields)
        return server

    @field_validator("send_user_token", mode="before")
    @classmethod
    def _with_secret(cls, token: Any) -> Any:
        if token is False:
            return None
        if isinstance(token, bool | str):
            raise ValueError('it needs a secret shared with that server: {"secret": "..."}')
        return token

    @field_validator("url")
    @classmethod
    def _address(cls, url: str | None) -> str | None:
        if url is not None and not _is_address(url):
            raise ValueError("this is no address; write one like https://example.com/mcp")
        return url

    @field_validator("command")
    @classmethod
    def _program(cls, command: str | None) -> str | None:
        if command is not None and not command.strip():
            raise ValueError("this is no program; write one like npx")
        return command

    @field_validator("headers")
    @classmethod
    def _sendable(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            if not (_HEADER.fullmatch(name) and _HEADER_VALUE.fullmatch(value)):
                raise ValueError(
                    f"{name!r} can't be sent: a header's name is one word and its value one line, "
                    "both in ASCII"
                )
        return headers

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.url is None) == (self.command is None):
            raise ValueError("a tool server has a `url` or a `command`, and not both")
        return self

    @model_validator(mode="after")
    def _one_authorization(self) -> Self:
        if self.send_user_token is None:
            return self
        if self.command is not None:
            raise ValueError("`send_user_token` is for a `url`; a command may take `user_argument`")
        if "authorization" in {name.lower() for name in self.headers}:
            raise ValueError("`send_user_token` and an `Authorization` header exclude each other")
        return self


class Mcp(Section):
    """Tool servers besides the bundled one: `{"name": {"url": ...}, ...}`.

    `tasks_url` is where the bundled one is reached, if not at the address that is served: under a
    host application's path, or as a process of its own. `tasks_approval` is the `approval` of the
    bundled one, and `tasks_approve_for_conversation` its `approve_for_conversation`. A model gets
    at most `max_tools`.
    """

    servers: dict[str, McpServer] = Field(default={})
    tasks_url: str | None = None
    tasks_approval: Annotated[Approval, NoDecode] = "auto"
    tasks_approve_for_conversation: bool = False
    max_tools: int = Field(default=512, ge=1)

    @field_validator("servers", mode="before")
    @classmethod
    def _named(cls, servers: Any) -> Any:
        """A list of objects that each have a `name` is read too, and other programs' form."""
        if servers in ("", None):
            return {}
        if isinstance(servers, dict):
            return _enabled(_unwrapped(cast(dict[str, Any], servers)))
        listed = cast(list[Any], servers) if isinstance(servers, list) else [None]
        if not all(isinstance(server, dict) for server in listed):
            raise ValueError(f"these are no tool servers; {_RIGHT_FORM}")
        listed = [dict(server) for server in cast(list[dict[str, Any]], listed)]
        named = {str(server.pop("name", "")): server for server in listed}
        if "" in named or len(named) < len(listed):
            raise ValueError("each tool server in the list needs a `name` of its own")
        return _enabled(named)

    @field_validator("tasks_approval", mode="before")
    @classmethod
    def _words_or_names(cls, said: Any) -> Any:
        if said in APPROVALS:
            return said
        named = words(said) or "auto"
        # whom a misspelt name leaves out would run unasked
        if wrong := [str(name) for name in named if named != "auto" and name not in TASK_TOOLS]:
            raise ValueError(
                f"there is no bundled tool {', '.join(wrong)}: it is auto, always, never, or some "
                f"of {', '.join(TASK_TOOLS)}"
            )
        return named

    @model_validator(mode="after")
    def _own_secrets(self) -> Self:
        secrets = self.token_secrets
        if len(set(secrets)) < len(secrets):
            raise ValueError("each tool server needs a `send_user_token` secret of its own")
        return self

    def require_names(self, *, bundled: bool) -> None:
        """Raises ValueError for a name that is taken; with `bundled` one server has one already."""
        for name in self.servers:
            if not name or (bundled and name == BUNDLED):
                raise ValueError(
                    f"CHATBRIDGE_MCP__SERVERS: {name!r} can't be a tool server's name"
                    f"{', it is the bundled one' if name else ''}; choose another."
                )

    def missing_programs(self) -> Iterator[str]:
        """What is to be done about each command that is no program here; it may come yet."""
        for name, server in self.servers.items():
            if server.command is not None and not _is_there(server.command, server.env):
                yield (
                    f"CHATBRIDGE_MCP__SERVERS.{name}.command: there is no program "
                    f"'{server.command}' here, so none of its tools. Install it or write its whole "
                    'path; what is said to it goes into `args`: {"command": "npx", "args": ["-y", '
                    '"..."]}.'
                )

    @property
    def token_secrets(self) -> list[str]:
        """The secrets that are shared with tool servers."""
        tokens = (server.send_user_token for server in self.servers.values())
        return [token.secret.get_secret_value() for token in tokens if token]


def _require_form(name: str, value: Any, known: Collection[str]) -> None:
    if name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(known)}"
        raise ValueError(f"`{name}` is unknown; {hint}")
    for forms, kind in ((_LISTS, list), (_BY_NAME, dict)):
        if name in forms and not isinstance(value, kind | None):
            raise ValueError(f"`{name}` is written like {forms[name]}")


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _is_there(command: str, env: Mapping[str, str]) -> bool:
    return which(command, path=env.get("PATH")) is not None


def _unwrapped(servers: dict[str, Any]) -> dict[str, Any]:
    for outer in ("mcpServers", "servers"):
        inner = servers.get(outer)
        if isinstance(inner, dict) and not {"url", "command"} & cast(dict[str, Any], inner).keys():
            return cast(dict[str, Any], inner)
    return servers


def _enabled(servers: dict[str, Any]) -> dict[str, Any]:
    return {name: server for name, server in servers.items() if not _is_disabled(server)}


def _is_disabled(server: Any) -> bool:
    if not isinstance(server, dict):
        return False
    said = cast(dict[str, Any], server)
    return said.get("disabled") is True or said.get("enabled") is False

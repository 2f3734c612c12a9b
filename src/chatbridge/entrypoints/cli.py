"""The `chatbridge` command. Each subcommand loads only what it needs."""

import os
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import click

from chatbridge.domain.model.errors import ChatbridgeError
from chatbridge.entrypoints.own_command import at, own_command
from chatbridge.entrypoints.screen import Refused, say, screen

T = TypeVar("T")

_SIGNED_IN_BY = "CHATBRIDGE_TOKEN"

_url = click.option("--url", help="Where chatbridge is served.  [default: http://127.0.0.1:$PORT]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What the command can have done; each raises ValueError, or an error
    of the domain, with a sentence for the person."""

    serve: Callable[[str | None, str | None], None]
    migrate: Callable[[], str]
    grants: Callable[[str], str]
    serve_tasks: Callable[[int], None]
    address: Callable[[], str]
    service_key: Callable[[], tuple[str, str]]


def command(program: Program) -> click.Group:
    """The command over a program."""

    @click.group(context_settings={"help_option_names": ["-h", "--help"]})
    @click.version_option(package_name="chatbridge-server")
    def chatbridge() -> None:
        """A self-hosted back end for ChatKit. Settings come from the environment and .env."""

    _add_servers(chatbridge, program)
    _add_clients(chatbridge, program)
    return chatbridge


def _add_servers(chatbridge: click.Group, program: Program) -> None:
    @chatbridge.command()
    @click.option("--agent", metavar="MODULE:ATTRIBUTE", help="Answer with this agent.")
    @click.option("--server", metavar="MODULE:ATTRIBUTE", help="Answer with this ChatKitServer.")
    def serve(agent: str | None, server: str | None) -> None:
        """Serve chatbridge."""
        _require_usable_proxies()
        _told(lambda: program.serve(agent, server))

    @chatbridge.command()
    @click.option("--grants", metavar="ROLE", help="Only print what lets ROLE serve, for psql.")
    def migrate(grants: str | None) -> None:
        """Bring the database to this version's schema."""
        if grants is not None and not grants.strip():
            raise Refused("--grants takes the name of the role that is to serve: --grants ROLE.")
        say(_told(lambda: program.migrate() if grants is None else program.grants(grants)))

    @chatbridge.command()
    @click.option("--port", default=8001, show_default=True)
    def tasks(port: int) -> None:
        """Serve the bundled task tools (MCP) by themselves."""
        _told(lambda: program.serve_tasks(port))

    @chatbridge.command()
    def service_key() -> None:
        """Print a new service key, and the setting that lets it in beside the newest of now."""
        key, setting = _told(program.service_key)
        say("For the back end that asks for chat sessions; shown this once:", err=True)
        say(key)
        say("For chatbridge:", err=True)
        say(setting)


def _add_clients(chatbridge: click.Group, program: Program) -> None:
    @chatbridge.command()
    @click.option("--user", required=True, metavar="NAME", help="Becomes the token's subject.")
    @_url
    def token(user: str, url: str | None) -> None:
        """Print a token for the running server, in development; good for a day."""
        say(_token(url or _told(program.address), user))

    @chatbridge.command()
    @_url
    def page(url: str | None) -> None:
        """Print the address of the running server's chat page, with its key, in development."""
        from chatbridge.entrypoints.signing_in import page_address

        _require_usable_proxies()
        say(_told(lambda: page_address(url or program.address())))

    @chatbridge.command()
    @click.argument("message", required=False)
    @click.option("--conversation", metavar="ID", help="Go on with this conversation.")
    @click.option("--user", default="alice", show_default=True, help="Sign in as this user.")
    @click.option("--token", envvar=_SIGNED_IN_BY, help="Sign in with this token instead.")
    @_url
    def chat(
        message: str | None,
        conversation: str | None,
        user: str,
        token: str | None,
        url: str | None,
    ) -> None:
        """Say MESSAGE and see the answer; without it, talk line by line, until Ctrl-D."""
        there = url or _told(program.address)
        who = "" if user == "alice" else f" --user {shlex.quote(user)}"
        if token:
            who = "" if token == os.environ.get(_SIGNED_IN_BY) else " --token ..."
        again = f"{own_command()} chat{at(there)}{who} --conversation "
        _chat(there, token or _token(there, user), message, conversation, again)


def _token(url: str, user: str) -> str:
    from chatbridge.entrypoints.signing_in import development_token

    _require_usable_proxies()
    return _told(lambda: development_token(url, user))


def _chat(url: str, token: str, message: str | None, conversation: str | None, again: str) -> None:
    from chatbridge.entrypoints.terminal.chat import ChatLost, ChatRefused, Terminal
    from chatbridge.entrypoints.terminal.prompt import Prompt

    def say_how_to_go_on() -> None:
        if terminal.conversation_id:
            # who answers has named it, and it is there to be pasted into a shell
            say(f"Go on: {again}{shlex.quote(terminal.conversation_id)}", err=True)

    _require_usable_proxies()
    # a pipe answers nothing: what is asked waits
    shown = screen()
    terminal = Terminal(url, token, shown, Prompt(shown) if sys.stdin.isatty() else None)
    terminal.conversation_id = conversation
    try:
        if message is None:
            _converse(terminal.say, terminal.show_history if conversation else None)
        else:
            terminal.say(message)
    except ChatRefused as error:
        if isinstance(error, ChatLost):
            say_how_to_go_on()
        raise Refused(str(error)) from error
    say_how_to_go_on()


def _converse(ask: Callable[[str], None], show_history: Callable[[], None] | None) -> None:
    if show_history:
        show_history()
    while True:
        try:
            line = click.prompt(">", prompt_suffix=" ")
        except click.Abort:
            say("")
            return
        ask(line)


def _require_usable_proxies() -> None:
    from urllib.request import getproxies

    from chatbridge.entrypoints.proxies import require_usable

    _told(lambda: require_usable(getproxies()))


def _told(act: Callable[[], T]) -> T:
    try:
        return act()
    except (ValueError, ChatbridgeError) as error:
        raise Refused(str(error)) from error

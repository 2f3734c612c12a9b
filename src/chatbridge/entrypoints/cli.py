"""The `chatbridge` command. Each subcommand loads only what it needs."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import click

from chatbridge.domain.model.errors import ChatbridgeError
from chatbridge.entrypoints.screen import Refused, say, screen

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What the command can have done; each raises ValueError, or an error
    of the domain, with a sentence for the person."""

    serve: Callable[[str | None], None]
    migrate: Callable[[], str]
    serve_tasks: Callable[[int], None]
    development_token: Callable[[str], str]
    address: Callable[[], str]
    service_key: Callable[[], tuple[str, str]]


def command(program: Program) -> click.Group:
    """The command over a program."""

    @click.group(context_settings={"help_option_names": ["-h", "--help"]})
    @click.version_option(package_name="chatbridge-server")
    def chatbridge() -> None:
        """A self-hosted back end for ChatKit. Settings come from the environment and .env."""

    @chatbridge.command()
    @click.option("--agent", metavar="MODULE:ATTRIBUTE", help="Answer with this agent.")
    def serve(agent: str | None) -> None:
        """Serve chatbridge."""
        _told(lambda: program.serve(agent))

    @chatbridge.command()
    def migrate() -> None:
        """Bring the database to this version's schema."""
        say(_told(program.migrate))

    @chatbridge.command()
    @click.option("--port", default=8001, show_default=True)
    def tasks(port: int) -> None:
        """Serve the bundled task tools (MCP) by themselves."""
        _told(lambda: program.serve_tasks(port))

    @chatbridge.command()
    @click.option("--user", required=True, metavar="NAME", help="Becomes the token's subject.")
    def token(user: str) -> None:
        """Print a development token, good on this machine for a day."""
        say(_told(lambda: program.development_token(user)))

    @chatbridge.command()
    def service_key() -> None:
        """Print a new service key, and the setting that lets it in beside the newest of now."""
        key, setting = _told(program.service_key)
        say("For the back end that asks for chat sessions; shown this once:", err=True)
        say(key)
        say("For chatbridge:", err=True)
        say(setting)

    @chatbridge.command()
    @click.argument("message", required=False)
    @click.option("--conversation", metavar="ID", help="Go on with this conversation.")
    @click.option("--user", default="alice", show_default=True, help="Sign in as this user.")
    @click.option("--token", envvar="CHATBRIDGE_TOKEN", help="Sign in with this token instead.")
    @click.option("--url", help="Where chatbridge is served.  [default: http://127.0.0.1:$PORT]")
    def chat(
        message: str | None,
        conversation: str | None,
        user: str,
        token: str | None,
        url: str | None,
    ) -> None:
        """Say MESSAGE and see the answer; without it, talk line by line."""
        token = token or _told(lambda: program.development_token(user))
        _chat(url or _told(program.address), token, message, conversation)

    return chatbridge


def _chat(url: str, token: str, message: str | None, conversation: str | None) -> None:
    from chatbridge.entrypoints.terminal import ChatRefused, Terminal

    terminal = Terminal(url, token, screen())
    terminal.conversation_id = conversation
    try:
        if message is None:
            _converse(terminal.say, terminal.show_history if conversation else None)
        else:
            terminal.say(message)
    except ChatRefused as error:
        raise Refused(str(error)) from error
    if terminal.conversation_id:
        # who answers has named it, and it is there to be pasted into a shell
        named = shlex.quote(terminal.conversation_id)
        say(f"Go on: chatbridge chat --conversation {named}", err=True)


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


def _told(act: Callable[[], T]) -> T:
    try:
        return act()
    except (ValueError, ChatbridgeError) as error:
        raise Refused(str(error)) from error

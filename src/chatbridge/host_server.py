"""Who answers: an agent, or a ChatKitServer of the host's own."""

from typing import Literal

from chatbridge.adapters.chatkit.agent_runner import HostServerRunner
from chatbridge.adapters.chatkit.attachments import HostAttachments
from chatbridge.adapters.chatkit.context import load_context
from chatbridge.adapters.chatkit.entry import load_server, making
from chatbridge.domain.services.made_files import MadeFiles
from chatbridge.host import Host
from chatbridge.ports.conversation_repository import ConversationRepository
from chatbridge.settings import Settings


def who_answers(settings: Settings, host: Host) -> Literal["agent", "server"]:
    """Raises ValueError where both are given."""
    server = host.server is not None or settings.server.entry
    if server and (host.agent is not None or settings.agent.entry):
        raise ValueError(
            "There are a server (`server`, CHATBRIDGE_SERVER__ENTRY, --server) and an agent "
            "(`agent`, CHATBRIDGE_AGENT__ENTRY, --agent), and only one can answer."
        )
    if server and host.instructions:
        raise ValueError("`instructions` are for the settings' agent, and your server answers.")
    return "server" if server else "agent"


def host_server(
    settings: Settings,
    host: Host,
    conversations: ConversationRepository,
    attachments: HostAttachments,
    files: MadeFiles,
) -> HostServerRunner:
    """The server that is given or named. Raises ValueError with a sentence for the operator."""
    server = settings.server
    if settings.agent.memory != "window":
        raise ValueError(
            "CHATBRIDGE_AGENT__MEMORY is what an agent reads, and a server of your own (`server`, "
            "CHATBRIDGE_SERVER__ENTRY, --server) reads what it will: leave it unset."
        )
    found, given = host.server or server.entry, host.server is not None
    entry = found if isinstance(found, str) else "`server`"
    return HostServerRunner(
        load_server(entry) if isinstance(found, str) else making(found, entry),
        conversations,
        attachments=attachments,
        context=host.context if given else load_context(server.context),
        own_loop=server.loop == "own",
        silence=server.silence,
        pictures=settings.allowed_image_domains,
        files=files,
        name=entry,
    )

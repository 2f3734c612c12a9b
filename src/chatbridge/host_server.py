"""Who answers: an agent, or a ChatKitServer of the host's own."""

from typing import Literal

from chatbridge.adapters.chatkit.agent_runner import HostServerRunner
from chatbridge.adapters.chatkit.context import load_context
from chatbridge.adapters.chatkit.entry import load_server
from chatbridge.ports.conversation_repository import ConversationRepository
from chatbridge.settings import Settings


def who_answers(settings: Settings) -> Literal["agent", "server"]:
    """Raises ValueError where both are set."""
    if settings.server.entry and settings.agent.entry:
        raise ValueError(
            "CHATBRIDGE_SERVER__ENTRY (--server) and CHATBRIDGE_AGENT__ENTRY (--agent) are both "
            "set, and only one can answer."
        )
    return "server" if settings.server.entry else "agent"


def host_server(settings: Settings, conversations: ConversationRepository) -> HostServerRunner:
    """The server that is named. Raises ValueError with a sentence for the operator."""
    server = settings.server
    return HostServerRunner(
        load_server(server.entry or ""),
        conversations,
        context=load_context(server.context),
        own_loop=server.loop == "own",
        silence=server.silence,
        name=server.entry or "",
    )

"""The table of ports and their adapters. Building is synchronous and touches no network."""

from collections.abc import Awaitable, Callable

import httpx2
from dependency_injector.containers import DeclarativeContainer
from dependency_injector.providers import (
    Callable as CallableProvider,
)
from dependency_injector.providers import Dependency, Factory, Object, Provider, Selector, Singleton

from chatbridge.adapters.chatkit.actions import Assistant
from chatbridge.adapters.chatkit.agent_runner import HostServerRunner
from chatbridge.adapters.chatkit.attachments import HostAttachments
from chatbridge.adapters.chatkit.call_widgets import CallWidgets
from chatbridge.adapters.chatkit.chat_runner import ChatRunner
from chatbridge.adapters.chatkit.inline_files import ItemFiles
from chatbridge.adapters.chatkit.keeping_runner import KeepingRunner
from chatbridge.adapters.jwt.authenticator import JwtAuthenticator
from chatbridge.adapters.jwt.key_source import Jwks
from chatbridge.adapters.jwt.token_issuer import JwtTokenIssuer
from chatbridge.adapters.mcp.tool_provider import McpToolProvider
from chatbridge.adapters.openai.agent_runner import OpenAIAgentRunner
from chatbridge.adapters.openai.asking_tools import AskingTools
from chatbridge.adapters.openai.conversations import Conversations
from chatbridge.adapters.openai.left_counterparts import LeftCounterparts
from chatbridge.adapters.openai.models import Endpoint
from chatbridge.adapters.openai.recall import Recall
from chatbridge.adapters.openai.unoffered import Unoffered
from chatbridge.blobs import (
    allowance,
    attachment_addresses,
    attachments,
    blob_store,
    left_attachments,
)
from chatbridge.domain.model.caller import TASKS_TOOLS
from chatbridge.domain.model.context_window import ContextWindow
from chatbridge.domain.model.tool import LeftOut
from chatbridge.domain.services.attachments import Attachments
from chatbridge.domain.services.conversation_history import ConversationHistory
from chatbridge.domain.services.dictation import Dictation
from chatbridge.domain.services.left_attachments import LeftAttachments
from chatbridge.domain.services.made_files import MadeFiles
from chatbridge.domain.services.readiness import Readiness
from chatbridge.domain.services.tags import Tags
from chatbridge.domain.services.turns import Turns
from chatbridge.entrypoints.attachment_addresses import Addresses
from chatbridge.entrypoints.authentication import Gate
from chatbridge.entrypoints.chatkit.choices import chosen
from chatbridge.entrypoints.chatkit.words import words_of
from chatbridge.entrypoints.host_sign_in import HostSignIn
from chatbridge.entrypoints.logs.turns import TurnLog
from chatbridge.entrypoints.page.key import Key
from chatbridge.entrypoints.rest.health import recently
from chatbridge.entrypoints.tasks.server import TasksApp, tasks_server
from chatbridge.host import Host
from chatbridge.host_server import host_server, who_answers
from chatbridge.models import (
    host_assistant,
    image_forms,
    instructions,
    makes_counterparts,
    model_endpoint,
    model_files,
    model_recall,
    model_titles,
    offered_models,
    only_summaries,
    openai_conversations,
    rehearses,
    thought_forms,
    transcriber,
)
from chatbridge.ports.agent_runner import AgentRunner
from chatbridge.ports.authenticator import Authenticator
from chatbridge.ports.blob_store import BlobStore
from chatbridge.ports.store import Store
from chatbridge.ports.token_issuer import TokenIssuer
from chatbridge.ports.transcriber import Transcriber
from chatbridge.settings import Settings
from chatbridge.sign_in import (
    chosen_claims,
    gives_tokens,
    host_sign_in,
    key_set,
    own_secret,
    service_keys,
    sign_in,
)
from chatbridge.stores import store_for
from chatbridge.tags import tags
from chatbridge.tools import asking_tools, tool_servers, with_task_list


def _readiness(readiness: Readiness, turns: Callable[[], Turns]) -> Callable[[], Awaitable[None]]:
    require_store = recently(readiness.require)

    async def require_ready() -> None:
        turns().require_open()
        await require_store()

    return require_ready


def _parted(
    counterparts: LeftCounterparts, attachments: LeftAttachments | None
) -> Callable[[], None]:
    def parted() -> None:
        counterparts.wake()
        if attachments:
            attachments.seen()

    return parted


def _dictation(transcriber: Transcriber | None) -> Dictation | None:
    return Dictation(transcriber) if transcriber else None


class Container(DeclarativeContainer):
    """The table of ports and their adapters."""

    settings: Provider[Settings] = Dependency(instance_of=Settings)
    host: Provider[Host] = Dependency(instance_of=Host, default=Object(Host()))
    _turns = settings.provided.turns

    store: Provider[Store] = Singleton(store_for, settings)

    blobs: Provider[BlobStore | None] = Singleton(blob_store, settings)
    left_attachments: Provider[LeftAttachments | None] = Singleton(
        left_attachments,
        CallableProvider(who_answers, settings, host),
        store.provided.attachments,
        blobs,
    )
    attachments: Provider[Attachments | None] = Singleton(
        attachments, settings, store.provided.attachments, blobs, left_attachments
    )
    made_files: Provider[MadeFiles] = Singleton(MadeFiles, attachments)
    addresses: Provider[Addresses] = Singleton(
        attachment_addresses, settings, CallableProvider(own_secret, settings)
    )

    http: Provider[httpx2.AsyncClient] = Singleton(httpx2.AsyncClient, timeout=5.0)
    jwks: Provider[Jwks | None] = Singleton(key_set, settings, http)
    issuer: Provider[TokenIssuer] = Singleton(
        JwtTokenIssuer, CallableProvider(own_secret, settings)
    )
    authenticator: Provider[Authenticator] = Singleton(
        JwtAuthenticator,
        issuer=issuer,
        sign_in=CallableProvider(sign_in, settings, host, jwks),
        development=CallableProvider(gives_tokens, settings, host),
        service_keys=CallableProvider(service_keys, settings),
        claims=CallableProvider(chosen_claims, settings),
    )
    host_sign_in: Provider[HostSignIn | None] = Singleton(host_sign_in, settings, host)
    gate: Provider[Gate] = Singleton(Gate, authenticator, host_sign_in)

    key: Provider[Key] = Singleton(Key, settings.provided.data_dir, settings.provided.port)

    tasks_app: Provider[TasksApp] = Singleton(
        TasksApp,
        CallableProvider(
            tasks_server,
            store.provided.tasks,
            issuer,
            audience=TASKS_TOOLS,
            rehearsal=CallableProvider(rehearses, settings),
        ),
    )
    tools: Provider[McpToolProvider] = Singleton(
        McpToolProvider,
        CallableProvider(tool_servers, settings, host, issuer, tasks_app),
        most_tools=settings.provided.mcp.max_tools,
    )
    tags: Provider[Tags] = Singleton(tags, settings, host, store.provided.tasks)
    unoffered: Provider[Unoffered] = Singleton(Unoffered)
    endpoint: Provider[Endpoint] = Singleton(model_endpoint, settings, unoffered)
    assistant: Provider[Assistant] = Singleton(
        with_task_list, CallableProvider(host_assistant, settings, host), settings, host, tools
    )
    conversations: Provider[Conversations | None] = Singleton(
        openai_conversations, settings, assistant
    )
    left_counterparts: Provider[LeftCounterparts] = Singleton(
        LeftCounterparts,
        store.provided.counterparts,
        conversations,
        made=CallableProvider(makes_counterparts, settings),
    )
    recall: Provider[Recall] = Singleton(
        model_recall, settings, conversations, store, left_counterparts, Object(words_of)
    )
    own_agent: Provider[AgentRunner] = Singleton(
        OpenAIAgentRunner,
        endpoint.provided.model,
        Singleton(AskingTools, tools, CallableProvider(asking_tools, settings)),
        instructions=CallableProvider(instructions, settings, host),
        agent=assistant.provided.agent,
        named=endpoint.provided.named,
        max_steps=settings.provided.agent.max_steps,
        tracing=settings.provided.agent.tracing,
        log_words=settings.provided.log.words,
        approve_for_conversation=settings.provided.agent.approve_for_conversation,
        recall=recall,
        unoffered=unoffered,
        chosen=Object(chosen),
        offered=CallableProvider(offered_models, settings, endpoint),
        thoughts=CallableProvider(thought_forms, settings),
        summaries=CallableProvider(only_summaries, settings),
        images=CallableProvider(image_forms, attachments),
        titles=CallableProvider(model_titles, settings, store),
        opening=CallableProvider(model_files, settings, attachments),
    )
    chat: Provider[ChatRunner] = Singleton(
        ChatRunner,
        own_agent,
        assistant.provided.actions,
        store.provided.conversations,
        widgets=Singleton(CallWidgets, assistant.provided.widgets),
        context=host.provided.context,
        pictures=settings.provided.allowed_image_domains,
        files=made_files,
    )
    host_server: Provider[HostServerRunner] = Singleton(
        host_server,
        settings,
        host,
        store.provided.conversations,
        Singleton(
            HostAttachments,
            store.provided.attachments,
            attachments,
            CallableProvider(allowance, settings),
            left_attachments.provided.seen,
        ),
        made_files,
    )
    agent: Provider[AgentRunner] = Singleton(
        KeepingRunner,
        Selector(CallableProvider(who_answers, settings, host), agent=chat, server=host_server),
        made_files,
    )

    transcriber: Provider[Transcriber | None] = Singleton(transcriber, settings)
    dictation: Provider[Dictation | None] = Singleton(_dictation, transcriber)

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
        patience=_turns.patience,
        report=Singleton(TurnLog, CallableProvider(own_secret, settings)),
    )
    history: Provider[ConversationHistory] = Singleton(
        ConversationHistory,
        store.provided.conversations,
        turns,
        parted=Singleton(_parted, left_counterparts, left_attachments),
        files=Factory(ItemFiles, made_files).provider,
    )
    readiness: Provider[Readiness] = Singleton(Readiness, store)
    require_ready = Singleton(_readiness, readiness, turns.provider)


def left_out(container: Container) -> tuple[LeftOut, ...]:
    """The tools of tool servers and of agents that no model is offered, as far as is known."""
    refused = container.endpoint().left_out()
    return (*container.tools().left_out(), *container.unoffered().tools(), *refused)

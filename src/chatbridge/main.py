"""create_app: a container in, a FastAPI application out; and the ways to serve it."""

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version
from ipaddress import ip_address
from pathlib import Path
from socket import socket

from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.middleware import Middleware

from chatbridge.adapters.chatkit.items.mapping import Display
from chatbridge.blobs import straight_to
from chatbridge.container import Container, left_out
from chatbridge.domain.model.attachment import Allowance
from chatbridge.domain.services.attachments import Attachments
from chatbridge.entrypoints.attachments import attachment_router
from chatbridge.entrypoints.chatkit.acting import Acting
from chatbridge.entrypoints.chatkit.attachments import Files, chatkit_attachments_router
from chatbridge.entrypoints.chatkit.choices import Choices
from chatbridge.entrypoints.chatkit.documentation import schemas as chatkit_schemas
from chatbridge.entrypoints.chatkit.feedback import thread_feedback_router
from chatbridge.entrypoints.chatkit.menus import Menus, menus_of, menus_router
from chatbridge.entrypoints.chatkit.routes import chatkit_router
from chatbridge.entrypoints.chatkit.threads import threads_router
from chatbridge.entrypoints.contract_page import contract_router
from chatbridge.entrypoints.cors import add_cors
from chatbridge.entrypoints.errors import add_error_handlers
from chatbridge.entrypoints.heads import add_heads
from chatbridge.entrypoints.logs.opening import open_log
from chatbridge.entrypoints.logs.requests import RequestIds
from chatbridge.entrypoints.openapi import document
from chatbridge.entrypoints.own_command import at, own_command
from chatbridge.entrypoints.page.development import development_router
from chatbridge.entrypoints.page.routes import TASK_STARTERS, Look, element_router, page_router
from chatbridge.entrypoints.rest.answers import answers_router
from chatbridge.entrypoints.rest.approvals import approvals_router
from chatbridge.entrypoints.rest.attachments import attachments_router
from chatbridge.entrypoints.rest.chat import chat_router
from chatbridge.entrypoints.rest.conversations import conversations_router
from chatbridge.entrypoints.rest.dictation import dictation_router
from chatbridge.entrypoints.rest.documentation import schemas as turn_schemas
from chatbridge.entrypoints.rest.feedback import feedback_router
from chatbridge.entrypoints.rest.health import health_router
from chatbridge.entrypoints.rest.sessions import sessions_router
from chatbridge.entrypoints.rest.tags import tags_router
from chatbridge.entrypoints.serving import listening_on, run
from chatbridge.entrypoints.started import Start, require_start
from chatbridge.host import Host
from chatbridge.host_server import who_answers
from chatbridge.running import running, tasks_running
from chatbridge.settings import Settings
from chatbridge.sign_in import gives_tokens
from chatbridge.tags import finds_tags
from chatbridge.tools import offered


def create_app(container: Container | None = None) -> FastAPI:
    """The service. Without a container it is configured by the environment."""
    container = container or Container(settings=Settings())

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        async with running(container):
            with start.made():
                yield

    start = Start()
    app = FastAPI(
        title="chatbridge",
        version=version("chatbridge-server"),
        summary="A self-hosted back end for ChatKit.",
        lifespan=lifespan,
        redirect_slashes=False,
        # its pages would load scripts from elsewhere
        openapi_url=None,
    )
    acting = _acting(container)
    attachments = None if acting and acting.keeps_attachments else container.attachments()
    menus = _menus(container, acting)
    _add_chatkit(app, container, acting, attachments, menus)
    _add_rest(app, container, acting, attachments)
    app.router.routes.append(container.tasks_app().route)
    _add_pages(app, container, menus, attachments)
    add_error_handlers(app)
    require_start(app, start)
    settings, host = container.settings(), container.host()
    add_cors(
        app,
        settings.cors_origins or (),
        loopback=settings.allows_own_machine,
        cookies=host.signed_in is not None,
    )
    add_heads(app)
    app.add_middleware(RequestIds)
    document(app, chatkit_schemas, turn_schemas)
    return app


def _add_chatkit(
    app: FastAPI,
    container: Container,
    acting: Acting | None,
    attachments: Attachments | None,
    menus: Menus,
) -> None:
    turns, history, gate = container.turns(), container.history(), container.gate()
    settings, addresses = container.settings(), container.addresses()
    choices = _choices(settings, container.host())
    pictures = tuple(settings.allowed_image_domains or ())
    display = Display(pictures, details=settings.agent.show_calls == "details")
    files = Files(attachments, addresses, acting)
    tags, dictation = container.tags(), container.dictation()
    app.include_router(
        chatkit_router(
            turns, history, gate, display, choices, acting, files, tags, dictation=dictation
        )
    )
    if attachments:
        app.include_router(attachment_router(attachments, addresses))
        app.include_router(chatkit_attachments_router(attachments, addresses, gate))
        app.include_router(attachments_router(attachments, gate))
    app.include_router(menus_router(menus, gate))
    app.include_router(threads_router(turns, history, gate, display, files))
    app.include_router(thread_feedback_router(history, gate, acting and acting.rated))


def _add_rest(
    app: FastAPI, container: Container, acting: Acting | None, attachments: Attachments | None
) -> None:
    turns, history, gate = container.turns(), container.history(), container.gate()
    app.include_router(chat_router(turns, gate, attachments))
    app.include_router(answers_router(turns, gate))
    app.include_router(dictation_router(container.dictation(), gate))
    app.include_router(sessions_router(history, gate, container.issuer()))
    app.include_router(approvals_router(history, gate))
    app.include_router(conversations_router(turns, history, container.store().tasks, gate))
    app.include_router(tags_router(container.tags(), gate))
    app.include_router(feedback_router(history, gate, acting and acting.rated))
    app.include_router(health_router(container.require_ready(), partial(left_out, container)))


def _add_pages(
    app: FastAPI, container: Container, menus: Menus, attachments: Attachments | None
) -> None:
    settings, host = container.settings(), container.host()
    gives = gives_tokens(settings, host)
    app.include_router(element_router())
    if settings.serves_page:
        look = _look(settings, host, menus, attachments and attachments.allowance)
        pictures, signs_in = settings.allowed_image_domains or (), container.host_sign_in()
        app.include_router(page_router(pictures, look, signs_in_itself=gives, host=signs_in))
    if gives:
        app.include_router(development_router(container.issuer(), container.key()))
    if settings.serves_docs:
        app.include_router(contract_router(app))


def _menus(container: Container, acting: Acting | None) -> Menus:
    dictates = container.dictation() is not None or bool(acting and acting.dictates)
    return menus_of(_choices(container.settings(), container.host()), dictates=dictates)


def _choices(settings: Settings, host: Host) -> Choices:
    if who_answers(settings, host) == "server":
        return Choices(anything=True)
    models = {id: model.label for id, model in settings.agent.models.items()}
    tools = settings.agent.tool_choices or ()
    # an agent of the host's own knows its model
    own = settings.agent.entry or host.agent is not None
    usual = None if own else (settings.agent.model, None)
    same = (id for id, m in settings.agent.models.items() if (m.model, m.instructions) == usual)
    return Choices(models, tools, usual=next(same, None))


def _look(settings: Settings, host: Host, menus: Menus, allowance: Allowance | None) -> Look:
    page = settings.page
    starters = [starter.model_dump(exclude_none=True) for starter in page.starters or ()]
    ours = who_answers(settings, host) == "agent"
    if page.starters is None and ours and offered(settings, host) == "all":
        starters = [*TASK_STARTERS]
    offline = settings.is_offline and ours and host.agent is None
    return Look(
        title=page.title,
        greeting=page.greeting,
        starters=starters,
        offline=offline,
        tags=finds_tags(settings, host),
        menus=menus.model_dump(),
        attachments=allowance,
        bucket=straight_to(settings),
    )


def _acting(container: Container) -> Acting | None:
    """An agent without actions is asked for none."""
    settings, turns, history = container.settings(), container.turns(), container.history()
    if who_answers(settings, container.host()) == "server":
        only_offered = settings.server.actions == "offered"
        server = container.host_server()
        return Acting(turns, history, server, only_offered=lambda _: only_offered)
    chat = container.chat()
    if not chat.actions:
        return None
    return Acting(turns, history, chat, only_offered=chat.actions.only_offered, only_actions=True)


def serve(settings: Settings) -> None:
    """Serve until a signal comes. Raises ValueError when it can't be started as configured.

    What is of the host's own may be in the current directory.
    """
    _open_log(settings)
    ours = (settings.agent.entry, settings.server.entry, settings.tags.search, settings.tags.words)
    if any(ours):
        sys.path.insert(0, str(Path.cwd()))
    listening = _listening(settings)
    settings = settings.model_copy(update={"port": listening.getsockname()[1]})
    container = Container(settings=settings)
    app = create_app(container)
    run(
        app,
        listening,
        greeting=_greeting(settings, container),
        stop=container.turns().stop,
    )


def serve_tasks(settings: Settings) -> None:
    """Serve the bundled task tools alone. Raises like `serve`."""
    _open_log(settings)
    container = Container(settings=settings)
    tasks_app = container.tasks_app()

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        async with tasks_running(container):
            yield

    ids = [Middleware(RequestIds)]
    app = Starlette(routes=[tasks_app.route], lifespan=lifespan, middleware=ids)
    address = f"http://{settings.host}:{settings.port}{tasks_app.path}"
    listening = _listening(settings)
    run(app, listening, greeting=f"Task tools: {address}")


def _open_log(settings: Settings) -> None:
    log = settings.log
    open_log(format=log.format, level=log.level, words=log.words)


def _listening(settings: Settings) -> socket:
    listening = listening_on(settings.host, settings.port)
    address = listening.getsockname()[0]
    if settings.refuses("public_development") and not ip_address(address).is_loopback:
        listening.close()
        raise ValueError(
            f"Development is for this machine, and CHATBRIDGE_HOST ({settings.host}) is reached "
            "from others: set CHATBRIDGE_ENVIRONMENT=production and a sign-in, or "
            "CHATBRIDGE_ALLOW=public_development."
        )
    return listening


def _greeting(settings: Settings, container: Container) -> str:
    address = f"http://{settings.host}:{settings.port}"
    answers = f"model: {settings.agent.model}"
    if settings.server.entry:
        answers = f"its server: {settings.server.entry}"
    head = f"chatbridge: {address} ({container.store().kept}; {answers})"
    if settings.agent.entry:
        head = f"{head}\nIts agent: {settings.agent.entry}"
    if settings.environment != "development":
        return f"Open {address}/\n\n{head}" if settings.serves_page else head
    if settings.serves_page:
        head = f"Open {settings.own_address}/#key={container.key().value}\n\n{head}"
    me, there = own_command(), at(settings.own_address)
    return f"""{head}

Say something:
  curl -N {settings.own_address}/api/alice/chat \\
    -H "Authorization: Bearer $({me} token --user alice{there})" \\
    -H 'Content-Type: application/json' -H 'Accept: text/event-stream' \\
    -d '{{"message": "add a task: buy oat milk"}}'

Or chat in the terminal:
  {me} chat{there} "what are my tasks?"
"""

"""Gives the `chatbridge` command what it can do.

The imports inside functions are meant: the settings take a fifth of a second to load, the agent
stack over a second.
"""

import gc
from collections.abc import Generator
from contextlib import contextmanager

from chatbridge.entrypoints.cli import Program, command


def main() -> None:
    """The `chatbridge` command."""
    program = Program(
        serve=_serve,
        migrate=_migrate,
        grants=_grants,
        serve_tasks=_serve_tasks,
        address=lambda: _settings().own_address,
        service_key=_service_key,
    )
    command(program)()


def _settings():  # no annotation: its type is loaded with the settings themselves
    from chatbridge.settings import read_settings

    return read_settings({})


def _serve(agent: str | None, server: str | None) -> None:
    with _loading():
        from chatbridge.main import serve

    settings = _settings()
    if agent is not None:
        answering = settings.agent.model_copy(update={"entry": agent})
        settings = settings.model_copy(update={"agent": answering})
    if server is not None:
        speaking = settings.server.model_copy(update={"entry": server})
        settings = settings.model_copy(update={"server": speaking})
    serve(settings)


def _serve_tasks(port: int) -> None:
    with _loading():
        from chatbridge.main import serve_tasks

    serve_tasks(_settings().model_copy(update={"port": port}))


def _migrate() -> str:
    from chatbridge.stores import store_for

    return store_for(_settings()).migrate()


def _grants(role: str) -> str:
    from chatbridge.stores import store_for

    return store_for(_settings()).grants(role)


def _service_key() -> tuple[str, str]:
    from chatbridge.adapters.jwt.service_keys import new_service_key

    new = new_service_key()
    newest_first = [new.hash, *(_settings().service_keys or ())[:1]]
    return new.key, f"CHATBRIDGE_SERVICE_KEYS={','.join(newest_first)}"


@contextmanager
def _loading() -> Generator[None]:
    """What is loaded stays. To look through it for garbage takes a quarter of the loading, and
    later, each time, pauses of the event loop."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


if __name__ == "__main__":
    main()

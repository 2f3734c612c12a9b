"""The Postgres of a test run: which server, its template database, and the clones of it.

TEST_POSTGRES=url|container|embedded forces one kind, and the run fails if that one cannot be had.
Unforced it is TEST_DATABASE_URL where that is set; else a container, where a Docker engine answers
that has the image TEST_POSTGRES_IMAGE; else the embedded Postgres.

One server and one template serve a whole run. With pytest-xdist the controller makes them, and
the workers find them in their environment.
"""

import asyncio
import gc
import os
import secrets
import tempfile
import warnings
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from chatbridge.adapters.embedded.server import EmbeddedPostgres
from chatbridge.adapters.postgres.database_url import parse
from tests.ports import held

SCHEMA = "chatbridge"

_KINDS = ("url", "container", "embedded")
_SERVER = "TESTS_SERVER"
_TEMPLATE = "TESTS_TEMPLATE"
_ADMIN_SECONDS = 60.0

_FAST = "postgres -c fsync=off -c synchronous_commit=off -c full_page_writes=off"


class NoPostgres(Exception):
    """The Postgres that was asked for cannot be had; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server that runs; `stop` ends it, if it is ours. `note` says why it is no better one."""

    kind: str
    url: str
    stop: Callable[[], None]
    note: str = ""


def choose() -> Server:
    """The server of this run, started if need be; raises NoPostgres."""
    forced = os.environ.get("TEST_POSTGRES", "")
    if forced:
        return _forced(forced)
    if os.environ.get("TEST_DATABASE_URL"):
        return _given()
    try:
        return _container(pull=False)
    except NoPostgres as reason:
        return _embedded(note=f"no container: {reason}")


def prepare(server: Server, upgrade: Callable[[str, str], None]) -> str:
    """Make the run's template with `upgrade(url, schema)`; returns the server's version."""
    template = f"chatbridge_template_{secrets.token_hex(4)}"
    version = asyncio.run(_create_template(server, template))
    os.environ.update({_SERVER: server.url, _TEMPLATE: template})
    upgrade(_with_database(server.url, template), SCHEMA)
    asyncio.run(_seal(server.url, template))
    return version


def clean_up(server: Server) -> None:
    """Stop the server; one that goes on without us keeps nothing of ours."""
    try:
        if server.kind == "url" and (template := os.environ.get(_TEMPLATE)):
            asyncio.run(_drop_ours(server.url, template))
    finally:
        server.stop()


@asynccontextmanager
async def clone() -> AsyncGenerator[str]:
    """The URL of a new database like the template; it is dropped afterwards."""
    server, template = os.environ.get(_SERVER), os.environ.get(_TEMPLATE)
    if not server or not template:
        raise NoPostgres("this run began without Postgres: a test in this place may not use it")
    name = f"{template}_{secrets.token_hex(4)}"
    async with _administrator(server) as connection:
        await connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    try:
        yield _with_database(server, name)
    finally:
        async with _administrator(server) as connection:
            await connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


def engine_on(url: str) -> AsyncEngine:
    """An engine as the application has it, with a pool of five."""
    target = parse(url)
    return create_async_engine(
        target.url, connect_args=target.connect_args, isolation_level="AUTOCOMMIT", pool_size=5
    )


async def delete_all_rows(engine: AsyncEngine) -> None:
    """Empty every table of chatbridge's.

    One statement, because its foreign keys are checked at its end: no order of tables is needed.
    """
    async with engine.connect() as connection:
        tables = await connection.scalars(
            text("SELECT tablename FROM pg_tables WHERE schemaname = :schema"), {"schema": SCHEMA}
        )
        deletions = [
            f'd{number} AS (DELETE FROM {SCHEMA}."{table}")'  # noqa: S608 - our own tables' names
            for number, table in enumerate(tables)
            if table != "alembic_version"
        ]
        if deletions:
            await connection.execute(text(f"WITH {', '.join(deletions)} SELECT 1"))


def _forced(kind: str) -> Server:
    if kind not in _KINDS:
        raise NoPostgres(f"TEST_POSTGRES is {kind!r}: it must be one of {', '.join(_KINDS)}")
    makers = {"url": _given, "container": lambda: _container(pull=True), "embedded": _embedded}
    try:
        return makers[kind]()
    except Exception as error:
        raise NoPostgres(f"TEST_POSTGRES={kind}, but: {error}") from error


def _given() -> Server:
    url = os.environ.get("TEST_DATABASE_URL")
    if not url:
        raise NoPostgres("TEST_DATABASE_URL is not set")
    return Server(kind="url", url=url, stop=lambda: None)


def _embedded(note: str = "") -> Server:
    directory = tempfile.TemporaryDirectory(prefix="chatbridge-tests-")
    server = EmbeddedPostgres(Path(directory.name), durable=False)
    held(make_url(server.url).port or 0)
    server.start()

    def stop() -> None:
        server.stop()
        directory.cleanup()

    return Server(kind="embedded", url=server.url, stop=stop, note=note)


def _container(*, pull: bool) -> Server:
    image = os.environ.get("TEST_POSTGRES_IMAGE", "postgres:17-alpine")
    try:
        has_reaper = _look_for_images(image, pull=pull)
        return _start_container(image, reaper=has_reaper)
    except NoPostgres:
        raise
    except Exception as error:
        raise NoPostgres(f"{type(error).__name__}: {str(error)[:200]}") from error


def _look_for_images(image: str, *, pull: bool) -> bool:
    """Whether the engine also has the image of Ryuk, which removes what a killed run leaves."""
    client = _docker_client()
    try:
        if not _has(client, image):
            if not pull:
                raise NoPostgres(f"the Docker engine has no image {image}")
            client.images.pull(image)
        return _has(client, _testcontainers_settings().ryuk_image)
    finally:
        client.close()


def _docker_client() -> Any:
    import docker

    with warnings.catch_warnings():
        # The socket with which docker found no engine stays open until the error is collected.
        warnings.simplefilter("ignore", ResourceWarning)
        with suppress(docker.errors.DockerException):
            return docker.from_env(timeout=10)
        gc.collect()
    raise NoPostgres("no Docker engine answers")


def _has(client: Any, image: str) -> bool:
    import docker

    try:
        client.images.get(image)
    except docker.errors.ImageNotFound:
        return False
    return True


def _start_container(image: str, *, reaper: bool) -> Server:
    _testcontainers_settings().ryuk_disabled = not reaper
    from testcontainers.community.postgres import PostgresContainer

    container = (
        PostgresContainer(image, driver=None, username="chatbridge", password=secrets.token_hex(8))
        .with_env("POSTGRES_INITDB_ARGS", "--no-sync")
        .with_command(_FAST)
    )
    if _engine_is_here():
        container.ports = {"5432": ("127.0.0.1",)}
    try:
        container.start()
    except BaseException:
        container.stop()
        raise
    return Server(
        kind=f"container of {image}", url=container.get_connection_url(), stop=container.stop
    )


def _testcontainers_settings() -> Any:
    # Read when it is imported: 30 seconds for a start, and ten looks a second.
    os.environ.setdefault("TC_MAX_TRIES", "300")
    os.environ.setdefault("TC_POOLING_INTERVAL", "0.1")
    if _engine_is_here():
        # Inside a container testcontainers would look for the server on the bridge's gateway.
        os.environ.setdefault("TESTCONTAINERS_CONNECTION_MODE", "docker_host")
    from testcontainers.core.config import testcontainers_config

    return testcontainers_config


def _engine_is_here() -> bool:
    """Whether the engine publishes ports on this very host, as far as the environment tells."""
    mode = os.environ.get("TESTCONTAINERS_CONNECTION_MODE", "docker_host")
    engine = os.environ.get("DOCKER_HOST", "unix://")
    return mode == "docker_host" and engine.startswith("unix://")


@asynccontextmanager
async def _administrator(url: str) -> AsyncGenerator[AsyncConnection]:
    target = parse(url)
    engine = create_async_engine(
        target.direct_url,
        connect_args=target.connect_args | {"command_timeout": _ADMIN_SECONDS},
        isolation_level="AUTOCOMMIT",
        poolclass=NullPool,
    )
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()


async def _create_template(server: Server, template: str) -> str:
    try:
        async with _administrator(server.url) as connection:
            version = await connection.scalar(text("SHOW server_version"))
            await connection.execute(text(f"CREATE DATABASE {template}"))
    except Exception as error:
        where = parse(server.url).url.render_as_string(hide_password=True)
        raise NoPostgres(f"{server.kind} ({where}): {error}") from error
    return str(version)


async def _seal(url: str, template: str) -> None:
    """A database that is being cloned may have no connections."""
    async with _administrator(url) as connection:
        await connection.execute(text(f"ALTER DATABASE {template} ALLOW_CONNECTIONS false"))


async def _drop_ours(url: str, template: str) -> None:
    async with _administrator(url) as connection:
        names = await connection.scalars(
            text("SELECT datname FROM pg_database WHERE starts_with(datname, :template)"),
            {"template": template},
        )
        for name in list(names):
            await connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))


def _with_database(url: str, database: str) -> str:
    return make_url(url).set(database=database).render_as_string(hide_password=False)


def asks_for_postgres(config: Any, without: tuple[Path, ...]) -> bool:
    """Whether a run of pytest may need the server: not for questions, nor below `without` only."""
    options = config.option
    questions = ("collectonly", "help", "version", "markers", "showfixtures", "setupplan")
    if any(getattr(options, name, False) for name in questions):
        return False
    start = config.invocation_params.dir
    paths = [Path(start, argument.partition("::")[0]).resolve() for argument in config.args]
    return not paths or any(not any(map(path.is_relative_to, without)) for path in paths)

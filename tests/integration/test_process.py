"""chatbridge as a process: killed, stopped, started again, and the `chatbridge` command."""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from agents import Agent
from sqlalchemy import make_url

from chatbridge.adapters.jwt.token_issuer import JwtTokenIssuer
from chatbridge.adapters.postgres.rights import grants
from chatbridge.domain.model.caller import DEVELOPMENT, Caller
from chatbridge.domain.model.identifiers import UserId
from tests.chatkit_client import Json, add, create, events, items, say, shown, text_of
from tests.command import run
from tests.ports import free_port
from tests.serving import SECRET, Spawned, spawn

EXAMPLES = Path(__file__).parents[2] / "examples"
PATIENCE = 30.0
_AN_HOUR = timedelta(hours=1)
TAKEN_OVER_WITHIN = 8.0
DRAIN = 1.0
STOPPED_WITHIN = DRAIN + 3.0
HEAVY = ("agents", "chatkit", "mcp", "openai", "fastapi", "sqlalchemy")

Environment = dict[str, str]
PRODUCTION: Environment = {"CHATBRIDGE_ENVIRONMENT": "production", "CHATBRIDGE_SECRET": SECRET}
SIGN_IN: Environment = {"BETTER_AUTH_URL": "https://app.example.com"}
WITHOUT_MODEL: Environment = {"CHATBRIDGE_AGENT__ENTRY": "tests.integration.test_process:ADVISER"}
ADVISER = Agent[Any](name="Adviser", instructions="Advise.")
Spawn = Callable[..., Any]


@pytest.fixture
def environment(fresh_database: str) -> Environment:
    """A server on a database that outlives it."""
    return {
        "DATABASE_URL": fresh_database,
        "CHATBRIDGE_SECRET": SECRET,
        "CHATBRIDGE_TURNS__DRAIN": str(DRAIN),
    }


@pytest.fixture
def home() -> Iterator[Path]:
    """A directory that every user may enter: where root is, another one runs Postgres."""
    directory = Path(tempfile.mkdtemp(prefix="chatbridge-tests-"))
    directory.chmod(0o711)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def start(home: Path) -> Iterator[Spawn]:
    """Starts servers; those that still run at the end of the test are killed."""
    started: list[Spawned] = []

    async def start(**environment: str) -> Spawned:
        started.append(await spawn(home, **environment))
        return started[-1]

    yield start
    for server in started:
        if server.process.poll() is None:
            server.kill()


@asynccontextmanager
async def alice_at(server: Spawned) -> AsyncGenerator[httpx.AsyncClient]:
    """Alice, at a server with the tests' secret."""
    issued = JwtTokenIssuer(SECRET.encode()).issue(
        Caller(user_id=UserId("alice")), audience=DEVELOPMENT, lifetime=_AN_HOUR
    )
    headers = {"Authorization": f"Bearer {issued.token}"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=20) as client:
        yield client


async def shown_until(told: AsyncIterator[Json], enough: Callable[[str, list[Json]], bool]) -> str:
    """What has been shown when it is enough."""
    text, seen = "", list[Json]()
    while not enough(text, seen):
        event = await anext(told)
        seen.append(event)
        text += event.get("update", {}).get("delta", "")
    return text


async def rest_of(told: AsyncIterator[Json]) -> tuple[str, list[Json]]:
    """What comes until the stream ends or breaks."""
    text, seen = "", list[Json]()
    try:
        async for event in told:
            seen.append(event)
            text += event.get("update", {}).get("delta", "")
    except httpx.TransportError:
        pass
    return text, seen


async def messages(client: httpx.AsyncClient, conversation: str) -> list[Json]:
    response = await client.get(f"/api/alice/conversations/{conversation}/messages")
    assert response.status_code == 200, response.text
    return response.json()["items"]


async def taken_over(client: httpx.AsyncClient, conversation: str) -> list[Json]:
    """The messages, as soon as the answer that lost its server has ended."""
    async with asyncio.timeout(TAKEN_OVER_WITHIN):
        await client.get(f"/chatkit/threads/{conversation}/events")
    return await messages(client, conversation)


async def test_an_answer_that_lost_its_server_is_kept_as_far_as_it_was_shown(
    start: Spawn, environment: Environment
) -> None:
    server = await start(**environment)
    request = create("rehearse a long answer of 2000 words")
    async with (
        asyncio.timeout(PATIENCE),
        alice_at(server) as alice,
        alice.stream("POST", "/chatkit", json=request) as response,
    ):
        conversation = response.headers["x-conversation-id"]
        told = events(response)
        shown = await shown_until(told, lambda text, _: len(text.split()) > 20)
        server.kill()
        shown += (await rest_of(told))[0]
    again = await start(**environment)
    async with alice_at(again) as alice:
        asked, partial = await taken_over(alice, conversation)
        assert asked["role"] == "user"
        assert partial["kind"] == "partial"
        # the last tick may have been durable without having been sent
        assert partial["content"].startswith(shown)
        assert len(partial["content"].split()) <= len(shown.split()) + 10
        answer = await alice.post("/chatkit", json=add(conversation, "hello"))
        assert answer.status_code == 200
        kinds = [(m["role"], m["kind"]) for m in await messages(alice, conversation)]
        assert kinds[1:] == [("assistant", "partial"), ("user", "text"), ("assistant", "text")]


async def test_a_call_that_lost_its_server_is_unknown(
    start: Spawn, environment: Environment
) -> None:
    server = await start(**environment)
    async with (
        asyncio.timeout(PATIENCE),
        alice_at(server) as alice,
        alice.stream("POST", "/chatkit", json=create("rehearse a slow tool")) as response,
    ):
        conversation = response.headers["x-conversation-id"]
        await shown_until(events(response), lambda _, seen: "Running" in str(seen))
        server.kill()
    again = await start(**environment)
    async with alice_at(again) as alice:
        _, step = await taken_over(alice, conversation)
        assert [call["state"] for call in step["tool_calls"]] == ["unknown"]
        reloaded = (await alice.post("/chatkit", json=items(conversation))).json()["data"]
        assert "Outcome unknown" in str(reloaded[1]["widget"])


async def test_a_question_outlives_its_server_and_is_answered_once(
    start: Spawn, environment: Environment
) -> None:
    asking = {**environment, "CHATBRIDGE_MCP__TASKS_APPROVAL": "delete_task, rehearse"}
    server = await start(**asking)
    async with alice_at(server) as alice:
        await alice.post("/chatkit", json=create("add a task: tea"))
        chat = {"message": "delete task 1"}
        first = (await alice.post("/api/alice/chat", json=chat)).json()
        chat = {"message": "rehearse a slow tool for 8 seconds"}
        second = (await alice.post("/api/alice/chat", json=chat)).json()
    assert (first["state"], second["state"]) == ("waiting", "waiting")
    server.kill()
    server = await start(**asking)
    async with alice_at(server) as alice:
        shown = await messages(alice, first["conversation_id"])
        assert [call["state"] for call in shown[-1]["tool_calls"]] == ["waiting"]
        assert len((await alice.get("/api/alice/tasks")).json()["items"]) == 1
        where, answer = approving(first)
        done = (await alice.post(where, **answer)).json()
        assert done["state"] == "completed"
        assert (await alice.get("/api/alice/tasks")).json()["items"] == []
        where, answer = approving(second)
        streamed = {"Accept": "text/event-stream"}
        async with alice.stream("POST", where, headers=streamed, **answer) as response:
            async for line in response.aiter_lines():
                if "turn.resumed" in line:
                    break
            await asyncio.sleep(0.2)
            server.kill()
    server = await start(**asking)
    async with alice_at(server) as alice:
        step = (await taken_over(alice, second["conversation_id"]))[1]
        again = (await alice.post(where, **answer)).json()
        assert [call["state"] for call in step["tool_calls"]] == ["unknown"]
        assert (again["turn_id"], again["state"]) == (second["turn_id"], "interrupted")


def approving(turn: Json) -> tuple[str, Json]:
    """The request that approves the only call of a turn."""
    (call,) = turn["messages"][-1]["tool_calls"]
    where = f"/api/alice/conversations/{turn['conversation_id']}/answers"
    return where, {"json": {"call_id": call["id"], "decision": "approve"}}


async def test_a_stop_ends_open_streams_and_keeps_what_was_shown(
    start: Spawn, environment: Environment
) -> None:
    server = await start(**environment)
    request = create("rehearse a long answer of 2000 words")
    async with (
        asyncio.timeout(PATIENCE),
        alice_at(server) as alice,
        alice.stream("POST", "/chatkit", json=request) as response,
    ):
        conversation = response.headers["x-conversation-id"]
        told = events(response)
        shown = await shown_until(told, lambda text, _: bool(text))
        began = time.monotonic()
        server.process.signal(signal.SIGTERM)
        more, seen = await rest_of(told)
        await asyncio.to_thread(server.process.wait, STOPPED_WITHIN)
        assert time.monotonic() - began < STOPPED_WITHIN
    assert [event["message"] for event in seen if event["type"] == "error"] == [
        "The answer was interrupted. What was said so far is kept."
    ]
    assert "Traceback" not in server.log.read_text()
    again = await start(**environment)
    async with alice_at(again) as alice:
        _, partial = await messages(alice, conversation)
        assert (partial["kind"], partial["content"]) == ("partial", shown + more)


async def test_a_stop_lets_a_short_answer_end(start: Spawn, environment: Environment) -> None:
    server = await start(**environment | {"CHATBRIDGE_TURNS__DRAIN": "10"})
    request = create("rehearse a long answer of 50 words")
    async with (
        asyncio.timeout(PATIENCE),
        alice_at(server) as alice,
        alice.stream("POST", "/chatkit", json=request) as response,
    ):
        told = events(response)
        shown = await shown_until(told, lambda text, _: bool(text))
        server.process.signal(signal.SIGTERM)
        more, seen = await rest_of(told)
    assert len((shown + more).split()) == 50
    assert not [event for event in seen if event["type"] == "error"]
    await asyncio.to_thread(server.process.wait, PATIENCE)


async def test_the_embedded_database_survives_its_servers_end(start: Spawn) -> None:
    environment = {"CHATBRIDGE_SECRET": SECRET}
    server = await start(**environment)
    async with asyncio.timeout(PATIENCE), alice_at(server) as alice:
        whole = await alice.post("/chatkit", json=create("add a task: buy oat milk"))
        kept = whole.headers["x-conversation-id"]
        before = await messages(alice, kept)
        request = create("rehearse a long answer of 2000 words")
        async with alice.stream("POST", "/chatkit", json=request) as response:
            conversation = response.headers["x-conversation-id"]
            told = events(response)
            shown = await shown_until(told, lambda text, _: len(text.split()) > 10)
            server.kill()
            shown += (await rest_of(told))[0]
    again = await start(**environment)
    async with asyncio.timeout(PATIENCE), alice_at(again) as alice:
        assert await messages(alice, kept) == before
        _, partial = await messages(alice, conversation)
        assert partial["kind"] == "partial"
        assert partial["content"].startswith(shown)
        tasks = (await alice.get("/api/alice/tasks")).json()["items"]
        assert [task["title"] for task in tasks] == ["buy oat milk"]
    await asyncio.to_thread(again.stop)


# --- the command


async def refused(directory: Path, *arguments: str, **environment: str) -> str:
    """The last line of a command that must fail, and must not show a traceback."""
    code, _, errors = await run(directory, *arguments, **environment)
    assert code == 1, errors
    assert "Traceback" not in errors
    line = errors.strip().splitlines()[-1]
    assert line.startswith("Error: ")
    return line


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"PORT": "many"}, "PORT"),
        ({"ALL_PROXY": "socks://127.0.0.1:1"}, "ALL_PROXY begins with socks://"),
        ({"CHATBRIDGE_MODEL": "gpt"}, "did you mean CHATBRIDGE_AGENT__MODEL?"),
        ({"CHATBRIDGE_TURNS__LEASE": "0"}, "CHATBRIDGE_TURNS__LEASE: "),
        ({"CHATBRIDGE_MCP__SERVERS": "{"}, "CHATBRIDGE_MCP__SERVERS is not JSON"),
        ({"DATABASE_URL": "mysql://localhost/x"}, "memory:, postgres:, postgresql:"),
        ({"CHATBRIDGE_DATABASE__URL": "postgres"}, "Error: CHATBRIDGE_DATABASE__URL means no"),
        ({"DATABASE_URL": "postgres:nonsense"}, "database URL"),
        ({"CHATBRIDGE_AGENT__MODEL": "gpt"}, "OPENAI_API_KEY"),
        ({"CHATBRIDGE_AGENT__ENTRY": "nothing_here:agent"}, "module nothing_here was found"),
        ({"CHATBRIDGE_HOST": "0.0.0.0"}, "CHATBRIDGE_ALLOW=public_development"),  # noqa: S104
        ({"CHATBRIDGE_HOST": "::"}, "CHATBRIDGE_ALLOW=public_development"),
        ({"CHATBRIDGE_HOST": "192.0.2.1"}, "set CHATBRIDGE_HOST to an address of this machine"),
        ({"CHATBRIDGE_ENVIRONMENT": "production"}, "CHATBRIDGE_SECRET is not set"),
        (PRODUCTION | {"CHATBRIDGE_ALLOW": "offline_model"}, "sign-in"),
        (PRODUCTION | SIGN_IN, "CHATBRIDGE_ALLOW=offline_model"),
        (PRODUCTION | SIGN_IN | WITHOUT_MODEL, "CHATBRIDGE_ALLOW=offline_model"),
    ],
)
async def test_settings_that_can_not_be_used_are_one_line(
    tmp_path: Path, settings: Environment, said: str
) -> None:
    everything = {"PORT": str(free_port()), "DATABASE_URL": "memory:", **settings}
    assert said in await refused(tmp_path, "serve", **everything)


async def test_a_database_that_is_away_is_one_line_of_migrate(tmp_path: Path) -> None:
    url = f"postgresql://nobody@127.0.0.1:{free_port()}/nothing"
    assert "Nobody listens at 127.0.0.1" in await refused(tmp_path, "migrate", DATABASE_URL=url)


async def test_a_database_url_is_migrated(tmp_path: Path, fresh_database: str) -> None:
    settings = {"DATABASE_URL": fresh_database, "CHATBRIDGE_DATABASE__SCHEMA": "another_one"}
    code, output, _ = await run(tmp_path, "migrate", **settings)
    assert (code, output) == (0, "The schema another_one: none -> 0001.\n")
    me = make_url(fresh_database).username or ""
    code, output, _ = await run(tmp_path, "migrate", "--grants", me, **settings)
    assert (code, output) == (0, grants("another_one", me, me) + "\n")
    assert "DATABASE_URL" in await refused(tmp_path, "migrate")
    assert "--grants ROLE" in await refused(tmp_path, "migrate", "--grants", "", **settings)


async def test_a_port_in_use_and_a_home_in_use_are_one_line_each(start: Spawn, home: Path) -> None:
    server = await start()
    port = server.url.rpartition(":")[2]
    line = await refused(home, "serve", PORT=port)
    assert port in line
    assert "set PORT" in line
    line = await refused(home, "serve", PORT=str(free_port()))
    assert f"another chatbridge is using {home / '.chatbridge' / 'postgres'}" in line
    await asyncio.to_thread(server.stop)


def test_what_is_printed_at_the_start_can_be_pasted_and_no_log_has_the_key(
    tmp_path: Path, home: Path
) -> None:
    def pasted(line: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(  # noqa: S602  # as a person would
            line, shell=True, cwd=tmp_path, capture_output=True, text=True, check=True
        )

    url = f"http://127.0.0.1:{free_port()}"
    server = subprocess.Popen(
        [sys.executable, "-m", "chatbridge", "serve"],
        cwd=home,
        env={"DATABASE_URL": "memory:", "PORT": url.rpartition(":")[2]},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with server:
        try:
            assert server.stdout
            lines = [server.stdout.readline() for _ in range(12)]
            assert re.fullmatch(rf"Open {url}/#key=[\w-]{{32}}\n", lines[0])
            key = lines[0].strip().partition("=")[2]
            said = pasted(lines[11])
            assert "task list is empty" in said.stdout
            assert "Hello" in pasted(said.stderr.removeprefix("Go on: ").strip() + " hello").stdout
        finally:
            server.terminate()
        assert server.stderr
        assert key not in server.stderr.read()


async def test_an_agent_is_found_in_the_current_directory(home: Path) -> None:
    (home / "agent_here.py").write_text("agent = 3")
    settings = {"DATABASE_URL": "memory:", "PORT": str(free_port())}
    line = await refused(home, "serve", "--agent", "agent_here:agent", **settings)
    assert "agent_here:agent is of type int" in line


async def test_a_server_of_ones_own_is_served_by_its_name(start: Spawn, home: Path) -> None:
    shutil.copy(EXAMPLES / "chatkit_server.py", home)
    own = {"CHATBRIDGE_SERVER__ENTRY": "chatkit_server:SeatServer"}
    server = await start(DATABASE_URL="memory:", CHATBRIDGE_SECRET=SECRET, **own)
    async with alice_at(server) as alice:
        thread, told = await say(alice, create("hello"))
        widget = next(i["id"] for i in shown(told) if i["type"] == "widget")
        pressed = {"type": "seat.pick", "payload": {"seat": "1B"}}
        params = {"thread_id": thread, "item_id": widget, "action": pressed}
        _, told = await say(alice, {"type": "threads.custom_action", "params": params})
        assert text_of(shown(told)[-1]) == "You have seat 1B."
        _, card, said = (await alice.post("/chatkit", json=items(thread))).json()["data"][1:]
        assert card["widget"]["children"][0]["value"] == "Your seat: 1B"
        assert text_of(said) == "You have seat 1B."
    at = {"PORT": server.url.rpartition(":")[2]}
    code, output, _ = await run(home, "chat", "--user", "bob", "hello", **at)
    assert (code, output.split("\n")[:2]) == (0, ["Pick a seat, bob:", "The seats 1A and 1B."])


async def test_a_chat_in_one_line(start: Spawn, home: Path) -> None:
    server = await start(DATABASE_URL="memory:")
    at = {"PORT": server.url.rpartition(":")[2]}
    code, output, hint = await run(home, "chat", "add a task: buy oat milk", **at)
    assert code == 0
    badges, _, text = output.partition("[Success]")
    assert "tasks · add_task" in badges
    assert "[Running]" in badges
    assert text.strip() == "Added **buy oat milk** as task 1."
    conversation = hint.split()[-1]
    more = ["--conversation", conversation]
    with tempfile.TemporaryDirectory() as elsewhere:
        code, output, _ = await run(Path(elsewhere), "chat", *more, "what are my tasks?", **at)
        assert (code, os.listdir(elsewhere)) == (0, [])
        assert "buy oat milk" in output
        code, output, _ = await run(Path(elsewhere), "page", **at)
        assert (code, output) == (0, f"{server.url}/#key={server.key}\n")
        line = await refused(Path(elsewhere), "chat", "hi", "--url", f"{server.url}/chatkit")
        assert f"without a path (--url {server.url}/)" in line
        code, token, _ = await run(Path(elsewhere), "token", "--user", "alice", **at)
        assert code == 0
    headers = {"Authorization": f"Bearer {token.strip()}"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers) as client:
        tasks = await client.get("/api/alice/tasks")
    assert [task["title"] for task in tasks.json()["items"]] == ["buy oat milk"]
    code, output, _ = await run(home, "chat", *more, stdin="hello\n", **at)
    assert code == 0
    assert output.index("Added **buy oat milk**") < output.index("Hello!")
    line = await refused(home, "chat", "--conversation", "conv_none", "hello", **at)
    assert "conversation_not_found" in line
    line = await refused(home, "chat", "--user", "bob", *more, "hello", **at)
    assert "403" in line
    line = await refused(home, "chat", "--user", "two words", "hello", **at)
    assert "422 user_id" in line
    (home / ".chatbridge" / f"key-{at['PORT']}").write_text("of-another-start")
    assert "wrong_key" in await refused(home, "chat", "hello", **at)
    line = await refused(home, "chat", "--token", "nonsense", "hello", **at)
    assert "401" in line


async def test_a_chat_without_a_server_is_one_line(tmp_path: Path) -> None:
    assert "Nothing answers" in await refused(tmp_path, "chat", "hello", PORT=str(free_port()))
    assert "no address" in await refused(tmp_path, "chat", "hello", "--url", "localhost")


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], ["chat", "--help"], ["serve", "-h"]],
    ids=" ".join,
)
async def test_what_needs_no_server_loads_none(tmp_path: Path, arguments: list[str]) -> None:
    program = (
        "import atexit, sys\n"
        f"heavy = {HEAVY!r}\n"
        "atexit.register(lambda: print([n for n in heavy if n in sys.modules]))\n"
        f"sys.argv[1:] = {arguments!r}\n"
        "from chatbridge.__main__ import main\n"
        "main()\n"
    )
    assert await printed(tmp_path, program) == "[]"


async def test_a_server_loads_what_its_store_needs_and_alembic_only_to_migrate(
    tmp_path: Path,
) -> None:
    program = (
        "import sys\n"
        "from chatbridge.main import create_app\n"
        "create_app()\n"
        "heavy = ('sqlalchemy', 'asyncpg', 'alembic', 'httpx')\n"
        "loaded = [[n for n in heavy if n in sys.modules]]\n"
        "from chatbridge.stores import registered\n"
        "registered('postgresql:')\n"
        "loaded.append([n for n in heavy if n in sys.modules])\n"
        "print(loaded)\n"
    )
    loaded = await printed(tmp_path, program, DATABASE_URL="memory:")
    assert loaded == "[[], ['sqlalchemy']]"


async def printed(home: Path, program: str, **environment: str) -> str:
    """The last line that a program of a process of its own has printed."""
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", program],
        cwd=home,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]

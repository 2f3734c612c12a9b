"""Which store a DATABASE_URL means, and a turn through one that chatbridge does not know."""

from pathlib import Path

import pytest

from chatbridge.adapters.memory.store import MemoryStore
from chatbridge.adapters.postgres.store import PostgresStore
from chatbridge.embedded_store import EmbeddedStore
from chatbridge.stores import registered, store_for
from tests.chatkit_client import create, items
from tests.serving import served, settings_for


@pytest.mark.parametrize(
    ("url", "store"),
    [
        ("", EmbeddedStore),
        ("memory:", MemoryStore),
        ("postgres://chat@db/chat", PostgresStore),
        ("postgresql://chat@db/chat", PostgresStore),
        ("postgresql+asyncpg://chat@db/chat", PostgresStore),
        ("psql 'postgresql://chat@db/chat?sslmode=require'", PostgresStore),
    ],
)
def test_the_scheme_tells_the_store(url: str, store: type) -> None:
    assert registered(url) is store


@pytest.mark.parametrize(
    "url", ["mysql://root:secret@db/chat", "postgre://a:secret@db", "secret@db"]
)
def test_an_unknown_scheme_names_those_that_are_known(url: str) -> None:
    known = "no store that is known: it can begin with memory:, postgres:, postgresql:, or"
    with pytest.raises(ValueError, match=known) as refused:
        registered(url)
    assert "secret" not in str(refused.value)


def test_a_store_that_is_installed_is_known(file_url: str) -> None:
    with pytest.raises(ValueError, match="begin with file:, memory:"):
        registered("mysql://db")
    assert file_url.removeprefix("file:") in store_for(settings_for(file_url)).kept


async def test_a_turn_goes_through_a_store_that_is_installed(file_url: str, tmp_path: Path) -> None:
    async with served(settings_for(file_url)) as service:
        alice = service.as_user("alice")
        answer = await alice.post("/chatkit", json=create("add a task: buy oat milk"))
        conversation = answer.headers["x-conversation-id"]
        before = (await alice.post("/chatkit", json=items(conversation))).json()
        assert "buy oat milk" in str(before)

    async with served(settings_for(file_url)) as again:
        alice = again.as_user("alice")
        assert (await alice.get("/readyz")).status_code == 200
        assert (await alice.post("/chatkit", json=items(conversation))).json() == before
        tasks = (await alice.get("/api/alice/tasks")).json()["items"]
        assert [task["title"] for task in tasks] == ["buy oat milk"]

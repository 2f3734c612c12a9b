"""The same servers behind chatbridge, and how the two are compared."""

import json
import re
from collections.abc import AsyncGenerator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import groupby
from typing import Any

import httpx
from chatkit.server import ChatKitServer

from chatbridge.adapters.chatkit.entry import making
from chatbridge.adapters.chatkit.host_loop import HostLoop
from tests.serving import Served, served, settings_for

Json = dict[str, Any]

_ID = re.compile("[_-]")
_DELTAS = {"assistant_message.content_part.text_delta", "widget.streaming_text.value_delta"}


class Bridged:
    """Asks a server behind chatbridge over HTTP."""

    def __init__(self, service: Served) -> None:
        self.container = service.container
        self._clients = {user: service.as_user(user) for user in ("ada", "bob")}
        self._loops = {own: HostLoop(own=own) for own in (False, True)}

    def serve(self, host: type[ChatKitServer[Any]], *, own_loop: bool = False) -> None:
        """Answer with a server of this class from now on."""
        runner = self.container.host_server()
        runner.serve(making(host))
        runner.loop = self._loops[own_loop]

    async def answer(self, request: Json, user: str = "ada", **headers: str) -> httpx.Response:
        """The whole answer, for this person."""
        return await self._clients[user].post("/chatkit", json=request, headers=headers)

    def client(self, user: str) -> httpx.AsyncClient:
        """Somebody's."""
        return self._clients[user]

    def streamed(self, request: Json) -> AbstractAsyncContextManager[httpx.Response]:
        """The answer while it comes."""
        return self._clients["ada"].stream("POST", "/chatkit", json=request)

    async def ask(self, request: Json) -> list[Json]:
        """The frames of the answer, or the one document that it is."""
        answer = await self.answer(request)
        assert answer.status_code == 200, answer.text
        if answer.headers["content-type"].startswith("application/json"):
            return [answer.json()]
        return frames_in(answer.text)


@asynccontextmanager
async def bridged(url: str = "memory:", **server: Any) -> AsyncGenerator[Bridged]:
    """chatbridge with the quick start's server, whose loop it shares unless the test wants none."""
    given = {"entry": "tests.hosts.servers:QuickStart", "loop": "shared", **server}
    async with served(settings_for(url, server=given)) as service:
        yield Bridged(service)


def frames_in(text: str) -> list[Json]:
    """What each frame of a stream says."""
    parts = (part.partition("data: ")[2] for part in text.split("\n\n"))
    return [json.loads(part) for part in parts if part]


def comparable(told: list[Json]) -> list[str]:
    """Frames or items as one may compare them: ids by the order in which they appear, no times,
    and consecutive deltas of one text as one."""
    ids: dict[str, str] = {}
    named = [json.dumps(_named(frame, ids), ensure_ascii=False) for frame in _joined(told)]
    return _sorted(named)


def _joined(told: list[Json]) -> Iterator[Json]:
    last: Json | None = None
    for frame in told:
        if last is not None and _goes_on(last, frame):
            delta = last["update"]["delta"] + frame["update"]["delta"]
            last = {**frame, "update": {**frame["update"], "delta": delta}}
            continue
        if last is not None:
            yield last
        last = frame
    if last is not None:
        yield last


def _sorted(frames: list[str]) -> list[str]:
    """Frames of removals that follow each other in one order: a set of Python's has none."""
    groups = groupby(frames, lambda frame: "thread.item.removed" in frame)
    return [frame for removed, group in groups for frame in (sorted(group) if removed else group)]


def _goes_on(last: Json, frame: Json) -> bool:
    return _text_of(last) is not None and _text_of(last) == _text_of(frame)


def _text_of(frame: Json) -> tuple[Any, ...] | None:
    update = frame.get("update", {})
    if update.get("type") not in _DELTAS:
        return None
    return frame["item_id"], update.get("content_index"), update.get("component_id")


def _named(value: Any, ids: dict[str, str], key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _named(part, ids, name) for name, part in value.items()}
    if isinstance(value, list):
        return [_named(part, ids) for part in value]
    if key == "created_at":
        return "a time"
    if (
        key in ("id", "item_id", "thread_id", "after")
        and isinstance(value, str)
        and _ID.search(value)
    ):
        return ids.setdefault(value, f"#{len(ids)}")
    return value

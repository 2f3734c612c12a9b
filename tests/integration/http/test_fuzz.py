"""Whatever is sent to /chatkit, no request is a server error and no thread becomes unreadable.

Each request goes to a service over either store, and both must answer alike.

`TEST_ROUNDS` multiplies the number of requests.
"""

import json
import os
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import httpx
import pytest
from chatkit.types import ChatKitReq
from dependency_injector.providers import Object
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from chatbridge.adapters.offline.model import OfflineModel
from chatbridge.adapters.openai.models import Endpoint
from chatbridge.container import Container
from tests.chatkit_client import Json, items
from tests.integration.http.asking import (
    ANSWERED,
    STREAMED,
    a_conversation,
    require_refused,
    somebody,
)
from tests.serving import Served, served, settings_for

ROUNDS = int(os.environ.get("TEST_ROUNDS", "1"))
REQUESTS = 100 * ROUNDS
REFUSED = (403, 404, 409, 413, 422, 501)
THREAD, ITEM = "the thread", "the item"
LIST = {"type": "threads.list", "params": {"limit": 100, "order": "desc"}}
HEADERS = {"Content-Type": "application/json"}

_text = st.text(max_size=20)
_word = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=20)
_flat = st.none() | st.booleans() | st.integers() | st.floats() | _text
_lists = st.lists(_flat, max_size=3)
_json = _flat | _lists | st.dictionaries(_text, _flat | _lists, max_size=3)
_leaf: dict[Any, st.SearchStrategy[Any]] = {
    Any: _json,
    str: _word,
    int: st.integers(-2, 200),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    NoneType: st.none(),
}


# what is named is there, and what is not accepted is absent, unless a mutation makes it otherwise
_known = {
    "thread_id": st.just(THREAD),
    "item_id": st.just(ITEM),
    "item_ids": st.just([ITEM]),
    "attachments": st.just([]),
    "after": st.none(),
}


def sent_for(annotation: Any) -> Any:
    """A strategy for the JSON of what is so annotated."""
    if annotation in _leaf:
        return _leaf[annotation]
    if isinstance(annotation, TypeVar):
        # of an action, whose payload is anybody's
        return _json
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _object(annotation)
    return _composed(get_origin(annotation), get_args(annotation))


def _composed(origin: Any, arguments: tuple[Any, ...]) -> Any:
    if origin is Annotated:
        return sent_for(arguments[0])
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin in (Union, UnionType):
        return st.one_of([sent_for(each) for each in arguments])
    if origin is list:
        return st.lists(sent_for(arguments[0]), max_size=3)
    if origin is dict:
        return st.dictionaries(_word, sent_for(arguments[1]), max_size=3)
    raise NotImplementedError(f"the SDK has a new kind of field: {origin} of {arguments}")


def _object(model: type[BaseModel]) -> Any:
    annotations = get_type_hints(model)
    fields = {
        name: _known[name] if name in _known else sent_for(annotations[name])
        for name in model.model_fields
    }
    required = {n: fields[n] for n, field in model.model_fields.items() if field.is_required()}
    required |= {n: fields[n] for n in fields if n == "type"}
    return st.fixed_dictionaries(
        required, optional={n: fields[n] for n in fields.keys() - required}
    )


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container in the JSON with each of its keys."""
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    for key, entry in list(entries):
        yield value, key
        if isinstance(entry, dict | list):
            yield from places(entry)


@st.composite
def mutated(draw: st.DrawFn, requests: st.SearchStrategy[Json]) -> Json:
    """A request, or one in which up to two places hold what they should not."""
    request = deepcopy(draw(requests))
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        holder, key = draw(st.sampled_from(list(places(request))))
        match draw(st.sampled_from(["replace", "remove", "add"])):
            case "replace":
                holder[key] = draw(_json)
            case "remove":
                del holder[key]
            case _ if isinstance(holder, dict):
                holder[draw(_text)] = draw(_json)
            case _:
                holder.append(draw(_json))
        if not request:
            break
    return request


_UNION, *_ = get_args(ChatKitReq)
_MODELS = {model.model_fields["type"].default: model for model in get_args(_UNION)}
# most of them are served: the others are refused at the door
_REQUESTS = st.sampled_from([*_MODELS, *(STREAMED + ANSWERED) * 3]).flatmap(
    lambda name: sent_for(_MODELS[name])
)


@dataclass
class Target:
    """A user's client, and a thread of the user's that requests are about."""

    service: Served
    user: str
    client: httpx.AsyncClient
    thread_id: str = ""
    item_id: str = ""

    async def send(self, request: Json) -> httpx.Response:
        """The request, about this thread."""
        body = json.dumps(request)
        body = body.replace(f'"{THREAD}"', f'"{self.thread_id}"').replace(ITEM, self.item_id)
        return await self.client.post("/chatkit", content=body, headers=HEADERS)

    async def require_readable(self) -> None:
        """Assert that the thread can be listed and read, if it was not deleted."""
        listed = await self.client.post("/chatkit", json=LIST)
        assert listed.status_code == 200, listed.text
        if self.thread_id not in [thread["id"] for thread in listed.json()["data"]]:
            await self.renew()
        read = await self.client.post("/chatkit", json=items(self.thread_id))
        assert read.status_code == 200, read.text
        assert read.json()["data"]

    async def renew(self) -> None:
        """Begin another thread."""
        self.thread_id = await a_conversation(self.service, self.user)
        read = await self.client.post("/chatkit", json=items(self.thread_id))
        self.item_id = read.json()["data"][0]["id"]


@asynccontextmanager
async def a_target(store_url: str) -> AsyncGenerator[Target]:
    """In a service of its own, over this store."""

    async def nothing() -> None: ...

    def in_a_hurry(container: Container) -> None:
        container.endpoint.override(Object(Endpoint(OfflineModel(delay=0), nothing)))

    async with served(settings_for(store_url), in_a_hurry) as alone:
        user = somebody()
        made = Target(alone, user, alone.as_user(user))
        await made.renew()
        yield made


@pytest.fixture(scope="module")
async def targets(postgres_url: str) -> AsyncGenerator[tuple[Target, Target]]:
    """One over each store."""
    async with a_target("memory:") as memory, a_target(postgres_url) as postgres:
        yield memory, postgres


@given(request=mutated(_REQUESTS))
@settings(max_examples=REQUESTS, derandomize=True)
async def test_no_request_is_a_server_error_and_the_thread_stays_readable(
    targets: tuple[Target, Target], request: Json
) -> None:
    codes = [await answered(target, request) for target in targets]
    assert codes[0] == codes[1], "the stores do not agree"


async def answered(target: Target, request: Json) -> str:
    """How the request is answered, after which the thread must be readable."""
    answer, code = await target.send(request), "ok"
    if answer.status_code != 200:
        assert answer.status_code in REFUSED, answer.text
        code = answer.json()["code"]
        require_refused(answer, answer.status_code, code)
    await target.require_readable()
    return code

"""One request after the other to a peer, for what is no load: reads, and turns that are watched."""

import http.client
import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

from benchmarks.peers.catalog import INPUT
from benchmarks.problems import Failed
from benchmarks.stand import Served

_SECONDS = 300.0


@contextmanager
def connected(served: Served) -> Generator[http.client.HTTPConnection]:
    """A connection that is kept alive."""
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=_SECONDS)
    try:
        yield connection
    finally:
        connection.close()


def begin(
    connection: http.client.HTTPConnection,
    served: Served,
    method: str,
    path: str,
    body: str | None = None,
    heads: Mapping[str, str] | None = None,
) -> http.client.HTTPResponse:
    """An answer whose body is still to be read. Raises Failed where it is a refusal."""
    all_heads = {"Content-Type": "application/json", **served.peer.headers, **(heads or {})}
    connection.request(method, path, body, all_heads)
    response = connection.getresponse()
    if response.status != http.client.OK:
        raise Failed(f"{served.peer.title}: {response.status} {response.read()[:300]!r}")
    return response


def operate(
    connection: http.client.HTTPConnection, served: Served, operation: str, **parameters: Any
) -> bytes:
    """The whole answer to an operation of ChatKit's protocol."""
    body = json.dumps({"type": operation, "params": parameters})
    return begin(connection, served, "POST", "/chatkit", body).read()


def talk(connection: http.client.HTTPConnection, served: Served, turns: int) -> str:
    """A new thread of so many turns; its id."""
    answer = operate(connection, served, "threads.create", input=INPUT)
    created = json.loads(answer.split(b"data: ", 1)[1].split(b"\n", 1)[0])
    thread = created["thread"]["id"]
    for _ in range(turns - 1):
        operate(connection, served, "threads.add_user_message", thread_id=thread, input=INPUT)
    return thread

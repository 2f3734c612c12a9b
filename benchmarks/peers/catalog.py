"""Who is measured: how each is started, how it is asked, and by what one knows its words."""

import json
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from jose import jwt

from benchmarks.doubles.client import Load
from benchmarks.peers.names import COLUMNS, VENV

_SECRET = "the benchmark signs its one user's token with it"  # noqa: S105
_PLAIN = json.dumps({"message": "hello there"})
INPUT = {
    "content": [{"type": "input_text", "text": "hello there"}],
    "quoted_text": None,
    "attachments": [],
    "inference_options": {},
}
CREATE = json.dumps({"type": "threads.create", "params": {"input": INPUT}})

# the flags with which `chatbridge serve` runs uvicorn, too
_UVICORN = (
    "-m uvicorn --host 127.0.0.1 --no-access-log --log-level warning --loop uvloop --http httptools"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One server. `path` may hold `{api}`; `marker` is what each frame with words holds.

    `database` is the name of the one that it gets, if it gets one.
    """

    name: str
    command: tuple[str, ...]
    path: str
    body: str
    marker: str
    database: str | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])
    environment: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def title(self) -> str:
        """What it is called."""
        return COLUMNS[self.name]

    @property
    def ours(self) -> bool:
        """Whether it is chatbridge."""
        return self.command[1:] == ("serve",)

    def load(self, port: int, api: str) -> Load:
        """One stream of an answer in a new conversation."""
        return Load(
            port=port,
            path=self.path.format(api=_PATHS[api] if "relay" in self.path else api),
            body=self.body,
            marker=self.marker if api == "responses" else _CHAT_MARKERS.get(self.name, self.marker),
            headers=self.headers,
        )


_PATHS = {"responses": "responses", "chat_completions": "chat/completions"}
_CHAT_MARKERS = {"raw": '"delta":{"content":"0'}


def _token() -> str:
    until = datetime.now(UTC) + timedelta(days=1)
    claims = {
        "sub": "alice",
        "exp": until,
        "iss": "bench",
        "aud": "bench",
        "iat": datetime.now(UTC),
    }
    return jwt.encode(claims, _SECRET, algorithm="HS256")


def _ours(name: str, database: str | None, **environment: str) -> Peer:
    return Peer(
        name=name,
        command=(str(Path(sys.executable).with_name("chatbridge")), "serve"),
        path="/chatkit",
        body=CREATE,
        marker='content_part.text_delta"',
        database=database,
        headers={"Authorization": f"Bearer {_token()}"},
        environment={
            "CHATBRIDGE_AUTH__SECRET": _SECRET,
            "CHATBRIDGE_AUTH__ISSUER": "bench",
            "CHATBRIDGE_AUTH__AUDIENCE": "bench",
            **environment,
        },
    )


def _theirs(python: str, module: str) -> tuple[str, ...]:
    return (python, *_UVICORN.split(), f"benchmarks.peers.{module}:app")


PEERS = {
    peer.name: peer
    for peer in (
        Peer(
            name="floor",
            command=_theirs(sys.executable, "floor"),
            path="/{api}",
            body=_PLAIN,
            marker='data: {"delta"',
        ),
        Peer(
            name="raw",
            command=_theirs(sys.executable, "floor"),
            path="/relay/{api}",
            body=_PLAIN,
            marker='data: {"type":"response.output_text.delta"',
        ),
        Peer(
            name="recipe",
            command=_theirs(sys.executable, "recipe"),
            path="/chatkit",
            body=CREATE,
            marker='content_part.text_delta"',
            database="bench_recipe",
        ),
        Peer(
            name="graph",
            command=_theirs(str(VENV / "bin" / "python"), "graph"),
            path="/chat",
            body=_PLAIN,
            marker='data: {"delta"',
            database="bench_graph",
        ),
        _ours("memory", None),
        _ours("postgres", "bench_chatbridge"),
        _ours("fast", "bench_fast", CHATBRIDGE_AGENT__HTTP="aiohttp"),
    )
}

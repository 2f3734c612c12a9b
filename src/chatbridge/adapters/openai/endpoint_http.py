"""The HTTP client of a model endpoint: asks in its own way, and hears it in the strict one."""

import asyncio
import json
import logging
from collections import defaultdict
from typing import Any, cast

import httpx2

from chatbridge.adapters.openai.api import Api
from chatbridge.adapters.openai.carried import carried
from chatbridge.adapters.openai.chat_dialect import ChatDialect
from chatbridge.adapters.openai.event_stream import EventStream, bounded
from chatbridge.adapters.openai.file_stream import FileStream
from chatbridge.adapters.openai.files import Handed
from chatbridge.adapters.openai.patience import Patience
from chatbridge.adapters.openai.refused import Refused, Trial, names_of_tools
from chatbridge.adapters.openai.request_schemas import fit_schemas
from chatbridge.adapters.openai.responses_dialect import ResponsesDialect
from chatbridge.adapters.openai.room import Dialect, Room, rest_of
from chatbridge.adapters.openai.thinking import Thinking
from chatbridge.adapters.openai.troubles import EndpointTrouble, NotAStream, Silence
from chatbridge.adapters.openai.unoffered import Unoffered
from chatbridge.domain.model.correlation import correlation
from chatbridge.domain.model.tool import LeftOut

log = logging.getLogger(__name__)

Json = dict[str, Any]
_LONGEST = 1_000_000
_REFUSED = (400, 404, 405, 415, 422, 500, 501)


class EndpointHttp(httpx2.AsyncClient):
    """Leaves out what the endpoint has refused by name, and gives every answer to the Room.

    What it learns of an endpoint it knows for an hour. Who carries the bytes is its other base.
    """

    def __init__(self, patience: Patience, unoffered: Unoffered, **how: Any) -> None:
        super().__init__(**how)
        self._patience = patience
        self._unoffered = unoffered
        self._refused: defaultdict[tuple[str, str, str], Refused] = defaultdict(Refused)

    def left_out(self) -> tuple[LeftOut, ...]:
        """The tools that no model is offered, because its endpoint refuses them."""
        return tuple(
            LeftOut(source=host, tool=name, reason=f"refused for the model {model}")
            for (host, _, model), refused in self._refused.items()
            for name in refused.tools
        )

    async def send(self, request: httpx2.Request, **how: Any) -> httpx2.Response:
        """The answer to the request, or to what is left of it."""
        if asked_in := correlation().request_id:
            request.headers["X-Client-Request-Id"] = asked_in
        body = _body(request)
        how["stream"] = True
        if body is None:
            answer = await super().send(request, **how)
            await _require_readable(answer)
            return await _read(answer, _LONGEST)
        asked = asyncio.get_running_loop().time()
        answer = await self._answered(request, body, how, asked)
        dialect = _dialect(request, body)
        if answer.is_success and body.get("stream"):
            room = Room(answer, dialect, self._patience, asked, tools=bool(body.get("tools")))
            return _again(answer, stream=room)
        read = await _read(answer)
        return _strict(read, dialect) if read.is_success else read

    async def _answered(
        self, request: httpx2.Request, body: Json, how: Json, asked: float
    ) -> httpx2.Response:
        host, model = request.url.host, str(body.get("model"))
        fit_schemas(body, self._unoffered)
        handed = carried().files.handed(body, _api(request))
        trial = Trial(self._refused[host, request.url.path, model], body)
        carried().put_back(body.get("messages") or ())
        streams = bool(body.get("stream"))
        while True:
            wanted = _with(request, await handed.worded(trial.request()), handed)
            answer = await self._asked(wanted, how, asked, streams=streams)
            await _require_readable(answer)
            if answer.status_code not in _REFUSED:
                break
            answer = await _read(answer, _LONGEST)
            refusal = _json(answer)
            if not (trial.once_more(answer.status_code, refusal) or trial.learn(refusal)):
                return answer
        if answer.is_success:
            handed.tell()
            if learnt := trial.keep():
                named = ", ".join(map(str, learnt))
                log.warning("%s refuses %s: left out for an hour", host, named)
        return answer

    async def _asked(
        self, request: httpx2.Request, how: Json, asked: float, *, streams: bool
    ) -> httpx2.Response:
        patience = self._patience.first if streams else self._patience.max_seconds
        try:
            async with asyncio.timeout_at(asked + patience):
                return await super().send(request, **how)
        except TimeoutError:
            silence = Silence(f"CHATBRIDGE_AGENT__{'FIRST' if streams else 'MAX_SECONDS'}")
            silence.address = str(request.url.copy_with(query=None))
            raise silence from None


def _dialect(request: httpx2.Request, body: Json) -> Dialect:
    offered = names_of_tools(body)
    if _api(request) == "responses":
        return ResponsesDialect(Thinking, offered)
    return ChatDialect(carried(), Thinking(), offered)


def _body(request: httpx2.Request) -> Json | None:
    """What a model is asked, or None where none is."""
    if request.method != "POST" or not request.url.path.endswith(("/responses", "/completions")):
        return None
    try:
        body = json.loads(request.content)
    except ValueError:
        return None
    return cast(Json, body) if isinstance(body, dict) else None


def _api(request: httpx2.Request) -> Api:
    return "responses" if request.url.path.endswith("/responses") else "chat_completions"


def _with(request: httpx2.Request, body: Json, handed: Handed) -> httpx2.Request:
    headers = [(k, v) for k, v in request.headers.raw if k.lower() != b"content-length"]
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    how: Json = {"content": content}
    if len(pieces := handed.pieces(content)) > 1:
        stream = FileStream(pieces)
        headers.append((b"content-length", b"%d" % stream.size))
        how = {"stream": stream}
    return httpx2.Request(
        request.method, request.url, headers=headers, extensions=request.extensions, **how
    )


# One small piece that is packed twice, or by a stronger packer, could be huge in memory.
async def _require_readable(answer: httpx2.Response) -> None:
    packed = answer.headers.get("content-encoding", "identity").strip().lower()
    if packed not in ("identity", "gzip", "deflate", ""):
        await answer.aclose()
        raise NotAStream(f"{answer.headers.get('content-type')}, packed by {packed}")


def _json(answer: httpx2.Response) -> Any:
    try:
        return json.loads(answer.content)
    except (ValueError, RecursionError):
        return answer.text


async def _read(answer: httpx2.Response, most: int | None = None) -> httpx2.Response:
    """The same answer, read to its end. Raises NotAStream where it is too long."""
    try:
        content = await (
            bounded(answer.aiter_bytes(), most) if most else bounded(answer.aiter_bytes())
        )
    finally:
        await answer.aclose()
    return _again(answer, content=content)


def _strict(answer: httpx2.Response, dialect: Dialect) -> httpx2.Response:
    """The same of an answer that was not streamed. Raises an EndpointTrouble where it is none."""
    stream = EventStream(answer.headers.get("content-type", "no content type"))
    try:
        events = [e for event in stream.feed(answer.content) for e in dialect.read(event)]
        events += rest_of(stream, dialect)
        return _again(answer, json=dialect.answer(events))
    except EndpointTrouble as trouble:
        trouble.address = str(answer.request.url.copy_with(query=None))
        raise


# What is read of it is decoded already, and as long as it is.
def _again(answer: httpx2.Response, **body: Any) -> httpx2.Response:
    gone = (b"content-encoding", b"content-length", b"transfer-encoding")
    headers = [(k, v) for k, v in answer.headers.raw if k.lower() not in gone]
    return httpx2.Response(
        answer.status_code,
        headers=headers,
        request=answer.request,
        extensions=answer.extensions,
        **body,
    )

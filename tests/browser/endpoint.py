"""A ChatKit server of the tests: it keeps conversations; the streams are written by a test."""

import asyncio
import json
import secrets
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.browser.brought import Brought
from tests.browser.in_this_loop import served_here
from tests.chatkit_client import Json

NOW = "2026-01-02T03:04:05Z"
PATIENCE = 20.0

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>A page of the tests</title>
<link rel="icon" href="data:,">
<style nonce="{nonce}">
  html, body, main {{ margin: 0; height: 100%; }}
  h1 {{ position: absolute; clip-path: inset(50%); }}
  openai-chatkit {{ display: block; height: 100%; }}
</style>
<script nonce="{nonce}" src="chatkit.js"></script>
<main><h1>A page of the tests</h1><openai-chatkit></openai-chatkit></main>
</html>
"""

_POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; "
    "connect-src 'self'; img-src 'self' data:; frame-src 'none'; base-uri 'none'; "
    "form-action 'none'; require-trusted-types-for 'script'"
)


class Telling:
    """One stream: its request, and what the test says on it."""

    def __init__(self, request: Json, headers: dict[str, str]) -> None:
        self.request, self.headers = request, headers
        self.left = asyncio.Event()
        self.stopped = asyncio.Event()
        self._pieces: asyncio.Queue[bytes | Exception | None] = asyncio.Queue()

    @property
    def params(self) -> Json:
        """The operation's own."""
        return self.request["params"]

    def tell(self, *events: Json) -> None:
        """Events, each framed as the SDK does it."""
        for event in events:
            self.write(f"data: {json.dumps(event, ensure_ascii=False)}\n\n".encode())

    def number(self, first: int, *events: Json, turn: str = "turn_1") -> None:
        """Events of a turn, the first of which is its frame number `first`."""
        for number, event in enumerate(events, first):
            self.write(f"id: {turn}/{number}\ndata: {json.dumps(event)}\n\n".encode())

    def write(self, piece: bytes) -> None:
        """Any bytes."""
        self._pieces.put_nowait(piece)

    def end(self, *events: Json) -> None:
        """The stream's end, after these."""
        self.tell(*events)
        self._pieces.put_nowait(None)

    def break_off(self) -> None:
        """The connection is lost."""
        self._pieces.put_nowait(ConnectionError("as the test wanted it"))

    async def body(self) -> AsyncIterator[bytes]:
        """What goes out."""
        try:
            while (piece := await self._pieces.get()) is not None:
                if isinstance(piece, Exception):
                    raise piece
                yield piece
        finally:
            self.left.set()


class AtOnce:
    """An action that is answered at once, as soon as the test does it."""

    def __init__(self, params: Json) -> None:
        self.params = params
        self.answered: asyncio.Future[Response] = asyncio.get_running_loop().create_future()

    def answer(self, item: Json | None = None) -> None:
        """The item as it is now, if it has changed."""
        self.answered.set_result(JSONResponse({"updated_item": item} if item else {}))

    def refuse(self, status: int, detail: str) -> None:
        """It is not done."""
        self.answered.set_result(_problem(status, detail, "refused"))


class Endpoint:
    """The conversations, the streams that wait for the test, and all requests as they came."""

    url: str

    def __init__(self) -> None:
        self.brought = Brought()
        self.forget()

    def forget(self) -> None:
        """Begin again."""
        self.brought.forget()
        self.threads: dict[str, Json] = {}
        self.items: dict[str, list[Json]] = {}
        self.requests: list[Json] = []
        self.headers: list[dict[str, str]] = []
        self.can_stop = True
        self.resumes = False
        self.running: set[str] = set()
        # entries of a page, however many are asked for
        self.most = 1_000
        # what is said in every recording
        self.heard = ""
        self.allows: set[str] = set()
        self.gone: int | None = None
        # the frames of a turn that were told before somebody joined it
        self.told = 0
        self._at_once: asyncio.Queue[AtOnce] = asyncio.Queue()
        self._tellings: asyncio.Queue[Telling] = asyncio.Queue()
        self._open: dict[str, Telling] = {}
        self._refusals: list[Response] = []

    def keep(self, thread: str, *items: Json, title: str | None = None) -> Json:
        """A conversation that is there already."""
        self.threads[thread] = a_thread(thread, title=title)
        self.items[thread] = [{"thread_id": thread, "created_at": NOW, **item} for item in items]
        return self.threads[thread]

    def refuse(self, status: int, detail: str = "", code: str = "refused", **headers: str) -> None:
        """Answer the next request so."""
        self._refusals.append(_problem(status, detail, code, headers))

    def asked(self, operation: str) -> list[Json]:
        """The parameters of all requests for this operation."""
        return [r["params"] for r in self.requests if r["type"] == operation]

    async def telling(self) -> Telling:
        """The next stream that the page asked for."""
        async with asyncio.timeout(PATIENCE):
            return await self._tellings.get()

    async def at_once(self) -> AtOnce:
        """The next action that the page wants to be done at once."""
        async with asyncio.timeout(PATIENCE):
            return await self._at_once.get()

    async def answer(self, request: Request) -> Response:
        """POST /chatkit."""
        body = await request.json()
        self.requests.append(body)
        self.headers.append(dict(request.headers))
        if self._refusals:
            return self._refusals.pop(0)
        if body["type"] == "threads.sync_custom_action":
            self._at_once.put_nowait(asked := AtOnce(body["params"]))
            return await asked.answered
        read = getattr(self, f"_{body['type'].replace('.', '_')}", None)
        id = body["params"].get("thread_id") or f"thr_{len(self.threads) + 1}"
        answer = read(body["params"]) if read else self._stream(body, id, request)
        return self._marked(answer, id, request.headers)

    async def events(self, request: Request) -> Response:
        """GET /chatkit/threads/ID/events: only a server that resumes has it."""
        id = request.path_params["id"]
        if self._refusals:
            return self._refusals.pop(0)
        if not self.resumes or self.gone:
            return JSONResponse({}, self.gone or 404)
        answer = self._stream({"type": "events", "params": {}}, id, request)
        answer.headers["X-Chatbridge-Stream"] = f"resumable; told={self.told}"
        return answer

    def stop(self, request: Request) -> Response:
        """POST /chatkit/threads/ID/cancel."""
        if telling := self._open.get(request.path_params["id"]):
            telling.stopped.set()
        return JSONResponse({})

    def _marked(self, response: Response, thread: str, asked: Headers) -> Response:
        """As a chatbridge says what it is, and that an answer is running."""
        unasked = isinstance(response, StreamingResponse) and "x-chatbridge-stream" not in asked
        if self.resumes and not unasked:
            response.headers["X-Chatbridge-Stream"] = "resumable"
        if thread in self.running:
            response.headers["X-Turn-Id"] = "turn_1"
        return response

    def _stream(self, body: Json, id: str, request: Request) -> Response:
        telling = Telling(body, dict(request.headers))
        self._open[id] = telling
        self._tellings.put_nowait(telling)
        way = "cancel" if body["type"] == "events" else f"chatkit/threads/{id}/cancel"
        link = {"Link": f'<{way}>; rel="stop"'} if self.can_stop else {}
        return StreamingResponse(telling.body(), media_type="text/event-stream", headers=link)

    def _threads_get_by_id(self, params: Json) -> Response:
        thread = self.threads.get(params["thread_id"])
        if thread is None:
            return JSONResponse(
                {"status": 404, "code": "missing", "detail": "There is no such conversation."}, 404
            )
        page = self._page(self.items[thread["id"]], "asc", None, 20)
        return JSONResponse({**thread, "items": page})

    def _items_list(self, params: Json) -> Response:
        kept = self.items[params["thread_id"]]
        page = self._page(kept, params.get("order"), params.get("after"), params.get("limit"))
        return JSONResponse(page)

    def _threads_list(self, params: Json) -> Response:
        newest = [*self.threads.values()][::-1]
        page = self._page(newest[::-1], "desc", params.get("after"), params.get("limit"))
        return JSONResponse(page)

    def _threads_update(self, params: Json) -> Response:
        self.threads[params["thread_id"]]["title"] = params["title"]
        return JSONResponse(self.threads[params["thread_id"]])

    def _threads_delete(self, params: Json) -> Response:
        del self.threads[params["thread_id"]], self.items[params["thread_id"]]
        return JSONResponse({})

    def _attachments_create(self, params: Json) -> Response:
        return self.brought.announce(params)

    def _attachments_delete(self, params: Json) -> Response:
        return self.brought.remove(params)

    def _input_transcribe(self, params: Json) -> Response:
        return JSONResponse({"text": self.heard})

    def _items_feedback(self, params: Json) -> Response:
        return JSONResponse({})

    def _page(
        self, kept: list[Json], order: str | None, after: str | None, limit: int | None
    ) -> Json:
        ordered = kept if order == "asc" else kept[::-1]
        begin = 1 + next((n for n, each in enumerate(ordered) if after and each["id"] == after), -1)
        end = begin + min(limit or 20, self.most)
        data = ordered[begin:end]
        more = end < len(ordered)
        return {"data": data, "has_more": more, "after": data[-1]["id"] if more else None}


def _problem(
    status: int, detail: str, code: str, headers: dict[str, str] | None = None
) -> Response:
    problem = {"type": "about:blank", "title": "No", "status": status, "code": code}
    problem |= {"detail": detail} if detail else {}
    return JSONResponse(problem, status, headers, media_type="application/problem+json")


def a_thread(id: str, title: str | None = None) -> Json:
    """A conversation as the protocol tells it."""
    return {
        "id": id,
        "title": title,
        "created_at": NOW,
        "status": {"type": "active"},
        "metadata": {},
        "items": {"data": [], "has_more": False, "after": None},
    }


def user_message(id: str, text: str) -> Json:
    """What a person said."""
    content = [{"type": "input_text", "text": text}]
    return _item(
        id, "user_message", content=content, attachments=[], quoted_text=None, inference_options={}
    )


def assistant_message(id: str, text: str) -> Json:
    """What was answered."""
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return _item(id, "assistant_message", content=content)


def widget(id: str, *children: Json, **members: Any) -> Json:
    """A card of these components."""
    return _item(id, "widget", widget={"type": "Card", "children": [*children], **members})


def workflow(id: str, *tasks: Json, type: str = "custom", **members: Any) -> Json:
    """What is done, step by step."""
    return _item(id, "workflow", workflow={"type": type, "tasks": [*tasks], **members})


def _item(id: str, type: str, **members: Any) -> Json:
    return {"id": id, "thread_id": "thr_1", "created_at": NOW, "type": type, **members}


def created(thread: str = "thr_1") -> Json:
    """The event of a new conversation."""
    return {"type": "thread.created", "thread": a_thread(thread)}


def added(item: Json) -> Json:
    """The event of an item that begins."""
    return {"type": "thread.item.added", "item": item}


def done(item: Json) -> Json:
    """The event of an item that is whole."""
    return {"type": "thread.item.done", "item": item}


def delta(id: str, text: str) -> Json:
    """The event of more text."""
    update = {
        "type": "assistant_message.content_part.text_delta",
        "content_index": 0,
        "delta": text,
    }
    return {"type": "thread.item.updated", "item_id": id, "update": update}


def interrupted() -> Json:
    """The event of an answer whose server has gone."""
    text = "The answer was interrupted. What was said so far is kept."
    return {"type": "error", "code": "custom", "message": text, "allow_retry": True}


def progress(text: str) -> Json:
    """The event of a state in words."""
    return {"type": "progress_update", "text": text, "icon": None}


class _Cors:
    """Lets pages of other origins in, with the headers that the endpoint allows."""

    def __init__(self, app: ASGIApp, endpoint: Endpoint) -> None:
        self._app, self._endpoint = app, endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_opened(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Access-Control-Allow-Origin"] = "*"
                headers["Access-Control-Allow-Headers"] = ", ".join(self._endpoint.allows)
                headers["Access-Control-Expose-Headers"] = "X-Chatbridge-Stream, X-Turn-Id"
            await send(message)

        if scope["type"] != "http" or not self._endpoint.allows:
            await self._app(scope, receive, send)
        elif scope["method"] == "OPTIONS":
            await Response()(scope, receive, send_opened)
        else:
            await self._app(scope, receive, send_opened)


@asynccontextmanager
async def endpoint_served(bundle: dict[str, str]) -> AsyncGenerator[Endpoint]:
    """The endpoint, and at `/` a page with the element under a strict policy."""
    endpoint = Endpoint()

    async def page(_: Request) -> Response:
        nonce = secrets.token_urlsafe(16)
        policy = {"Content-Security-Policy": _POLICY.format(nonce=nonce)}
        return Response(_PAGE.format(nonce=nonce), media_type="text/html", headers=policy)

    async def script(request: Request) -> Response:
        return Response(bundle[request.url.path[1:]], media_type="text/javascript")

    async def stop(request: Request) -> Response:
        return endpoint.stop(request)

    routes = [
        Route("/", page),
        Route("/{name}.js", script),
        Route("/chatkit", endpoint.answer, methods=["POST"]),
        Route("/moved", lambda _: RedirectResponse("/login", 303), methods=["POST"]),
        Route("/login", lambda _: HTMLResponse("<!doctype html><title>Sign in</title>")),
        Route("/chatkit/threads/{id}/cancel", stop, methods=["POST"]),
        Route("/chatkit/threads/{id}/events", endpoint.events),
        *endpoint.brought.routes,
    ]
    async with served_here(_Cors(Starlette(routes=routes), endpoint)) as url:
        endpoint.url = endpoint.brought.url = f"{url}/"
        yield endpoint

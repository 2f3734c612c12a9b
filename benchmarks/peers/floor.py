"""The floor: FastAPI relays what the official client reads, and keeps nothing.

`/relay` does without the client, too: it passes the model's bytes on unread.
"""

import json
import os
from collections.abc import AsyncIterator
from typing import Any

import httpx2
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
from openai import AsyncOpenAI

_MODEL = os.environ["MODEL_URL"]

client = AsyncOpenAI(api_key="none", base_url=_MODEL)
raw = httpx2.AsyncClient(timeout=600, limits=httpx2.Limits(max_connections=2000))
app = FastAPI()


def _frame(delta: str) -> str:
    return f"data: {json.dumps({'delta': delta})}\n\n"


async def _text(request: Request) -> str:
    body: dict[str, Any] = await request.json()
    return body["message"]


def _stream(frames: AsyncIterator[str | bytes]) -> StreamingResponse:
    return StreamingResponse(frames, media_type="text/event-stream")


@app.post("/responses")
async def responses(request: Request) -> StreamingResponse:
    """By the Responses API."""
    text = await _text(request)

    async def frames() -> AsyncIterator[str | bytes]:
        stream = await client.responses.create(model="double", input=text, stream=True)
        async for event in stream:
            if event.type == "response.output_text.delta":
                yield _frame(event.delta)

    return _stream(frames())


@app.post("/chat_completions")
async def chat_completions(request: Request) -> StreamingResponse:
    """By Chat Completions."""
    text = await _text(request)

    async def frames() -> AsyncIterator[str | bytes]:
        stream = await client.chat.completions.create(
            model="double",
            messages=[{"role": "user", "content": text}],
            stream=True,
            stream_options={"include_usage": True},
        )
        async for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                yield _frame(chunk.choices[0].delta.content)

    return _stream(frames())


@app.post("/relay/{path:path}")
async def relay(path: str, request: Request) -> StreamingResponse:
    """Bytes, by the API whose path it is."""
    text = await _text(request)
    asked = (
        {"model": "double", "input": text, "stream": True}
        if path == "responses"
        else {"model": "double", "messages": [{"role": "user", "content": text}], "stream": True}
    )

    async def frames() -> AsyncIterator[str | bytes]:
        async with raw.stream("POST", f"{_MODEL}/{path}", json=asked) as response:
            async for data in response.aiter_raw():
                yield data

    return _stream(frames())

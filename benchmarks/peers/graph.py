"""LangGraph: one node that asks the model, streamed, with the framework's Postgres checkpointer."""

import json
import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.graph import START, MessagesState, StateGraph
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

_CONNECTED = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}

model = ChatOpenAI(
    model="double",
    base_url=os.environ["MODEL_URL"],
    api_key="none",
    streaming=True,
    stream_usage=True,
    use_responses_api=os.environ["MODEL_API"] == "responses",
)


async def _ask(state: MessagesState):
    return {"messages": [await model.ainvoke(state["messages"])]}


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with AsyncConnectionPool(
        os.environ["PEER_DATABASE_URL"], min_size=5, max_size=10, kwargs=_CONNECTED
    ) as pool:
        saver = AsyncPostgresSaver(pool)
        await saver.setup()
        graph = StateGraph(MessagesState)
        graph.add_node("ask", _ask)
        graph.add_edge(START, "ask")
        app.state.graph = graph.compile(checkpointer=saver)
        yield


app = FastAPI(lifespan=_lifespan)


@app.post("/chat")
async def chat(request: Request) -> StreamingResponse:
    """A message in a new thread; the words of the answer."""
    body = await request.json()
    config = {"configurable": {"thread_id": str(uuid.uuid4())}}

    async def frames() -> AsyncIterator[str]:
        said = {"messages": [("user", body["message"])]}
        async for chunk, _ in app.state.graph.astream(said, config, stream_mode="messages"):
            if text := str(chunk.text):
                yield f"data: {json.dumps({'delta': text})}\n\n"

    return StreamingResponse(frames(), media_type="text/event-stream")

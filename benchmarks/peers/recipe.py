"""OpenAI's recipe: a `ChatKitServer` that streams an agent's answer, with the guide's store.

docs/guides/respond-to-user-message.md in openai/chatkit-python.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agents import (
    Agent,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Runner,
    set_tracing_disabled,
)
from chatkit.agents import AgentContext, simple_to_agent_input, stream_agent_response
from chatkit.server import ChatKitServer, StreamingResult
from chatkit.types import ThreadMetadata, ThreadStreamEvent, UserMessageItem
from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from openai import AsyncOpenAI

from benchmarks.peers.recipe_store import Context, PostgresStore, opened_pool

set_tracing_disabled(True)
_MODELS = {"responses": OpenAIResponsesModel, "chat_completions": OpenAIChatCompletionsModel}
_client = AsyncOpenAI(api_key="none", base_url=os.environ["MODEL_URL"])

agent = Agent[AgentContext[Context]](
    name="assistant",
    instructions="You are a helpful assistant.",
    model=_MODELS[os.environ["MODEL_API"]]("double", _client),
)


class Server(ChatKitServer[Context]):
    """As in the guide."""

    async def respond(
        self, thread: ThreadMetadata, input_user_message: UserMessageItem | None, context: Context
    ) -> AsyncIterator[ThreadStreamEvent]:
        page = await self.store.load_thread_items(
            thread.id, after=None, limit=20, order="desc", context=context
        )
        items = await simple_to_agent_input(list(reversed(page.data)))
        here = AgentContext(thread=thread, store=self.store, request_context=context)
        result = Runner.run_streamed(agent, items, context=here)
        async for event in stream_agent_response(here, result):
            yield event


store = PostgresStore()
server = Server(store)


@asynccontextmanager
async def _lifespan(_: FastAPI) -> AsyncIterator[None]:
    store.pool = await opened_pool(os.environ["PEER_DATABASE_URL"])
    yield
    await store.pool.close()


app = FastAPI(lifespan=_lifespan)


@app.post("/chatkit")
async def chatkit(request: Request) -> Response:
    """The protocol's one address."""
    result = await server.process(await request.body(), Context(user_id="alice"))
    if isinstance(result, StreamingResult):
        return StreamingResponse(result, media_type="text/event-stream")
    return Response(content=result.json, media_type="application/json")

"""A tool server whose tools ask the person: by the MCP SDK's own server, as either version does."""

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any

from mcp import UrlElicitationRequiredError
from mcp.server import MCPServer
from mcp.server.elicitation import AcceptedElicitation, ElicitationResult
from mcp.server.mcpserver import Context, Elicit, Resolve
from mcp_types import (
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitRequestURLParams,
    InputRequiredResult,
)
from pydantic import BaseModel, Field

NOTHING: dict[str, Any] = {"type": "object", "properties": {}}
SIGN_IN = "https://bank.example/sign-in?flow=7"


class Seat(BaseModel):
    """What a booking needs."""

    seat: str = Field(title="Which seat?", max_length=3)
    nights: int = Field(2, title="How many nights?", ge=1, le=9)
    breakfast: bool = Field(True, title="Breakfast?")


class Sure(BaseModel):
    """What is asked after that."""

    sure: bool = Field(title="Book it?")


class Key(BaseModel):
    """What no form may ask for."""

    api_key: str


async def seat(hotel: str) -> Elicit[Seat]:
    return Elicit(f"Your room at {hotel}", Seat)


async def sure(room: Annotated[ElicitationResult[Seat], Resolve(seat)]) -> Elicit[Sure] | Sure:
    accepted = isinstance(room, AcceptedElicitation)
    return Elicit("It costs 90 euros.", Sure) if accepted else Sure(sure=False)


async def key() -> Elicit[Key]:
    return Elicit("Sign in", Key)


class AskingServer:
    """What its tools were told, and each message that came."""

    def __init__(self, name: str = "hotel") -> None:
        self.name = name
        self.told: list[Any] = []
        self.paid = 0
        self.hurry = asyncio.Event()
        self.came: list[dict[str, Any]] = []

    def app(self) -> Callable[..., Any]:
        """Its ASGI application; each time as after a restart."""
        inner = self.server().streamable_http_app(stateless_http=False)

        async def noting(scope: Any, receive: Any, send: Any) -> None:
            async def noted() -> Any:
                message = await receive()
                if body := message.get("body"):
                    self.came.append(json.loads(body))
                return message

            await inner(scope, noted, send)

        return noting

    def server(self) -> MCPServer:
        """By the SDK, over whichever transport."""
        server = MCPServer(self.name)
        tools = (
            self.book,
            self.unlock,
            self.sign_in,
            self.confirm,
            self.plain,
            self.pay,
            self.hasty,
        )
        for tool in tools:
            server.add_tool(tool, structured_output=False)
        return server

    def calls(self) -> Sequence[dict[str, Any]]:
        """The parameters of each tools/call that came."""
        return [each["params"] for each in self.came if each.get("method") == "tools/call"]

    async def book(
        self,
        hotel: str,
        room: Annotated[ElicitationResult[Seat], Resolve(seat)],
        really: Annotated[ElicitationResult[Sure], Resolve(sure)],
    ) -> str:
        """Book a room."""
        self.told.append(room.action)
        if not isinstance(room, AcceptedElicitation):
            return f"no room: {room.action}"
        booked = isinstance(really, AcceptedElicitation) and really.data.sure
        return f"{hotel}: {room.data.model_dump()}, {'booked' if booked else 'not booked'}"

    async def unlock(self, given: Annotated[Key, Resolve(key)]) -> str:
        """Needs a key."""
        self.told.append(given.api_key)
        return "unlocked"

    async def sign_in(self, context: Context) -> str | InputRequiredResult:
        """Needs a page of its own."""
        answered = (context.input_responses or {}).get("page")
        if answered is None:
            asked = ElicitRequest(
                params=ElicitRequestURLParams(message="Sign in at your bank", url=SIGN_IN)
            )
            return InputRequiredResult(input_requests={"page": asked})
        self.told.append(answered.model_dump(exclude_none=True))
        return f"signed in: {getattr(answered, 'action', '')}"

    async def confirm(self, context: Context) -> str | InputRequiredResult:
        """Asks two things at once, of which one has nothing to fill in."""
        said = context.input_responses or {}
        if not said:
            schema = {"type": "object", "properties": {"why": {"type": "string", "title": "Why?"}}}
            asked = {
                "agree": ElicitRequestFormParams(message="Agree?", requested_schema=NOTHING),
                "why": ElicitRequestFormParams(message="A reason", requested_schema=schema),
            }
            return InputRequiredResult(
                input_requests={id: ElicitRequest(params=each) for id, each in asked.items()},
                request_state="round 1",
            )
        self.told.append({id: each.model_dump(exclude_none=True) for id, each in said.items()})
        return f"confirmed with {context.request_state}"

    async def pay(self) -> str:
        """Needs a page first, as older servers say it."""
        self.paid += 1
        if self.paid == 1:
            page = ElicitRequestURLParams(message="Pay", url=SIGN_IN, elicitation_id="e1")
            raise UrlElicitationRequiredError([page])
        return "paid"

    async def hasty(self, context: Context) -> str:
        """Asks, and does not always wait for the answer."""
        asking = asyncio.create_task(context.elicit("Well?", Sure))
        hurry = asyncio.create_task(self.hurry.wait())
        try:
            await asyncio.wait({asking, hurry}, return_when="FIRST_COMPLETED")
            self.told.append((await asking).action if asking.done() else "nothing")
        except asyncio.CancelledError:
            self.told.append("stopped")
            raise
        finally:
            asking.cancel()
            hurry.cancel()
        return f"went on with {self.told[-1]}"

    async def plain(self) -> str:
        """Asks nothing."""
        return "plain"

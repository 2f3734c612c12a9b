"""A response that watches a turn."""

from starlette.responses import ContentStream, StreamingResponse
from starlette.types import Receive, Scope, Send

from chatbridge.domain.services.live_turn import LiveTurn
from chatbridge.domain.services.turns import Turns


class FollowingResponse(StreamingResponse):
    """However it ends (its end, a disconnect, a broken send), the turn hears of it once.

    The headers name the conversation and the turn, keep proxies from buffering (nginx listens to
    X-Accel-Buffering, others to no-transform), and are sent with the first event. `stop`, if
    given, is where to POST to end the turn; relative to the request, so that it outlives a prefix.
    """

    def __init__(
        self, turns: Turns, live: LiveTurn, content: ContentStream, *, stop: str | None = None
    ) -> None:
        super().__init__(
            content,
            media_type="text/event-stream",
            headers={
                "Cache-Control": "no-store, no-transform",
                "X-Accel-Buffering": "no",
                "X-Conversation-Id": live.turn.conversation.id,
                "X-Turn-Id": live.turn.id,
                **({"Link": f'<{stop}>; rel="stop"'} if stop else {}),
            },
        )
        self._turns, self._live = turns, live
        live.viewers += 1

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._turns.leave(self._live)

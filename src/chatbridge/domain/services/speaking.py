"""How an agent's speaking comes to an end: by itself, by somebody's stop, or by a failure."""

import asyncio
import logging

from chatbridge.domain.model.errors import AgentFailed, TurnLost
from chatbridge.domain.model.turn_event import TurnEnded, TurnFailed, TurnWaiting
from chatbridge.domain.model.turn_report import TurnReport
from chatbridge.domain.services.recording import Recording
from chatbridge.domain.services.stale_turns import INTERRUPTED

_log = logging.getLogger(__name__)

_STOP_SECONDS = 1.0
"""How long an agent that is told to stop is waited for; the turn ends then without it."""


async def until_spoken(recording: Recording, speaking: asyncio.Task[None]) -> None:
    """Wait until the agent has said all, or nobody wants to hear more and it has stopped."""
    hushed = asyncio.create_task(recording.until_hushed())
    await asyncio.wait({speaking, hushed}, return_when=asyncio.FIRST_COMPLETED)
    hushed.cancel()
    if speaking.done():
        return
    # once, so that the agent can tidy up in peace
    speaking.cancel()
    await asyncio.wait({speaking}, timeout=_STOP_SECONDS)
    if not speaking.done():
        _log.warning("the agent has not stopped yet")
        speaking.add_done_callback(_forget)


def close(recording: Recording, speaking: asyncio.Task[None]) -> None:
    """Give the turn its last words."""
    if not speaking.done() or speaking.cancelled():
        state = recording.stopped_as or "interrupted"
        why = (INTERRUPTED,) if state == "interrupted" else ()
        return recording.close(*why, TurnEnded(state=state))
    match speaking.exception():
        case None if recording.asks:
            return recording.close(TurnWaiting())
        case None:
            return recording.close(TurnEnded(state="completed"))
        case TurnLost() as error:
            return recording.lose(error)
        case AgentFailed() as error:
            why = TurnFailed.because(error)
        case error:
            _log.error("the agent failed", exc_info=error)
            detail = "Something went wrong while answering."
            why = TurnFailed(code="agent_failed", detail=detail)
    return recording.close(why, TurnEnded(state="failed"))


def reported(recording: Recording, model: str, seconds: float) -> TurnReport:
    """What is told of the turn once it runs here no more."""
    transcript, lost = recording.shown, recording.lost
    last = recording.events[-1] if recording.events else None
    ended = last.state if isinstance(last, TurnEnded) else "waiting" if recording.rests else "lost"
    return TurnReport(
        turn=recording.turn,
        model=model,
        state="lost" if lost else ended,
        code=lost.code if lost else transcript.code,
        seconds=seconds,
        usage=transcript.usage,
        tools=recording.tools,
    )


def _forget(speaking: asyncio.Task[None]) -> None:
    # nobody else asks how it ended
    if not speaking.cancelled():
        speaking.exception()

"""A turn that is taken up again, by several at once."""

import asyncio

import pytest

from chatbridge.adapters.chatkit.items.mapping import BY_NAME
from chatbridge.domain.model.identifiers import MessageId
from chatbridge.domain.model.turn_event import TextDelta, TextFinished, TextStarted, TurnEnded
from chatbridge.domain.services.recording import Recording
from chatbridge.entrypoints.chatkit.frames import frames_after
from tests.contracts.store import NOON
from tests.unit.domain.test_recording import TURN

ID = MessageId("msg_1")


@pytest.mark.parametrize("steps", range(4))
async def test_all_who_join_hear_the_end_whenever_it_comes(steps: int) -> None:
    recording = Recording(TURN, copied=True)
    recording.copy([TextStarted(message_id=ID, at=NOON), TextDelta(message_id=ID, text="Hello")])

    async def seen() -> bytes:
        return b"".join([frame async for frame in frames_after(recording, 0, BY_NAME)])

    async def end() -> None:
        for _ in range(steps):
            await asyncio.sleep(0)
        recording.copy([TextFinished(message_id=ID), TurnEnded(state="completed")])
        recording.end()

    _, *told = await asyncio.gather(end(), seen(), seen(), seen())

    assert b"thread.item.done" in told[0]
    assert set(told) == {told[0]}

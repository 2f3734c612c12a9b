"""A chat whose turn has rested goes on with what it has shown, kept nowhere else until it ends."""

from datetime import UTC, datetime

from chatkit.widgets import Card, Text

from chatbridge.adapters.chatkit.actions import Actions
from chatbridge.adapters.chatkit.call_widgets import CallWidgets
from chatbridge.adapters.chatkit.chat import Chat
from chatbridge.adapters.chatkit.chat_runner import ChatRunner
from chatbridge.adapters.chatkit.entries import Entry
from chatbridge.adapters.memory.conversation_repository import MemoryConversationRepository
from chatbridge.adapters.memory.memory import Memory
from chatbridge.domain.model.identifiers import MessageId
from chatbridge.domain.model.transcript import Transcript
from chatbridge.domain.model.turn_event import Revised, Shown, TurnEvent, TurnResumed
from chatbridge.ports.agent_runner import AgentRequest, AgentRunner
from tests.contracts.agent_runner import ADA, TURN, asking

SEATS = MessageId("msg_seats")


class Picking(AgentRunner):
    """Puts another form of the seats in their place."""

    @property
    def model(self) -> str:
        return "none"

    def model_for(self, message: object) -> str:
        return self.model

    async def run(self, request: AgentRequest) -> None:
        chat: Chat = request.context
        assert chat.thread.metadata == {"seat": "asked"}
        entry = Entry(await chat.widget(SEATS), chat)
        await entry.replace(Card(children=[Text(value="1A")]), copy_text="1A is taken")


async def test_a_widget_of_before_the_rest_is_the_turns_own() -> None:
    shown = Shown(
        message_id=SEATS,
        at=datetime.now(UTC),
        how="done",
        kind="shown",
        content="the seats",
        payload={"type": "widget", "widget": {"type": "Card", "children": []}},
    )
    before: list[TurnEvent] = [shown, Revised(metadata={"seat": "asked"}), TurnResumed()]
    more: list[TurnEvent] = []
    nothing_kept = MemoryConversationRepository(Memory())
    runner = ChatRunner(
        Picking(), Actions(), nothing_kept, widgets=CallWidgets({}), context=lambda asked: None
    )
    asked = asking("go", say=more.append)
    await runner.run(
        AgentRequest(
            turn=TURN,
            window=asked.window,
            say=asked.say,
            before_call=asked.before_call,
            before=Transcript(ADA.conversation_id, before),
        )
    )
    said = Transcript(ADA.conversation_id, [*before, *more])
    (kept,) = said.messages
    assert (kept.id, kept.content, said.replaced) == (SEATS, "1A is taken", {})
    assert "1A" in str(kept.payload)

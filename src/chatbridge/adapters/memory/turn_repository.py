"""Turns in memory: begin and finish in one step each, as nobody else runs in between."""

from asyncio import sleep
from collections.abc import Collection
from dataclasses import replace

from chatbridge.adapters.memory.memory import (
    KeptConversation,
    KeptTurn,
    Memory,
)
from chatbridge.adapters.memory.turns import (
    asked_again,
    begun,
    keep_answer,
    mark_shown,
    refuse_a_second,
    subject_of,
    turn_of,
)
from chatbridge.domain.model import refusals
from chatbridge.domain.model.answer import goes_on
from chatbridge.domain.model.approval import StandingApproval
from chatbridge.domain.model.conversation import Conversation
from chatbridge.domain.model.identifiers import ConversationId, TurnId, UserId
from chatbridge.domain.model.limits import MAX_PAGE
from chatbridge.domain.model.turn import Ending, Rest, Turn, TurnState
from chatbridge.domain.model.turn_event import Revised, TurnEvent
from chatbridge.ports.turn_repository import (
    Begun,
    Claimed,
    LastTurn,
    Opened,
    Progress,
    Repeated,
    TurnRepository,
    TurnRequest,
)

_STALE_AT_ONCE = 100


class MemoryTurnRepository(TurnRepository):
    """Every call yields to the loop once, like a database would, and is atomic after that."""

    def __init__(self, memory: Memory, *, lease: float = 5.0) -> None:
        self._memory = memory
        self._lease = lease

    async def begin(
        self, request: TurnRequest, newest: int, room: int = MAX_PAGE
    ) -> Begun | Repeated:
        await sleep(0)
        if repeated := self._repeated(request):
            return repeated
        kept = self._conversation(request)
        turn = self._already_begun(request) or self._start(kept, request)
        beginning = begun(kept, turn, newest, room, request.about)
        if request.judge:
            try:
                request.judge(beginning)
            except BaseException:
                del kept.turns[turn.id]
                raise
        return beginning

    async def turn(self, user_id: UserId, id: TurnId) -> Turn:
        await sleep(0)
        if known := self._memory.turn(user_id, id):
            return turn_of(*known)
        if any(id in kept.turns for kept in self._memory.conversations.values()):
            raise refusals.turn_not_yours()
        raise refusals.no_turn()

    async def last(self, user_id: UserId, conversation_id: ConversationId) -> LastTurn | None:
        await sleep(0)
        kept = self._memory.conversations.get((user_id, conversation_id))
        last = next(reversed(kept.turns.values()), None) if kept else None
        return LastTurn(id=last.id, state=last.state, retry=last.retry) if last else None

    async def progress(self, user_id: UserId, id: TurnId, after: int = 0) -> Progress:
        await sleep(0)
        known = self._memory.turn(user_id, id)
        if known is None:
            raise refusals.turn_gone()
        turn = known[1]
        return Progress(
            state=turn.state,
            stale=turn.is_stale,
            kept=bool(turn.events),
            events=tuple(event for number, event in sorted(turn.events.items()) if number > after),
        )

    async def finish(self, turn: Turn, ending: Ending) -> TurnState:
        await sleep(0)
        kept, mine = self._known(turn)
        if mine.epoch != turn.epoch:
            raise refusals.turn_taken_over()
        if mine.state != "running":
            return mine.state
        mine.keep(ending.tail)
        if not mine.retry or ending.state == "completed":
            self._part(kept, mine, ending)
            keep_answer(kept, mine, ending)
            shown = (*ending.messages, *ending.changes.replaced)
            mark_shown(self._memory, turn.conversation.user_id, shown)
            kept.change(ending.changes)
            kept.revise(mine.unsaid or Revised())
        if kept.conversation.title is None:
            kept.conversation = replace(kept.conversation, title=ending.title)
        mine.usage, mine.code = ending.usage, ending.code
        mine.state, mine.ended_at = ending.state, self._memory.now()
        kept.touch(mine.ended_at)
        return mine.state

    async def wait(self, turn: Turn, rest: Rest) -> bool:
        await sleep(0)
        kept, mine = self._known(turn)
        if mine.epoch != turn.epoch:
            raise refusals.turn_taken_over()
        if mine.state != "running":
            return True
        if mine.cancel_asked:
            return False
        mine.keep(rest.tail)
        for ended in rest.ended:
            kept.standing.pop(ended, None)
        if kept.conversation.title is None:
            kept.conversation = replace(kept.conversation, title=rest.title)
        mine.usage, mine.state = rest.usage, "waiting"
        mine.renew(rest.seconds)
        kept.touch(self._memory.now())
        return True

    async def opened(self, user_id: UserId, conversation_id: ConversationId) -> Opened:
        kept = await self._memory.find(user_id, conversation_id)
        last = next(reversed(kept.turns.values()), None)
        if last is None:
            raise refusals.not_waiting()
        events = tuple(event for _, event in sorted(last.events.items()))
        return Opened(
            turn=turn_of(kept, last), state=last.state, stale=last.is_stale, events=events
        )

    async def answer(
        self,
        opened: Opened,
        answered: tuple[TurnEvent, ...],
        *,
        standing: StandingApproval | None = None,
        newest: int = 1,
        room: int = MAX_PAGE,
    ) -> Begun | None:
        await sleep(0)
        kept, turn = self._known(opened.turn)
        after = len(opened.events)
        if turn.state != "waiting" or len(turn.events) != after:
            return None
        if kept.conversation.status != "active":
            raise refusals.closed()
        if turn.lease_passed:
            raise refusals.question_expired()
        turn.keep(enumerate(answered, after + 1))
        if standing:
            kept.approve(standing)
        if goes_on(answered):
            turn.state, turn.epoch = "running", turn.epoch + 1
            turn.renew(self._lease)
        return begun(kept, turn, newest, room)

    async def claim_stale(
        self,
        user_id: UserId,
        conversation_id: ConversationId,
        ours: Collection[TurnId] = (),
        *,
        waiting: bool = False,
    ) -> Claimed | None:
        await sleep(0)
        kept = self._memory.conversations.get((user_id, conversation_id))
        turn = kept and (kept.stale or (kept.waiting if waiting else None))
        if kept is None or turn is None or turn.id in ours:
            return None
        turn.epoch += 1
        turn.state = "running"
        turn.renew(self._lease)
        return Claimed(turn=turn_of(kept, turn), events=tuple(turn.events.values()))

    async def stale(self) -> tuple[tuple[UserId, ConversationId], ...]:
        await sleep(0)
        kept = self._memory.conversations.items()
        passed = [key for key, k in kept if k.stale is not None]
        return tuple(passed[:_STALE_AT_ONCE])

    async def abandon_running(self) -> None:
        await sleep(0)
        for kept in self._memory.conversations.values():
            if kept.running is not None:
                kept.running.renew(0)

    async def ask_cancel(self, user_id: UserId, conversation_id: ConversationId) -> bool:
        running = (await self._memory.find(user_id, conversation_id)).running
        if running is None:
            return False
        running.cancel_asked = True
        return True

    def _repeated(self, request: TurnRequest) -> Repeated | None:
        known = request.once and self._memory.turn_of_key(request.user_id, request.once.key)
        if not known or known[1].id == request.turn_id:
            return None
        kept, turn = known
        if turn.once != request.once:
            raise refusals.key_reused()
        return Repeated(turn=asked_again(kept, turn))

    def _conversation(self, request: TurnRequest) -> KeptConversation:
        key = (request.user_id, request.conversation_id)
        if request.new and key not in self._memory.conversations:
            # kept with its first turn, so that a refused one leaves nothing behind
            return KeptConversation(conversation=self._new_conversation(request))
        return self._memory.get(*key)

    def _already_begun(self, request: TurnRequest) -> KeptTurn | None:
        known = self._memory.turn(request.user_id, request.turn_id)
        if known is None:
            return None
        kept, turn = known
        here = kept.conversation.id == request.conversation_id and turn.state == "running"
        if not here or turn.epoch > 1:
            raise refusals.turn_ended()
        if turn.lease_passed:
            raise refusals.stale_turn()
        return turn

    def _new_conversation(self, request: TurnRequest) -> Conversation:
        now = self._memory.now()
        return Conversation(
            id=request.conversation_id, user_id=request.user_id, created_at=now, updated_at=now
        )

    def _start(self, kept: KeptConversation, request: TurnRequest) -> KeptTurn:
        refuse_a_second(kept)
        subject = subject_of(kept, request, self._memory)
        turn = KeptTurn(
            id=request.turn_id,
            subject=subject and subject.id,
            retry=request.retry_of is not None,
            lease_until=0,
            once=request.once,
            model=request.model,
            by_host=request.by_host,
        )
        turn.renew(self._lease)
        kept.turns[turn.id] = turn
        if subject:
            kept.touch(self._memory.now())
        self._memory.keep(kept)
        return turn

    def _part(self, kept: KeptConversation, turn: KeptTurn, ending: Ending) -> None:
        """What the turn takes the place of, no counterpart may hold any longer."""
        touched = kept.places(ending.changes)
        if turn.retry and turn.subject:
            touched.append(kept.messages[turn.subject].position + 1)
        if touched:
            self._memory.part(kept, min(touched))

    def _known(self, turn: Turn) -> tuple[KeptConversation, KeptTurn]:
        known = self._memory.turn(turn.conversation.user_id, turn.id)
        if known is None:
            raise refusals.turn_gone()
        return known

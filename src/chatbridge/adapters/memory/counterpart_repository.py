"""Counterparts in memory, in the order in which they were given."""

from asyncio import sleep
from dataclasses import replace

from chatbridge.adapters.memory.memory import Memory
from chatbridge.domain.model.counterpart import Counterpart, CounterpartId
from chatbridge.domain.model.identifiers import ConversationId, UserId
from chatbridge.ports.counterpart_repository import CounterpartRepository

_LEFT_AT_ONCE = 100


class MemoryCounterpartRepository(CounterpartRepository):
    """Every call yields to the loop once, like a database would, and is atomic after that."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    async def of(self, user_id: UserId, conversation_id: ConversationId) -> Counterpart | None:
        await sleep(0)
        every = reversed(self._memory.counterparts.values())
        owned = (its for its in every if its.user_id == user_id)
        return next((its for its in owned if its.conversation_id == conversation_id), None)

    async def take(self, user_id: UserId, conversation_id: ConversationId) -> Counterpart | None:
        taken = await self.of(user_id, conversation_id)
        if taken:
            self._memory.counterparts[user_id, taken.id] = replace(taken, through=None)
        return taken

    async def give(
        self, user_id: UserId, conversation_id: ConversationId, id: CounterpartId
    ) -> None:
        await sleep(0)
        kept = self._memory.conversations.get((user_id, conversation_id))
        if kept:
            self._memory.part(kept)
        self._memory.counterparts[user_id, id] = Counterpart(
            id=id, user_id=user_id, conversation_id=conversation_id if kept else None
        )

    async def hold(self, user_id: UserId, id: CounterpartId, through: int) -> None:
        await sleep(0)
        its = self._memory.counterparts.get((user_id, id))
        if its and its.conversation_id:
            self._memory.counterparts[user_id, id] = replace(its, through=through)

    async def part(self, user_id: UserId, id: CounterpartId) -> None:
        await sleep(0)
        if its := self._memory.counterparts.get((user_id, id)):
            self._memory.counterparts[user_id, id] = replace(its, conversation_id=None)

    async def left(self, after: Counterpart | None = None) -> tuple[Counterpart, ...]:
        await sleep(0)
        left = [key for key, its in self._memory.counterparts.items() if not its.conversation_id]
        following = sorted(key for key in left if not after or key > (after.user_id, after.id))
        return tuple(self._memory.counterparts[key] for key in following[:_LEFT_AT_ONCE])

    async def forget(self, user_id: UserId, id: CounterpartId) -> None:
        await sleep(0)
        its = self._memory.counterparts.get((user_id, id))
        if its and not its.conversation_id:
            del self._memory.counterparts[user_id, id]

"""What every store promises of what a person has approved for a whole conversation."""

import asyncio

import pytest

from chatbridge.domain.model.answer import Answer, standing_approval
from chatbridge.domain.model.approval import ApprovalId, Proposal, StandingApproval
from chatbridge.domain.model.errors import Forbidden, NotFound
from chatbridge.domain.model.identifiers import CallId, ConversationId, MessageId
from chatbridge.domain.model.transcript import Transcript
from chatbridge.domain.model.turn import Rest
from chatbridge.domain.model.turn_event import (
    ToolCallAsked,
    ToolCallStarted,
    TurnEvent,
    TurnWaiting,
)
from chatbridge.ports.turn_repository import Begun, Opened
from tests.contracts.steps import WINDOW, begin, finish
from tests.contracts.store import ALICE, BOB, C1, Store, StoreContract, ask, call, said

NONE = ApprovalId("appr_none")


def asked(fingerprint: str, ended: ApprovalId | None = None) -> tuple[TurnEvent, ...]:
    step, id = MessageId("step_1"), CallId("call_1")
    proposal = Proposal(fingerprint=fingerprint, may_stand=True, ended=ended, words="Pay 5")
    waits = call("call_1", "waiting", source="tasks")
    return (
        ToolCallStarted(message_id=step, call=waits),
        ToolCallAsked(message_id=step, call_id=id, asks="approval", proposal=proposal),
        TurnWaiting(),
    )


async def waiting(store: Store, turn: str, *events: TurnEvent) -> Begun:
    begun = await begin(store, ask(turn, new=True))
    rest = Rest(seconds=60, tail=tuple(enumerate(events, 1)))
    assert await store.turns.wait(begun.turn, rest)
    return begun


async def approved(
    store: Store, opened: Opened | None = None, *, stands: bool = True
) -> tuple[Begun | None, StandingApproval]:
    """Answer what waits; what would stand is given too, where it does not."""
    opened = opened or await store.turns.opened(ALICE, C1)
    transcript = Transcript(C1, opened.events)
    events = Answer(call_id=CallId("call_1"), decision="approved", stands=True).events(transcript)
    standing = standing_approval(transcript, events)
    assert standing is not None
    kept = standing if stands else None
    answered = await store.turns.answer(opened, events, standing=kept, newest=WINDOW.high)
    return answered, standing


async def one_that_stands(store: Store) -> StandingApproval:
    await waiting(store, "turn_1", *asked("v1"))
    begun, standing = await approved(store)
    assert begun is not None
    await finish(store, begun, said("says_1", "Done."))
    return standing


class StandingApprovalContract(StoreContract):
    async def test_it_is_kept_with_the_answer_and_comes_with_what_begins(
        self, store: Store
    ) -> None:
        await waiting(store, "turn_1", *asked("v1"))
        begun, standing = await approved(store)
        assert begun is not None
        assert begun.standing == (standing,)
        assert (standing.source, standing.tool, standing.fingerprint) == ("tasks", "add_task", "v1")
        await finish(store, begun, said("says_1", "Done."))
        assert (await begin(store, ask("turn_2"))).standing == (standing,)
        assert await store.conversations.standing_approvals(ALICE, C1) == (standing,)
        elsewhere = ask("turn_3", new=True, conversation_id=ConversationId("conv_2"))
        assert (await begin(store, elsewhere)).standing == ()

    async def test_another_answer_keeps_none(self, store: Store) -> None:
        await waiting(store, "turn_1", *asked("v1"))
        begun, _ = await approved(store, stands=False)
        assert begun is not None
        assert begun.standing == ()

    async def test_of_answers_at_once_only_the_kept_one_stands(self, store: Store) -> None:
        await waiting(store, "turn_1", *asked("v1"))
        opened = await store.turns.opened(ALICE, C1)
        clicks = [approved(store, opened, stands=n % 2 == 0) for n in range(6)]
        tried = [(n % 2 == 0, *each) for n, each in enumerate(await asyncio.gather(*clicks))]
        (kept,) = [(stands, standing) for stands, begun, standing in tried if begun is not None]
        expected = (kept[1],) if kept[0] else ()
        assert await store.conversations.standing_approvals(ALICE, C1) == expected

    async def test_an_answer_whose_commit_was_lost_stands_once(self, store: Store) -> None:
        await waiting(store, "turn_1", *asked("v1"))
        opened = await store.turns.opened(ALICE, C1)
        transcript = Transcript(C1, opened.events)
        events = Answer(call_id=CallId("call_1"), decision="approved", stands=True).events(
            transcript
        )
        standing = standing_approval(transcript, events)
        await store.turns.answer(opened, events, standing=standing)
        await store.turns.answer(opened, events, standing=standing)
        assert await store.conversations.standing_approvals(ALICE, C1) == (standing,)

    async def test_it_ends_where_the_tool_asks_again(self, store: Store) -> None:
        earlier = await one_that_stands(store)
        begun = await begin(store, ask("turn_2"))
        tail = tuple(enumerate(asked("v2", earlier.id), 1))
        assert await store.turns.wait(begun.turn, Rest(seconds=60, tail=tail, ended=(earlier.id,)))
        assert await store.conversations.standing_approvals(ALICE, C1) == ()
        gone_on, later = await approved(store)
        assert gone_on is not None
        assert gone_on.standing == (later,)

    async def test_a_tool_has_one(self, store: Store) -> None:
        earlier = await one_that_stands(store)
        begun = await begin(store, ask("turn_2"))
        tail = tuple(enumerate(asked("v2"), 1))
        assert await store.turns.wait(begun.turn, Rest(seconds=60, tail=tail))
        gone_on, later = await approved(store)
        assert gone_on is not None
        assert gone_on.standing == (later,)
        assert later != earlier

    async def test_only_its_owner_sees_and_revokes_it_and_once(self, store: Store) -> None:
        standing = await one_that_stands(store)
        conversations = store.conversations
        for refused, who, where in (
            (Forbidden, BOB, C1),
            (NotFound, ALICE, ConversationId("conv_none")),
        ):
            with pytest.raises(refused):
                await conversations.standing_approvals(who, where)
            with pytest.raises(refused):
                await conversations.revoke(who, where, standing.id)
        with pytest.raises(NotFound):
            await conversations.revoke(ALICE, C1, NONE)
        await conversations.revoke(ALICE, C1, standing.id)
        with pytest.raises(NotFound) as again:
            await conversations.revoke(ALICE, C1, standing.id)
        assert again.value.code == "approval_not_found"
        assert (await begin(store, ask("turn_2"))).standing == ()

    async def test_it_is_gone_with_its_conversation(self, store: Store) -> None:
        await one_that_stands(store)
        await store.conversations.delete(ALICE, C1)
        assert (await begin(store, ask("turn_2", new=True))).standing == ()

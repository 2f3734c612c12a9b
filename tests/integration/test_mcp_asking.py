"""What a tool server on standard input and output asks of a person, in either version."""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

from chatbridge.adapters.mcp.stdio_server import StdioServer
from chatbridge.domain.model.question import Answers, Form
from chatbridge.domain.model.tool import Reply
from tests.integration.tool_servers import behalf, provider, request

ALICE = behalf("alice")


def asking(*version: str, hurry: Path | None = None) -> StdioServer:
    return StdioServer(
        name="hotel",
        command=sys.executable,
        args=["-m", "tests.integration.asking_stdio_server", *version],
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "HURRY": str(hurry)},
        starting=30,
    )


class Person:
    """Gives an answer once it is there; notes what was asked, and what was over before."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[Answers | None] = asyncio.get_running_loop().create_future()
        self.asked: asyncio.Future[Form] = asyncio.get_running_loop().create_future()
        self.over = False

    async def ask(self, form: Form) -> Answers | None:
        self.asked.set_result(form)
        try:
            return await self.answer
        finally:
            self.over = not self.answer.done() or self.answer.cancelled()


async def test_what_it_asks_between_two_calls_goes_back_to_it_with_its_state() -> None:
    async with provider(asking()) as tools:
        call = request("book", hotel="Ritz")
        given: Answers = {"seat": ("A1",)}
        for _ in range(2):
            wants = (await tools.call(call, ALICE)).wants
            assert wants is not None
            assert wants.form.source == "hotel"
            call = replace(call, reply=Reply(answers=given, state=wants.state))
            given = {"sure": ("true",)}
        assert (await tools.call(call, ALICE)).output.endswith("booked")


async def test_an_older_one_asks_in_its_call_and_what_it_asks_ends_with_that(
    tmp_path: Path,
) -> None:
    hurry = tmp_path / "hurry"
    async with provider(asking("older", hurry=hurry)) as tools:
        first, second = Person(), Person()
        first.answer.set_result({"sure": ("true",)})
        answer = await tools.call(replace(request("patient"), ask=first.ask), ALICE)
        assert answer.output == '{"action": "accept", "content": {"sure": true}}'
        assert (await first.asked).source == "hotel"

        calling = asyncio.create_task(tools.call(replace(request("hasty"), ask=second.ask), ALICE))
        await second.asked
        hurry.touch()
        assert (await calling).output == '"nothing"'
        # it is over before the result is told, though its process goes on
        assert second.over

"""Tools that no server runs, beside those of servers."""

import pytest

from chatbridge.adapters.openai.asking_tools import AskingTools
from chatbridge.domain.model.tool import LeftOut, Tool
from tests.contracts.agent_runner import ADA
from tests.contracts.task_tools import TaskTools

PAGES = Tool(name="add_task", description="The page does it.", parameters={}, asks="client")


async def test_a_servers_tool_of_the_same_name_is_left_out_and_that_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    servers = TaskTools()
    tools = AskingTools(servers, [PAGES])
    listed = [await tools.tools(ADA), await tools.tools(ADA)]
    assert [[t for t in each if t.name == PAGES.name] for each in listed] == [[PAGES], [PAGES]]
    (source,) = [t.source for t in await servers.tools(ADA) if t.name == PAGES.name]
    reason = "a tool of the page, or ask_person, has its name"
    assert tools.left_out() == (LeftOut(source=source, tool=PAGES.name, reason=reason),)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "add_task is left out" in caplog.text

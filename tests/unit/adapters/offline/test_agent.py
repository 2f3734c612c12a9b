"""The runner with the offline model keeps the contract."""

import pytest

from chatbridge.adapters.offline.model import OfflineModel
from chatbridge.adapters.openai.agent_runner import OpenAIAgentRunner
from tests.contracts.agent_runner import AgentRunnerContract
from tests.contracts.task_tools import TaskTools


class TestOfflineAgent(AgentRunnerContract):
    @pytest.fixture
    def runner(self, tools: TaskTools) -> OpenAIAgentRunner:
        return OpenAIAgentRunner(OfflineModel(delay=0), tools, instructions="Help.")

    def says(self, text: str) -> None:
        """It answers what it is told."""

    def calls(self, name: str, **arguments: object) -> None:
        """It calls what it is told to."""

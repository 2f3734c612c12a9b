"""Which tools of one run a person has approved for the conversation, and what is said of others."""

import copy
import json
import logging
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from agents import FunctionTool
from agents import Tool as SdkTool

from chatbridge.domain.model.approval import Proposal, StandingApproval, ended, stands
from chatbridge.domain.model.identifiers import CallId

_log = logging.getLogger(__name__)


class Standing:
    """What stands `approved` in the conversation of one run; `hosts`: of the host's own tools too.

    Each tool is told by the object that the SDK has of it.
    """

    def __init__(self, approved: Sequence[StandingApproval], *, hosts: bool) -> None:
        self._approved = approved
        self._hosts = hosts
        self._proposals: dict[int, Proposal] = {}
        self._passed: dict[int, StandingApproval] = {}

    def settle(
        self, tool: FunctionTool, source: str, fingerprint: str, *, may_stand: bool
    ) -> FunctionTool:
        """The tool, which asks no more where that is approved for the whole conversation."""
        if tool.needs_approval is False:
            return tool
        approval = stands(self._approved, source, tool.name, fingerprint) if may_stand else None
        if approval is None:
            self._proposals[id(tool)] = Proposal(
                fingerprint=fingerprint,
                may_stand=may_stand,
                ended=ended(self._approved, source, tool.name) if may_stand else None,
            )
            return tool
        passed = copy.copy(tool)
        passed.needs_approval = False
        self._passed[id(passed)] = approval
        return passed

    def settle_hosts(self, agent: str, tool: SdkTool) -> SdkTool:
        """The same of a tool of the host's own agent."""
        if not isinstance(tool, FunctionTool):
            return tool
        described = [agent, tool.name, tool.description, tool.params_json_schema]
        fingerprint = sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()
        return self.settle(tool, "", fingerprint, may_stand=self._hosts)

    def proposal(self, tools: Sequence[SdkTool], name: str) -> Proposal | None:
        """What is said to a person of the tool of this name among an agent's."""
        known: Any = next((tool for tool in tools if tool.name == name), None)
        return self._proposals.get(id(known))

    def note(self, tool: SdkTool, call: CallId) -> None:
        """Say in the log that a call runs unasked."""
        if approval := self._passed.get(id(tool)):
            _log.info("call %s runs by the standing approval %s", call, approval.id)

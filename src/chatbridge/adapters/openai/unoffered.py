"""The tools of agents that no model is offered: each is said once, and all can be asked for."""

import logging

from chatbridge.domain.model.tool import LeftOut

_log = logging.getLogger(__name__)

_MOST = 1_000
_LONGEST_NAME = 100


class Unoffered:
    """Tools that were left out, by whose they are."""

    def __init__(self) -> None:
        self._tools: dict[tuple[str, str], LeftOut] = {}

    def note(self, source: str, tool: str, reason: str) -> None:
        """A tool is left out, perhaps once more."""
        tool = tool[:_LONGEST_NAME]
        if (source, tool) not in self._tools and len(self._tools) < _MOST:
            self._tools[source, tool] = LeftOut(source=source, tool=tool, reason=reason)
            _log.warning("%s: its tool '%s' is not offered: %s", source, tool, reason)

    def tools(self) -> tuple[LeftOut, ...]:
        """All of them."""
        return tuple(self._tools.values())

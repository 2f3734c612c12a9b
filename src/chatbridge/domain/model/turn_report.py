"""What a replica has to tell of a turn that it ran, once it runs no more; nothing that was said."""

from dataclasses import dataclass
from typing import Literal

from chatbridge.domain.model.turn import Turn
from chatbridge.domain.model.turn_event import EndState
from chatbridge.domain.model.usage import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnReport:
    """`state` is `waiting` where it rests until a person answers, and `lost` where another replica
    has it now, or nobody; `code` says why it was not completed. `tools` are the names of the tools
    that ran, once for each call."""

    turn: Turn
    model: str
    state: EndState | Literal["waiting", "lost"]
    code: str | None
    seconds: float
    usage: Usage | None
    tools: tuple[str, ...]

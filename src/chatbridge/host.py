"""What an application of somebody else's brings with it, in place of what settings name."""

from dataclasses import dataclass
from typing import Any

from chatbridge.adapters.openai.run_context import Instructions, MakeContext, nothing_more
from chatbridge.entrypoints.host_sign_in import SignedIn


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """`agent` is an agents.Agent or a function that makes one; all else is as Bridge has it."""

    agent: Any = None
    instructions: str | Instructions | None = None
    signed_in: SignedIn | None = None
    context: MakeContext = nothing_more

"""What a person is asked to approve of a tool, and what of it stands approved."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NewType

ApprovalId = NewType("ApprovalId", str)


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingApproval:
    """A person lets every further call of one tool run in one conversation.

    It is for the tool as it was described then: `fingerprint` is of its name, its description, the
    schema of its arguments and its annotations.
    """

    id: ApprovalId
    source: str
    tool: str
    fingerprint: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """The tool that a person is asked about, as it is described at that moment.

    `may_stand`: it may be approved for the whole conversation. `ended` stood for the tool as it was
    described before, and does no more. `words`: what the call would do, as the tool's server says.
    """

    fingerprint: str
    may_stand: bool = False
    ended: ApprovalId | None = None
    words: str = ""


def stands(
    approvals: Iterable[StandingApproval], source: str, tool: str, fingerprint: str
) -> StandingApproval | None:
    """What lets this tool run unasked, described as it is."""
    return next(
        (a for a in _of(approvals, source, tool) if a.fingerprint == fingerprint and fingerprint),
        None,
    )


def ended(approvals: Iterable[StandingApproval], source: str, tool: str) -> ApprovalId | None:
    """What has let this tool run unasked as long as it was described in another way."""
    return next((approval.id for approval in _of(approvals, source, tool)), None)


def _of(
    approvals: Iterable[StandingApproval], source: str, tool: str
) -> Iterable[StandingApproval]:
    return (a for a in approvals if (a.source, a.tool) == (source, tool))

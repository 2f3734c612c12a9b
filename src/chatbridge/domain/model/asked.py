"""Who has asked for a turn and how: what a host's own code is given of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chatbridge.domain.model.tool import OnBehalf


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked(OnBehalf):
    """The user, the conversation, the turn, and what the request that began it has brought.

    `claims` is what the sign-in says of the user; `headers` are in lower case, without those that
    sign in, and `metadata` is what the page has sent with it, which nobody has checked.
    """

    claims: Mapping[str, Any] = field(default_factory=dict[str, Any])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])

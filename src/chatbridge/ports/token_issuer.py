"""Short-lived tokens that chatbridge issues itself and alone can verify."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from chatbridge.domain.model.caller import Caller


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedToken:
    """The token and the moment (aware UTC) from which it is no good any more."""

    token: str
    expires_at: datetime


class TokenIssuer(Protocol):
    """A token is good for one audience only: a chat session, a tool server, the development
    sign-in."""

    def issue(self, caller: Caller, *, audience: str, lifetime: timedelta) -> IssuedToken:
        """A token for the caller, and for the caller's conversation if it is bound to one."""
        ...

    def verify(self, token: str, *, audience: str) -> Caller:
        """The caller that it was issued for. Raises Unauthenticated."""
        ...

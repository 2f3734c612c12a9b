"""Who is calling, by the token that they show."""

from typing import Protocol

from chatbridge.domain.model.caller import Caller
from chatbridge.domain.model.identifiers import UserId


class Authenticator(Protocol):
    """Knows the tokens of the configured sign-in, those that chatbridge itself issued, and the
    service keys of a host's back end."""

    async def authenticate(self, token: str, *, service_for: UserId | None = None) -> Caller:
        """The caller. `service_for` is the user whom a service key may name here, None where it
        is not good.

        Raises Unauthenticated, whatever is wrong with the token, with a code that says what kind
        of mistake it was (`token_expired`, `wrong_audience`, `unknown_key` ...); Invalid for a
        `service_for` that can't be a user; Unavailable when the keys of the sign-in can't be had.
        """
        ...

    def issued(self, token: str) -> bool:
        """Whether it says that chatbridge has given it out; it may be no good all the same."""
        ...

"""Who is calling, by the token that they show."""

from typing import Protocol

from chatbridge.domain.model.caller import Caller


class Authenticator(Protocol):
    """Knows the tokens of the configured sign-in, and those that chatbridge itself issued."""

    async def authenticate(self, token: str, *, loopback: bool) -> Caller:
        """The caller. `loopback` says whether the request came from this machine.

        Raises Unauthenticated, whatever is wrong with the token, with a code that says what kind
        of mistake it was (`token_expired`, `wrong_audience`, `unknown_key` ...); Unavailable when
        the keys of the sign-in can't be had.
        """
        ...

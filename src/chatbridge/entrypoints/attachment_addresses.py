"""Addresses at which one file is got or put for a while, by whoever has been given them.

An `<img>` sends no token, and a browser that uploads sends none to an address that it was told.
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from time import time
from typing import Literal
from urllib.parse import urlencode

from starlette.requests import Request

from chatbridge.domain.model import refusals
from chatbridge.domain.model.attachment import Attached
from chatbridge.domain.services.attachments import ADDRESS_SECONDS

Use = Literal["get", "put"]

_GET_SECONDS = 600
"""At least half of them are left of an address that is told, and it stays the same till then."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Signed with chatbridge's own secret. `public` is where browsers reach chatbridge; unset,
    where the request that asks has reached it. `now` is in Unix seconds."""

    secret: bytes
    public: str | None = None
    now: Callable[[], float] = time

    def to_get(self, request: Request) -> "ToGet":
        """Where bytes are got, for 5 to 10 minutes."""
        half = _GET_SECONDS // 2
        return ToGet(self, self._base(request), (int(self.now()) // half + 2) * half)

    def to_put(self, request: Request, attached: Attached) -> str:
        """Where its bytes are put."""
        until = int(self.now()) + ADDRESS_SECONDS
        return self.signed(self._base(request), "put", attached.id, until)

    def require(self, use: Use, id: str, until: int, signature: str) -> None:
        """Raises Forbidden for an address that was not given, or is no good any more."""
        ours = self._signature(use, id, until).encode()
        if until < self.now() or not hmac.compare_digest(signature.encode(), ours):
            raise refusals.address_no_good()

    def _base(self, request: Request) -> str:
        if self.public:
            return f"{self.public.rstrip('/')}/attachments/"
        return str(request.url_for("attachmentBytes", id="-")).removesuffix("-")

    def signed(self, base: str, use: Use, id: str, until: int) -> str:
        """The address of one, below `base`."""
        asked = {"until": until, "signature": self._signature(use, id, until)}
        return f"{base}{id}?{urlencode(asked)}"

    def _signature(self, use: Use, id: str, until: int) -> str:
        said = f"chatbridge attachment\n{use}\n{id}\n{until}"
        return hmac.new(self.secret, said.encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class ToGet:
    """Whoever asks in these minutes, and has reached us by the same address, gets the same."""

    addresses: Addresses
    base: str
    until: int

    def __call__(self, attached: Attached) -> str:
        return self.addresses.signed(self.base, "get", attached.id, self.until)

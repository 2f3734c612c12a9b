"""The keys of a host's back end, of which chatbridge keeps the hashes only."""

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from secrets import token_urlsafe

PREFIX = "cbk_"

_HASH = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class ServiceKey:
    """A new key, to be shown once, and the hash that stands for it."""

    key: str = field(repr=False)
    hash: str


def new_service_key() -> ServiceKey:
    """A key of 32 random bytes, in 47 characters."""
    key = PREFIX + token_urlsafe(32)
    return ServiceKey(key, _hash_of(key))


class ServiceKeys:
    """The keys that are good: one, or two while they are being changed."""

    def __init__(self, hashes: Sequence[str]) -> None:
        """Raises ValueError if one is no SHA-256 in lower-case hexadecimal digits."""
        if not all(map(_HASH.fullmatch, hashes)):
            raise ValueError(
                "CHATBRIDGE_SERVICE_KEYS holds hashes of 64 hexadecimal digits, as `chatbridge "
                "service-key` prints them, and never a key."
            )
        self._hashes = tuple(hashes)

    def know(self, key: str) -> bool:
        """Whether it is one of them; how long that takes says nothing of any."""
        # no slow hash: what has 256 random bits can't be guessed from its hash
        found = _hash_of(key)
        return any(hmac.compare_digest(found, each) for each in self._hashes)


def _hash_of(key: str) -> str:
    return sha256(key.encode()).hexdigest()

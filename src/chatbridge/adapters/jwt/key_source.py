"""Where the keys of the sign-in come from: a shared secret, or the key set that it publishes."""

import asyncio
import logging
import re
import time
from collections.abc import Callable, Mapping
from contextvars import Context
from typing import Protocol

import httpx2

from chatbridge.adapters.jwt.key_set import NoKeySet, fetched_key_set
from chatbridge.adapters.jwt.keys import PUBLIC_KEY_ALGORITHMS, VerificationKey, secret_key
from chatbridge.domain.model import refusals

FETCH_SECONDS = 5
COOL_DOWN_SECONDS = 5
FRESH_SECONDS = 5 * 60
KEPT_SECONDS = 24 * 60 * 60

logger = logging.getLogger(__name__)


class KeySource(Protocol):
    """One of the two kinds. They share no algorithm: that of a token says which one is asked."""

    @property
    def algorithms(self) -> frozenset[str]:
        """What its keys verify; for a token of another algorithm it is never asked."""
        ...

    async def key_for(self, key_id: str | None) -> VerificationKey:
        """The key that a token names.

        Raises Unauthenticated (`unknown_key`); Unavailable (`sign_in_unavailable`).
        """
        ...


class SharedSecret:
    """HS256, by a secret that the sign-in and chatbridge share and nothing else uses."""

    algorithms = frozenset({"HS256"})

    def __init__(self, secret: bytes) -> None:
        """Raises ValueError for fewer than 32 bytes."""
        called = "The sign-in's secret (BETTER_AUTH_SECRET or CHATBRIDGE_AUTH__SECRET)"
        self._key = secret_key(secret, called)

    async def key_for(self, key_id: str | None) -> VerificationKey:
        """The one key there is, whatever the token calls it."""
        return self._key


class Jwks:
    """A published key set (RFC 7517), cached: only a key that isn't known makes a caller wait.

    Keys are fetched again in the background after 5 minutes, and at once for an unknown id, but
    never twice at a time nor within 5 seconds. While that fails, the last good keys serve for
    24 hours.
    """

    algorithms = PUBLIC_KEY_ALGORITHMS

    def __init__(
        self, url: str, http: httpx2.AsyncClient, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._url = url
        # a key of the operator's may be in what is left out
        self._shown = re.sub(r"(?<=//)[^/]*@|[?#].*", "", url)
        self._http = http
        self._clock = clock
        self._keys: Mapping[str, VerificationKey] = {}
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")
        self._fetch: asyncio.Task[None] | None = None

    async def key_for(self, key_id: str | None) -> VerificationKey:
        """The key of this id. A token must name one, even if the set has only one.

        Raises Unauthenticated (`unknown_key`); Unavailable (`sign_in_unavailable`) if no keys
        could be fetched so far, or for 24 hours.
        """
        if key_id is None:
            raise refusals.unknown_key()
        if self._age() >= KEPT_SECONDS or key_id not in self._keys:
            await self.refresh()
        elif self._age() >= FRESH_SECONDS:
            self._latest_fetch()
        return self._known(key_id)

    async def refresh(self) -> None:
        """Fetches the keys and waits for them, unless that was tried less than 5 seconds ago.

        Called before the first request, it spares that request the wait. Never fails.
        """
        # Unlike `await task`, this leaves the task alone when the waiting request is cancelled.
        await asyncio.wait({self._latest_fetch()})

    async def close(self) -> None:
        """Ends a fetch that is under way; to be called before the HTTP client is closed."""
        if self._fetch:
            self._fetch.cancel()
            await asyncio.wait({self._fetch})

    def _known(self, key_id: str) -> VerificationKey:
        if self._age() >= KEPT_SECONDS:
            raise refusals.sign_in_unavailable()
        if key_id not in self._keys:
            raise refusals.unknown_key()
        return self._keys[key_id]

    def _age(self) -> float:
        return self._clock() - self._fetched_at

    def _latest_fetch(self) -> asyncio.Task[None]:
        """The fetch under way, or the last one if it is too soon for another."""
        if self._fetch is None or (self._fetch.done() and self._cooled_down()):
            # for all who wait, not for the one request that asks first
            self._fetch = asyncio.create_task(self._fetch_keys(), context=Context())
        return self._fetch

    def _cooled_down(self) -> bool:
        return self._clock() - self._tried_at >= COOL_DOWN_SECONDS

    async def _fetch_keys(self) -> None:
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                self._keys = await fetched_key_set(self._http, self._url)
            self._fetched_at = self._clock()
        # Whatever is wrong over there, the keys that we have are still good.
        except Exception as error:
            reason = error.words if isinstance(error, NoKeySet) else type(error).__name__
            logger.warning("No keys from %s (CHATBRIDGE_AUTH__JWKS_URL): %s", self._shown, reason)
        finally:
            self._tried_at = self._clock()

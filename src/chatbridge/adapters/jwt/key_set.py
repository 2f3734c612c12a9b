"""The key set that a sign-in publishes (RFC 7517), fetched from a server that may be anything."""

from collections.abc import Mapping
from typing import Any, cast

import httpx2

from chatbridge.adapters.jwt.keys import VerificationKey, published_key
from chatbridge.adapters.jwt.reading import json_object

MAX_KEY_SET_BYTES = 64 * 1024

_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity"}


class NoKeySet(ValueError):
    """The answer is no usable key set; its words are our own, and may be logged."""

    @property
    def words(self) -> str:
        """What is wrong."""
        return str(self)


async def fetched_key_set(http: httpx2.AsyncClient, url: str) -> Mapping[str, VerificationKey]:
    """The usable keys by their ids, at least one; of two with the same id the first.

    Raises NoKeySet for an answer that is not 200 (a redirect too), larger than 64 kB, or no key
    set with a usable key; whatever httpx2 raises when there is no answer.
    """
    return _key_set(await _download(http, url))


async def _download(http: httpx2.AsyncClient, url: str) -> bytes:
    body = bytearray()
    async with http.stream("GET", url, headers=_HEADERS, follow_redirects=False) as response:
        if response.status_code != 200:
            raise NoKeySet(f"the answer is {response.status_code}")
        # Raw, as sent: a compressed answer could be small here and huge in memory.
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > MAX_KEY_SET_BYTES:
                raise NoKeySet(f"the answer is larger than {MAX_KEY_SET_BYTES} bytes")
    return bytes(body)


def _key_set(body: bytes) -> Mapping[str, VerificationKey]:
    entries = json_object(body).get("keys")
    if not isinstance(entries, list):
        raise NoKeySet("the answer is not a key set")
    keys: dict[str, VerificationKey] = {}
    for entry in cast("list[Any]", entries):
        if isinstance(entry, dict) and (found := published_key(cast("dict[str, Any]", entry))):
            keys.setdefault(*found)
    if not keys:
        raise NoKeySet("the key set has no key for EdDSA, ES256 or RS256")
    return keys

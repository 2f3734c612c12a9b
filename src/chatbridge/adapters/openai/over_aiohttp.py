"""aiohttp as the one who carries the bytes, with its errors told as what they are."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import httpx2
from openai import DefaultAioHttpClient

from chatbridge.adapters.openai.endpoint_http import EndpointHttp

_BROKEN = (httpx2.TimeoutException, aiohttp.ClientError)


# openai's own takes whatever breaks a connection for a time-out of its beginning: an endpoint that
# is not there, a certificate, a reset. What is no HTTP it does not know at all.
class _Client(DefaultAioHttpClient):
    async def send(self, request: httpx2.Request, **how: Any) -> httpx2.Response:
        # it takes a name and a password from an address or from a header, and refuses both at once
        if request.url.userinfo:
            how["auth"] = (request.url.username, request.url.password)
            request.url = request.url.copy_with(userinfo=b"")
        try:
            answer = await super().send(request, **how)
        except _BROKEN as error:
            broken = error
        else:
            if isinstance(answer.stream, httpx2.AsyncByteStream):
                answer.stream = _Body(answer.stream)
            return answer
        raise _as_it_is(broken)


class _Body(httpx2.AsyncByteStream):
    def __init__(self, body: httpx2.AsyncByteStream) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._body:
                yield piece
            return
        except _BROKEN as error:
            broken = error
        raise _as_it_is(broken)

    async def aclose(self) -> None:
        await self._body.aclose()


# Without aiohttp's own error behind it, whose status is no answer's: it would be read as one.
def _as_it_is(error: Exception) -> Exception:
    if not isinstance(error, httpx2.TimeoutException):
        return httpx2.RemoteProtocolError(str(error))
    return error if isinstance(error.__cause__, TimeoutError) else httpx2.NetworkError(str(error))


class OverAiohttp(EndpointHttp, _Client):
    """The HTTP client of a model endpoint, over aiohttp."""

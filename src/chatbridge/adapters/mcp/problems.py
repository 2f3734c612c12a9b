"""What a tool server's answer that is no message says: its status, its target, its own words."""

import asyncio
import json
from typing import Any, cast

import httpx2

_PROBLEM = 400
_READING = 1.0
_LONGEST = 500
_KEYS = ("error", "error_description", "title", "detail", "message")


async def own_words(response: httpx2.Response) -> str:
    """What the body of a status from 400 says, at most 500 characters; nothing of a page."""
    if response.status_code < _PROBLEM:
        return ""
    kind = response.headers.get("content-type", "").lower()
    body = b""
    try:
        async with asyncio.timeout(_READING):
            if kind.startswith("application/json"):
                # the client reads it too
                body = await response.aread()
            else:
                body = await _beginning(response)
    except (TimeoutError, httpx2.HTTPError):
        return ""
    text = body.decode(errors="replace").strip()
    if "html" in kind or text.startswith("<"):
        return ""
    return " ".join(_said(text).split())[:_LONGEST]


def what_came(response: httpx2.Response) -> str:
    """The status, and where a redirect leads, or the content type of a success."""
    status = f"HTTP status {response.status_code}"
    if response.status_code >= _PROBLEM:
        return status
    if "location" in response.headers:
        return f"{status}, a redirect to {_host(response)} that was not followed"
    return f"{status} with content type {response.headers.get('content-type', 'unknown')[:100]}"


async def _beginning(response: httpx2.Response) -> bytes:
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > _LONGEST * 10:
            break
    return body


def _host(response: httpx2.Response) -> str:
    try:
        return response.request.url.join(response.headers["location"]).host
    except httpx2.InvalidURL:
        return "no address"


def _said(text: str) -> str:
    try:
        value = json.loads(text)
        return "; ".join(_words(value)) or text
    except (ValueError, RecursionError):
        return text


def _words(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value] if value.strip() else []
    if not isinstance(value, dict):
        return []
    found = cast(dict[str, Any], value)
    return [words for key in _KEYS if key in found for words in _words(found[key])]

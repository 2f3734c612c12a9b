"""The chat page at `/`, its files, and the element that any page may load. Every address in it is
relative."""

from collections.abc import Callable, Coroutine
from hashlib import sha256
from pathlib import Path
from secrets import token_urlsafe
from string import Template
from typing import Any

from fastapi import APIRouter, Request, Response

_STATIC = Path(__file__).parent / "static"
_ELEMENT = {"chatkit.js": "text/javascript"}
_FILES = {"page.css": "text/css", "page.js": "text/javascript"}
_POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data: https:; font-src 'self'; frame-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
_PAGE_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_FILE_HEADERS = {
    # asked again each time: while replicas of two versions serve, a page gets what is there
    "Cache-Control": "no-cache",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def element_router() -> APIRouter:
    """The router of the element: it is for pages of a host's own too."""
    return _files_router(_ELEMENT)


def page_router(*, signs_in_itself: bool) -> APIRouter:
    """The router of the page; it signs in by itself, or asks for a token of the sign-in."""
    router = _files_router(_FILES)
    template = Template((_STATIC / "page.html").read_text(encoding="utf-8"))
    sign_in = "development" if signs_in_itself else "token"

    @router.api_route("/", methods=["GET", "HEAD"])
    async def page() -> Response:
        nonce = token_urlsafe(16)
        return Response(
            template.substitute(nonce=nonce, sign_in=sign_in),
            media_type="text/html",
            headers={**_PAGE_HEADERS, "Content-Security-Policy": _POLICY.format(nonce=nonce)},
        )

    return router


def _files_router(files: dict[str, str]) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    for name, media_type in files.items():
        endpoint = _file((_STATIC / name).read_bytes(), media_type)
        router.add_api_route(f"/page/{name}", endpoint, methods=["GET", "HEAD"])
    return router


def _file(content: bytes, media_type: str) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    headers = {**_FILE_HEADERS, "ETag": f'"{sha256(content).hexdigest()[:32]}"'}

    async def file(request: Request) -> Response:
        known = request.headers.get("if-none-match", "").replace("W/", "").split(",")
        if headers["ETag"] in map(str.strip, known):
            return Response(status_code=304, headers=headers)
        return Response(content, media_type=media_type, headers=headers)

    return file

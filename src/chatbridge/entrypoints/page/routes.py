"""The chat page at `/`, its files, and the element that any page may load. Every address in it is
relative."""

import gzip
import json
import re
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from pathlib import Path
from secrets import token_urlsafe
from string import Template
from typing import Any

from fastapi import APIRouter, Request, Response

from chatbridge.domain.model.attachment import Allowance
from chatbridge.entrypoints.host_sign_in import HostSignIn

_STATIC = Path(__file__).parent / "static"
_ELEMENT = "chatkit.js"
_PAGE = ("page.css", "page.js")
_TYPES = {".css": "text/css", ".js": "text/javascript"}
# what the element loads when it is first needed; its name says what is in it
_FURTHER = re.compile(r"[a-z]+-[0-9a-f]{12}\.js")
_POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self'; connect-src {requests}; "
    "img-src {pictures}; media-src 'self'; font-src 'self'; frame-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
_PAGE_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
# asked again each time: while replicas of two versions serve, a page gets what is there
_ASKED_AGAIN = "no-cache"
# a page of another origin is answered with more
_VARY = "Accept-Encoding, Origin"
_KEPT = "public, max-age=31536000, immutable"
_FILE_HEADERS = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


TASK_STARTERS = (
    {"label": "Add a task: buy oat milk", "prompt": "add a task: buy oat milk", "icon": "plus"},
    {"label": "What are my tasks?", "prompt": "what are my tasks?", "icon": "notebook"},
    {"label": "A long answer", "prompt": "rehearse a long answer of 120 words", "icon": "write"},
    {"label": "A failing tool", "prompt": "rehearse a failing tool", "icon": "bug"},
)


def element_router() -> APIRouter:
    """The router of the element and its further files: it is for pages of a host's own too."""
    return _files_router((_ELEMENT, *further_files()))


def further_files() -> list[str]:
    """The names of the files that the element loads when they are first needed."""
    return sorted(file.name for file in _STATIC.iterdir() if _FURTHER.fullmatch(file.name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the page says of itself; `starters` are prompts of ChatKit's start screen."""

    title: str
    greeting: str
    starters: Sequence[Mapping[str, str]]
    offline: bool
    """Whether it says that the offline model answers."""
    menus: Mapping[str, object]
    """ChatKit's options `composer.models`, `composer.tools` and `composer.dictation`."""
    tags: bool
    """Whether there is a search for what is named with `@`."""
    attachments: Allowance | None
    """What a person may bring with a message; None: nothing."""
    bucket: str | None
    """The origin of a bucket to which the page brings it straight."""


def page_router(
    pictures: Sequence[str],
    look: Look,
    *,
    signs_in_itself: bool,
    host: HostSignIn | None = None,
) -> APIRouter:
    """The router of the page, which loads pictures from these domains. It signs in by itself, is
    for whom the host's own sign-in knows, or asks for a token of the sign-in."""
    router = _files_router(_PAGE)
    template = Template((_STATIC / "page.html").read_text(encoding="utf-8"))
    below = (source for domain in pictures for source in (domain, f"*.{domain}"))
    from_where = " ".join(("'self'", "data:", *below))
    requests = f"'self' {look.bucket}" if look.bucket else "'self'"
    start = {"greeting": look.greeting, "prompts": [*look.starters]}
    said = {
        "sign_in": "development" if signs_in_itself else "host" if host else "token",
        "model": "offline" if look.offline else "another",
        "tags": "on" if look.tags else "off",
        "title": escape(look.title),
        "start": escape(json.dumps(start)),
        "menus": escape(json.dumps(look.menus)),
        "attachments": escape(json.dumps(_attachments(look.attachments))),
    }

    @router.api_route("/", methods=["GET", "HEAD"])
    async def page(request: Request) -> Response:
        user = (await host.caller(request)).user_id if host else ""
        nonce = token_urlsafe(16)
        return Response(
            template.substitute(said, nonce=nonce, user=escape(user)),
            media_type="text/html",
            headers={
                **_PAGE_HEADERS,
                "Content-Security-Policy": _POLICY.format(
                    nonce=nonce, pictures=from_where, requests=requests
                ),
            },
        )

    return router


def _attachments(allowance: Allowance | None) -> dict[str, object]:
    """ChatKit's option `composer.attachments`."""
    if allowance is None:
        return {"enabled": False}
    return {"enabled": True, "maxSize": allowance.max_bytes, "maxCount": allowance.max_files}


def _files_router(names: Iterable[str]) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    for name in names:
        router.add_api_route(f"/page/{name}", _file(name), methods=["GET", "HEAD"])
    return router


def _file(name: str) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    content = (_STATIC / name).read_bytes()
    media_type = _TYPES[Path(name).suffix]
    kept = _KEPT if _FURTHER.fullmatch(name) else _ASKED_AGAIN
    mark = sha256(content).hexdigest()[:32]
    plain = {**_FILE_HEADERS, "Cache-Control": kept, "ETag": f'"{mark}"', "Vary": _VARY}
    zipped = {**plain, "ETag": f'"{mark}-gzip"', "Content-Encoding": "gzip"}
    small = gzip.compress(content, 9, mtime=0)

    async def file(request: Request) -> Response:
        body, headers = (small, zipped) if _takes_gzip(request) else (content, plain)
        known = request.headers.get("if-none-match", "").replace("W/", "").split(",")
        if headers["ETag"] in map(str.strip, known):
            return Response(status_code=304, headers=headers)
        return Response(body, media_type=media_type, headers=headers)

    return file


def _takes_gzip(request: Request) -> bool:
    """Whether the answer may be compressed (RFC 9110, 12.5.3)."""
    weights: dict[str, bool] = {}
    for part in ",".join(request.headers.getlist("accept-encoding")).lower().split(","):
        coding, _, weight = part.partition(";")
        weights[coding.strip()] = not re.fullmatch(r"\s*q\s*=\s*0(\.0*)?\s*", weight)
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", False)))

"""The contract as it is read: `/openapi.json` by programs, `/docs` by people.

The page is made here and asks nobody for anything: it has no script, and its one style is named by
its hash in its policy.
"""

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from html import escape
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response

Json = dict[str, Any]

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 1rem; }
details { border: 1px solid #8886; border-radius: .5rem; margin: .5rem 0; padding: .5rem .75rem; }
summary { cursor: pointer; overflow-wrap: anywhere; }
pre { overflow: auto; padding: .75rem; background: #8882; border-radius: .5rem; }
table { border-collapse: collapse; }
td, th { padding: .25rem .75rem .25rem 0; text-align: start; vertical-align: top; }
"""
_HASH = b64encode(sha256(_STYLE.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


def contract_router(app: FastAPI) -> APIRouter:
    """The router of both; each is made once, when it is first asked for."""
    router = APIRouter(include_in_schema=False)

    @cache
    def document(root_path: str) -> bytes:
        contract = app.openapi()
        if root_path:
            contract = contract | {"servers": [{"url": root_path}]}
        return json.dumps(contract, ensure_ascii=False, separators=(",", ":")).encode()

    @cache
    def page() -> bytes:
        return "".join(_page(app.openapi())).encode()

    @router.get("/openapi.json")
    async def openapi(request: Request) -> Response:
        root_path = request.scope.get("root_path", "").rstrip("/")
        return Response(document(root_path), media_type="application/json")

    @router.get("/docs")
    async def docs() -> Response:
        headers = {"Content-Security-Policy": _POLICY}
        return Response(page(), media_type="text/html", headers=headers)

    return router


def _page(contract: Json) -> Iterator[str]:
    info = contract["info"]
    title = f"{escape(info['title'])} {escape(info['version'])}"
    yield f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
    yield f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
    yield f'<h1>{title}</h1>{_text(info["description"])}<p><a href="openapi.json">OpenAPI</a></p>'
    for tag in contract["tags"]:
        yield f"<h2>{escape(tag['name'])}</h2>{_text(tag['description'])}"
        for path, operations in contract["paths"].items():
            for method, operation in operations.items():
                if tag["name"] in operation.get("tags", []):
                    yield from _operation(f"{method.upper()} {path}", operation)
    yield "<h2>Schemas</h2>"
    for name, schema in sorted(contract["components"]["schemas"].items()):
        yield f'<details id="{escape(name)}"><summary>{escape(name)}</summary>'
        yield f"{_json(schema)}</details>"


def _operation(name: str, operation: Json) -> Iterator[str]:
    summary = escape(operation.get("summary", ""))
    yield f"<details><summary><code>{escape(name)}</code> {summary}</summary>"
    yield _text(operation.get("description", ""))
    who = " or ".join(scheme for wanted in operation["security"] for scheme in wanted)
    yield f"<p>Asks for: {escape(who or 'nothing')}.</p>"
    if parameters := operation.get("parameters"):
        rows = ((each["name"], each["in"], each.get("description", "")) for each in parameters)
        yield _table("Parameters", rows)
    if body := operation.get("requestBody"):
        yield f"<h3>Body</h3>{_json(body['content'])}"
    answers = (
        (status, each["description"], ", ".join(_codes(each)))
        for status, each in operation["responses"].items()
    )
    yield _table("Answers", answers) + "</details>"


def _codes(response: Json) -> Iterator[str]:
    for media in response.get("content", {}).values():
        schema = str(media.get("schema", {}).get("$ref", "")).rpartition("/")[2]
        yield from media.get("examples", {}) or filter(None, [schema])


def _table(title: str, rows: Iterator[tuple[str, ...]]) -> str:
    lines = ("".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows)
    return f"<h3>{title}</h3><table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def _text(text: str) -> str:
    parts = (re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(part)) for part in text.split("\n\n"))
    return "".join(f"<p>{part}</p>" for part in parts if part)


def _json(value: Any) -> str:
    return f"<pre>{escape(json.dumps(value, indent=2, ensure_ascii=False))}</pre>"

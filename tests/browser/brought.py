"""What is brought to the endpoint of the tests: files that are announced, put, and seen again."""

import asyncio
from collections.abc import Callable

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.chatkit_client import Json
from tests.files_of_people import picture

_CAT = picture(size=(320, 240))


class Brought:
    """Each is announced and put, or comes at once; all is kept as it came."""

    url: str

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin again."""
        self.announced: list[Json] = []
        self.kept: dict[str, bytes] = {}
        self.removed: list[str] = []
        self.puts: list[str] = []
        # nobody reads what comes while it is not set
        self.reads = asyncio.Event()
        self.reads.set()
        self.left = asyncio.Event()
        self.refusals: list[Response] = []
        # an address of a picture is good while it says so
        self.version = 1
        self.shown: list[str] = []
        self.expired: Callable[[], object] = lambda: None

    def announce(self, params: Json) -> Response:
        """attachments.create"""
        self.announced.append(params)
        id = f"att_{len(self.announced)}"
        address = {"url": f"{self.url}files/{id}", "method": "PUT"}
        address["headers"] = {"Content-Type": params["mime_type"], "X-Signed": "yes"}
        return JSONResponse({**self._named(id, params), "upload_descriptor": address})

    def remove(self, params: Json) -> Response:
        """attachments.delete"""
        self.removed.append(params["attachment_id"])
        return JSONResponse({})

    def cat(self, id: str, name: str = "cat.png") -> Json:
        """As a message has it."""
        return self._named(id, {"name": name, "mime_type": "image/png"})

    def _named(self, id: str, params: Json) -> Json:
        told = {"id": id, "name": params["name"], "mime_type": params["mime_type"]}
        if not params["mime_type"].startswith("image/"):
            return {**told, "type": "file"}
        return {**told, "type": "image", "preview_url": f"{self.url}files/{id}?v={self.version}"}

    async def put(self, request: Request) -> Response:
        """PUT of the bytes."""
        id = request.path_params["id"]
        self.puts.append(id)
        assert request.headers["x-signed"] == "yes"
        try:
            await self.reads.wait()
            content = await request.body()
        except ClientDisconnect:
            self.left.set()
            return Response(status_code=499)
        if self.refusals:
            return self.refusals.pop(0)
        self.kept[id] = content
        return Response(status_code=204)

    async def at_once(self, request: Request) -> Response:
        """POST of a form."""
        await self.reads.wait()
        async with request.form() as form:
            file = form["file"]
            params = {"name": file.filename, "mime_type": file.content_type}
            id = f"att_{len(self.kept) + 1}"
            self.kept[id] = await file.read()
        if self.refusals:
            return self.refusals.pop(0)
        return JSONResponse(self._named(id, params))

    async def get(self, request: Request) -> Response:
        """GET of a picture."""
        version = request.query_params["v"]
        self.shown.append(f"{request.path_params['id']} {version}")
        if int(version) < self.version:
            self.expired()
            return Response(status_code=403)
        return Response(_CAT, media_type="image/png")

    @property
    def routes(self) -> list[Route]:
        """Where all that is."""
        return [
            Route("/files/{id}", self.put, methods=["PUT"]),
            Route("/files/{id}", self.get),
            Route("/direct", self.at_once, methods=["POST"]),
        ]

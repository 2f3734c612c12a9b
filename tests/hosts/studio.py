"""A tool server whose results are more than text, and some of them harmful."""

import json
import wave
from base64 import b64encode
from io import BytesIO
from typing import Any

from mcp.server import MCPServer
from mcp_types import (
    AudioContent,
    BlobResourceContents,
    CallToolResult,
    EmbeddedResource,
    ImageContent,
    ResourceLink,
    TextContent,
    TextResourceContents,
)

from tests.files_of_people import PDF, bomb, picture

SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"


def tone(seconds: int = 600) -> bytes:
    """One that can be heard."""
    file = BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 1, 8_000, 0, "NONE", ""))
        sound.writeframes((bytes([108]) * 10 + bytes([148]) * 10) * (400 * seconds))
    return file.getvalue()


def b64(data: bytes) -> str:
    return b64encode(data).decode()


def image(data: str, mime_type: str = "image/png") -> ImageContent:
    return ImageContent(type="image", data=data, mime_type=mime_type)


def studio() -> MCPServer:
    """A foreign tool server whose results are more than text."""
    server = MCPServer("studio")
    png = b64(picture())

    def told(*content: Any, **more: Any) -> CallToolResult:
        return CallToolResult(content=[*content], **more)

    def paint() -> CallToolResult:
        return told(TextContent(type="text", text="Painted."), image(png))

    def everything() -> CallToolResult:
        text = TextResourceContents(
            uri="file:///a/notes.md", text="# Notes", mime_type="text/markdown"
        )
        pdf = BlobResourceContents(
            uri="file:///a/b.pdf", blob=b64(PDF), mime_type="application/pdf"
        )
        return told(
            AudioContent(type="audio", data=b64(tone()), mime_type="audio/wav"),
            EmbeddedResource(type="resource", resource=text),
            EmbeddedResource(type="resource", resource=pdf),
            ResourceLink(type="resource_link", name="a [map]", uri="https://maps.example/1"),
            ResourceLink(type="resource_link", name="trap", uri="javascript:alert(1)"),
        )

    def harm() -> CallToolResult:
        html = BlobResourceContents(
            uri="file:///p.html", blob=b64(b"<html>"), mime_type="text/html"
        )
        return told(
            image(b64(SVG), "image/svg+xml"),
            image("!!! no base64"),
            image(b64(bomb())),
            image(b64(b"<html><script>"), "image/png"),
            EmbeddedResource(type="resource", resource=html),
            # what it is said to be does not count
            image(png, "image/svg+xml"),
        )

    def many() -> CallToolResult:
        each = [image(b64(picture(size=(n, 9)))) for n in range(1, 31)]
        return told(*each, each[0])

    def structured() -> CallToolResult:
        data = {
            "image": {"type": "image", "data": png, "mimeType": "image/png"},
            "icon": f"data:image/png;base64,{png}",
        }
        return told(TextContent(type="text", text=json.dumps(data)), structured_content=data)

    for tool in (paint, everything, harm, many, structured):
        server.add_tool(tool)
    return server

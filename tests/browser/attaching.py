"""Files as a person brings them: by the button, from the clipboard, from another window."""

import base64
from pathlib import Path

from playwright.async_api import Locator

from tests.browser.element_page import Chat

File = tuple[str, str, bytes]
"""Its name, its type as a browser says it, and its bytes."""

_PASTE = """(box, [files, text]) => {
  const clipboardData = new DataTransfer();
  if (text) clipboardData.setData("text/plain", text);
  for (const { name, type, content } of files) {
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    clipboardData.items.add(new File([bytes], name, { type }));
  }
  const how = { bubbles: true, cancelable: true, composed: true, clipboardData };
  return !box.dispatchEvent(new ClipboardEvent("paste", how));
}"""


def card(chat: Chat, name: str) -> Locator:
    """What stands in the composer for the file of this name."""
    return cards(chat).filter(has_text=name)


def cards(chat: Chat) -> Locator:
    """All that are being attached."""
    return chat.element.get_by_role("list", name="Attached files").locator(".card")


async def choose(chat: Chat, *files: File) -> None:
    """By the button, and the window that it opens."""
    async with chat.page.expect_file_chooser() as opened:
        await chat.button("Attach files").click()
    told = [{"name": name, "mimeType": type, "buffer": content} for name, type, content in files]
    await (await opened.value).set_files(told)


async def paste(chat: Chat, *files: File, text: str = "") -> bool:
    """From the clipboard, which has a text too; whether the chat has taken them."""
    told = [
        {"name": name, "type": type, "content": base64.b64encode(content).decode()}
        for name, type, content in files
    ]
    return await chat.box.evaluate(_PASTE, [told, text])


class Drag:
    """Files of the disk, dragged from another window over the chat."""

    def __init__(self, chat: Chat, *paths: Path) -> None:
        self._chat = chat
        self._data = {"items": [], "files": [*map(str, paths)], "dragOperationsMask": 1}

    async def enter(self) -> None:
        """They are over the messages."""
        self._session = await self._chat.page.context.new_cdp_session(self._chat.page)
        box = await self._chat.element.bounding_box()
        assert box
        self._at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + 120}
        for kind in ("dragEnter", "dragOver"):
            await self._tell(kind)

    async def leave(self) -> None:
        """They are carried on, to what is above the chat."""
        await self._tell("dragOver", y=4)

    async def drop(self) -> None:
        """They are let go."""
        await self._tell("drop")

    async def _tell(self, kind: str, **where: float) -> None:
        event = {"type": kind, **self._at, **where, "data": self._data}
        await self._session.send("Input.dispatchDragEvent", event)

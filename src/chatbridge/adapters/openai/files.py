"""The files that a turn's model is given: in what it reads stand marks, and each request has them.

So nothing between the window and the endpoint's connection holds, copies or logs their bytes: the
Agents SDK, its tracing and its guardrails, and what looks for what an endpoint refuses.
"""

import asyncio
import re
import secrets
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from chatbridge.adapters.openai import file_words as words
from chatbridge.adapters.openai.api import Api
from chatbridge.adapters.openai.file_parts import (
    KINDS,
    PDF,
    Json,
    Kind,
    contents_of,
    given_as,
    is_chat,
    items_of,
    joined,
    part_of,
    replace_parts,
    text_part,
)
from chatbridge.domain.model.attachment import Attached, Opened
from chatbridge.domain.model.media import is_text
from chatbridge.domain.model.message import Message, Words
from chatbridge.ports.pdf_text import PdfText

Tell = Callable[[Sequence[tuple[Attached, str]]], None]
"""Tells a person why the model has not got a file, or not all of it."""

_MARK = re.compile(r"\[file ([\w-]+) ([0-9a-f]{32})( in words| left out| bytes)?\]")
_BYTES_IN_JSON = re.compile(rb"\[file [\w-]+ [0-9a-f]{32} bytes\]")
_IN_WORDS, _LEFT_OUT, _BYTES = " in words", " left out", " bytes"


def in_words(request: Json, kind: str, ids: Sequence[str]) -> None:
    """Have all files of a kind, or these of any, told in words."""

    def words_for(of: Kind, part: Json) -> str | None:
        id = id_in(part)
        if of != kind and id not in ids:
            return None
        mark = _mark_in(part)
        return _as(mark, _IN_WORDS) if mark else words.nameless(of)

    replace_parts(request, words_for)


def id_in(part: Json) -> str:
    """Which file of ours a part is; nothing for what others have put there."""
    found = _mark_in(part)
    return found[1] if found else ""


def _mark_in(part: Json) -> re.Match[str] | None:
    inner: Any = part.get("file") or part.get("input_audio") or part.get("image_url") or part
    held: Json = cast(Json, inner) if isinstance(inner, dict) else {"url": inner}
    for name in ("url", "file_data", "data", "image_url"):
        value = held.get(name)
        # the bytes of others are megabytes
        found = _MARK.search(value[-200:]) if isinstance(value, str) else None
        if found:
            return found
    return None


def _as(mark: re.Match[str], how: str) -> str:
    return f"[file {mark[1]} {mark[2]}{how}]"


@dataclass(slots=True)
class _File:
    opened: Opened
    text: str | None = None
    is_cut: bool = False

    @property
    def attached(self) -> Attached:
        return self.opened.attached


class Files:
    """Those of one turn, whose texts are `max_characters` together; `tell` tells the person, but
    not of what has been `told`.

    `pdfs` get the text out of what an endpoint does not take as it is.
    """

    def __init__(
        self,
        opened: Sequence[Opened],
        *,
        pdfs: PdfText,
        max_characters: int,
        tell: Tell,
        told: Iterable[str] = (),
    ) -> None:
        self._nonce = secrets.token_hex(16)
        self._pdfs = pdfs
        self._left = max_characters
        self._tell = tell
        self._told = {*told}
        self._reading = asyncio.Lock()
        self._files: Mapping[str, _File] = {each.attached.id: _File(each) for each in opened}
        for file in self._files.values():
            if is_text(file.attached.media_type) and file.opened.content is not None:
                self._keep_text(file, file.opened.content.decode("utf-8-sig", "ignore"))

    def __bool__(self) -> bool:
        return bool(self._files)

    def _keep_text(self, file: _File, text: str) -> None:
        file.text = text[: self._left]
        self._left -= len(file.text)
        whole = (
            len(file.opened.content or b"") >= file.attached.size or file.attached.media_type == PDF
        )
        file.is_cut = not whole or len(file.text) < len(text)

    def beside(self, said: Words) -> Words:
        """What a message says, and behind it a mark for each of its files."""

        def told(message: Message) -> str:
            files = [file for file in message.attachments if file.id in self._files]
            marks = [f"[file {file.id} {self._nonce}]" for file in files]
            return "\n\n".join(filter(None, [said(message), *marks])) if marks else said(message)

        return told

    def left_out(
        self, items: Any, *, last: bool = False, too_long: bool = True
    ) -> list[Any] | None:
        """The same items without the files of all but a person's last message, or of that too;
        None where there are none of these. They are `too_long`, or not taken."""
        how = _LEFT_OUT if too_long else _IN_WORDS
        given = cast(list[Json], items) if self._files and isinstance(items, list) else []
        asked = [n for n, item in enumerate(given) if item.get("role") == "user"]
        told = [
            item if n == asked[-1] and not last else self._without(item, how)
            for n, item in enumerate(given)
            if asked
        ]
        return told if any(new is not old for new, old in zip(told, given, strict=False)) else None

    def _without(self, item: Json, how: str) -> Json:
        said = item.get("content")
        if not isinstance(said, str) or f" {self._nonce}]" not in said:
            return item
        return {**item, "content": said.replace(f" {self._nonce}]", f" {self._nonce}{how}]")}

    def handed(self, body: Json, api: Api) -> "Handed":
        """A request whose marks become parts and texts; it is changed."""
        if self._files:
            for item in items_of(body):
                said = item.get("content")
                if isinstance(said, str) and item.get("role") == "user" and self._nonce in said:
                    item["content"] = joined(self._parts(said, api, chat=is_chat(body)))
        return Handed(self, body)

    def _parts(self, said: str, api: Api, *, chat: bool) -> list[Json]:
        parts: list[Json] = []
        at = 0
        for found in _MARK.finditer(said):
            file = self.find(found)
            if file is None:
                continue
            parts += [text_part(said[at : found.start()].strip("\n"), chat=chat)]
            at = found.end()
            as_part = given_as(file.attached.media_type, api) in KINDS and not found[3]
            parts += [text_part(f"{file.attached.told}:", chat=chat)]
            if as_part and file.opened.content is not None:
                parts += [part_of(file.attached, _as(found, _BYTES), chat=chat)]
            else:
                parts += [text_part(_as(found, found[3] or _IN_WORDS), chat=chat)]
        parts += [text_part(said[at:].strip("\n"), chat=chat)]
        return [part for part in parts if part.get("text") != ""]

    def find(self, mark: re.Match[str]) -> "_File | None":
        """The file that a mark of this turn means."""
        return self._files.get(mark[1]) if mark[2] == self._nonce else None

    async def words_for(self, mark: re.Match[str]) -> tuple[str, str]:
        """What the model is told in the file's place, and what the person is; nothing where it is
        told all that is in it."""
        file = self._files[mark[1]]
        if mark[3] == _LEFT_OUT:
            return words.TOO_LONG
        if file.opened.unread:
            return words.UNREAD[file.opened.unread]
        async with self._reading:
            if file.text is None and file.attached.media_type == PDF:
                text = await self._pdfs.text_of(file.opened.content or b"", max(1, self._left))
                self._keep_text(file, text or "")
        if not file.text:
            return words.NO_ROOM if file.is_cut else words.NOT_TAKEN
        return words.framed(file.text, cut=file.is_cut)

    def bytes_for(self, mark: re.Match[str]) -> bytes:
        """What is in it."""
        return self._files[mark[1]].opened.content or b""

    def name(self, mark: re.Match[str]) -> Attached:
        """What is known of it."""
        return self._files[mark[1]].attached

    def tell(self, told: Mapping[str, str]) -> None:
        """Tell the person, once, why the model has not got some of these."""
        new = {id: why for id, why in told.items() if why and id not in self._told}
        self._told |= new.keys()
        if new:
            self._tell([(self._files[id].attached, why) for id, why in new.items()])


class Handed:
    """One request with the files that it carries."""

    def __init__(self, files: Files, body: Json) -> None:
        self._files = files
        self._body = body
        self._told: dict[str, str] = {}

    async def worded(self, request: Json) -> Json:
        """The request with words where a file is not in it as a part; it is changed."""
        self._told = {}
        if not self._files:
            return request
        for item in items_of(request):
            if isinstance(item.get("content"), str):
                item["content"] = await self._in_words(item["content"])
        for _, _, parts in contents_of(request):
            for part in parts:
                if isinstance(part, dict) and isinstance(cast(Json, part).get("text"), str):
                    part["text"] = await self._in_words(cast(Json, part)["text"])
        return request

    async def _in_words(self, text: str) -> str:
        told, at = list[str](), 0
        for mark in _MARK.finditer(text):
            if self._files.find(mark):
                told += [text[at : mark.start()], await self._told_of(mark)]
                at = mark.end()
        return "".join([*told, text[at:]])

    async def _told_of(self, mark: re.Match[str]) -> str:
        if not mark[3]:  # somebody else's text repeats what a person has said
            return self._files.name(mark).told
        model, self._told[mark[1]] = await self._files.words_for(mark)
        return model

    def tell(self) -> None:
        """An endpoint has taken it: tell the person what is not in it."""
        self._files.tell(self._told)

    def pieces(self, content: bytes) -> list[bytes | memoryview]:
        """The request as it is sent: its own bytes, and views of those that are base64 there."""
        pieces: list[bytes | memoryview] = []
        at = 0
        for found in _BYTES_IN_JSON.finditer(content) if self._files else ():
            mark = _MARK.fullmatch(found[0].decode())
            if mark and self._files.find(mark):
                pieces += [content[at : found.start()], memoryview(self._files.bytes_for(mark))]
                at = found.end()
        return [*pieces, content[at:]]

    async def with_bytes(self) -> Json:
        """The request with all bytes in it, for a model that is no endpoint of ours."""
        return cast(Json, await asyncio.to_thread(self._filled, self._body))

    def _filled(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self._filled(each) for name, each in cast(Json, value).items()}
        if isinstance(value, list):
            return [self._filled(each) for each in cast(list[Any], value)]
        if not isinstance(value, str) or not value.endswith(f"{_BYTES}]"):
            return value
        return _MARK.sub(self._base64, value)

    def _base64(self, mark: re.Match[str]) -> str:
        if not self._files.find(mark):
            return mark[0]
        return b64encode(self._files.bytes_for(mark)).decode()


class _NoText(PdfText):
    async def text_of(self, pdf: bytes, most: int) -> str | None:
        return None


NO_PDFS: PdfText = _NoText()
NO_FILES = Files((), pdfs=NO_PDFS, max_characters=0, tell=lambda _: None)

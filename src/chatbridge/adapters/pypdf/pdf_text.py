"""pypdf in a process of its own, which may fail, hang or grow without anybody's harm."""

import asyncio
import logging
import sys
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from chatbridge.domain.model.message import cleaned
from chatbridge.ports.pdf_text import PdfText

_log = logging.getLogger(__name__)

_PROGRAM = Path(__file__).with_name("extraction.py")
_SECONDS = 20.0
_AT_ONCE = 2
_MOST_KNOWN = 16


class PypdfText(PdfText):
    """See the port. Two at a time; what was read before the limits of one is its text.

    The last ones are known: a PDF is read again in each turn whose window has it.
    """

    def __init__(self, *, seconds: float = _SECONDS) -> None:
        self._seconds = seconds
        self._few = asyncio.Semaphore(_AT_ONCE)
        self._known: dict[tuple[bytes, int], str | None] = {}

    async def text_of(self, pdf: bytes, most: int) -> str | None:
        """See the port."""
        key = (await asyncio.to_thread(_digest, pdf), most)
        if key not in self._known:
            text = await self._text_of(pdf, most)
            for oldest in [*self._known][: len(self._known) - _MOST_KNOWN + 1]:
                del self._known[oldest]
            self._known[key] = text
        return self._known[key]

    async def _text_of(self, pdf: bytes, most: int) -> str | None:
        async with self._few:
            try:
                process = await _begun(most)
            except OSError as error:
                _log.warning("the text of a PDF is not read", exc_info=error)
                return None
            try:
                return await self._read(process, pdf)
            finally:
                if process.returncode is None:
                    with suppress(ProcessLookupError):
                        process.kill()
                    await process.wait()

    async def _read(self, process: asyncio.subprocess.Process, pdf: bytes) -> str | None:
        try:
            async with asyncio.timeout(self._seconds):
                said, _ = await process.communicate(pdf)
        except TimeoutError:
            _log.warning(
                "the text of a PDF took more than %.0f s, so it is not read", self._seconds
            )
            return None
        if process.returncode:
            _log.warning("the text of a PDF could not be read to its end")
        return cleaned(said.decode("utf-8", "replace")).strip() or None


async def _begun(most: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        str(_PROGRAM),
        str(most),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={},
    )


def _digest(pdf: bytes) -> bytes:
    return sha256(pdf).digest()

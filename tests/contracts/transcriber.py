"""What everybody promises who writes down what is said."""

import asyncio
from abc import ABC, abstractmethod

import pytest

from chatbridge.domain.model.errors import AgentFailed
from chatbridge.ports.transcriber import Transcriber

WEBM = b"\x1a\x45\xdf\xa3 and so on"


class Hears(ABC):
    """What the one under test hears next, and whether it still listens."""

    @abstractmethod
    def words(self, text: str) -> None:
        """These words."""

    @abstractmethod
    def failure(self) -> None:
        """Something that nobody could hear."""

    @abstractmethod
    def endless(self) -> None:
        """Something that has no end."""

    @abstractmethod
    async def listening(self, expected: bool) -> None:
        """Returns when it does, or does not any more."""


class TranscriberContract:
    @pytest.fixture
    def hears(self) -> Hears:
        raise NotImplementedError

    @pytest.fixture
    def transcriber(self, hears: Hears) -> Transcriber:
        raise NotImplementedError

    async def test_what_is_said_is_written_down(
        self, transcriber: Transcriber, hears: Hears
    ) -> None:
        hears.words("Buy oat milk, zwölf Liter.")
        assert await transcriber.transcribe(WEBM, "audio/webm") == "Buy oat milk, zwölf Liter."

    async def test_silence_has_no_words(self, transcriber: Transcriber, hears: Hears) -> None:
        hears.words("")
        assert await transcriber.transcribe(WEBM, "audio/webm") == ""

    async def test_what_fails_is_told_in_words(
        self, transcriber: Transcriber, hears: Hears
    ) -> None:
        hears.failure()
        with pytest.raises(AgentFailed, match=r"\w+ \w+"):
            await transcriber.transcribe(WEBM, "audio/webm")

    async def test_nobody_listens_to_what_is_given_up(
        self, transcriber: Transcriber, hears: Hears
    ) -> None:
        hears.endless()
        writing = asyncio.create_task(transcriber.transcribe(WEBM, "audio/webm"))
        await hears.listening(True)
        writing.cancel()
        await hears.listening(False)
        with pytest.raises(asyncio.CancelledError):
            await writing

"""Who writes down what is said."""

from typing import Protocol


class Transcriber(Protocol):
    """Nothing of a recording, nor of what is said in it, is kept or logged."""

    async def transcribe(self, audio: bytes, media_type: str) -> str:
        """The words of the recording, of this type without parameters; empty where there are none.

        Cancelled, it stops what it asked for. Raises AgentFailed.
        """
        ...

    async def close(self) -> None:
        """Let go of what is open."""
        ...

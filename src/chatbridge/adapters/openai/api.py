"""By which of OpenAI's two APIs a model is asked, and over which HTTP client."""

from typing import Literal

Api = Literal["responses", "chat_completions"]
Http = Literal["httpx", "aiohttp"]
"""Who carries the bytes to a model's endpoint and back."""

"""By which of OpenAI's two APIs a model is asked."""

from typing import Literal

Api = Literal["responses", "chat_completions"]

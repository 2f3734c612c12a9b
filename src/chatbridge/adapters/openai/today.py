"""The date, which a model can't know by itself."""

from datetime import datetime


def dated(instructions: str | None, now: datetime) -> str:
    """The instructions with the day at their end, so that a prompt cache lives until midnight."""
    today = f"Today is {now:%A}, {now.day} {now:%B %Y} ({now:%Z})."
    return f"{instructions}\n\n{today}" if instructions else today

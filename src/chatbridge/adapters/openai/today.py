"""The date, which a model can't know by itself."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def now_in(zone: str | None) -> datetime:
    """Now in the zone of this IANA name; in UTC, where none is given or this machine knows none."""
    try:
        return datetime.now(ZoneInfo(zone or "UTC"))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return datetime.now(UTC)


def dated(instructions: str | None, now: datetime) -> str:
    """The instructions with the day at their end, so that a prompt cache lives until midnight."""
    zone = getattr(now.tzinfo, "key", None) or f"{now:%Z}"
    today = f"Today is {now:%A}, {now.day} {now:%B %Y} ({zone})."
    return f"{instructions}\n\n{today}" if instructions else today

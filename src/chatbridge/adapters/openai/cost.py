"""What an answer has cost, in whatever form an endpoint counts it."""

import math
from typing import Any, cast

from chatbridge.domain.model.usage import Usage

Json = dict[str, Any]
_READ = ("prompt_tokens", "input_tokens")
_WRITTEN = ("completion_tokens", "output_tokens")


def cost_of(told: Any) -> Usage | None:
    """The tokens, by the names of either API; None where none are counted."""
    if not isinstance(told, dict):
        return None
    given = cast(Json, told)
    read, written = (max(map(_number, map(given.get, names))) for names in (_READ, _WRITTEN))
    return Usage(input_tokens=read, output_tokens=written) if read or written else None


def cost_in_chat(told: Any) -> Json | None:
    """The same as Chat Completions tells it."""
    return _told(told, "prompt", "completion")


def cost_in_responses(told: Any) -> Json | None:
    """The same as the Responses API tells it."""
    return _told(told, "input", "output")


def _told(told: Any, side: str, other: str) -> Json | None:
    cost = cost_of(told)
    if cost is None:
        return None
    names = ("cached_tokens", "cache_write_tokens")
    return {
        f"{side}_tokens": cost.input_tokens,
        f"{other}_tokens": cost.output_tokens,
        "total_tokens": cost.input_tokens + cost.output_tokens,
        f"{side}_tokens_details": {name: _detail(told, _READ, name) for name in names},
        f"{other}_tokens_details": {
            "reasoning_tokens": _detail(told, _WRITTEN, "reasoning_tokens")
        },
    }


def _detail(told: Json, sides: tuple[str, ...], name: str) -> int:
    details = (told.get(f"{side}_details") for side in sides)
    return max(_number(cast(Json, d).get(name)) if isinstance(d, dict) else 0 for d in details)


def _number(value: Any) -> int:
    try:
        number = float(value) if isinstance(value, int | float | str) else 0.0
    except (ValueError, OverflowError):
        return 0
    return int(number) if 0 < number < 1e12 and math.isfinite(number) else 0

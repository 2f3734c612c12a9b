"""Names and ids of calls in the form that every endpoint permits."""

import hashlib
import re
from collections.abc import Collection, Iterable
from itertools import chain, count

_LONGEST = 64
_ID_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ID_LENGTH = 9
_SPECIAL = re.compile(r"<\|.*?(?:\|>|$)")
_ADDRESSED = re.compile(r".*\bto=\s*(\S+).*", re.S)
_BETWEEN = re.compile(r"[^a-zA-Z0-9_-]+|__")


def permitted_name(name: str) -> str:
    """The name in letters, digits, `_` and `-` of ASCII, 1 to 64 of them."""
    return re.sub(r"[^a-zA-Z0-9_-]", "_", name)[:_LONGEST] or "unnamed"


def meant_name(name: str, known: Collection[str]) -> str:
    """The known name that a model means, or a permitted one that says what it wrote.

    Models put namespaces in front of a name (`functions.add_task`, `default_api:add_task`), tokens
    of their template around it (`add_task<|channel|>json`, `<add_task>`) or a number behind it, or
    write it in another case (`Add_Task`, `addTask`).
    """
    if name in known:
        return name
    addressed = _ADDRESSED.sub(r"\1", name)
    written = next((part for part in _SPECIAL.split(addressed) if part.strip()), "")
    words = [word for word in _BETWEEN.split(written) if word and not word.isdigit()]
    if words and words[-1] in known:
        return words[-1]
    ways = (permitted_name(name), *words[-1:])
    return next(filter(None, (_cased(way, known) for way in ways)), ways[0])


def _cased(name: str, known: Collection[str]) -> str | None:
    """The only known name that differs by nothing but case, `_` and `-`."""
    same = [each for each in known if _plain(each) == _plain(name)]
    return same[0] if len(same) == 1 else None


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()


def apart(names: Iterable[str], taken: Collection[str] = ()) -> list[str]:
    """The names in permitted form, the second of two that are the same with a number."""
    found: list[str] = []
    for name in map(permitted_name, names):
        numbers = chain([""], (f"_{n}" for n in count(2)))
        candidates = (f"{name[: _LONGEST - len(n)]}{n}" for n in numbers)
        found.append(next(each for each in candidates if each not in found and each not in taken))
    return found


def short_id(id: str, taken: Collection[str] = ()) -> str:
    """Nine letters and digits that always stand for this id, unless they are taken already."""
    number = int.from_bytes(hashlib.sha256(id.encode()).digest())
    while (short := _in_letters(number)) in taken:
        number += 1
    return short


def _in_letters(number: int) -> str:
    digits: list[str] = []
    for _ in range(_ID_LENGTH):
        number, digit = divmod(number, len(_ID_LETTERS))
        digits.append(_ID_LETTERS[digit])
    return "".join(digits)

"""An exception as a log may have it: its type and where it was raised, and not what it says."""

from collections.abc import Iterator
from dataclasses import dataclass
from traceback import walk_tb

from chatbridge.entrypoints.logs.code import is_installed, named
from chatbridge.entrypoints.printable import in_short

_MOST_EXCEPTIONS = 6
_INNERMOST = 6
_MOST_FRAMES = 16
_LONGEST_NAME = 100
_LONGEST_WORDS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One exception. `at` are its places in the code, the innermost first; of those between that
    are installed packages' some may be left out. `words` are its own, where they are wanted."""

    type: str
    at: tuple[str, ...]
    words: str | None = None

    def __str__(self) -> str:
        said = f" ({self.words})" if self.words else ""
        return f"{self.type}{said}{' at ' if self.at else ''}{' < '.join(self.at)}"


def told(error: BaseException, *, words: bool) -> tuple[Told, ...]:
    """The exception, then those that it was raised from, or that it groups."""
    found: list[Told] = []
    for each in _related(error):
        said = _words(each) if words else None
        found.append(Told(type=_type(each), at=_places(each), words=said))
        if len(found) == _MOST_EXCEPTIONS:
            break
    return tuple(found)


def _related(error: BaseException) -> Iterator[BaseException]:
    waiting, seen = [error], set[int]()
    while waiting:
        each = waiting.pop(0)
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        if isinstance(each, BaseExceptionGroup):
            waiting += each.exceptions  # pyright: ignore[reportUnknownMemberType]
        cause = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
        waiting += [cause] if cause else []


def _type(error: BaseException) -> str:
    kind = type(error)
    module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return in_short(f"{module}{kind.__qualname__}", _LONGEST_NAME)


def _places(error: BaseException) -> tuple[str, ...]:
    frames = [(frame.f_code, line) for frame, line in walk_tb(error.__traceback__)][::-1]
    told = [
        f"{named(code.co_filename)}:{line} in {in_short(code.co_name, _LONGEST_NAME)}"
        for depth, (code, line) in enumerate(frames)
        if depth < _INNERMOST or not is_installed(code.co_filename)
    ]
    return tuple(told[:_MOST_FRAMES])


def _words(error: BaseException) -> str:
    try:
        return in_short(str(error), _LONGEST_WORDS)
    except Exception:
        return "its words can't be read"

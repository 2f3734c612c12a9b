"""Names under which the model sees the tools of several servers."""

import re
from collections import OrderedDict

_FORBIDDEN = re.compile(r"[^a-zA-Z0-9_-]")
_LONGEST = 64
_MOST_NAMES = 10_000

Target = tuple[str, str]
"""A server's name and its own name for the tool."""


class Names:
    """A name, once given, means the same tool of the same server for as long as this lives.

    So a call can't reach another server than the one whose description the model has read, even
    when servers come and go between the listing and the call. Of more than 10,000 names those
    that were not given for the longest time are forgotten.
    """

    def __init__(self) -> None:
        self._targets: dict[str, Target] = {}
        self._names: OrderedDict[Target, str] = OrderedDict()

    def of(self, target: Target) -> str:
        """The tool's own name; prefixed with its server's where that is taken, then numbered.

        Models accept letters, digits, `_` and `-`, at most 64; other characters become `_`.
        """
        if target not in self._names:
            name = self._free_name(target)
            self._names[target] = name
            self._targets[name] = target
            if len(self._names) > _MOST_NAMES:
                _, forgotten = self._names.popitem(last=False)
                del self._targets[forgotten]
        self._names.move_to_end(target)
        return self._names[target]

    def target(self, name: str) -> Target | None:
        """What the name was given to."""
        return self._targets.get(name)

    def _free_name(self, target: Target) -> str:
        server, tool = target
        for candidate in (_valid(tool), _valid(f"{server}_{tool}")):
            if candidate and candidate not in self._targets:
                return candidate
        number = 2
        while (name := _valid(f"{server}_{tool}", f"_{number}")) in self._targets:
            number += 1
        return name


def _valid(name: str, ending: str = "") -> str:
    return _FORBIDDEN.sub("_", name)[: _LONGEST - len(ending)] + ending

"""The ids of a host's items: ours, or those that it has read from us; all others are renamed."""

from uuid import uuid4

_PREFIXES = {
    "tool_call": "tc",
    "workflow": "wf",
    "task": "tsk",
    "sdk_hidden_context": "shcx",
    "attachment": "atc",
    "thread": "thr",
}


class Ids:
    """Of one turn. Models repeat their ids (`__fake_id__`), also within one turn."""

    def __init__(self) -> None:
        self.ours: set[str] = set()
        self._renamed: dict[str, str] = {}
        self._whole: set[str] = set()

    def new(self, kind: str = "message") -> str:
        """One of ours: a prefix as the SDK gives it, and 122 random bits."""
        id = f"{_PREFIXES.get(kind, 'msg')}_{uuid4().hex}"
        self.ours.add(id)
        return id

    def begins(self, id: str) -> str:
        """What an item is called that begins: a foreign id whose item is whole is another one."""
        if id not in self.ours and self._renamed.get(id) in self._whole:
            del self._renamed[id]
        return self.of(id)

    def of(self, id: str) -> str:
        """What it is called."""
        return id if id in self.ours else self._renamed.setdefault(id, self._renamed_from(id))

    def _renamed_from(self, id: str) -> str:
        return self._renamed.get(id) or self.new()

    def known(self, id: str) -> str:
        """What it is called where it has been heard of, else as it is: it may be kept."""
        return self._renamed.get(id, id)

    def ends(self, id: str) -> None:
        """Its item is whole."""
        self._whole.add(id)

"""What a client sends to Postgres on one connection, as far as it takes to know what it runs."""

_PARSE, _EXECUTE = b"P", b"E"
_HEADER = 5


class Sent:
    """Reads the messages of the extended protocol; those of the start have no type and are few."""

    def __init__(self) -> None:
        self._rest = b""
        self._started = False
        self._statement = b""

    def run_by(self, data: bytes) -> bytes:
        """The text of the statement that is run by what has just been sent; empty if none is."""
        if not self._started:
            # a start-up message begins with its length, whose first byte is never a letter
            self._started = True
            return b""
        self._rest += data
        run = b""
        while len(self._rest) >= _HEADER:
            length = 1 + int.from_bytes(self._rest[1:_HEADER])
            if len(self._rest) < length:
                break
            kind, body = self._rest[:1], self._rest[_HEADER:length]
            self._rest = self._rest[length:]
            if kind == _PARSE:
                self._statement = body
            run = self._statement if kind == _EXECUTE else run
        return run

"""The key of a start: in development, whoever has it may be anybody."""

import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

_BYTES = 24


class Key:
    """Made anew for each server; in the address that it prints, and in a file that only its own
    user may read (mode 0600), named after its port: a directory may have several servers."""

    def __init__(self, directory: Path, port: int) -> None:
        self.directory = directory.absolute()
        self.value = secrets.token_urlsafe(_BYTES)
        self._file = self.directory / file_name(port)

    def fits(self, shown: str) -> bool:
        """Whether this is it, in the same time for every guess."""
        return secrets.compare_digest(self.value.encode(), shown.encode())

    @contextmanager
    def kept(self) -> Generator[None]:
        """In its file, for as long as the context lasts. Raises ValueError where that can't be."""
        try:
            self._write()
        except OSError as error:
            raise ValueError(
                f"The key of the chat page can't be kept in {self.directory} ({error.strerror}): "
                "set CHATBRIDGE_DATA_DIR to a directory that chatbridge may write."
            ) from error
        try:
            yield
        finally:
            self._file.unlink(missing_ok=True)

    def _write(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        draft = self._file.with_name(f".{self._file.name}-{secrets.token_hex(8)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(self.value)
        draft.replace(self._file)


def file_name(port: int) -> str:
    """What the file of the server at this port is called, in the directory that it keeps."""
    return f"key-{port}"

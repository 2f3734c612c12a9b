"""The secret of this installation, for those who have not set one."""

import os
import secrets
from contextlib import suppress
from pathlib import Path


def secret_in(directory: Path) -> bytes:
    """The 32 random bytes kept in `directory`/secret (mode 0600), made when they are missing."""
    path = directory / "secret"
    if not path.exists():
        directory.mkdir(parents=True, exist_ok=True)
        _make(path)
    return bytes.fromhex(path.read_text())


def _make(path: Path) -> None:
    # linked into place when it is whole: of two that start at once, one wins for both
    draft = path.with_name(f".secret-{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()

"""The secret of this installation, for those who have not set one."""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile


def secret_in(directory: Path) -> bytes:
    """The 32 random bytes kept in `directory`/secret (mode 0600), made when they are missing."""
    path = directory / "secret"
    if not path.exists():
        directory.mkdir(parents=True, exist_ok=True)
        # linked into place when it is whole: of two that start at once, one wins for both
        with NamedTemporaryFile("w", dir=directory, prefix=".secret-") as draft:
            draft.write(secrets.token_hex(32))
            draft.flush()
            with suppress(FileExistsError):
                os.link(draft.name, path)
    return bytes.fromhex(path.read_text())

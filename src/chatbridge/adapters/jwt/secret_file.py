"""The secret of this installation, for those who have not set one."""

import os
import secrets
from pathlib import Path


def secret_in(directory: Path) -> bytes:
    """The 32 random bytes kept in `directory`/secret (mode 0600), made when they are missing."""
    path = directory / "secret"
    directory.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return bytes.fromhex(path.read_text().strip())
    with os.fdopen(descriptor, "w") as file:
        secret = secrets.token_bytes(32)
        file.write(secret.hex())
    return secret

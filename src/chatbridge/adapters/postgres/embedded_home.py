"""Where an embedded cluster lives, and which account runs it.

    <home>/          ours; lock, password and log are for us alone
      lock           held by the server's every process, so it is free only when all are gone
      password       of the kept kind: the next start answers to the same URL
      server.log
      data/  run/    the server account's: the cluster, the socket
      install/       a copy of the programs, when the account cannot reach the originals

Postgres refuses to run as root, so root gives `data` and `run` to another account. Nobody
else's directory is ever made more open for that account: what it cannot reach is put elsewhere.
"""

import hashlib
import os
import pwd
import secrets
import shutil
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from chatbridge.adapters.postgres.embedded_errors import EmbeddedPostgresError

REFUGE = Path("/var/tmp")  # noqa: S108 - outlives a reboot; what we make there is checked to be ours
"""Where root keeps a cluster that was asked for in a place its account cannot reach."""

_OUR_FILES = {"lock", "password", "data"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user of this machine."""

    name: str
    uid: int
    gid: int

    def can_enter(self, path: Path) -> bool:
        """Whether this account may pass `path` and every directory above it."""
        return all(self._may_search(each) for each in (path, *path.parents))

    def take(self, path: Path) -> None:
        """Make `path`, and all that is in it, belong to this account."""
        os.chown(path, self.uid, self.gid, follow_symlinks=False)
        for above, directories, files in os.walk(path):
            for name in (*directories, *files):
                os.chown(Path(above, name), self.uid, self.gid, follow_symlinks=False)

    def _may_search(self, path: Path) -> bool:
        status = path.stat()
        if status.st_uid == self.uid:
            return bool(status.st_mode & stat.S_IXUSR)
        bit = stat.S_IXGRP if status.st_gid == self.gid else stat.S_IXOTH
        return bool(status.st_mode & bit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """The directory of one cluster; `account` is None where we run the server as ourselves."""

    path: Path
    account: Account | None
    kept: bool
    asked: Path | None = None

    @property
    def data(self) -> Path:
        """The cluster itself, there once it has been made completely."""
        return self.path / "data"

    @property
    def run(self) -> Path:
        """The directory of the Unix socket, made anew at each start."""
        return self.path / "run"

    @property
    def log(self) -> Path:
        """What the server and initdb say."""
        return self.path / "server.log"

    @property
    def is_refuge(self) -> bool:
        """Whether the cluster is kept elsewhere than where it was asked for."""
        return self.path.parent == REFUGE.resolve() and self.asked != self.path

    def give(self, path: Path) -> None:
        """Let the server's account own `path` and what is in it."""
        if self.account:
            self.account.take(path)

    def fresh_directory(self, name: str) -> Path:
        """An empty, private directory of ours in the home; a former one of that name is gone."""
        directory = self.path / name
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(mode=0o700)
        return directory

    def read_password(self) -> str:
        """The password in the home's own file, made at the first call."""
        file = self.path / "password"
        with suppress(FileExistsError):
            write_private(file, secrets.token_hex(16))
        return file.read_text().strip()


def throw_away_home() -> Home:
    """A new directory that is removed when its server stops."""
    account = _other_account()
    for parent in (Path(tempfile.gettempdir()), Path("/tmp"), REFUGE):  # noqa: S108 - mkdtemp makes it
        if account is None or account.can_enter(parent.resolve()):
            break
    home = Home(
        path=Path(tempfile.mkdtemp(prefix="chatbridge-", dir=parent)).resolve(),
        account=account,
        kept=False,
    )
    # The supervisor, which runs as that account, removes the directory when we cannot.
    home.give(home.path)
    return home


def kept_home(directory: Path) -> Home:
    """The home at `directory`, made when missing, or the refuge that stands in for it.

    Raises EmbeddedPostgresError when the directory cannot be used.
    """
    asked = directory.expanduser().absolute()
    try:
        return _kept_home(asked)
    except OSError as error:
        raise EmbeddedPostgresError(
            f"{asked} cannot hold the database ({error}): choose another directory, "
            "or set DATABASE_URL"
        ) from error


def write_private(file: Path, text: str) -> None:
    """Write a new file that only we can read; raises FileExistsError."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w") as stream:
        stream.write(f"{text}\n")


def _kept_home(asked: Path) -> Home:
    place = asked.resolve()
    place.parent.mkdir(parents=True, exist_ok=True)
    account = _owner_of(place / "data") or _other_account()
    refuge = _refuge_of(asked)
    if account and (place == refuge or not account.can_enter(place.parent)):
        _move_to_refuge(asked, place, refuge, account)
        place = refuge
    _claim(place, account)
    return Home(path=place, account=account, kept=True, asked=asked)


def _other_account() -> Account | None:
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return _account(pwd.getpwnam(name))
    raise EmbeddedPostgresError(
        "Postgres does not run as root, and there is no user 'postgres' or 'nobody': "
        "start chatbridge as another user, or set DATABASE_URL"
    )


def _owner_of(data: Path) -> Account | None:
    """Whoever has been running the cluster goes on doing so, whichever accounts came since."""
    if os.geteuid() != 0 or not data.exists() or data.stat().st_uid == 0:
        return None
    status = data.stat()
    return Account(name=str(status.st_uid), uid=status.st_uid, gid=status.st_gid)


def _account(entry: pwd.struct_passwd) -> Account:
    return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)


def _refuge_of(asked: Path) -> Path:
    digest = hashlib.sha256(os.fsencode(asked)).hexdigest()
    return REFUGE.resolve() / f"chatbridge-{digest[:16]}"


def _move_to_refuge(asked: Path, place: Path, refuge: Path, account: Account) -> None:
    if place != refuge and place.exists() and any(place.iterdir()):
        raise EmbeddedPostgresError(
            f"{place} is not empty, and user {account.name}, who runs Postgres for root, cannot "
            "reach it: move it out of directories that only root can enter"
        )
    refuge.mkdir(mode=0o711, exist_ok=True)
    # Others may write to the refuge's parent, so the name could have been taken by one of them.
    if refuge.lstat().st_uid != os.geteuid() or not stat.S_ISDIR(refuge.lstat().st_mode):
        raise EmbeddedPostgresError(f"{refuge} is not ours: remove it, or set DATABASE_URL")
    if place != refuge:
        with suppress(FileNotFoundError):
            place.rmdir()
        asked.symlink_to(refuge)


def _claim(place: Path, account: Account | None) -> None:
    place.mkdir(mode=0o700, exist_ok=True)
    found = {each.name for each in place.iterdir()}
    if found and not found & _OUR_FILES:
        raise EmbeddedPostgresError(
            f"{place} is not empty and holds no database of chatbridge: choose another directory"
        )
    if place.stat().st_uid == os.geteuid():
        place.chmod(0o711 if account else 0o700)

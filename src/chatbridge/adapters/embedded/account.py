"""The account that runs Postgres, which refuses to run as root."""

import os
import pwd
from contextlib import suppress
from pathlib import Path
from typing import TypedDict

from chatbridge.adapters.embedded.errors import EmbeddedPostgresError


class Account(TypedDict, total=False):
    """Whom `subprocess` runs a program as; empty: as ourselves."""

    user: int
    group: int
    extra_groups: list[int]


def account_for(data: Path) -> Account:
    """Whoever owns the cluster goes on running it; root's is run by `postgres` or `nobody`.

    Raises EmbeddedPostgresError where root has neither.
    """
    if os.geteuid() != 0:
        return Account()
    if data.exists() and (owner := data.stat()).st_uid != 0:
        return Account(user=owner.st_uid, group=owner.st_gid, extra_groups=[])
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(user=entry.pw_uid, group=entry.pw_gid, extra_groups=[])
    raise EmbeddedPostgresError(
        "Postgres does not run as root, and there is no user 'postgres' or 'nobody': "
        "start chatbridge as another user, or set DATABASE_URL"
    )


def give(directory: Path, account: Account) -> None:
    """Make our own directory private, and with all that is in it the account's."""
    directory.chmod(0o700)
    if account and directory.stat().st_uid == os.geteuid():
        for each in (directory, *directory.rglob("*")):
            os.chown(each, account.get("user", -1), account.get("group", -1), follow_symlinks=False)

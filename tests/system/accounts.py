"""An account without rights, for programs that refuse to run as root."""

import os
import pwd
from contextlib import suppress
from pathlib import Path
from typing import Any

_ACCOUNTS = ("postgres", "nobody")


def without_rights(home: Path) -> dict[str, Any]:
    """What `Popen` needs to run a program as somebody who owns `home`; as root only."""
    if os.geteuid() != 0:
        return {}
    account = _account()
    for path in (home, *home.iterdir()):
        os.chown(path, account.pw_uid, account.pw_gid)
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _account() -> pwd.struct_passwd:
    for name in _ACCOUNTS:
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise RuntimeError(f"no account to run a program as: {' or '.join(_ACCOUNTS)}")

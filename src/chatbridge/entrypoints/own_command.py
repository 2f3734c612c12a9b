"""The `chatbridge` command as it was called, so that what is printed can be pasted."""

import shlex
import shutil
import sys
from pathlib import Path

_USUAL = "http://127.0.0.1:8000"


def at(url: str) -> str:
    """What has to be said for a server that is not where the command looks by itself."""
    return "" if url.rstrip("/") == _USUAL else f" --url {shlex.quote(url)}"


def own_command() -> str:
    """Its shortest spelling that works in this directory."""
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return f"{_short(Path(sys.executable))} -m chatbridge"
    return _short(called)


def _short(program: Path) -> str:
    found, here = shutil.which(program.name), Path.cwd()
    path = program.absolute()
    if found and Path(found).absolute() == path:
        return program.name
    return shlex.quote(str(path.relative_to(here) if path.is_relative_to(here) else path))

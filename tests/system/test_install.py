"""The install takes what the locks name, however many newer releases there are.

A package index on loopback has two wheels of every package: one of the locked version, with the
dependencies of the real one, and one of a version that is newer. The Makefile installs from it.
"""

import hashlib
import io
import os
import shutil
import subprocess
import sys
import threading
import tomllib
import zipfile
from collections.abc import Mapping
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import PackageNotFoundError, distribution, distributions
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
SERVER, BUILD, DEV = "requirements.lock", "requirements-build.lock", "requirements-dev.lock"
LLAMA = "tests/system/llama/requirements.lock"
NEWER = "9999"


def named_by(lock: str) -> list[Requirement]:
    """The lines of a lock."""
    lines = (ROOT / lock).read_text().splitlines()
    return [Requirement(line.rstrip(" \\")) for line in lines if line[:1].isalnum()]


def versions(*locks: str) -> dict[str, str]:
    """What the locks name for this machine."""
    named = [each for lock in locks for each in named_by(lock)]
    return {each.name: pin(each) for each in named if not each.marker or each.marker.evaluate()}


def pin(line: Requirement) -> str:
    """The version that a line of a lock asks for."""
    return str(line.specifier).removeprefix("==")


def metadata(name: str, version: str) -> str:
    """That of this version: the dependencies are those of the package that is installed here."""
    try:
        real = distribution(name).metadata
    except PackageNotFoundError:  # one of another platform
        return f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    kept = [
        f"{field}: {value}\n"
        for field, value in real.items()
        if field in ("Provides-Extra", "Requires-Dist")
    ]
    return f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{''.join(kept)}"


def code(name: str) -> dict[str, bytes]:
    """The files of a package that is installed here."""
    files = distribution(name).files or []
    return {str(file): file.read_binary() for file in files if file.suffix in (".py", ".txt")}


def wheel(name: str, version: str, files: Mapping[str, bytes | str]) -> bytes:
    """A wheel with these files."""
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    files = {
        **files,
        f"{info}/METADATA": metadata(name, version),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": "",
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, content in files.items():
            # a date of its own would give each a hash of its own
            archive.writestr(zipfile.ZipInfo(path), content)
    return packed.getvalue()


class Copy:
    """The project's install in a folder of its own, with an index of its own."""

    def __init__(self, folder: Path) -> None:
        self.project = folder / "project"
        self.index = folder / "index"
        self.project.mkdir(parents=True)
        for name in ("Makefile", "pyproject.toml", "README.md"):
            shutil.copy(ROOT / name, self.project)
        (self.project / "src").symlink_to(ROOT / "src")
        for lock in (SERVER, BUILD, DEV, LLAMA):
            lines = [self.publish(line) for line in named_by(lock)]
            (self.project / lock).parent.mkdir(parents=True, exist_ok=True)
            (self.project / lock).write_text("\n".join(lines) + "\n")

    def publish(self, line: Requirement) -> str:
        """Put both wheels on the index; the line of a lock that names the older one."""
        built_with = line.name in versions(BUILD)
        older = wheel(line.name, pin(line), code(line.name) if built_with else {})
        place = self.index / canonicalize_name(line.name)
        place.mkdir(parents=True, exist_ok=True)
        for version, content in ((pin(line), older), (NEWER, wheel(line.name, NEWER, {}))):
            stem = f"{line.name.replace('-', '_')}-{version}"
            (place / f"{stem}-py3-none-any.whl").write_bytes(content)
        return f"{line} --hash=sha256:{hashlib.sha256(older).hexdigest()}"

    def make(self, target: str) -> subprocess.CompletedProcess[str]:
        """`make` of this target, with the index and nothing else."""
        handler = partial(Quiet, directory=str(self.index))
        with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever).start()
            environment = {
                "PATH": os.environ["PATH"],
                "HOME": str(self.project),
                "PIP_CONFIG_FILE": os.devnull,
                "PIP_NO_CACHE_DIR": "1",
                "PIP_INDEX_URL": f"http://127.0.0.1:{server.server_port}",
            }
            try:
                return subprocess.run(  # noqa: S603
                    ["make", target, f"PYTHON={sys.executable}"],  # noqa: S607
                    cwd=self.project,
                    env=environment,
                    capture_output=True,
                    text=True,
                    check=False,
                )
            finally:
                server.shutdown()

    def installed(self, folder: str = ".venv/lib/python*/site-packages") -> dict[str, str]:
        """What is in the environment now, or in another folder."""
        places = [str(place) for place in self.project.glob(folder)]
        return {each.name: each.version for each in distributions(path=places)}

    def complete(self) -> bool:
        """Whether nothing is missing of what the packages that are installed ask for."""
        pip = [self.project / ".venv/bin/python", "-m", "pip", "check"]
        return subprocess.run(pip, capture_output=True, check=False).returncode == 0  # noqa: S603


class Quiet(SimpleHTTPRequestHandler):
    """Folders of wheels are an index as they are."""

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def test_the_installs_take_the_locked_versions(tmp_path: Path) -> None:
    copy = Copy(tmp_path)
    server = copy.make(".venv/.server")
    assert server.returncode == 0, server.stderr
    assert copy.installed().items() >= versions(SERVER, BUILD).items()
    dev = copy.make(".venv/.dev")
    assert dev.returncode == 0, dev.stderr
    assert copy.installed().items() >= versions(SERVER, BUILD, DEV).items()
    apart = copy.make(".venv/llama/.installed")
    assert apart.returncode == 0, apart.stderr
    assert copy.installed(".venv/llama") == versions(LLAMA)
    assert not copy.installed().keys() & versions(LLAMA).keys()
    assert copy.complete()


def test_a_build_without_the_lock_meets_a_newer_one(tmp_path: Path) -> None:
    copy = Copy(tmp_path)
    makefile = copy.project / "Makefile"
    makefile.write_text(makefile.read_text().replace("--no-build-isolation", ""))
    made = copy.make(".venv/.server")
    assert made.returncode
    assert "No module named 'hatchling'" in made.stderr


def test_what_the_build_asks_for_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = project["build-system"]["requires"]
    assert asked == project["dependency-groups"]["build"]
    for line in map(Requirement, asked):
        assert line.specifier.contains(versions(BUILD)[line.name])

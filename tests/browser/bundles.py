"""The element's sources as scripts, bundled by its own build."""

import shutil
import subprocess
from pathlib import Path

ELEMENT = Path(__file__).resolve().parents[2] / "element"
SHIPPED = ELEMENT.parent / "src/chatbridge/entrypoints/page/static/chatkit.js"
AXE = ELEMENT / "node_modules/axe-core/axe.min.js"


class NoBundle(Exception):
    """The build failed; the text says why."""


def element(into: Path) -> str:
    """The element as it ships, of the sources as they are now."""
    return _built(into, str(into))


def modules(into: Path) -> str:
    """element/test/modules.ts: the parts of the element, as the global `modules`."""
    return _built(into, "--tests", str(into))


def _built(into: Path, *arguments: str) -> str:
    node = shutil.which("node")
    if node is None or not AXE.exists():
        raise NoBundle("the browser tests need Node and element/node_modules: `make test-browser`")
    build = subprocess.run(  # noqa: S603 - our own build
        [node, "build.mjs", *arguments], cwd=ELEMENT, capture_output=True, text=True, check=False
    )
    if build.returncode:
        raise NoBundle(build.stderr)
    return into.read_text()

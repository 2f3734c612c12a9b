"""The element's sources as scripts, bundled by its own build."""

import shutil
import subprocess
from pathlib import Path

ELEMENT = Path(__file__).resolve().parents[2] / "element"
SHIPPED = ELEMENT.parent / "src/chatbridge/entrypoints/page/static"
AXE = ELEMENT / "node_modules/axe-core/axe.min.js"


class NoBundle(Exception):
    """The build failed; the text says why."""


def element(into: Path) -> dict[str, str]:
    """The files of the element as it ships, by their names, of the sources as they are now."""
    _build(str(into))
    return {file.name: file.read_text() for file in into.iterdir()}


def modules(into: Path) -> str:
    """element/test/modules.ts: the parts of the element, as the global `modules`."""
    _build("--tests", str(into))
    return into.read_text()


def _build(*arguments: str) -> None:
    node = shutil.which("node")
    if node is None or not AXE.exists():
        raise NoBundle("the browser tests need Node and element/node_modules: `make test-browser`")
    build = subprocess.run(  # noqa: S603 - our own build
        [node, "build.mjs", *arguments], cwd=ELEMENT, capture_output=True, text=True, check=False
    )
    if build.returncode:
        raise NoBundle(build.stderr)

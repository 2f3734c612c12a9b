"""The Chromium of a run: which one, how it is started, and what may not happen in its pages."""

import os
import re
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Playwright,
    WebError,
)

ARTEFACTS = Path(__file__).parent / "artefacts"

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# No name but loopback's leads anywhere, so that nothing outside can help a page or hear of it.
_NOWHERE = "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--use-fake-device-for-media-stream",
    f"--host-resolver-rules={_NOWHERE}",
)

# A page's own errors and its console's are heard anyway; what a policy refuses is told in words.
_TELL_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy violated: ${event.violatedDirective} by ${event.blockedURI}`));
"""


class NoChromium(Exception):
    """There is none on this machine."""


def executable() -> str:
    """The path of the browser; raises NoChromium."""
    given = os.environ.get("CHROMIUM")
    found = next(filter(None, map(shutil.which, [given] if given else _NAMES)), None)
    if found is None:
        raise NoChromium("no Chromium here: `make test-browser` installs it, CHROMIUM names one")
    return found


@asynccontextmanager
async def launched(playwright: Playwright, net_log: Path, *more: str) -> AsyncGenerator[Browser]:
    """A browser whose net log is whole in `net_log` once it is closed."""
    net_log.parent.mkdir(parents=True, exist_ok=True)
    browser = await playwright.chromium.launch(
        executable_path=executable(), args=[*_ARGUMENTS, f"--log-net-log={net_log}", *more]
    )
    try:
        yield browser
    finally:
        await browser.close()


class Watch:
    """Whatever goes wrong in the pages: errors, an error in the console, a violated policy."""

    def __init__(self) -> None:
        self.troubles: list[str] = []
        self._expected: list[str] = []

    def expect(self, *patterns: str) -> None:
        """Say that a trouble like this may happen in this test."""
        self._expected += patterns

    def forget(self) -> None:
        """Begin a test."""
        self.troubles.clear()
        self._expected.clear()

    def unexpected(self) -> list[str]:
        """The troubles that no pattern was said for."""
        return [t for t in self.troubles if not any(re.search(p, t) for p in self._expected)]

    async def over(self, context: BrowserContext) -> None:
        """Hear of all that goes wrong in the context's pages."""
        context.on("weberror", self._error)
        context.on("console", self._said)
        await context.add_init_script(_TELL_VIOLATIONS)

    def _error(self, told: WebError) -> None:
        error = told.error
        self.troubles.append(f"page error: {error.stack if isinstance(error, Error) else error}")

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            where = message.location.get("url", "")
            self.troubles.append(f"console: {message.text} ({where})")

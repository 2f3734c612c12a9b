"""A real nginx with the repository's configuration, in front of servers of a test."""

import asyncio
import os
import re
import shutil
import ssl
import subprocess
import tempfile
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import httpx

from tests.ports import free_port
from tests.system.accounts import without_rights
from tests.system.certificate import self_signed

CONFIGURATION = Path(__file__).resolve().parents[2] / "deploy" / "nginx.conf"

_START_SECONDS = 10.0
# where Debian's nginx would write
_FOLDERS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """An nginx that runs: its addresses, and what its certificate is checked with."""

    port: int
    plain_port: int
    trust: ssl.SSLContext
    log: Path

    @property
    def url(self) -> str:
        """Where browsers would go."""
        return f"https://localhost:{self.port}"

    def client(self, token: str = "") -> httpx.AsyncClient:
        """A client of it, signed in by `token`."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.AsyncClient(base_url=self.url, verify=self.trust, headers=headers, timeout=30)

    async def connected(self, source: str = "127.0.0.1") -> tuple[StreamReader, StreamWriter]:
        """A bare connection from this address of loopback's."""
        return await asyncio.open_connection(
            "127.0.0.1",
            self.port,
            ssl=self.trust,
            server_hostname="localhost",
            local_addr=(source, 0),
        )


@cache
def program() -> str:
    """The nginx of the run; `make test-system` finds one, or says what is missing."""
    found = shutil.which(os.environ.get("NGINX", "nginx"))
    if found is None:
        raise RuntimeError("no nginx: run `make test-system`, or set NGINX")
    return found


def version() -> str:
    """Of that nginx."""
    said = subprocess.run([program(), "-v"], capture_output=True, text=True, check=True).stderr  # noqa: S603
    return said.strip().rpartition("/")[2]


def configuration(home: Path, ports: tuple[int, int], *upstreams: str, prefix: str = "/") -> str:
    """The repository's, with what is marked as the reader's own changed.

    `prefix` is changed as docs/deployment.md says.
    """
    text = CONFIGURATION.read_text()
    plain, secure = ports
    servers = "\n".join(f"server {httpx.URL(url).netloc.decode()};" for url in upstreams)
    changes = [
        ("server 127.0.0.1:8000;", servers),
        ("listen 80;", f"listen 127.0.0.1:{plain};"),
        ("listen 443 ssl http2;", f"listen 127.0.0.1:{secure} ssl http2;"),
        ("/etc/ssl/chat.example.com/fullchain.pem", str(home / "certificate.pem")),
        ("/etc/ssl/chat.example.com/privkey.pem", str(home / "key.pem")),
        ("\nhttp {\n", f"\nhttp {{\naccess_log off;\n{_folders()}\n"),
    ]
    if prefix != "/":
        changes.append(("location / {", f"location {prefix} {{"))
        changes.append(("proxy_pass http://chatbridge;", "proxy_pass http://chatbridge/;"))
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def _folders() -> str:
    return "\n".join(f"{name}_temp_path {name};" for name in _FOLDERS)


@asynccontextmanager
async def fronted(*upstreams: str, prefix: str = "/") -> AsyncGenerator[Front]:
    """nginx on free ports of 127.0.0.1, in front of the servers at these addresses."""
    home = Path(tempfile.mkdtemp(prefix="chatbridge-nginx-"))
    certificate, _ = self_signed(home)
    trust = ssl.create_default_context(cafile=certificate)
    ports = free_port(), free_port()
    async with _running(home, configuration(home, ports, *upstreams, prefix=prefix), ports[1]):
        yield Front(port=ports[1], plain_port=ports[0], trust=trust, log=home / "error.log")


@asynccontextmanager
async def thoughtless(upstream: str) -> AsyncGenerator[str]:
    """The address of an nginx with one `proxy_pass` and its own defaults, in front of this one."""
    home, port = Path(tempfile.mkdtemp(prefix="chatbridge-nginx-")), free_port()
    server = f"server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass {upstream}; }} }}"
    text = f"events {{}} http {{ access_log access.log; {_folders()} {server} }}"
    async with _running(home, text, port):
        yield f"http://127.0.0.1:{port}"


@asynccontextmanager
async def _running(home: Path, text: str, port: int) -> AsyncGenerator[None]:
    (home / "nginx.conf").write_text(text)
    log = home / "error.log"
    process = subprocess.Popen(  # noqa: ASYNC220, S603  # a start takes no time worth waiting for
        [
            *(program(), "-p", str(home), "-c", "nginx.conf", "-e", "error.log"),
            *("-g", "daemon off; pid nginx.pid;"),
        ],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **without_rights(home),
    )
    try:
        await _listening(process, port, log)
        yield
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(home)


async def _listening(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    async with asyncio.timeout(_START_SECONDS):
        while True:
            if process.poll() is not None:
                raise RuntimeError(f"nginx ended: {_last_words(log)}")
            with suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.02)


def _last_words(log: Path) -> str:
    return log.read_text() if log.exists() else "(it left no log)"


def seconds(directive: str) -> float:
    """What the configuration says for this directive, the first time."""
    found = re.search(rf"\b{directive} (\d+)s;", CONFIGURATION.read_text())
    assert found, directive
    return float(found[1])

"""Everything for a browser at once: Postgres, chatbridge and the web app; `make web` runs it.

What the children say goes to .chatbridge/web; when one of them dies, the others are ended.
"""

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Iterable, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NoReturn

from pydantic import ValidationError

from chatbridge.adapters.embedded.server import EmbeddedPostgres
from chatbridge.adapters.jwt.secret_file import secret_in
from chatbridge.adapters.postgres.migrate import upgrade
from chatbridge.domain.model.errors import ChatbridgeError
from chatbridge.environment import worded
from chatbridge.settings import Settings
from scripts.web_role import NoRole, own_role

FRONTEND = Path(__file__).resolve().parent.parent / "frontend"
NEXT = FRONTEND / "node_modules" / "next" / "dist" / "bin" / "next"

_SOURCES = ("app", "components", "lib", "*.ts", "*.mjs", "package-lock.json", "tsconfig.json")
# what the web app gets of our environment: how to run, and what is its own
_SYSTEMS = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "NODE_OPTIONS", "NODE_EXTRA_CA_CERTS")
APPS = (
    "AUTH_ADDRESS_HEADER",
    "AUTH_RATE_LIMIT",
    "AUTH_TOKEN_ALGORITHM",
    "CHATBRIDGE_ALLOWED_IMAGE_DOMAINS",
    "CHATBRIDGE_BLOBS__ENDPOINT",
    "CHATKIT_DOMAIN_KEY",
    "CHATKIT_SESSIONS",
)
_START_SECONDS = 60.0
_STOP_SECONDS = 20.0
_LAST_LINES = 20


class Failed(Exception):
    """It can't go on; says why, for the person."""


@dataclass
class Child:
    """A server that we start and end; what it says is kept where only we read it.

    `greets`: its standard output is for whoever starts it by hand, and is in no log.
    """

    name: str
    command: list[str]
    directory: Path
    environment: dict[str, str]
    log: Path
    ready_at: str
    greets: bool = False
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers. Raises Failed."""
        with _own_file(self.log) as output:
            self.process = subprocess.Popen(  # noqa: S603
                self.command,
                cwd=self.directory,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL if self.greets else output,
                stderr=output,
                # Ctrl-C is for us: we end the children, in order
                start_new_session=True,
            )
        deadline = time.monotonic() + _START_SECONDS
        while not _answers(self.ready_at):
            self.require_alive()
            if time.monotonic() > deadline:
                raise Failed(f"{self.name} did not answer at {self.ready_at}.{self._last_words()}")
            time.sleep(0.05)

    def require_alive(self) -> None:
        """Raises Failed, with its last words, when it has ended."""
        if self.process is None or self.process.poll() is not None:
            raise Failed(f"{self.name} has ended.{self._last_words()}")

    def stop(self) -> None:
        """End it in good order, or by force after 20 seconds."""
        process, self.process = self.process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[-_LAST_LINES:]
        return "".join(f"\n  {line}" for line in lines)


@dataclass(frozen=True)
class Web:
    """All of it, running."""

    url: str
    server_url: str
    app: Child
    server: Child


@contextmanager
def running(
    *,
    database_url: str,
    directory: Path,
    settings_from: Path,
    web_port: int,
    port: int,
    schema: str = "chatbridge",
    environment: Mapping[str, str],
) -> Generator[Web]:
    """chatbridge and the web app on these ports of 127.0.0.1, over a database that is there.

    `directory` keeps the logs and the sign-in's secret; chatbridge reads its `.env` in
    `settings_from`. `environment` is the children's. Raises Failed.
    """
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o700)
    url, server_url = f"http://127.0.0.1:{web_port}", f"http://127.0.0.1:{port}"
    shared = {
        "DATABASE_URL": database_url,
        "BETTER_AUTH_URL": url,
        "BETTER_AUTH_SECRET": environment.get("BETTER_AUTH_SECRET") or secret_in(directory).hex(),
    }
    # a browser reaches the app alone
    public = {"CHATBRIDGE_BLOBS__PUBLIC_URL": f"{url}/api/chatbridge"}
    apps = _of_app(environment, shared, server_url)
    app = Child(
        name="The web app",
        command=[node(), str(NEXT), "start", "-H", "127.0.0.1", "-p", str(web_port)],
        directory=FRONTEND,
        environment=apps,
        log=directory / "app.log",
        ready_at=f"{url}/api/auth/ok",
    )
    server = Child(
        name="chatbridge",
        command=[sys.executable, "-m", "chatbridge", "serve"],
        directory=settings_from,
        environment=_of_server({**public, **environment, **shared}, port),
        log=directory / "server.log",
        ready_at=f"{server_url}/readyz",
        greets=True,
    )
    upgrade(database_url, schema)
    _run("scripts/element.mjs", apps)
    _run("scripts/migrate.mjs", apps)
    with ExitStack() as started:
        given = environment.get("WEB_DATABASE_URL")
        app.environment = apps | {
            "DATABASE_URL": given or started.enter_context(own_role(database_url))
        }
        # the web app first: chatbridge asks it for its keys
        for child in (app, server):
            started.callback(child.stop)
            child.start()
        yield Web(url, server_url, app, server)


def build() -> None:
    """Build the web app, unless it has been since its sources changed. Raises Failed."""
    if not NEXT.exists():
        raise Failed(
            "The web app's packages are missing: run `npm ci --ignore-scripts` in frontend/."
        )
    built = FRONTEND / ".next" / "BUILD_ID"
    newest = max(path.stat().st_mtime for path in _sources())
    if built.exists() and built.stat().st_mtime > newest:
        return
    print("Building the web app ...", flush=True)
    _run(str(NEXT), _for_node(os.environ), "build")


def client_tools() -> dict[str, str]:
    """The setting that tells chatbridge what its page can run."""
    return {"CHATBRIDGE_AGENT__CLIENT_TOOLS": (FRONTEND / "client-tools.json").read_text()}


def node() -> str:
    """The path of Node. Raises Failed when there is none."""
    found = shutil.which("node")
    if found is None:
        raise Failed("Node 20.9 or later is needed: https://nodejs.org.")
    return found


def require_free(*ports: int) -> None:
    """Raises Failed for a port of 127.0.0.1 on which somebody listens."""
    for port, variable in zip(ports, ("WEB_PORT", "PORT"), strict=False):
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError as error:
            why = f"Can't listen on 127.0.0.1:{port} ({os.strerror(error.errno or 0)})"
            raise Failed(f"{why}: set {variable} to a free one.") from error


def _of_app(
    environment: Mapping[str, str], shared: Mapping[str, str], server_url: str
) -> dict[str, str]:
    own = {name: environment[name] for name in APPS if name in environment}
    return {**_for_node(environment), **own, **shared, "CHATBRIDGE_URL": server_url}


def _for_node(environment: Mapping[str, str]) -> dict[str, str]:
    kept = {name: environment[name] for name in _SYSTEMS if name in environment}
    return {**kept, "NEXT_TELEMETRY_DISABLED": "1", "NODE_ENV": "production"}


def _own_file(path: Path) -> BinaryIO:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.fchmod(descriptor, 0o600)
    return os.fdopen(descriptor, "wb")


def _of_server(shared: Mapping[str, str], port: int) -> dict[str, str]:
    environment = {**shared, "PORT": str(port)}
    if shared.get("AUTH_TOKEN_ALGORITHM") != "HS256":
        # then it is none of its business; empty, so that one in its `.env` isn't either
        environment["BETTER_AUTH_SECRET"] = ""
    return environment


def _sources() -> Iterable[Path]:
    for pattern in _SOURCES:
        for path in FRONTEND.glob(pattern):
            yield path
            yield from path.rglob("*")


def _run(script: str, environment: Mapping[str, str], *arguments: str) -> None:
    done = subprocess.run(  # noqa: S603
        [node(), script, *arguments],
        cwd=FRONTEND,
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = (done.stdout + done.stderr).strip()
        raise Failed(f"{Path(script).name} has failed:\n{said}")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310
            return True
    except (urllib.error.URLError, OSError):
        return False


@contextmanager
def _database(settings: Settings) -> Generator[str]:
    if not settings.store_url:
        with EmbeddedPostgres(settings.data_dir / "postgres") as postgres:
            yield postgres.url
    elif settings.store_url.startswith("postgres"):
        yield settings.store_url
    else:
        raise Failed("The accounts need a Postgres: unset CHATBRIDGE_DATABASE__URL.")


def _serve(web_port: int) -> NoReturn:
    settings = Settings()
    own_tools = "client_tools" in settings.agent.model_fields_set
    require_free(web_port, settings.port)
    build()
    with (
        _database(settings) as database_url,
        running(
            database_url=database_url,
            directory=settings.data_dir / "web",
            settings_from=Path.cwd(),
            web_port=web_port,
            port=settings.port,
            schema=settings.database.schema_name,
            environment=os.environ if own_tools else {**client_tools(), **os.environ},
        ) as web,
    ):
        print(f"Ready: {web.url}", flush=True)
        while True:
            web.app.require_alive()
            web.server.require_alive()
            time.sleep(0.2)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def main() -> None:
    """Serve until Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=int(os.environ.get("WEB_PORT") or 3000))
    web_port: int = parser.parse_args().port
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        _serve(web_port)
    except KeyboardInterrupt:
        return
    except ValidationError as error:
        sys.exit(worded(error, Settings))
    except (Failed, NoRole, ChatbridgeError, ValueError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()

"""A sign-in's key set on a real port of this machine, which can be slow, broken or away."""

import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.unit.adapters.jwt.signers import Signer


class KeyServer:
    """What it answers can be changed while it runs, and it is slow while `answers` is cleared;
    `hits` counts the requests."""

    def __init__(self) -> None:
        self.hits = 0
        self.status = 200
        self.answers = threading.Event()
        self.answers.set()
        self.headers: Mapping[str, str] = {}
        self.body = b""
        self.url = ""
        self.asked_path = ""

    def publish(self, *signers: Signer) -> None:
        self.publish_jwks(signer.jwk for signer in signers)

    def publish_jwks(self, jwks: Iterable[Mapping[str, Any]]) -> None:
        self.body = json.dumps({"keys": list(jwks)}).encode()


@contextmanager
def running_key_server() -> Iterator[KeyServer]:
    state = KeyServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.hits += 1
            state.asked_path = self.path
            state.answers.wait()
            self.send_response(state.status)
            for name, value in state.headers.items():
                self.send_header(name, value)
            with suppress(ConnectionError):
                self.end_headers()
                self.wfile.write(state.body)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        state.url = f"http://127.0.0.1:{server.server_port}/jwks"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield state
        finally:
            state.answers.set()
            server.shutdown()
            thread.join()

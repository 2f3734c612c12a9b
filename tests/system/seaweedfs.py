"""A real S3-compatible server, which a package brings: its program, keys and bucket."""

import asyncio
import hashlib
import hmac
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import obstore
from obstore.store import S3Store

from chatbridge.adapters.s3.presigned import Bucket
from tests.ports import free_port

_INSTALLED = Path(sys.prefix) / "seaweedfs"
_KEY, _SECRET = "access-of-the-tests", "secret-of-the-tests-0123456789"
_SECONDS = 30.0
_LISTENING = ("master", "volume", "filer", "s3", "admin")
_MAY = [{"name": "tests", "credentials": [{"accessKey": _KEY, "secretKey": _SECRET}]}]


def program() -> Path:
    """The server's program. Raises FileNotFoundError where it is not installed."""
    found = next(_INSTALLED.rglob("weed"), None)
    if found is None:
        raise FileNotFoundError(f"no weed in {_INSTALLED}: run `make test-system`")
    return found


@dataclass(frozen=True, slots=True)
class SeaweedFS:
    """A server that runs: its bucket, and where it tells of its files itself."""

    bucket: Bucket
    filer: str

    async def open_uploads(self) -> int:
        """Uploads of parts that were neither ended nor given up."""
        url = f"{self.filer}/buckets/{self.bucket.name}/.uploads/"
        async with httpx.AsyncClient(headers={"accept": "application/json"}) as client:
            answer = await client.get(url)
        return len(answer.json()["Entries"] or []) if answer.status_code == 200 else 0

    async def names(self, prefix: str) -> list[str]:
        """What lies in the bucket under it."""
        bucket = self.bucket
        store = S3Store(
            bucket.name,
            endpoint=bucket.endpoint,
            region=bucket.region,
            access_key_id=bucket.access_key_id,
            secret_access_key=bucket.secret_access_key,
            client_options={"allow_http": True},
        )
        return [one["path"] async for page in obstore.list(store, prefix) for one in page]

    async def allow(self, rules: list[dict[str, Any]]) -> None:
        """Set the bucket's rules for pages of other origins, which its owner has as JSON."""
        body = f"<CORSConfiguration>{''.join(map(_cors_rule, rules))}</CORSConfiguration>".encode()
        async with httpx.AsyncClient() as owner:
            url = f"{self.bucket.endpoint}/{self.bucket.name}?cors"
            answer = await owner.put(url, content=body, headers=self._signed(body))
        assert answer.status_code == 200, answer.text

    def _signed(self, body: bytes) -> dict[str, str]:
        """The headers of a PUT of `?cors`."""
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        scope = f"{stamp[:8]}/{self.bucket.region}/s3/aws4_request"
        host, digest = self.bucket.endpoint.split("://")[1], hashlib.sha256(body).hexdigest()
        headers = {"host": host, "x-amz-content-sha256": digest, "x-amz-date": stamp}
        names = ";".join(headers)
        lines = [f"{name}:{value}" for name, value in headers.items()]
        asked = "\n".join(["PUT", f"/{self.bucket.name}", "cors=", *lines, "", names, digest])
        said = ["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(asked.encode()).hexdigest()]
        key = f"AWS4{self.bucket.secret_access_key}".encode()
        for part in (*scope.split("/"), "\n".join(said)):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        who = f"Credential={self.bucket.access_key_id}/{scope}, SignedHeaders={names}"
        return {**headers, "authorization": f"{said[0]} {who}, Signature={key.hex()}"}


def _cors_rule(rule: dict[str, Any]) -> str:
    several = ("AllowedOrigins", "AllowedMethods", "AllowedHeaders")
    said = [(name[:-1], v) for name in several for v in rule[name]]
    said.append(("MaxAgeSeconds", rule["MaxAgeSeconds"]))
    parts = [f"<{name}>{value}</{name}>" for name, value in said]
    return f"<CORSRule>{''.join(parts)}</CORSRule>"


@asynccontextmanager
async def seaweedfs(directory: Path) -> AsyncIterator[SeaweedFS]:
    """One with a bucket, for as long as the context lasts."""
    data, config = directory / "data", directory / "s3.json"
    data.mkdir()
    may = [{**_MAY[0], "actions": ["Admin", "Read", "Write", "List", "Tagging"]}]
    config.write_text(json.dumps({"identities": may}))
    ports = {name: free_port() for name in _LISTENING}
    port = ports["s3"]
    with (directory / "weed.log").open("wb") as log:
        server = await asyncio.create_subprocess_exec(
            program(),
            "mini",
            f"-dir={data}",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            f"-s3.config={config}",
            "-bucket=attachments",
            "-webdav=false",
            "-admin.ui=false",
            "-master.telemetry=false",
            *(f"-{name}.port={port}" for name, port in ports.items()),
            *(f"-{name}.port.grpc={free_port()}" for name in _LISTENING),
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            stdout=log,
            stderr=log,
            env=os.environ
            | {"HOME": str(directory), "AWS_ACCESS_KEY_ID": _KEY, "AWS_SECRET_ACCESS_KEY": _SECRET},
        )
    try:
        bucket = Bucket(f"http://127.0.0.1:{port}", "attachments", "us-east-1", _KEY, _SECRET)
        running = SeaweedFS(bucket, f"http://127.0.0.1:{ports['filer']}")
        await _ready(running)
        yield running
    finally:
        with suppress(ProcessLookupError):
            # told to stop, it waits half a minute for streams of its own parts
            server.kill()
        await server.wait()


async def _ready(server: SeaweedFS) -> None:
    # its front refuses who has no key before the bucket is there, and remembers what is not there
    asked = {
        f"{server.filer}/buckets/{server.bucket.name}/": 200,
        f"{server.bucket.endpoint}/{server.bucket.name}/": 403,
    }
    async with asyncio.timeout(_SECONDS), httpx.AsyncClient() as client:
        for url, wanted in asked.items():
            while True:
                if await _status(client, url) == wanted:
                    break
                await asyncio.sleep(0.1)


async def _status(client: httpx.AsyncClient, url: str) -> int | None:
    with suppress(httpx.TransportError):
        return (await client.get(url, headers={"accept": "application/json"})).status_code
    return None

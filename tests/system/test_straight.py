"""Browsers put files straight into a bucket, and what becomes of them then."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import httpx
import pytest

from tests import postgres
from tests.chatkit_client import Json
from tests.files_of_people import picture
from tests.integration.http.person import Person
from tests.integration.http.test_attachments import announced, get, put, send, sent
from tests.serving import Served, served, settings_for
from tests.system.seaweedfs import SeaweedFS
from tests.tcp_proxy import TcpProxy
from tests.waiting import PATIENCE

DOCS = Path(__file__).resolve().parents[2] / "docs" / "attachments.md"
PREFIX = "straight/"
PAGE = "https://chat.example.com"
CAT = picture()
NO_CAT = b"<script>".ljust(len(CAT))


@pytest.fixture(scope="module")
async def way(seaweed: SeaweedFS) -> AsyncIterator[TcpProxy]:
    """The network between everybody and the bucket."""
    endpoint = httpx.URL(seaweed.bucket.endpoint)
    proxy = TcpProxy(endpoint.host, endpoint.port or 80)
    await proxy.start()
    yield proxy
    await proxy.stop()


@pytest.fixture(scope="module")
async def database() -> AsyncIterator[str]:
    async with postgres.clone() as url:
        yield url


@pytest.fixture(scope="module")
async def service(seaweed: SeaweedFS, way: TcpProxy, database: str) -> AsyncIterator[Served]:
    """chatbridge over the bucket, which sweeps all the time."""
    bucket = seaweed.bucket
    blobs = {
        "url": f"s3://{bucket.name}/{PREFIX}",
        "endpoint": f"http://127.0.0.1:{way.port}",
        "region": bucket.region,
        "access_key_id": bucket.access_key_id,
        "secret_access_key": bucket.secret_access_key,
        "straight": True,
    }
    settings = settings_for(database, blobs=blobs)
    async with served(settings, lambda c: c.left_attachments.add_kwargs(every=0.2)) as service:
        yield service


@pytest.fixture
def person(service: Served) -> Person:
    return Person(service)


async def announced_cat(person: Person) -> Json:
    new = await announced(person, size=len(CAT))
    assert "X-Amz-Signature" in new["upload_descriptor"]["url"]
    return new


async def swept(database: str, seaweed: SeaweedFS, new: Json, age: str) -> None:
    """Let it be older, and wait until nothing is left of it anywhere."""
    sql = await asyncpg.connect(database)
    aged = f"update chatbridge.attachments set created_at = created_at - interval '{age}'"  # noqa: S608
    await sql.execute(f"{aged} where id = $1", new["id"])
    there = "select 1 from chatbridge.attachments where id = $1"
    async with asyncio.timeout(PATIENCE):
        # nobody is told of it
        while await lying(seaweed, new) or await sql.fetchval(there, new["id"]):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await sql.close()


async def lying(seaweed: SeaweedFS, new: Json) -> int:
    """Under how many names there are bytes of it."""
    return len([name for name in await seaweed.names(PREFIX) if new["id"] in name])


async def test_as_a_browser_does_it_from_a_page_of_another_origin(
    person: Person, seaweed: SeaweedFS
) -> None:
    (told,) = re.findall(r"```json\n(.+?)```", DOCS.read_text(), re.S)
    rules = json.loads(told.replace("https://chat.example.com", PAGE))
    await seaweed.allow(rules["CORSRules"])
    new = await announced_cat(person)
    how = new["upload_descriptor"]
    asked = {
        "Access-Control-Request-Method": how["method"],
        "Access-Control-Request-Headers": ",".join(sorted(name.lower() for name in how["headers"])),
    }
    async with httpx.AsyncClient() as browser:
        may = await browser.options(how["url"], headers={"Origin": PAGE, **asked})
        assert may.status_code == 200
        assert may.headers["access-control-allow-origin"] == PAGE
        assert may.headers["access-control-allow-headers"] == "content-type, if-none-match"
        other = await browser.options(how["url"], headers={"Origin": "https://evil.test", **asked})
        assert "access-control-allow-origin" not in other.headers
        came = await browser.put(
            how["url"], content=CAT, headers={**how["headers"], "Origin": PAGE}
        )
        assert (came.status_code, came.headers["access-control-allow-origin"]) == (200, PAGE)
    # another one at the same address changes nothing
    assert (await put(new, CAT)).status_code == 412
    assert (await get(new["preview_url"])).json()["code"] == "attachment_awaited"
    thread, item = await sent(person, new["id"])
    assert item["attachments"][0]["id"] == new["id"]
    shown, *_ = await person.reload(thread)
    preview = await get(shown["attachments"][0]["preview_url"])
    assert preview.headers["content-type"] == "image/png"
    assert b"CAMERA-OF-ALICE" in CAT
    assert b"CAMERA-OF-ALICE" not in preview.content
    assert await lying(seaweed, new) == 1


async def test_what_never_came_is_said_and_may_still_come(person: Person) -> None:
    new = await announced_cat(person)
    for wrong in (b"short", CAT + b"longer"):
        assert (await put(new, wrong)).status_code == 403
    other = {**new["upload_descriptor"]["headers"], "content-type": "text/html"}
    typed = {**new, "upload_descriptor": {**new["upload_descriptor"], "headers": other}}
    assert (await put(typed, CAT)).status_code == 403
    refused = await send(person, new["id"])
    assert refused.status_code == 409
    assert refused.json()["code"] == "attachment_awaited"
    assert "`cat.png`" in refused.json()["detail"]
    assert (await person.http.get(f"/api/{person.name}/conversations")).json()["items"] == []
    assert (await put(new, CAT)).status_code == 200
    await sent(person, new["id"])


@pytest.mark.parametrize("bad", [NO_CAT, CAT[:60].ljust(len(CAT), b"\0")])
async def test_what_is_not_what_it_is_said_to_be_is_refused_when_it_is_sent(
    person: Person, seaweed: SeaweedFS, bad: bytes
) -> None:
    new = await announced_cat(person)
    assert (await put(new, bad)).status_code == 200
    refused = await send(person, new["id"])
    assert (refused.status_code, refused.json()["code"]) == (422, "attachment_type")
    assert await lying(seaweed, new) == 0
    assert (await put(new, CAT)).status_code == 200
    await sent(person, new["id"])


async def test_sent_twice_at_once_it_is_there_once(person: Person, seaweed: SeaweedFS) -> None:
    new = await announced_cat(person)
    await put(new, CAT)
    answers = await asyncio.gather(*(send(person, new["id"]) for _ in range(4)))
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200, 409, 409, 409]
    assert {a.json()["code"] for a in answers if a.status_code == 409} == {"attachment_sent"}
    assert await lying(seaweed, new) == 1


async def test_nothing_is_left_of_what_nobody_wants(
    person: Person, seaweed: SeaweedFS, database: str
) -> None:
    taken_back, never_sent, of_a_chat = [await announced_cat(person) for _ in range(3)]
    delete = {"type": "attachments.delete", "params": {"attachment_id": taken_back["id"]}}
    assert (await person.http.post("/chatkit", json=delete)).status_code == 200
    for new in (taken_back, never_sent, of_a_chat):
        # its address is good for a while yet
        assert (await put(new, CAT)).status_code == 200
    assert (await send(person, taken_back["id"])).status_code == 404
    assert (await get(taken_back["preview_url"])).status_code == 404
    thread, _ = await sent(person, of_a_chat["id"])
    assert (await person.http.delete(person.path(thread))).status_code == 204
    assert [await lying(seaweed, new) for new in (taken_back, never_sent, of_a_chat)] == [1, 1, 1]
    await swept(database, seaweed, taken_back, "1 hour")
    await swept(database, seaweed, of_a_chat, "1 hour")
    assert await lying(seaweed, never_sent) == 1
    await swept(database, seaweed, never_sent, "1 day")
    assert (await send(person, never_sent["id"])).status_code == 404


async def test_a_bucket_that_is_away_loses_nothing(person: Person, way: TcpProxy) -> None:
    thread, item = await sent(person, *[(await _there(person))["id"]])
    waiting = await _there(person)
    await way.stop()
    new = await announced_cat(person)
    refused = await send(person, waiting["id"], thread=thread)
    unseen = await get(item["attachments"][0]["preview_url"])
    typed = {"content-type": "text/plain"}
    path = f"/api/{person.name}/attachments?name=a.txt"
    unkept = await person.http.post(path, content=b"text", headers=typed)
    taken_back = await person.http.delete(f"/api/{person.name}/attachments/{new['id']}")
    await way.start()
    for answer in (refused, unseen, unkept):
        assert (answer.status_code, answer.json()["code"]) == (503, "attachments_unavailable")
    assert taken_back.status_code == 204
    assert sum(m["role"] == "user" for m in await person.messages(thread)) == 1
    await sent(person, waiting["id"], thread=thread)
    assert (await get(item["attachments"][0]["preview_url"])).status_code == 200


async def _there(person: Person) -> Json:
    new = await announced_cat(person)
    assert (await put(new, CAT)).status_code == 200
    return new

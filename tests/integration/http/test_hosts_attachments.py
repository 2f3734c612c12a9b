"""Attachments of a ChatKitServer of the host's own: with ours, and with a store of its own."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from chatkit.store import NotFoundError
from chatkit.types import FileAttachment, ImageAttachment
from pydantic import AnyUrl

from chatbridge.adapters.chatkit.attachments import Asker
from chatbridge.adapters.chatkit.store import ASKER
from chatbridge.domain.model.errors import Forbidden, NotFound
from chatbridge.domain.model.identifiers import AttachmentId, UserId
from tests.chatkit_client import Json, add, create, items
from tests.contracts.attachment_repository import MUCH, brought
from tests.hosts import attaching
from tests.hosts.bridged import Bridged, bridged
from tests.hosts.scripts import thread_of
from tests.integration.http.test_attachments import put
from tests.serving import served, settings_for


@pytest.fixture(scope="module", params=["memory:", "postgres"])
async def bridge(request: pytest.FixtureRequest, postgres_url: str) -> AsyncIterator[Bridged]:
    url = request.param if request.param == "memory:" else postgres_url
    async with bridged(url) as made:
        yield made


def announced(name: str = "cat.png", type: str = "image/png") -> Json:
    params = {"name": name, "mime_type": type, "size": 1000}
    return {"type": "attachments.create", "params": params}


def deleted(id: str) -> Json:
    return {"type": "attachments.delete", "params": {"attachment_id": id}}


def carrying(asked: Json, *ids: str) -> Json:
    asked["params"]["input"]["attachments"] = [*ids]
    return asked


async def refused(bridge: Bridged, asked: Json, user: str = "bob") -> tuple[int, str]:
    answer = await bridge.answer(asked, user)
    return answer.status_code, answer.json()["code"]


def said(frames: list[Json]) -> str:
    return frames[-1]["item"]["content"][0]["text"]


async def test_a_server_without_an_attachment_store_has_ours(bridge: Bridged) -> None:
    bridge.serve(attaching.Reading, own_loop=True)
    (new,) = await bridge.ask(announced("list.txt", "text/plain"))
    assert (await put(new, b"milk, oats")).status_code == 204
    frames = await bridge.ask(carrying(create("What is this?"), new["id"]))
    assert said(frames) == "list.txt: milk, oats"
    assert said(await bridge.ask(add(thread_of(frames), "And now?"))) == "nothing"
    assert await refused(bridge, carrying(create("Mine"), new["id"])) == (403, "forbidden")


async def test_what_it_deletes_is_its_askers_and_was_not_sent(bridge: Bridged) -> None:
    bridge.serve(attaching.Reading, own_loop=True)
    (new,) = await bridge.ask(announced("list.txt", "text/plain"))
    await put(new, b"milk")
    for user, expected in (("bob", "error"), ("ada", "thread.item.done"), ("ada", "error")):
        begun = await bridge.answer(create("Hello"), user)
        action = {"type": "take_back", "payload": {"id": new["id"]}}
        params = {"thread_id": begun.headers["x-conversation-id"], "action": action}
        answer = await bridge.answer({"type": "threads.custom_action", "params": params}, user)
        assert f'"type":"{expected}"' in answer.text


@pytest.mark.parametrize("host", [attaching.Keeping, attaching.KeepingAll])
async def test_a_store_of_its_own_keeps_them(
    bridge: Bridged, host: type[attaching.Keeping]
) -> None:
    bridge.serve(host, own_loop=True)
    kept = bridge.container.host_server().server.attachment_store
    (new,) = await bridge.ask(announced())
    assert new["upload_descriptor"]["url"] == f"https://files.example/put/{new['id']}"
    assert "metadata" not in new
    frames = await bridge.ask(carrying(create("What is this?"), new["id"]))
    (shown,) = next(f["item"] for f in frames if f["type"] == "thread.item.done")["attachments"]
    assert shown == {
        "id": new["id"],
        "name": "cat.png",
        "mime_type": "image/png",
        "type": "image",
        "preview_url": f"https://files.example/{new['id']}",
        "thread_id": thread_of(frames),
    }
    assert said(frames) == "cat.png: of-the-host in True"
    (reload,) = await bridge.ask(items(thread_of(frames)))
    assert [item["attachments"] for item in reload["data"] if "attachments" in item] == [[shown]]
    (other,) = await bridge.ask(announced("dog.png"))
    for theirs in (carrying(create("Mine"), other["id"]), deleted(other["id"])):
        assert await refused(bridge, theirs) in (
            (403, "forbidden"),
            (404, "no_attachment"),
        )
    assert kept.deleted == []
    assert (await bridge.answer(deleted(other["id"]))).status_code == 200
    assert kept.deleted == [other["id"]]
    assert await refused(bridge, deleted(other["id"]), "ada") == (404, "no_attachment")
    assert await refused(bridge, announced(type="text/x-bad"), "ada") == (502, "host_failed")


async def test_what_was_sent_stays_with_a_store_of_its_own(bridge: Bridged) -> None:
    bridge.serve(attaching.Keeping, own_loop=True)
    kept = bridge.container.host_server().server.attachment_store
    (new,) = await bridge.ask(announced())
    await bridge.ask(carrying(create("What is this?"), new["id"]))
    assert await refused(bridge, deleted(new["id"]), "ada") == (409, "attachment_sent")
    assert kept.deleted == []


async def test_where_no_bytes_are_taken_a_store_of_its_own_is_asked_all_the_same() -> None:
    server = {"entry": "tests.hosts.attaching:Keeping", "loop": "shared"}
    async with served(settings_for("memory:", server=server, blobs={"url": "off"})) as service:
        bridge, store = Bridged(service), service.container.store().attachments
        (new,) = await bridge.ask(announced())
        frames = await bridge.ask(carrying(create("What is this?"), new["id"]))
        assert said(frames) == "cat.png: of-the-host in True"
        form = {"file": ("a.txt", b"milk")}
        direct = await bridge.client("ada").post("/chatkit/attachments", files=form)
        assert direct.status_code == 404
        made = brought(by=UserId("ada"))
        old = replace(made, created_at=made.created_at - timedelta(days=2))
        await store.add(old, MUCH)
        await store.record(old.user_id, old.id, {})
        assert await service.container.left_attachments().sweep() == 1
        with pytest.raises(NotFound):
            await store.find(old.id)
        assert await store.find(AttachmentId(new["id"]))


async def test_its_store_keeps_attachments_as_openais_own_suite_asks_for(bridge: Bridged) -> None:
    bridge.serve(attaching.Keeping)
    store = bridge.container.host_server().server.store
    url = AnyUrl("https://example.com/test.png")
    text = FileAttachment(id="file_1", mime_type="text/plain", name="test.txt")
    image = ImageAttachment(
        id="image_1",
        mime_type="image/png",
        name="test.png",
        preview_url=url,
        metadata={"source": "test"},
    )
    before = ASKER.set(Asker(UserId("suite"), asyncio.get_running_loop()))
    try:
        for attachment in (text, image, image.model_copy(update={"thread_id": "conv_1"})):
            await store.save_attachment(attachment, {})
            assert await store.load_attachment(attachment.id, {}) == attachment
        for id in ("image_1", "never_saved"):
            await store.delete_attachment(id, {})
            with pytest.raises(NotFoundError):
                await store.load_attachment(id, {})
        ASKER.set(Asker(UserId("another"), asyncio.get_running_loop()))
        for asked in (store.load_attachment, store.delete_attachment):
            with pytest.raises(Forbidden):
                await asked("file_1", {})
        with pytest.raises(ValueError, match="can't keep this attachment"):
            await store.save_attachment(text.model_copy(update={"name": "a" * 100_000}), {})
    finally:
        ASKER.reset(before)

"""Attachments at the chat page of a real server: brought, sent, seen again, and nobody else's."""

import re
from pathlib import Path

import httpx
from playwright.async_api import expect

from tests.browser.attaching import Drag, card, cards, choose, paste
from tests.browser.chat_server import ChatServer
from tests.browser.chromium import Watch
from tests.browser.conftest import NewContext
from tests.browser.element_page import Chat, violations
from tests.files_of_people import PDF, bomb, picture
from tests.system.seaweedfs import seaweedfs

FAILED = "Failed to load resource"
SLOW = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 2_000_000}

AT_ONCE = """(element) => element.setOptions({
  api: {
    url: "chatkit",
    domainKey: "local",
    uploadStrategy: { type: "direct", uploadUrl: "chatkit/attachments" },
    fetch: (address, init) => {
      const headers = new Headers(init.headers);
      headers.set("Authorization", `Bearer ${sessionStorage["chatbridge.token"]}`);
      return fetch(address, { ...init, headers });
    },
  },
  composer: { attachments: { enabled: true } },
})"""


async def seen(chat: Chat, count: int) -> None:
    """So many pictures are drawn in the messages."""
    images = chat.log.locator(".thumb img")
    await expect(images).to_have_count(count)
    for number in range(count):
        await expect(images.nth(number)).not_to_have_js_property("naturalWidth", 0)


async def test_what_is_chosen_pasted_and_dropped_is_sent_and_seen_after_a_reload(
    chat_server: ChatServer, new_context: NewContext, tmp_path: Path, watch: Watch
) -> None:
    # a picture in a tab of its own may do nothing, nor may what these tests and Chromium put there
    watch.expect("sandboxed", "Blocked script", "inline style", "policy violated: style-src")
    chat = await chat_server.open(await new_context(), "brings")
    (tmp_path / "notes.txt").write_text("milk, oats")
    (tmp_path / "folder").mkdir()
    await choose(chat, ("report.pdf", "application/pdf", PDF), ("cat.png", "image/png", picture()))
    assert await paste(chat, ("image.png", "image/png", picture(size=(60, 60))))
    drag = Drag(chat, tmp_path / "notes.txt", tmp_path / "folder")
    overlay = chat.element.get_by_text("Drop files here")
    await drag.enter()
    await expect(overlay).to_be_visible()
    await drag.leave()
    await expect(overlay).to_be_hidden()
    await drag.enter()
    await drag.drop()
    await expect(overlay).to_be_hidden()
    await expect(chat.element.get_by_text("Folders can't be attached")).to_be_visible()
    for name in ("report.pdf", "cat.png", "Pasted picture.png", "notes.txt"):
        await expect(card(chat, name)).to_have_attribute("data-state", "ready")
    await chat.button("Remove notes.txt").press("Enter")
    await expect(cards(chat)).to_have_count(3)
    await chat.box.fill("What are these?")
    before = await chat.answers()
    await chat.box.press("Enter")
    await chat.answered(before)
    await seen(chat, 2)
    await chat.page.reload()
    await seen(chat, 2)
    await expect(chat.log.locator(".file")).to_have_text("report.pdfPDF")
    async with chat.page.context.expect_page() as opening:
        await chat.log.get_by_role("link", name="cat.png").click()
    opened = await opening.value
    await expect(opened.locator("img")).to_be_visible()
    assert await opened.evaluate("window.opener") is None
    assert await violations(chat.page) == []


async def test_a_wrong_type_and_a_bomb_are_refused_and_what_was_cut_is_tried_again(
    chat_server: ChatServer, new_context: NewContext, watch: Watch
) -> None:
    watch.expect(FAILED)
    chat = await chat_server.open(await new_context(), "breaks")
    await choose(
        chat,
        ("page.png", "image/png", b"<script>alert(1)</script>"),
        ("bomb.png", "image/png", bomb()),
        ("tool.exe", "application/x-msdownload", b"MZ"),
    )
    for name, said in (
        ("page.png", "This file is not what it is said to be (image/png)."),
        ("bomb.png", "This picture has too many pixels; make it smaller."),
        ("tool.exe", "Attach a picture (PNG, JPEG, GIF, WebP), a PDF"),
    ):
        await expect(card(chat, name)).to_contain_text(said)
        await chat.button(f"Remove {name}").click()
    network = await chat.page.context.new_cdp_session(chat.page)
    await network.send("Network.enable")
    await network.send("Network.emulateNetworkConditions", SLOW)
    long = b"0123456789abcde\n" * 500_000
    await choose(chat, ("long.txt", "text/plain", long))
    bar = chat.element.get_by_role("progressbar", name="Uploading long.txt")
    await expect(bar).not_to_have_js_property("value", 0)
    chat_server.process.kill()
    await expect(card(chat, "long.txt")).to_contain_text("The connection was lost. Try again.")
    await network.send("Network.disable")
    await chat_server.start_again()
    await chat.button("Try again").click()
    await expect(card(chat, "long.txt")).to_have_attribute("data-state", "ready")
    before = await chat.answers()
    await chat.send_button.click()
    await chat.answered(before)
    await expect(chat.log.locator(".file")).to_have_text("long.txtTXT")


async def test_nobody_else_can_send_what_somebody_has_brought(
    chat_server: ChatServer, new_context: NewContext, watch: Watch
) -> None:
    watch.expect(FAILED)
    alice = await chat_server.open(await new_context(), "alice")
    bob = await chat_server.open(await new_context(), "bob")
    params = {"name": "cat.png", "mime_type": "image/png", "size": len(picture())}
    create = {"type": "attachments.create", "params": params}
    new = (await chat_server.ask("alice", create)).json()
    say = "(element, file) => void element.sendUserMessage({text: 'See', attachments: [file]})"

    async def refused_to_bob() -> None:
        await bob.element.evaluate(say, new)
        await expect(bob.alert).to_contain_text("This attachment belongs to another user.")
        await bob.button("New conversation").first.click()

    await refused_to_bob()
    async with httpx.AsyncClient() as browser:
        address = new["upload_descriptor"]
        await browser.put(address["url"], content=picture(), headers=address["headers"])
    await refused_to_bob()
    await alice.element.evaluate(say, new)
    await seen(alice, 1)
    await refused_to_bob()
    # the address of a picture is good as it is, and not a letter otherwise
    address = await alice.log.locator(".thumb").get_attribute("href")
    got = "(address) => fetch(address).then((answer) => answer.status)"
    for changed, status in ((address, 200), (re.sub("signature=.", "signature=x", address), 403)):
        assert await bob.page.evaluate(got, changed) == status


async def test_files_go_straight_to_a_bucket_or_at_once_to_us(
    chat_server: ChatServer, new_context: NewContext, tmp_path: Path
) -> None:
    async with seaweedfs(tmp_path) as seaweed:
        bucket = seaweed.bucket
        server = await chat_server.another(
            CHATBRIDGE_BLOBS__URL=f"s3://{bucket.name}/page",
            CHATBRIDGE_BLOBS__ENDPOINT=bucket.endpoint,
            CHATBRIDGE_BLOBS__ACCESS_KEY_ID=bucket.access_key_id,
            CHATBRIDGE_BLOBS__SECRET_ACCESS_KEY=bucket.secret_access_key,
            CHATBRIDGE_BLOBS__STRAIGHT="true",
        )
        may = {"AllowedMethods": ["PUT"], "AllowedHeaders": ["content-type", "if-none-match"]}
        await seaweed.allow([{"AllowedOrigins": [server.url], "MaxAgeSeconds": 60, **may}])
        chat = await chat_server.open(await new_context(), "far", url=server.url, key=server.key)
        puts: list[str] = []
        chat.page.on("request", lambda asked: asked.method == "PUT" and puts.append(asked.url))
        await _brings_a_cat(chat)
        (put,) = puts
        assert put.startswith(f"{bucket.endpoint}/{bucket.name}/page/")
        await chat.element.evaluate(AT_ONCE)
        await _brings_a_cat(chat)
        assert len(puts) == 1
        await chat.page.reload()
        await seen(chat, 2)
        server.stop()


async def _brings_a_cat(chat: Chat) -> None:
    before, pictures = await chat.answers(), await chat.log.locator(".thumb").count()
    await choose(chat, ("cat.png", "image/png", picture()))
    await expect(card(chat, "cat.png")).to_have_attribute("data-state", "ready")
    await chat.send_button.click()
    await chat.answered(before)
    await seen(chat, pictures + 1)

"""Files that people bring: announced, brought, sent, seen again, and nobody else's at any step."""

import asyncio
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.chatkit_client import Json, create, frames, items
from tests.files_of_people import PDF, WORD, bomb, office, picture
from tests.integration.http.asking import MOST
from tests.integration.http.person import Person
from tests.serving import Served


@pytest.fixture
def bob(service: Served) -> Person:
    return Person(service)


async def announced(
    who: Person, name: str = "cat.png", type: str = "image/png", size: int = 1000
) -> Json:
    response = await announce(who, name, type, size)
    assert response.status_code == 200, response.text
    return response.json()


async def announce(
    who: Person, name: str = "cat.png", type: str = "image/png", size: int = 1000
) -> httpx.Response:
    params = {"name": name, "mime_type": type, "size": size}
    return await who.http.post("/chatkit", json={"type": "attachments.create", "params": params})


async def put(attachment: Json, content: Any) -> httpx.Response:
    """As a browser does, which shows no token there."""
    how = attachment["upload_descriptor"]
    async with httpx.AsyncClient() as browser:
        return await browser.request(
            how["method"], how["url"], headers=how["headers"], content=content
        )


async def get(url: str) -> httpx.Response:
    async with httpx.AsyncClient() as browser:
        return await browser.get(url)


async def brought(who: Person, name: str = "cat.png", content: bytes | None = None) -> Json:
    new = await announced(who, name)
    response = await put(new, picture() if content is None else content)
    assert response.status_code == 204, response.text
    return new


async def send(
    who: Person, *ids: str, thread: str | None = None, text: str = "what is this?"
) -> httpx.Response:
    said = {
        "content": [{"type": "input_text", "text": text}] if text else [],
        "attachments": [*ids],
        "inference_options": {},
    }
    kind = "threads.add_user_message" if thread else "threads.create"
    params = {"input": said, **({"thread_id": thread} if thread else {})}
    return await who.http.post("/chatkit", json={"type": kind, "params": params})


async def sent(who: Person, *ids: str, **how: Any) -> tuple[str, Json]:
    response = await send(who, *ids, **how)
    assert response.status_code == 200, response.text
    told = frames(response.text)
    item = next(e["item"] for e in told if e.get("item", {}).get("type") == "user_message")
    return response.headers["x-conversation-id"], item


async def test_two_phases_a_message_and_a_reload(person: Person) -> None:
    new = await announced(person)
    assert (new["type"], new["name"], new["mime_type"]) == ("image", "cat.png", "image/png")
    assert (await put(new, picture())).status_code == 204
    thread, item = await sent(person, new["id"])
    (shown,) = item["attachments"]
    assert (shown["id"], shown["thread_id"]) == (new["id"], thread)
    assert "upload_descriptor" not in shown
    reloaded = (await person.reload(thread))[0]
    assert reloaded["attachments"][0]["id"] == new["id"]
    preview = await get(reloaded["attachments"][0]["preview_url"])
    assert preview.status_code == 200
    assert preview.headers["content-type"] == "image/png"
    assert preview.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in preview.headers["content-security-policy"]
    assert preview.headers["content-disposition"].startswith("inline")
    (kept, notice, _) = await person.messages(thread)
    # the offline model reads none, which is said
    assert notice["tool_calls"][0]["name"] == "file cat.png"
    size = len(preview.content)
    expected = {"id": new["id"], "name": "cat.png", "media_type": "image/png", "size": size}
    assert kept["attachments"] == [expected]


async def test_at_once_as_a_form(person: Person) -> None:
    form = {"file": ("Über uns.pdf", PDF, "application/pdf")}
    response = await person.http.post("/chatkit/attachments", files=form)
    assert response.status_code == 200, response.text
    told = response.json()
    assert (told["type"], told["name"]) == ("file", "Über uns.pdf")
    thread, item = await sent(person, told["id"], text="")
    assert item["content"] == []
    # there is nothing else to call it by
    assert (await person.http.get(person.path(thread))).json()["title"] == "Über uns.pdf"
    assert (await person.reload(thread))[0]["attachments"][0]["mime_type"] == "application/pdf"


def form(*parts: str, end: str = "--x--\r\n") -> bytes:
    """Parts of a form: what stands after `form-data`, and a body after `|`."""
    whole = "".join(
        f"--x\r\nContent-Disposition: form-data{said}\r\nContent-Type: text/plain\r\n\r\n{body}\r\n"
        for said, _, body in (part.partition("|") for part in parts)
    )
    return (whole + end).encode()


A_FILE = '; name="file"; filename="a.txt"|text'
FORM = {"content-type": "multipart/form-data; boundary=x"}


@pytest.mark.parametrize(
    ("type", "body", "code"),
    [
        ("multipart/form-data; boundary=x", form(), "invalid_request"),
        ("multipart/form-data; boundary=x", b"", "invalid_request"),
        ("multipart/form-data; boundary=x", b"no form", "invalid_request"),
        ("multipart/form-data; boundary=x", form(A_FILE, A_FILE), "invalid_request"),
        ("multipart/form-data; boundary=x", form('; name="file"|text'), "invalid_request"),
        ("multipart/form-data; boundary=x", form('; name="a"; filename="a"|b'), "invalid_request"),
        ("multipart/form-data; boundary=x", form('; filename="a"|b'), "invalid_request"),
        ("multipart/form-data; boundary=x", form(*['; name="a"|b'] * 5), "invalid_request"),
        ("multipart/form-data; boundary=x", form('; name="a"|' + "b" * 5000), "invalid_request"),
        ("multipart/form-data; boundary=x", form(A_FILE, end=""), "invalid_request"),
        ("multipart/form-data; boundary=y", form(A_FILE), "invalid_request"),
        ("multipart/form-data; boundary=" + "y" * 300, form(A_FILE), "invalid_request"),
        ("multipart/form-data", form(A_FILE), "invalid_request"),
        ("application/x-www-form-urlencoded", b"file=a", "invalid_request"),
        ("application/json", b"{}", "invalid_request"),
        ("", form(A_FILE), "invalid_request"),
        (
            "multipart/form-data; boundary=x",
            form('; name="file"; filename=""|b'),
            "attachment_name",
        ),
        (
            "multipart/form-data; boundary=x",
            form('; name="file"; filename="a"|'),
            "attachment_empty",
        ),
    ],
)
async def test_a_form_that_is_none_is_refused_in_words(
    person: Person, type: str, body: bytes, code: str
) -> None:
    path = "/chatkit/attachments"
    refused = await person.http.post(path, content=body, headers={"content-type": type})
    problem = refused.json()
    assert (refused.status_code, problem["code"]) == (422, code)
    if code == "invalid_request":
        assert "named `file`" in problem["detail"]
    assert (await person.http.post(path, content=form(A_FILE), headers=FORM)).status_code == 200


async def test_over_rest(person: Person, bob: Person) -> None:
    path = f"/api/{person.name}/attachments"
    # as curl and, where there is Excel, browsers call it
    for odd, found in (("x-www-form-urlencoded", "text/plain"), ("vnd.ms-excel", "text/csv")):
        called = {"content-type": f"application/{odd}"}
        kept = await person.http.post(path, params={"name": "a"}, content=b"a,b", headers=called)
        assert kept.json()["media_type"] == found
    typed = {"content-type": "text/csv"}
    response = await person.http.post(path, params={"name": "a.csv"}, content=b"a,b", headers=typed)
    assert response.status_code == 201, response.text
    told = response.json()
    got = await person.http.get(f"{path}/{told['id']}")
    assert (got.content, got.headers["content-length"]) == (b"a,b", "3")
    assert got.headers["content-disposition"] == "attachment; filename*=UTF-8''a.csv"
    part = await person.http.get(f"{path}/{told['id']}", headers={"range": "bytes=1-"})
    assert (part.status_code, part.content) == (206, b",b")
    assert (part.headers["content-range"], part.headers["content-length"]) == ("bytes 1-2/3", "2")
    assert (await bob.http.get(f"/api/{bob.name}/attachments/{told['id']}")).status_code == 403
    assert (await bob.http.delete(f"/api/{bob.name}/attachments/{told['id']}")).status_code == 403
    said = {"message": "read it", "attachments": [told["id"]]}
    turn = (await person.http.post(f"/api/{person.name}/chat", json=said)).json()
    (kept, _) = await person.messages(turn["conversation_id"])
    assert kept["attachments"] == [told]
    assert (await person.http.delete(f"{path}/{told['id']}")).status_code == 409


@pytest.mark.parametrize("is_sent", [False, True])
async def test_nobody_else_comes_near_it(person: Person, bob: Person, is_sent: bool) -> None:
    new = await brought(person)
    if is_sent:
        await sent(person, new["id"])
    assert (await send(bob, new["id"])).status_code == 403
    delete = {"type": "attachments.delete", "params": {"attachment_id": new["id"]}}
    assert (await bob.http.post("/chatkit", json=delete)).status_code == 403
    mine = (await announced(bob))["upload_descriptor"]["url"]
    theirs = new["upload_descriptor"]["url"]
    for url in (
        httpx.URL(theirs).copy_set_param("until", "4102444800"),
        httpx.URL(mine).copy_with(path=httpx.URL(theirs).path),
        httpx.URL(new["preview_url"]).copy_set_param("signature", ""),
    ):
        async with httpx.AsyncClient() as browser:
            assert (await browser.put(url, content=b"x")).status_code == 403
            assert (await browser.get(url)).status_code == 403
    # the address to put is none to get, and the other way round
    assert (await get(theirs)).status_code == 403
    async with httpx.AsyncClient() as browser:
        assert (await browser.put(new["preview_url"], content=b"x")).status_code == 403
    assert (await get(new["preview_url"])).status_code == 200


@pytest.mark.parametrize(
    ("type", "content", "code"),
    [
        ("image/png", picture("JPEG"), "attachment_type"),
        ("image/png", b"<script>alert(1)</script>", "attachment_type"),
        ("text/plain", picture(), "attachment_type"),
        ("text/plain", b"\xff\xfe\x00a", "attachment_type"),
        ("application/pdf", b"no pdf", "attachment_type"),
        ("image/png", bomb(), "attachment_too_large"),
        ("image/png", picture()[:60], "attachment_type"),
        (WORD, office("xl"), "attachment_type"),
        (WORD, office(macros=True), "attachment_type"),
        (WORD, office(types=False), "attachment_type"),
        ("text/plain", b"", "attachment_empty"),
        ("text/plain", b"a" * 1001, "attachment_too_large"),
    ],
)
async def test_what_is_not_what_it_is_said_to_be_is_refused_and_may_be_brought_again(
    person: Person, type: str, content: bytes, code: str
) -> None:
    new = await announced(person, "a", type)
    response = await put(new, content)
    assert (response.status_code, response.json()["code"]) == (422, code)
    assert (await send(person, new["id"])).json()["code"] == "attachment_awaited"
    good = {"image/png": picture(), "text/plain": b"text", "application/pdf": PDF, WORD: office()}
    assert (await put(new, good[type])).status_code == 204
    await sent(person, new["id"])


@pytest.mark.parametrize(
    ("type", "size"),
    [("text/html", 1), ("image/svg+xml", 1), ("application/zip", 1), ("image/png", MOST + 1)],
)
async def test_what_may_not_be_attached_is_refused_before_it_is_brought(
    person: Person, type: str, size: int
) -> None:
    assert (await announce(person, "a", type, size)).status_code == 422


async def test_more_than_was_announced_is_not_kept(person: Person) -> None:
    new = await announced(person, "a.txt", "text/plain")

    async def more() -> AsyncIterator[bytes]:
        for _ in range(MOST // 65_536 + 2):
            yield b"x" * 65_536

    assert (await put(new, more())).json()["code"] == "attachment_too_large"
    assert (await send(person, new["id"])).json()["code"] == "attachment_awaited"


async def test_an_upload_that_breaks_off_is_tried_again(person: Person) -> None:
    new = await announced(person, "a.txt", "text/plain")

    async def breaking() -> AsyncIterator[bytes]:
        yield b"half"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await put(new, breaking())
    assert (await put(new, b"whole")).status_code == 204
    # its answer was lost: said again, and nothing is changed by it
    assert (await put(new, b"other")).status_code == 204
    await sent(person, new["id"])
    got = await person.http.get(f"/api/{person.name}/attachments/{new['id']}")
    assert got.content == b"whole"


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF"])
async def test_a_picture_is_drawn_anew(person: Person, format: str) -> None:
    new = await announced(person, "a", f"image/{format.lower()}")
    hidden = picture(format) + b"<script>TAIL</script>"
    assert (await put(new, hidden)).status_code == 204
    drawn = (await get(new["preview_url"])).content
    for secret in (b"CAMERA-OF-ALICE", b"SECRET-COMMENT", b"GPS", b"TAIL"):
        assert secret not in drawn
    with Image.open(BytesIO(drawn)) as image:
        assert image.size == ((40, 30) if format == "GIF" else (30, 40))
        assert not image.getexif()


async def test_it_is_taken_back_before_it_is_sent_and_goes_with_its_conversation(
    person: Person,
) -> None:
    one, other = await brought(person), await brought(person)
    delete = {"type": "attachments.delete", "params": {"attachment_id": one["id"]}}
    assert (await person.http.post("/chatkit", json=delete)).json() == {}
    assert (await get(one["preview_url"])).status_code == 404
    assert (await put(one, picture())).status_code == 404
    assert (await send(person, one["id"])).status_code == 404
    thread, _ = await sent(person, other["id"])
    assert (await send(person, other["id"], thread=thread)).status_code == 409
    delete["params"]["attachment_id"] = other["id"]
    assert (await person.http.post("/chatkit", json=delete)).status_code == 409
    assert (await person.http.delete(person.path(thread))).status_code == 204
    assert (await get(other["preview_url"])).status_code == 404


async def test_sent_many_times_at_once_under_one_key_it_is_one_turn(person: Person) -> None:
    new = await brought(person)
    said = create("what is this?")
    said["params"]["input"]["attachments"] = [new["id"]]
    key = {"Idempotency-Key": f"key-{new['id']}"}
    sending = (person.http.post("/chatkit", json=said, headers=key) for _ in range(6))
    answers = await asyncio.gather(*sending)
    assert [answer.status_code for answer in answers] == [200] * 6
    assert len({answer.headers["x-conversation-id"] for answer in answers}) == 1


async def test_a_message_carries_so_many_and_each_once(person: Person) -> None:
    new = await brought(person)
    for ids in ([new["id"]] * 2, [f"att_{n}" for n in range(11)]):
        refused = await send(person, *ids)
        assert (refused.status_code, refused.json()["code"]) == (422, "too_many_attachments")
    assert (await send(person, "att_nobodys")).status_code == 404
    assert (await person.http.post("/chatkit", json=items("no"))).status_code == 404


async def test_a_body_elsewhere_is_as_small_as_before(person: Person) -> None:
    response = await person.http.post(
        "/chatkit", content=b"{" * (1024 * 1024 + 1), headers={"content-type": "application/json"}
    )
    assert response.status_code == 413

"""Files that tools and models make: kept, shown at addresses of their own, and never in an item."""

import json
from collections.abc import AsyncGenerator
from html import unescape
from typing import Any

import httpx
import pytest

from chatbridge.adapters.openai.models import Endpoint
from chatbridge.container import Container
from tests.chatkit_client import Json
from tests.files_of_people import picture
from tests.hosts.drawing import TALK
from tests.hosts.studio import b64, studio
from tests.integration.http.person import Person
from tests.integration.http.test_call_widgets import Reading
from tests.ports import free_port
from tests.serving import Served, served, serving, settings_for


@pytest.fixture(scope="module")
def model() -> Reading:
    return Reading()


@pytest.fixture(scope="module")
async def drawing(store_url: str, model: Reading) -> AsyncGenerator[Served]:
    async def nothing_to_close() -> None: ...

    def override(container: Container) -> None:
        container.endpoint.override(Endpoint(model, nothing_to_close))

    agent = {"entry": "tests.hosts.drawing:assistant", "tools": "all"}
    port = free_port()
    servers = {"studio": {"url": f"http://127.0.0.1:{port}/mcp"}}
    async with (
        serving(studio().streamable_http_app(stateless_http=True), port),
        served(settings_for(store_url, agent=agent, mcp={"servers": servers}), override) as here,
    ):
        yield here


@pytest.fixture
def person(drawing: Served) -> Person:
    return Person(drawing)


async def called(person: Person, tool: str) -> tuple[Json, list[Json], str]:
    """The call as it is kept; what was told last of its card and after a reload; all of it."""
    thread, told = await person.say(f"please {tool}")
    items = await person.reload(thread)
    kept = await person.messages(thread)
    assert "base64," not in json.dumps([told, items, kept]).replace(TALK, "")
    (step,) = [m for m in kept if m["kind"] == "tools"]
    return step["tool_calls"][0], shown_in(items), json.dumps(told)


def shown_in(value: Any) -> list[Json]:
    """The parts of widgets that show what was made."""
    match value:
        case {"type": "Image" | "Markdown"} | {"key": "chatbridge-audio"}:
            return [value]
        case dict():
            return [each for part in value.values() for each in shown_in(part)]
        case list():
            return [each for part in value for each in shown_in(part)]
        case _:
            return []


def events_of(text: str) -> list[Json]:
    lines = (line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: "))
    return [json.loads(line) for line in lines]


async def got(address: str) -> httpx.Response:
    async with httpx.AsyncClient() as browser:
        return await browser.get(address)


async def test_a_picture_of_a_tool_is_kept_and_shown_live_and_later(
    person: Person, drawing: Served, model: Reading
) -> None:
    call, (shown,), told = await called(person, "paint")
    (file,) = call["files"]
    assert (file["name"], file["media_type"]) == ("paint.png", "image/png")
    assert (shown["type"], shown["alt"]) == ("Image", "paint.png")
    assert f"/attachments/{file['id']}?" in told
    what = f"The picture paint.png (image/png, {file['size']} bytes)"
    assert call["output"] == f"Painted.\n[{what} was shown to the person.]"
    response = await got(shown["src"])
    assert (response.status_code, response.headers["content-type"]) == (200, "image/png")
    assert len(response.content) == file["size"]
    assert b"CAMERA-OF-ALICE" not in response.content
    # the model reads words, and nobody else reads anything
    assert "was shown to the person" in model.read
    assert b64(picture())[:40] not in model.read
    bob = Person(drawing)
    assert (await bob.http.get(f"/api/{bob.name}/attachments/{file['id']}")).status_code == 403
    assert (await got(shown["src"][:-4] + "0000")).status_code == 403
    mine = await person.http.get(f"/api/{person.name}/attachments/{file['id']}")
    assert mine.content == response.content
    taken = await person.http.delete(f"/api/{person.name}/attachments/{file['id']}")
    assert taken.status_code == 409


async def test_sound_files_and_links_are_shown_as_what_they_are(person: Person) -> None:
    call, shown, _ = await called(person, "everything")
    names = [(file["name"], file["media_type"]) for file in call["files"]]
    assert names == [
        ("everything.wav", "audio/wav"),
        ("notes.md", "text/markdown"),
        ("b.pdf", "application/pdf"),
    ]
    assert "# Notes" in call["output"]
    sound, notes, pdf, link, trap = shown
    assert sound["key"] == "chatbridge-audio"
    assert unescape(notes["value"]).startswith("[notes.md (7 bytes)](http")
    assert unescape(pdf["value"]).startswith("[b.pdf (48 bytes)](http")
    assert link["value"] == "[a &#91;map&#93;](https://maps.example/1)"
    assert trap["value"] == "trap javascript&#58;alert&#40;1&#41;"
    address = notes["value"].partition("](")[2].removesuffix(")")
    response = await got(address)
    assert response.headers["content-disposition"].startswith("attachment")
    assert response.content == b"# Notes"


async def test_what_is_not_kept_is_said_in_words(person: Person) -> None:
    call, shown, _ = await called(person, "harm")
    assert [file["name"] for file in call["files"]] == ["harm 5.png"]
    assert [part["type"] for part in shown] == ["Image"]
    told = call["output"]
    assert told.count("is not kept, and nobody has seen it") == 5
    for why in ("its base64 is broken", "no type that is kept", "too many pixels"):
        assert why in told


async def test_of_many_as_many_are_kept_as_of_a_message(person: Person) -> None:
    call, shown, _ = await called(person, "many")
    assert len(call["files"]) == len(shown) == 10
    assert call["output"].count("10 files of one call are kept") == 20
    assert call["output"].count("was shown to the person") == 11


async def test_pictures_in_data_for_programs_are_taken_out_of_it(person: Person) -> None:
    call, shown, told = await called(person, "structured")
    assert len(call["files"]) == len(shown) == 1
    assert b64(picture())[:40] not in told
    assert "a file, which is shown to the person" in call["output"]


async def test_data_that_a_host_shows_is_kept(person: Person) -> None:
    thread, told = await person.say("please hang")
    (item,) = [i for i in await person.reload(thread) if "no cat" in str(i)]
    cat, broken, markdown, text = item["widget"]["children"]
    assert (await got(cat["src"])).headers["content-type"] == "image/png"
    assert broken["src"] == ""
    assert markdown["value"] == f"![the same]({cat['src']})\n\n{TALK}"
    assert text["value"] == TALK
    (live,) = [e["item"] for e in told if e["type"] == "thread.item.done" and "no cat" in str(e)]
    assert live["widget"] == item["widget"]


async def test_a_picture_that_grows_is_kept_as_it_is_last(person: Person) -> None:
    thread, told = await person.say("please draw")
    urls = [e["update"]["image"]["url"] for e in told if "image" in e.get("update", {})]
    (item,) = [i for i in await person.reload(thread) if i["type"] == "generated_image"]
    urls.append(item["image"]["url"])
    assert [(await got(url)).status_code for url in urls] == [200, 200]
    assert urls[0] != urls[1]
    (kept,) = [m for m in await person.messages(thread) if m["kind"] == "shown"]
    assert [file["id"] in urls[1] for file in kept["attachments"]] == [True]


async def test_a_picture_in_a_message_is_kept(person: Person) -> None:
    thread, told = await person.say("please write")
    assert "base64," not in json.dumps(told).replace(TALK, "")
    (item,) = [i for i in await person.reload(thread) if "Look" in str(i)]
    said = item["content"][0]["text"]
    assert said.endswith(TALK)
    assert (await got(said.partition("](")[2].partition(")")[0])).status_code == 200
    (kept,) = [m for m in await person.messages(thread) if "Look" in m["content"]]
    assert kept["content"].startswith(f"Look: ![a cat](attachment:{kept['attachments'][0]['id']})")


async def test_who_takes_a_stream_up_again_gets_the_pictures(person: Person) -> None:
    request = {"X-Chatbridge-Stream": "resumable"}
    said = {
        "content": [{"type": "input_text", "text": "please paint"}],
        "attachments": [],
        "inference_options": {},
    }
    create = {"type": "threads.create", "params": {"input": said}}
    response = await person.http.post("/chatkit", json=create, headers=request)
    thread = response.headers["x-conversation-id"]
    turn = response.text.partition("id: ")[2].partition("/")[0]
    path = f"/chatkit/threads/{thread}/events"
    again = await person.http.get(path, headers={"Last-Event-ID": f"{turn}/0"})
    addresses = [shown_in(events_of(each.text))[-1]["src"] for each in (response, again)]
    assert [(await got(address)).status_code for address in addresses] == [200, 200]


async def test_they_go_with_their_conversation(person: Person) -> None:
    call, (shown,), _ = await called(person, "paint")
    (file,) = call["files"]
    (listed,) = (await person.http.get(f"/api/{person.name}/conversations")).json()["items"]
    await person.http.delete(person.path(listed["id"]))
    assert (await got(shown["src"])).status_code == 404
    assert (
        await person.http.get(f"/api/{person.name}/attachments/{file['id']}")
    ).status_code == 404

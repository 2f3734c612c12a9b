"""The page and its files: where they are, what guards them, and that they need nobody else."""

import gzip
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from chatbridge.container import Container
from chatbridge.entrypoints.page.routes import further_files
from chatbridge.main import create_app
from chatbridge.settings import Settings

STATIC = Path(__file__).parents[4] / "src/chatbridge/entrypoints/page/static"
FILES = {"chatkit.js": "text/javascript", "page.css": "text/css", "page.js": "text/javascript"}
SIGN_IN = {
    "secret": "the sign-in's shared secret, long enough",
    "issuer": "https://sign-in.example",
    "audience": "https://chat.example",
}
SVG = "http://www.w3.org/2000/svg"

FURTHER = further_files()[0]

_THREE = {"enabled": True, "maxSize": 9, "maxCount": 3}

_files = pytest.mark.parametrize("name", FILES)


def app_of(**changes: Any) -> FastAPI:
    settings = Settings(_env_file=None, secret="s" * 32, database={"url": "memory:"}, **changes)
    return create_app(Container(settings=settings))


@pytest.fixture(scope="module")
def app() -> FastAPI:
    """An app of development, as it is without a setting."""
    return app_of()


def production(**changes: Any) -> FastAPI:
    return app_of(environment="production", auth=SIGN_IN, allow=["offline_model"], **changes)


def client_of(app: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app, client=("127.0.0.1", 1234)),
        base_url="http://127.0.0.1:8000",
    )


class _Tags(HTMLParser):
    """Every tag with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.all: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.all.append((tag, dict(attrs)))

    def loaded(self) -> list[str]:
        """What the document loads."""
        names = ("src", "href")
        return [value for _, a in self.all for n in names if (value := a.get(n)) is not None]


async def test_the_page_says_what_is_set() -> None:
    starters = ["Where is it?", {"label": "Mine", "prompt": "my orders", "icon": "bug"}]
    look = {"title": "<Shop> $5", "greeting": 'Say "hi"', "starters": starters}
    (tag, attributes), *_ = _Tags((await page_of(app_of(page=look))).text).all
    assert tag == "html"
    assert json.loads(attributes["data-start"] or "") == {
        "greeting": 'Say "hi"',
        "prompts": [{"label": "Where is it?", "prompt": "Where is it?"}, starters[1]],
    }
    text = (await page_of(app_of(page=look))).text
    assert "<title>&lt;Shop&gt; $5</title>" in text
    assert '<h1 class="name">&lt;Shop&gt; $5</h1>' in text


async def test_its_menus_are_what_a_message_may_choose() -> None:
    same, brief = {"label": "Same", "model": "large-1"}, {"label": "Brief", "model": "small-1"}
    usual = {"model": "large-1", "api_key": "sk-none"}
    for models, ids in [
        ({"same": same}, []),
        ({"same": same, "brief": brief}, [("same", True), ("brief", False)]),
        ({"brief": brief}, [("brief", False)]),
        ({"same": same | {"instructions": "Be brief."}}, [("same", False)]),
    ]:
        agent = usual | {"models": models, "tool_choices": "list_tasks"}
        (_, attributes), *_ = _Tags((await page_of(app_of(agent=agent))).text).all
        menus = json.loads(attributes["data-menus"] or "")
        assert [(model["id"], model["default"]) for model in menus["models"]] == ids
        assert menus["tools"] == [{"id": "list_tasks", "label": "List tasks", "icon": "bolt"}]


@pytest.mark.parametrize(
    ("agent", "first"),
    [({}, "Add a task"), ({"tools": "servers"}, None), ({"tools": "all"}, "Add")],
)
async def test_it_suggests_tasks_where_there_are_tools_for_them(
    agent: dict[str, Any], first: str | None
) -> None:
    (_, attributes), *_ = _Tags((await page_of(app_of(agent=agent))).text).all
    prompts = json.loads(attributes["data-start"] or "")["prompts"]
    assert prompts == [] if first is None else prompts[0]["label"].startswith(first)


async def page_of(app: FastAPI) -> httpx.Response:
    answer = await client_of(app).get("/")
    assert answer.status_code == 200
    return answer


def directives(answer: httpx.Response) -> dict[str, str]:
    policy = answer.headers["content-security-policy"]
    return dict(part.strip().split(" ", 1) for part in policy.split(";"))


async def test_development_has_the_page_and_it_signs_in_itself(app: FastAPI) -> None:
    answer = await page_of(app)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert 'data-sign-in="development" data-user="" data-model="offline"' in answer.text


async def test_production_has_no_page_unless_it_is_turned_on() -> None:
    async with client_of(production()) as client:
        unknown = await client.get("/nothing")
        assert unknown.json()["code"] == "no_such_path"
        for path in ("/", "/page/page.css", "/page/page.js"):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()) == (404, unknown.json()), path
    assert 'data-sign-in="token"' in (await page_of(production(page={"serve": True}))).text


async def test_the_element_is_there_for_the_pages_of_others() -> None:
    async with client_of(production()) as client:
        answer = await client.get("/page/chatkit.js")
        assert answer.status_code == 200
        assert "openai-chatkit" in answer.text
        for name in further_files():
            assert (await client.get(f"/page/{name}")).status_code == 200


async def test_the_page_can_be_turned_off() -> None:
    async with client_of(app_of(page={"serve": False})) as client:
        assert (await client.get("/")).status_code == 404


async def test_the_policy_allows_nothing_but_ourselves(app: FastAPI) -> None:
    answer = await page_of(app)
    said = directives(answer)
    nonce = said.pop("script-src")
    assert re.fullmatch(r"'nonce-[\w-]{20,}'", nonce)
    assert said == {
        "default-src": "'none'",
        "style-src": "'self'",
        "connect-src": "'self'",
        "img-src": "'self' data:",
        "media-src": "'self'",
        "font-src": "'self'",
        "frame-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    headers = answer.headers
    assert headers["cache-control"] == "no-store"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"


async def test_the_policy_allows_pictures_from_the_domains_that_are_set() -> None:
    answer = await page_of(app_of(allowed_image_domains="a.example, b.example"))
    wanted = "'self' data: a.example *.a.example b.example *.b.example"
    assert directives(answer)["img-src"] == wanted


@pytest.mark.parametrize(
    ("blobs", "attachments", "requests"),
    [
        (
            {"max_files": 3, "max_bytes": 9},
            {"enabled": True, "maxSize": 9, "maxCount": 3},
            "'self'",
        ),
        ({"url": "off"}, {"enabled": False}, "'self'"),
        (
            {
                "url": "s3://files",
                "endpoint": "https://s3.example/",
                "straight": True,
                "access_key_id": "key",
                "secret_access_key": "secret",
                "max_files": 3,
                "max_bytes": 9,
            },
            _THREE,
            "'self' https://s3.example",
        ),
    ],
)
async def test_files_can_be_attached_where_they_are_kept(
    blobs: dict[str, Any], attachments: dict[str, Any], requests: str
) -> None:
    answer = await page_of(app_of(blobs=blobs))
    (_, attributes), *_ = _Tags(answer.text).all
    assert json.loads(attributes["data-attachments"] or "") == attachments
    assert directives(answer)["connect-src"] == requests


async def test_every_script_carries_the_nonce_of_this_answer(app: FastAPI) -> None:
    first, second = [await page_of(app) for _ in range(2)]
    assert directives(first)["script-src"] != directives(second)["script-src"]
    for answer in (first, second):
        scripts = [a for tag, a in _Tags(answer.text).all if tag == "script"]
        assert scripts
        for attributes in scripts:
            assert f"'nonce-{attributes['nonce']}'" == directives(answer)["script-src"]


async def test_nothing_in_the_page_runs_or_is_styled_in_line(app: FastAPI) -> None:
    for tag, attributes in _Tags((await page_of(app)).text).all:
        assert tag not in ("style", "base", "iframe")
        assert not [name for name in attributes if name == "style" or name.startswith("on")]


async def test_the_page_loads_only_what_lies_beside_it(app: FastAPI) -> None:
    files = [f for f in _Tags((await page_of(app)).text).loaded() if not f.startswith("data:")]
    assert sorted(files) == sorted(f"page/{name}" for name in FILES)
    async with client_of(app) as client:
        for file in files:
            assert (await client.get(f"/{file}")).status_code == 200


@pytest.mark.parametrize("name", ["page.html", "page.css", "page.js"])
def test_no_file_of_the_page_names_another_site(name: str) -> None:
    text = (STATIC / name).read_text(encoding="utf-8").replace(SVG, "")
    assert not re.search(r"https?://|['\"]//|@import|\burl\(|innerHTML", text)


async def test_the_page_works_below_a_path(app: FastAPI) -> None:
    host = FastAPI()
    host.mount("/chat", app)
    async with client_of(host) as client:
        answer = await client.get("/chat", follow_redirects=True)
        assert answer.url.path == "/chat/"
        files = [f for f in _Tags(answer.text).loaded() if not f.startswith("data:")]
        for path in files:
            assert (await client.get(answer.url.join(path))).status_code == 200, path
        where = answer.url.join("development/token")
        asked = await client.post(where, json={"user": "alice"})
        assert (asked.status_code, asked.json()["code"]) == (401, "key_missing")


@_files
async def test_a_file_is_asked_for_again_and_sent_once(app: FastAPI, name: str) -> None:
    async with client_of(app) as client:
        answer = await client.get(f"/page/{name}")
        assert answer.content == (STATIC / name).read_bytes()
        assert answer.headers["content-type"] == f"{FILES[name]}; charset=utf-8"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-cache"
        tag = answer.headers["etag"]
        for known in (tag, f"W/{tag}", f'"other", {tag}'):
            again = await client.get(f"/page/{name}", headers={"If-None-Match": known})
            assert (again.status_code, again.content) == (304, b""), known
            assert again.headers["etag"] == tag
        changed = await client.get(f"/page/{name}", headers={"If-None-Match": '"other"'})
        assert changed.status_code == 200


async def test_what_is_named_by_its_content_is_asked_for_once(app: FastAPI) -> None:
    async with client_of(app) as client:
        answer = await client.get(f"/page/{FURTHER}")
        assert "immutable" in answer.headers["cache-control"]
        assert (await client.get("/page/items-000000000000.js")).status_code == 404


GZIPPED = ["gzip", "gzip, deflate, br, zstd", "br;q=1.0, GZIP;q=0.8", "*", "identity;q=0, *;q=0.5"]
PLAIN = ["", "identity", "br", "gzip;q=0", "gzip; q=0.000, *", "deflate, *;q=0", "x-gzipped"]


@pytest.mark.parametrize("accepted", GZIPPED + PLAIN)
@pytest.mark.parametrize("name", ["page.css", FURTHER])
async def test_a_file_is_sent_compressed_to_whoever_takes_it(
    app: FastAPI, name: str, accepted: str
) -> None:
    wanted = (STATIC / name).read_bytes()
    async with client_of(app) as client:
        asked = {"Accept-Encoding": accepted}
        answer = await client.get(f"/page/{name}", headers=asked)
        assert answer.content == wanted
        assert "Accept-Encoding" in answer.headers["vary"]
        compressed = answer.headers.get("content-encoding") == "gzip"
        assert compressed == (accepted in GZIPPED)
        size = len(gzip.compress(wanted, 9)) if compressed else len(wanted)
        assert int(answer.headers["content-length"]) == size

        other = {"Accept-Encoding": "identity" if compressed else "gzip"}
        tag = {"If-None-Match": answer.headers["etag"]}
        assert (await client.get(f"/page/{name}", headers=asked | tag)).status_code == 304
        assert (await client.get(f"/page/{name}", headers=other | tag)).status_code == 200


@pytest.mark.parametrize("path", ["/", "/page/page.js"])
async def test_the_page_can_be_looked_at_without_its_body(app: FastAPI, path: str) -> None:
    async with client_of(app) as client:
        assert (await client.head(path)).status_code == 200
        assert (await client.post(path)).status_code == 405


@pytest.mark.parametrize(
    "path", ["/page", "/page/", "/page/page.html", "/page/../main.py", "/page/%2e%2e/routes.py"]
)
async def test_nothing_else_is_served_beside_the_page(app: FastAPI, path: str) -> None:
    async with client_of(app) as client:
        assert (await client.get(path)).status_code == 404

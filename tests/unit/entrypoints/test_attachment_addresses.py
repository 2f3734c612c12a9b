"""Addresses of attachments: for one file, one use and a while."""

from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi import APIRouter, FastAPI
from starlette.requests import Request

from chatbridge.domain.model.attachment import Attached
from chatbridge.domain.model.errors import Forbidden
from chatbridge.domain.model.identifiers import AttachmentId
from chatbridge.entrypoints.attachment_addresses import Addresses

CAT = Attached(id=AttachmentId("att_1"), name="cat.png", media_type="image/png", size=1)


def request(host: str = "here.example", root: str = "") -> Request:
    router = APIRouter()
    router.add_api_route("/attachments/{id}", lambda: None, name="attachmentBytes")
    app = FastAPI()
    app.include_router(router)
    headers = [(b"host", host.encode())]
    scope = {"type": "http", "scheme": "https", "path": "/", "root_path": root, "headers": headers}
    return Request({**scope, "app": app, "router": app.router, "app_root_path": root})


def said(url: str) -> tuple[int, str]:
    asked = parse_qs(urlsplit(url).query)
    return int(asked["until"][0]), asked["signature"][0]


@pytest.mark.parametrize(
    ("public", "root", "expected"),
    [
        (None, "", "https://here.example/attachments/att_1?"),
        (None, "/chat", "https://here.example/chat/attachments/att_1?"),
        ("https://chat.example/a/", "", "https://chat.example/a/attachments/att_1?"),
    ],
)
def test_they_lead_where_browsers_reach_us(public: str | None, root: str, expected: str) -> None:
    addresses = Addresses(b"secret", public)
    for url in (
        addresses.to_get(request(root=root))(CAT),
        addresses.to_put(request(root=root), CAT),
    ):
        assert url.startswith(expected)


def test_one_is_good_for_one_file_one_use_and_a_while() -> None:
    addresses = Addresses(b"secret")
    until, signature = said(addresses.to_get(request())(CAT))
    addresses.require("get", "att_1", until, signature)
    for wrong in (
        ("put", "att_1", until, signature),
        ("get", "att_2", until, signature),
        ("get", "att_1", until + 1, signature),
        ("get", "att_1", until, signature[:-1]),
    ):
        with pytest.raises(Forbidden):
            addresses.require(*wrong)
    with pytest.raises(Forbidden):
        Addresses(b"another").require("get", "att_1", until, signature)
    Addresses(b"secret", now=lambda: until).require("get", "att_1", until, signature)
    with pytest.raises(Forbidden):
        Addresses(b"secret", now=lambda: until + 1).require("get", "att_1", until, signature)

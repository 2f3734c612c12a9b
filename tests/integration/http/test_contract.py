"""The contract in contracts/ is the app's own, whole, and says how each operation is refused."""

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from chatbridge.entrypoints.openapi import SIGN_IN
from scripts.contract import CONTRACT, contract
from tests.chatkit_client import Json
from tests.integration.http.asking import (
    FOR_SERVICES,
    FOR_SESSIONS,
    GUARDED,
    PUBLIC,
    TAKES_ONE_CONVERSATION,
    ask,
    require_refused,
    somebody,
)
from tests.integration.http.published import (
    DOCUMENT,
    ROUTES,
    Route,
    documented,
    found,
    references,
    require_told,
    require_valid,
    told,
)
from tests.serving import Served

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_routes = pytest.mark.parametrize("route", ROUTES, ids=" ".join)


def test_the_contract_is_written_down_as_the_app_has_it() -> None:
    assert CONTRACT.read_text(encoding="utf-8") == contract(), "run `make contract`"


def test_every_reference_leads_somewhere() -> None:
    leads = set(references(DOCUMENT))
    assert "#/components/schemas/Problem" in leads
    assert all(found(reference) for reference in leads)


def test_nothing_is_defined_that_nobody_uses() -> None:
    leads = set(references(DOCUMENT))
    for kind in ("schemas", "examples"):
        for name in DOCUMENT["components"][kind]:
            assert f"#/components/{kind}/{name}" in leads


def test_operations_have_names_of_their_own() -> None:
    names = [documented(route)["operationId"] for route in ROUTES]
    assert sorted(names) == [
        "answerTurn",
        "cancelThreadTurn",
        "cancelTurn",
        "changeConversation",
        "chat",
        "chatkit",
        "createAttachment",
        "createChatSession",
        "createDevelopmentToken",
        "deleteAttachment",
        "deleteConversation",
        "findDevelopmentKey",
        "followThread",
        "followTurn",
        "getAttachment",
        "getAttachmentAt",
        "getConversation",
        "giveFeedback",
        "giveThreadFeedback",
        "isAlive",
        "isReady",
        "listApprovals",
        "listConversations",
        "listMessages",
        "listTasks",
        "putAttachment",
        "readMenus",
        "readThreadFeedback",
        "revokeApproval",
        "searchTags",
        "takeFeedbackBack",
        "transcribe",
        "uploadAttachment",
    ]


@_routes
def test_an_operation_is_described(route: Route) -> None:
    operation = documented(route)
    assert operation["summary"]
    described = {tag["name"]: tag["description"] for tag in DOCUMENT["tags"]}
    assert [described[tag] for tag in operation["tags"]]
    for status, response in operation["responses"].items():
        assert response["description"], status
        assert response["description"] != "Validation Error"


@_routes
def test_an_operation_says_who_may(route: Route) -> None:
    operation = documented(route)
    if route[1] in PUBLIC:
        keys = [{"developmentKey": []}] if route == ("POST", "/development/token") else []
        assert operation["security"] == keys
        assert ("401" in operation["responses"]) == bool(keys)
        return
    schemes = [name for wanted in operation["security"] for name in wanted]
    sessions = ["clientSecret"] if route in FOR_SESSIONS else []
    services = ["serviceKey"] if route in FOR_SERVICES else []
    assert schemes == ["userToken", *sessions, *services]
    assert set(schemes) <= DOCUMENT["components"]["securitySchemes"].keys()
    assert {"401", "403", "503"} <= operation["responses"].keys()
    assert "WWW-Authenticate" in operation["responses"]["401"]["headers"]


@_routes
def test_every_part_of_a_path_is_a_parameter(route: Route) -> None:
    named = {p["name"] for p in documented(route).get("parameters", []) if p["in"] == "path"}
    assert named == {part.strip("{}") for part in route[1].split("/") if part.startswith("{")}


@_routes
def test_every_refusal_is_a_problem_with_examples(route: Route) -> None:
    for status, response in documented(route)["responses"].items():
        if int(status) < 400:
            continue
        content = response["content"]["application/problem+json"]
        assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
        for code, example in content["examples"].items():
            shared = found(example["$ref"]) if "$ref" in example else example
            problem = shared["value"]
            assert (problem["status"], problem["code"]) == (int(status), code)
            assert set(problem) == set(found("#/components/schemas/Problem")["required"])
        assert list(response["content"]) == ["application/problem+json"]


@_routes
def test_bodies_and_answers_have_examples(route: Route) -> None:
    operation = documented(route)
    answers = [r for s, r in operation["responses"].items() if int(s) < 400]
    for message in [*answers, *([operation["requestBody"]] if "requestBody" in operation else [])]:
        for media in message.get("content", {}).values():
            assert _has_example(media), media


def _has_example(media: dict[str, Any]) -> bool:
    if media.keys() & {"example", "examples"}:
        return True
    schemas = [found(reference) for reference in references(media["schema"])]
    return bool(schemas) and all(
        "examples" in s or any("examples" in p for p in s["properties"].values()) for s in schemas
    )


@pytest.mark.parametrize("name", DOCUMENT["components"]["schemas"])
def test_a_schema_is_well_formed(name: str) -> None:
    jsonschema_rs.meta.validate({"$schema": _DIALECT, **found(f"#/components/schemas/{name}")})


@_routes
def test_an_example_is_what_it_is_an_example_of(route: Route) -> None:
    for media_type, media in _media(documented(route)):
        for example in _examples(media):
            if media_type == "text/event-stream":
                require_told(example, media["schema"])
            else:
                require_valid(example, media["schema"])


def _media(operation: Json) -> Iterator[tuple[str, Json]]:
    for message in [operation.get("requestBody", {}), *operation["responses"].values()]:
        yield from message.get("content", {}).items()


def _examples(media: Json) -> Iterator[Any]:
    if "example" in media:
        yield media["example"]
    for example in media.get("examples", {}).values():
        yield found(example["$ref"])["value"] if "$ref" in example else example["value"]
    for reference in references(media["schema"]):
        yield from found(reference).get("examples", [])


def test_the_ways_to_sign_in_are_described() -> None:
    schemes = DOCUMENT["components"]["securitySchemes"]
    assert set(schemes) == {"userToken", "clientSecret", "serviceKey", "developmentKey"}
    for scheme in schemes.values():
        assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
        assert scheme["description"]


@pytest.mark.parametrize("route", GUARDED, ids=" ".join)
def test_every_reason_not_to_be_signed_in_is_told(route: Route) -> None:
    assert {code for _, code in told(documented(route))} >= {refusal.code for refusal in SIGN_IN}


@pytest.mark.parametrize(
    ("name", "example"),
    [
        (name, example["value"])
        for name, example in DOCUMENT["paths"]["/chatkit"]["post"]["requestBody"]["content"][
            "application/json"
        ]["examples"].items()
    ],
)
async def test_the_examples_of_the_protocol_are_understood(
    service: Served, name: str, example: dict[str, Any]
) -> None:
    answer = await service.as_user(somebody()).post("/chatkit", json=example)
    if "thread_id" in example["params"]:
        require_refused(answer, 404, "conversation_not_found")
    elif "attachment_id" in example["params"]:
        require_refused(answer, 404, "no_attachment")
    elif name == "input.transcribe":
        require_refused(answer, 501, "dictation_not_configured")
    else:
        assert answer.status_code == 200, answer.text


@_routes
async def test_an_operation_answers_what_it_says(service: Served, route: Route) -> None:
    user = somebody()
    body = {"conversation_id": "conv_nobodys"} if route in TAKES_ONE_CONVERSATION else None
    answer = await ask(service.as_user(user), route, user, body=body)
    assert str(answer.status_code) in documented(route)["responses"]
    if not answer.is_success:
        said = documented(route)["responses"][str(answer.status_code)]
        assert answer.json()["code"] in said["content"]["application/problem+json"]["examples"]

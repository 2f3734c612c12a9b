"""Whatever the source refuses with is in the contract, with its sentence."""

import ast
from pathlib import Path
from typing import Any

import pytest

import chatbridge
from chatbridge.domain.model import errors
from tests.integration.http.published import DOCUMENT, found

_REFUSALS = {
    kind.__name__: kind.default
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.ChatbridgeError)
}
# what a tool's caller, a turn's viewer or only the next layer is told
NOT_OVER_HTTP = {
    "conversation_deleted",
    "invalid_task",
    "message_exists",
    "stale_turn",
    "task_not_found",
    "turn_lost",
}
# read from a table, or said by the framework
WITHOUT_A_CALL = {"invalid_request", "unknown_operation", "internal_error"}


def raised() -> dict[str, set[str | None]]:
    """The codes of all refusals in the source with their sentences; None: one that is composed."""
    found: dict[str, set[str | None]] = {}
    for path in Path(chatbridge.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and (refusal := _refusal(node)):
                found.setdefault(refusal[0], set()).add(refusal[1])
    return found


def _refusal(call: ast.Call) -> tuple[str, str | None] | None:
    """The code and the sentence of a call that makes a refusal."""
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    if name not in {"Refused", "_refuse", *_REFUSALS}:
        return None
    given = list(map(_constant, call.args))
    named = {keyword.arg: _constant(keyword.value) for keyword in call.keywords}
    match name, given:
        case ("Refused", [_, str(code), detail]) | ("_refuse", [str(code), detail]):
            return code, detail
        case (_, [detail, *_]) if code := named.get("code", _REFUSALS.get(name)):
            return code, detail
        case _:
            return None


def _constant(value: ast.expr) -> Any:
    return value.value if isinstance(value, ast.Constant) else None


@pytest.mark.parametrize(("code", "sentences"), sorted(raised().items()))
def test_every_refusal_has_its_example(code: str, sentences: set[str | None]) -> None:
    if code in NOT_OVER_HTTP:
        assert code not in DOCUMENT["components"]["examples"]
        return
    example = found(f"#/components/examples/{code}")["value"]
    assert example["detail"] in sentences or None in sentences


def test_no_example_is_of_a_refusal_that_there_is_not() -> None:
    assert DOCUMENT["components"]["examples"].keys() <= raised().keys() | WITHOUT_A_CALL

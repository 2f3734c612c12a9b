"""Whatever the source refuses with is in the contract, in its own words, and nothing else is."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import chatbridge
from chatbridge.domain.model import errors, refusals
from chatbridge.domain.model.errors import ChatbridgeError
from chatbridge.domain.model.refusals import Refusal
from chatbridge.entrypoints import errors as over_http
from tests.integration.http.published import DOCUMENT

SOURCE = Path(chatbridge.__file__).parent
SAID: dict[str, Refusal[ChatbridgeError]] = {
    name: value
    for room in (refusals, over_http)
    for name, value in vars(room).items()
    if isinstance(value, Refusal)
}
EXAMPLES = DOCUMENT["components"]["examples"]
# what a tool's caller, a viewer or the next layer is told, and what is at no path of the contract
NOT_OF_AN_OPERATION = {
    "conversation_deleted",
    "head_too_large",
    "invalid_task",
    "message_exists",
    "method_not_allowed",
    "no_such_path",
    "not_kept",
    "shown_too_large",
    "metadata_too_large",
    "stale_turn",
    "task_not_found",
    "turn_lost",
    "turn_waiting",
}
_KINDS = {
    name
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, ChatbridgeError)
}


def parsed() -> Iterator[ast.Module]:
    """The source, but for where refusals are defined and where operations only name them."""
    for path in SOURCE.rglob("*.py"):
        if path.parent.name != "refusals" and path.name != "openapi.py":
            tree = ast.parse(path.read_text(encoding="utf-8"))
            yield ast.fix_missing_locations(WithoutDocumentation().visit(tree))


class WithoutDocumentation(ast.NodeTransformer):
    """Takes away `problems(...)`, with which an operation says how it may be refused."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if isinstance(node.func, ast.Name) and node.func.id == "problems":
            return ast.Constant(None)
        return self.generic_visit(node)


def raised() -> set[str]:
    """The names of the refusals that the source makes use of."""
    found: set[str] = set()
    for node in (node for tree in parsed() for node in ast.walk(tree)):
        match node:
            case ast.Attribute(value=ast.Name(id="refusals"), attr=name):
                found.add(name)
            case ast.Name(id=name, ctx=ast.Load()):
                found.add(name)
            case _:
                pass
    return found & SAID.keys()


def composed() -> set[str]:
    """The kinds of error that are made in their place, with a sentence of their own."""
    return {
        node.func.id
        for tree in parsed()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _KINDS
    }


RAISED = {SAID[name].code for name in raised()}


def test_every_refusal_that_is_raised_is_in_the_contract_and_no_other() -> None:
    assert EXAMPLES.keys() == RAISED - NOT_OF_AN_OPERATION


def test_no_refusal_is_worded_where_it_is_raised() -> None:
    # the log's words for a turn that is another server's now, and a table of what models answer
    assert composed() <= {"TurnLost", "AgentFailed"}


def test_nothing_is_said_that_nobody_raises() -> None:
    assert SAID.keys() == raised()


@pytest.mark.parametrize("name", SAID)
def test_an_example_is_in_the_words_of_the_refusal(name: str) -> None:
    refusal = SAID[name]
    error = refusal(*refusal.example)
    assert type(error) is refusal.kind
    assert error.detail
    if refusal.code in EXAMPLES:
        told = EXAMPLES[refusal.code]["value"]
        assert told["status"] == over_http.status_of(refusal.kind)
        same_code = [each for each in SAID.values() if each.code == refusal.code]
        assert told["detail"] in {each(*each.example).detail for each in same_code}

"""A request of the protocol as the SDK's own type, whose lists are bounded here."""

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from chatkit.types import ChatKitReq, UserMessageInput, UserMessageTagContent
from pydantic import TypeAdapter, ValidationError, ValidatorFunctionWrapHandler
from pydantic_core import CoreSchema, SchemaValidator
from pydantic_core.core_schema import no_info_wrap_validator_function

from chatbridge.domain.model import refusals
from chatbridge.domain.model.limits import MAX_ENTRIES, MAX_LIMIT
from chatbridge.domain.model.page import PageRequest
from chatbridge.entrypoints.errors import sentence


def read(body: Any) -> ChatKitReq:
    """The operation. Raises Invalid."""
    try:
        operation: ChatKitReq = _REQUEST.validate_python(body)
    except ValidationError as error:
        what = error.errors()[0]
        no_such = what["type"].startswith("union_tag") and not what["loc"]
        refusal = refusals.unknown_operation if no_such else refusals.invalid_request
        raise refusal(sentence(error)) from None
    limit = getattr(operation.params, "limit", None)
    if limit is not None:
        PageRequest(limit=min(limit, MAX_LIMIT))
    return operation


def tags_of(operation: ChatKitReq) -> list[dict[str, Any]]:
    """The tags of its message, if it has any, as they were sent."""
    said = getattr(operation.params, "input", None)
    content = said.content if isinstance(said, UserMessageInput) else ()
    return [part.model_dump() for part in content if isinstance(part, UserMessageTagContent)]


def _raising(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    try:
        return validate(value)
    except ValidationError as error:
        raise refusals.invalid_request(sentence(error)) from None


def _bounded(schema: Any) -> Any:
    """The schema; a list in it has an end, and it or a table is given up at its first wrong entry.

    Without that, pydantic makes an error of each. An action has a type: by the SDK's default it is
    a variable of Python's.
    """
    if isinstance(schema, list):
        return [_bounded(each) for each in cast(list[Any], schema)]
    if not isinstance(schema, Mapping):
        return schema
    parts = cast(Mapping[str, Any], schema)
    inner = {key: part if key == "metadata" else _bounded(part) for key, part in parts.items()}
    match inner.get("type"):
        case "list":
            return inner | {"max_length": MAX_ENTRIES, "fail_fast": True}
        case "int":
            return inner | {"strict": True}
        case "default" if isinstance(inner.get("default"), TypeVar):
            return inner["schema"]
        case "dict":
            return inner | {
                "values_schema": no_info_wrap_validator_function(_raising, inner["values_schema"])
            }
        case _:
            return inner


_REQUEST = SchemaValidator(
    cast(CoreSchema, _bounded(TypeAdapter[ChatKitReq](ChatKitReq).core_schema)),
    # a type of the SDK's that somebody has used already has a validator, which knows no bounds
    _use_prebuilt=False,
)

"""What OpenAI asks of a schema that a model is held to."""

from typing import Any

from chatbridge.domain.model.tool_schema.parts import schemas_in


def is_strict(schema: dict[str, Any]) -> bool:
    """Whether a fitted schema may be called strict: all is said of everything that may come."""
    return all(part and _is_closed(part) for part in schemas_in(schema))


def _is_closed(part: dict[str, Any]) -> bool:
    if "properties" not in part and part.get("type") != "object":
        return True
    all_required = {*part.get("required", ())} == {*part.get("properties", ())}
    return all_required and part.get("additionalProperties") is False

"""The contract of the HTTP surface, as it is published and kept in contracts/."""

from typing import Any

from fastapi import FastAPI

from chatbridge.entrypoints.errors import Problem


def document(app: FastAPI) -> None:
    """Complete what FastAPI derives: every refusal is a problem document, `422` included."""
    derive = app.openapi

    def complete() -> dict[str, Any]:
        if app.openapi_schema is None:
            contract = derive()
            schemas = contract["components"]["schemas"]
            schemas["Problem"] = Problem.model_json_schema()
            for unused in ("HTTPValidationError", "ValidationError"):
                schemas.pop(unused, None)
        return derive()

    app.openapi = complete

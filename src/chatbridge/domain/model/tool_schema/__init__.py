"""The JSON schema of a tool's arguments, made fit for the strictest of a model's readers."""

from chatbridge.domain.model.tool_schema.fitting import fitted
from chatbridge.domain.model.tool_schema.hiding import hidden
from chatbridge.domain.model.tool_schema.naming import renamed, restored
from chatbridge.domain.model.tool_schema.nesting import deeper_than
from chatbridge.domain.model.tool_schema.strictness import is_strict
from chatbridge.domain.model.tool_schema.unfit import Unfit

__all__ = ["Unfit", "deeper_than", "fitted", "hidden", "is_strict", "renamed", "restored"]

"""The schemas in what a model is asked, made fit wherever they came from."""

import json
from functools import lru_cache
from typing import Any, cast

from chatbridge.adapters.openai.unoffered import Unoffered
from chatbridge.domain.model.tool_schema import Unfit, fitted, is_strict

Json = dict[str, Any]

_AGENT = "an agent"
_ABOUT_TOOLS = ("tools", "tool_choice", "parallel_tool_calls")


def fit_schemas(request: Json, unoffered: Unoffered) -> None:
    """Mend the schemas of all functions and of the output, by either API.

    Besides a host's own tools these are its handoffs, those of agents that are tools, and of tool
    servers that it has hung on an agent. What can't be mended is left out and noted.
    """
    tools: Any = request.get("tools")
    if isinstance(tools, list) and tools:
        fit = [tool for tool in cast(list[Any], tools) if _is_fit(tool, unoffered)]
        request["tools"] = fit
        for name in () if fit else _ABOUT_TOOLS:
            request.pop(name, None)
    for output in (_at(request, "response_format", "json_schema"), _at(request, "text", "format")):
        _fit(output, "schema")


def _is_fit(tool: Any, unoffered: Unoffered) -> bool:
    """Whether it is after it was mended."""
    function = _at(tool, "function") or _at(tool)
    reason = _fit(function, "parameters")
    if reason is not None:
        unoffered.note(_AGENT, str(function.get("name")), reason)
    return reason is None


def _fit(of: Json, name: str) -> str | None:
    """Mend the schema of this name, if there is one; answers why that can't be."""
    given = of.get(name)
    if not isinstance(given, dict):
        return None
    mended = _fitted(json.dumps(given))
    if isinstance(mended, str):
        return mended
    if mended != given:
        of[name] = json.loads(json.dumps(mended))
        if of.get("strict"):
            of["strict"] = is_strict(mended)
    return None


@lru_cache(maxsize=2_000)
def _fitted(schema: str) -> Json | str:
    try:
        return fitted(json.loads(schema))
    except Unfit as unfit:
        return str(unfit)


def _at(of: Any, *names: str) -> Json:
    """What stands there, where it is an object."""
    for name in names:
        of = cast(Json, of).get(name) if isinstance(of, dict) else None
    return cast(Json, of) if isinstance(of, dict) else {}

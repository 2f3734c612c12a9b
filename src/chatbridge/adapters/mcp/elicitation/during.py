"""A server that asks while a call goes on (2025-11-25): the request lives in the open call."""

from mcp.client import ClientRequestContext
from mcp.client.session import ElicitationFnT
from mcp_types import INVALID_PARAMS, ElicitRequestParams, ElicitResult, ErrorData

from chatbridge.adapters.mcp.elicitation.forms import Unaskable
from chatbridge.adapters.mcp.elicitation.requests import declined, form_of, results_of
from chatbridge.domain.model.tool import Ask


def elicited(server: str, ask: Ask | None) -> ElicitationFnT | None:
    """What answers such a request; None, where nobody can be asked, declares that."""
    if ask is None:
        return None

    async def answer(
        context: ClientRequestContext, params: ElicitRequestParams
    ) -> ElicitResult | ErrorData:
        requests = {"": params.model_dump(mode="json", by_alias=True, exclude_none=True)}
        try:
            form = form_of(server, requests)
        except Unaskable as why:
            return ErrorData(code=INVALID_PARAMS, message=f"The server {why}.")
        try:
            return results_of(requests, await ask(form))[""]
        except TimeoutError:
            return declined("cancel")

    return answer

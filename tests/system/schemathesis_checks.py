"""What Schemathesis checks besides, in the process that it is."""

from typing import Any

import schemathesis
from schemathesis.core.failures import Failure

schemathesis.serializer.alias("audio/*", "application/octet-stream")


class Undocumented(Failure):
    """A refusal that the contract does not have."""


@schemathesis.check
def a_refusal_is_in_the_contract(
    context: Any, response: schemathesis.Response, case: schemathesis.Case
) -> None:
    """The code of a problem document is one of those that the operation names."""
    documented = case.operation.definition.raw["responses"].get(str(response.status_code))
    if response.status_code < 400 or documented is None:
        return
    code = response.json()["code"]
    if code not in documented["content"]["application/problem+json"]["examples"]:
        raise Undocumented(
            operation=case.operation.label,
            title="Undocumented refusal",
            message=f"{response.status_code} {code}",
        )

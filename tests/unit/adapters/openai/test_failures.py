"""Each way to fail has a stable code and a sentence without the error's own words."""

import json

import httpx2
import pytest
from agents.exceptions import MaxTurnsExceeded, ModelBehaviorError
from openai import NotFoundError

from chatbridge.adapters.openai.failures import (
    ProviderFailure,
    TruncatedStream,
    agent_failed,
    kind_of,
)
from chatbridge.domain.model.errors import AgentFailed, TurnLost


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (TimeoutError("secret"), "model_timeout"),
        (ConnectionResetError("secret"), "model_unavailable"),
        (TruncatedStream("secret"), "model_truncated"),
        (MaxTurnsExceeded("secret"), "too_many_steps"),
        (ModelBehaviorError("secret"), "model_malformed"),
        (json.JSONDecodeError("secret", "x", 0), "model_malformed"),
        (ProviderFailure("server_error", "secret"), "model_unavailable"),
        (ProviderFailure("rate_limit_exceeded", "secret"), "model_rate_limited"),
        (ProviderFailure("context_length_exceeded", "secret"), "context_too_long"),
        (ProviderFailure(None, "exceeds the available context size"), "context_too_long"),
        (ProviderFailure(None, "secret"), "agent_failed"),
        (KeyError("secret"), "agent_failed"),
    ],
)
def test_an_error_has_its_code(error: Exception, code: str) -> None:
    failure = agent_failed(error)
    assert isinstance(failure, AgentFailed)
    assert failure.code == code
    assert failure.detail.endswith(".")
    assert "secret" not in failure.detail


def test_an_error_of_the_domain_stays_what_it_is() -> None:
    lost = TurnLost("Gone.")
    assert agent_failed(lost) is lost


def test_the_log_names_what_an_endpoint_calls_it_and_nothing_that_anybody_said() -> None:
    request = httpx2.Request("POST", "http://x.invalid")
    answer = httpx2.Response(404, request=request)
    body = {"code": "model_not_found", "message": "secret"}
    refused = NotFoundError("secret", response=answer, body=body)
    assert kind_of(refused) == "NotFoundError 404 model_not_found"
    assert kind_of(ProviderFailure("server_error", "secret")) == "ProviderFailure server_error"
    assert kind_of(KeyError("secret")) == "KeyError"

"""Each way to fail has a stable code and a sentence without the error's own words."""

import json

import httpx2
import pytest
from agents.exceptions import MaxTurnsExceeded, ModelBehaviorError
from openai import APIStatusError, NotFoundError

from chatbridge.adapters.openai.failure_line import failure_line
from chatbridge.adapters.openai.failures import agent_failed
from chatbridge.adapters.openai.troubles import NotAStream, ProviderFailure, TruncatedStream
from chatbridge.domain.model.errors import AgentFailed, TurnLost


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (TimeoutError("secret"), "model_timeout"),
        (ConnectionResetError("secret"), "model_unavailable"),
        (TruncatedStream(None), "model_truncated"),
        (MaxTurnsExceeded("secret"), "too_many_steps"),
        (ModelBehaviorError("secret"), "model_malformed"),
        (json.JSONDecodeError("secret", "x", 0), "model_malformed"),
        (ProviderFailure("server_error", "secret"), "model_unavailable"),
        (ProviderFailure("rate_limit_exceeded", "secret"), "model_rate_limited"),
        (ProviderFailure("context_length_exceeded", "secret"), "context_too_long"),
        (ProviderFailure(None, "exceeds the available context size"), "context_too_long"),
        (ProviderFailure(None, "secret"), "model_unavailable"),
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
    line = failure_line(refused, words=False)
    assert line.startswith("NotFoundError, status 404, code model_not_found, from http://x.invalid")
    assert "CHATBRIDGE_AGENT__MODEL" in line
    assert "secret" not in line
    assert "secret" in failure_line(refused, words=True)
    assert failure_line(KeyError("secret"), words=False) == "KeyError"


@pytest.mark.parametrize("listed", [True, False])
def test_the_log_reads_what_gemini_refuses(listed: bool) -> None:
    request = httpx2.Request("POST", "http://x.invalid")

    def line(status: int, kind: str, message: str) -> str:
        told = {"code": status, "message": message, "status": kind}
        answer = httpx2.Response(status, request=request)
        body = [{"error": told}] if listed else told
        return failure_line(APIStatusError("secret", response=answer, body=body), words=False)

    key = line(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.")
    assert "type INVALID_ARGUMENT" in key
    assert "CHATBRIDGE_AGENT__API_KEY" in key
    assert "type RESOURCE_EXHAUSTED" in line(429, "RESOURCE_EXHAUSTED", "Quota.")
    assert "API_KEY" not in line(400, "INVALID_ARGUMENT", "Unknown model.")


@pytest.mark.parametrize(
    "name",
    [
        *("context_length_exceeded", "invalid_api_key", "RESOURCE_EXHAUSTED", "InvalidParameter"),
        *("model_not_found", "insufficient_quota", "string_above_max_length", "content_filter"),
        *("MALFORMED_FUNCTION_CALL", "SAFETY", "overloaded_error", "BadRequestError", "1301", 400),
        *("tools[0].function.parameters", "messages.[3].content", "stream_options", "max_tokens"),
        *("model_not_available", "DataInspectionFailed", "billing_hard_limit_reached"),
        *("exceeded_current_quota_error", "permission_denied", "deadline_exceeded", "Arrearage"),
        *("text/html; charset=utf-8", "application/json", "text/event-stream", "length", "model"),
    ],
)
def test_a_name_of_known_words_is_told(name: object) -> None:
    error = ProviderFailure(str(name), "secret")
    assert f"code {name}" in failure_line(error, words=False)


@pytest.mark.parametrize(
    "name",
    [
        *("ann", "Max", "ann_smith", "AnnSmith", "ann.smith", "diagnosis-17", "call_Ann", "no.ann"),
        *("secret_key", "sk-proj-abc", "0160123456789", "not_a_hard_day", "x" * 200, "pregnancy"),
        *("tools[0].ann", "text/ann", "the words", "ünvalid", "invalid\nrequest"),
    ],
)
def test_a_name_that_may_be_somebodys_is_not(name: str) -> None:
    for error in (
        ProviderFailure(name, "m", kind=name, parameter=name),
        TruncatedStream(name),
        NotAStream(name),
    ):
        line = failure_line(error, words=False)
        assert name not in line.replace("(not known here)", "")

"""The models behind an OpenAI-compatible endpoint, and the one client that reaches them."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from agents import Model, ModelProvider, OpenAIChatCompletionsModel, OpenAIResponsesModel
from openai import DefaultAsyncHttpxClient, Timeout

from chatbridge.adapters.openai.address import endpoint_address
from chatbridge.adapters.openai.api import Api, Http
from chatbridge.adapters.openai.endpoint_client import EndpointClient
from chatbridge.adapters.openai.endpoint_http import EndpointHttp
from chatbridge.adapters.openai.patience import Patience
from chatbridge.adapters.openai.patient_model import PatientModel
from chatbridge.adapters.openai.unoffered import Unoffered
from chatbridge.domain.model.message import cleaned
from chatbridge.domain.model.tool import LeftOut

log = logging.getLogger(__name__)

OPENAI = "https://api.openai.com/v1"
CONNECT_SECONDS = 10.0
_PATIENCE = Patience()
_NO_KEY = "there is no key for OpenAI: set OPENAI_API_KEY, or name another endpoint"


def no_endpoint(name: str) -> Model:
    """Raises ValueError: there is no endpoint that could have a model of this name."""
    raise ValueError(f"The model {name} is named, and {_NO_KEY}.")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A model, others of the same endpoint by their names, and what lets go of its connections.

    `left_out` are the tools that the endpoint refuses.
    """

    model: Model
    close: Callable[[], Awaitable[None]]
    named: Callable[[str], Model] = no_endpoint
    left_out: Callable[[], tuple[LeftOut, ...]] = tuple


def is_chat_completions(model: Model) -> bool:
    """Whether the model is reached by Chat Completions."""
    inner = model.model if isinstance(model, PatientModel) else model
    return isinstance(inner, OpenAIChatCompletionsModel)


def reads_files(model: Model) -> bool:
    """Whether the model may take more than texts; the offline one says that it does not."""
    return getattr(model, "reads_files", True)


def name_of(model: Model) -> str:
    """What the model is called, as its own attribute says; a class without one by its own name."""
    inner = model.model if isinstance(model, PatientModel) else model
    name = getattr(inner, "model", None)
    return cleaned(name) if isinstance(name, str) else type(inner).__name__


class Models(ModelProvider):
    """The models that agents name; one that names none gets the configured one."""

    def __init__(self, model: Model, named: Callable[[str], Model]) -> None:
        self._model = model
        self._named = named

    def get_model(self, model_name: str | None) -> Model:
        """The model of this name. Raises ValueError when there is no endpoint that has any."""
        return self._named(model_name) if model_name else self._model


def offline_endpoint(
    model: Model,
    *,
    base_url: str | None,
    api_key: str | None,
    api: Api,
    http: Http = "httpx",
    patience: Patience = _PATIENCE,
    unoffered: Unoffered | None = None,
) -> Endpoint:
    """A model of this process; other names are sought at the endpoint, if it can be reached."""
    if api_key or base_url:
        endpoint = openai_model(
            model="",
            base_url=base_url,
            api_key=api_key,
            api=api,
            http=http,
            patience=patience,
            unoffered=unoffered,
        )
        return replace(endpoint, model=model)
    return Endpoint(model, _nothing_to_close)


async def _nothing_to_close() -> None: ...


def openai_model(
    *,
    model: str,
    base_url: str | None,
    api_key: str | None,
    api: Api,
    http: Http = "httpx",
    patience: Patience = _PATIENCE,
    unoffered: Unoffered | None = None,
) -> Endpoint:
    """A model at OpenAI, or at the compatible endpoint `base_url`, over one client.

    A request is tried three times before its first event and never after it; 10 s to connect. All
    else that is waited for is in `patience`, and `http` is who carries the bytes. Raises ValueError
    when OpenAI itself is meant and there is no key for it, when `base_url` is no address, and when
    aiohttp is meant and not installed.
    """
    if not api_key and not base_url:
        raise ValueError(
            f"T{_NO_KEY[1:]}, or run without a model: CHATBRIDGE_AGENT__MODEL=offline."
        )
    address = endpoint_address(base_url or OPENAI)
    for note in address.notes:
        log.warning("%s", note)
    timeout = Timeout(patience.max_seconds, connect=CONNECT_SECONDS)
    carrier = carrier_over(http)(patience, unoffered or Unoffered(), timeout=timeout)
    client = EndpointClient(
        # never left out: the client would look into the environment and send that key anywhere
        api_key=api_key or "none",
        base_url=address.url,
        default_query=address.query,
        timeout=timeout,
        max_retries=0,  # PatientModel asks again, before the first event too
        http_client=carrier,
    )

    def named(name: str) -> Model:
        kind = OpenAIResponsesModel if api == "responses" else OpenAIChatCompletionsModel
        return PatientModel(kind(name, client), first=patience.first)

    return Endpoint(named(model), client.close, named, carrier.left_out)


class _OverHttpx(EndpointHttp, DefaultAsyncHttpxClient): ...


def carrier_over(http: Http) -> type[EndpointHttp]:
    if http == "httpx":
        return _OverHttpx
    # an extra, which need not be there
    try:
        from chatbridge.adapters.openai.over_aiohttp import OverAiohttp
    except ImportError as error:
        raise ValueError(
            "CHATBRIDGE_AGENT__HTTP=aiohttp needs aiohttp, which is not installed: "
            "pip install 'chatbridge-server[fast]'."
        ) from error
    return OverAiohttp

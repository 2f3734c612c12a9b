"""The sections of the settings, each with its knobs; those of tool servers are apart."""

from typing import Annotated, Any, Literal, Self, cast

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode

from chatbridge.adapters.openai.api import Api, Http
from chatbridge.domain.model.ask_person import ASK_PERSON
from chatbridge.domain.model.tool_schema import Unfit, fitted
from chatbridge.domain.model.turn import OnBusy, OnDisconnect
from chatbridge.entrypoints.logs.lines import Format
from chatbridge.environment import Section, words

INSTRUCTIONS = (
    "You are a helpful assistant. You keep the user's tasks with the tools that you are given. "
    "Never invent a task or its number: look it up. Say briefly what you did."
)


OurTools = Literal["all", "servers", "none"]
"""Those that an agent gets of us: the bundled and the servers', only the servers', or none."""


Memory = Literal["window", "openai_conversations"]

_YEAR = 31_536_000.0
"""In seconds: what never ends has no date that a database could keep."""


class Database(Section):
    """Where conversations are kept. `url` unset: an embedded Postgres; `memory:`: nowhere."""

    url: SecretStr | None = None
    schema_name: str = Field(
        default="chatbridge", validation_alias="schema", pattern="^[a-z_][a-z0-9_]{0,62}$"
    )
    pool_size: int = Field(default=5, ge=1, le=100)


class Blobs(Section):
    """Where attachments are kept, and how much. `url` is `file:/a/directory`, `s3://bucket`, with
    or without a prefix, or `off`; unset: in the data directory, where it is named or the database
    is embedded.

    `endpoint`, `region` and the keys are a bucket's; without keys, those of the environment or the
    machine. `straight`: browsers send the bytes there themselves. `public_url` is where browsers
    reach chatbridge; unset, where the request that asks has reached it. Bytes and files are of one
    message, and of one person's day.
    """

    url: str | None = None
    endpoint: str = "https://s3.amazonaws.com"
    region: str = "us-east-1"
    access_key_id: str | None = None
    secret_access_key: SecretStr | None = None
    straight: bool = False
    public_url: str | None = None
    max_bytes: int = Field(default=25_000_000, ge=1)
    max_files: int = Field(default=10, ge=1, le=20)
    max_bytes_a_day: int = Field(default=500_000_000, ge=1)
    max_files_a_day: int = Field(default=200, ge=1)


class ModelChoice(Section):
    """A model that a message may choose: for people, its name, and what it is told besides."""

    label: str = Field(min_length=1)
    model: str = Field(min_length=1)
    instructions: str | None = None


class ClientTool(Section):
    """A tool that the page runs, as the model is told of it; `parameters` is a JSON schema."""

    name: str = Field(pattern="^[a-zA-Z0-9_-]{1,64}$")
    description: str = Field(min_length=1, max_length=1_024)
    parameters: dict[str, Any] = Field(default={"type": "object", "properties": {}})

    @field_validator("parameters")
    @classmethod
    def _fit(cls, schema: dict[str, Any]) -> dict[str, Any]:
        if schema.get("type", "object") != "object":
            raise ValueError('a tool is called with an object: its schema has "type": "object"')
        try:
            return fitted(schema)
        except Unfit as unfit:
            raise ValueError(f"no model can be given this schema: {unfit}") from unfit


class Agent(Section):
    """Who answers. `offline` needs no key and no network.

    `entry` is an agent of the host's own, `module:attribute`, in place of one that has only
    `instructions`. `tools` are ours that it gets: the bundled and the servers', or only these;
    unset, one of the host's own gets the servers'. `show_calls`: in a chat by name and state, or
    with arguments and result too. `show_thoughts`: none of a model's, the summaries that providers
    make of them for people, or all. `titles`: the first message's first line, or made by the model.
    `client_tools` are run by the page, and with `ask_person` the model may ask questions in a form.
    `models` and `tool_choices` are what a message may choose, by the names that it gives. `memory`
    is where the model reads the conversation: our window of it, or OpenAI's own record.
    `first`, `idle` and `max_seconds` are in seconds. `approve_for_conversation`: what a tool of the
    host's own asks may be approved for the whole conversation.
    """

    entry: str | None = None
    memory: Memory = "window"
    tools: OurTools | None = None
    show_calls: Literal["names", "details"] = "names"
    titles: Literal["first_line", "model"] = "first_line"
    show_thoughts: Literal["none", "summaries", "all"] = "summaries"
    model: str = "offline"
    models: dict[Annotated[str, Field(min_length=1)], ModelChoice] = Field(default={})
    tool_choices: Annotated[tuple[str, ...] | None, NoDecode] = None
    client_tools: list[ClientTool] = Field(default=[])
    ask_person: bool = False
    base_url: str | None = None
    api_key: SecretStr | None = None
    api: Api = "responses"
    http: Http = "httpx"
    instructions: str = INSTRUCTIONS
    max_steps: int = Field(default=10, ge=1)
    first: float = Field(default=120, ge=2)
    idle: float = Field(default=30, ge=2)
    max_seconds: float = Field(default=600, ge=2)
    max_characters: int = Field(default=100_000, ge=100)
    tracing: bool = False
    approve_for_conversation: bool = False

    @field_validator("models", mode="before")
    @classmethod
    def _none(cls, said: Any) -> Any:
        return said or {}

    @field_validator("client_tools", mode="before")
    @classmethod
    def _no_tools(cls, said: Any) -> Any:
        return said or []

    @field_validator("client_tools")
    @classmethod
    def _apart(cls, tools: list[ClientTool]) -> list[ClientTool]:
        names = [tool.name for tool in tools]
        for name in names:
            if names.count(name) > 1 or name == ASK_PERSON.name:
                raise ValueError(f"the name {name} is taken")
        return tools

    @field_validator("tool_choices", mode="before")
    @classmethod
    def _listed(cls, listed: Any) -> Any:
        return words(listed)

    @field_validator("tools", mode="before")
    @classmethod
    def _unset(cls, said: Any) -> Any:
        return None if said == "" else said


class Starter(Section):
    """A message that the page offers to send: what the button says, and what is sent."""

    label: str
    prompt: str
    icon: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, said: Any) -> Any:
        if not isinstance(said, dict):
            return {"label": said, "prompt": said}
        given = cast(dict[str, Any], said)
        return {"prompt": given.get("label"), **given}


class Page(Section):
    """The chat page: whether it is served, and what it says of itself. `starters` unset: those of
    the task tools, where the agent has them."""

    serve: bool | None = None
    title: str = Field(default="chatbridge", max_length=200)
    greeting: str = Field(default="What can I do for you?", max_length=200)
    starters: Annotated[tuple[Starter, ...] | None, NoDecode] = Field(default=None, max_length=12)

    @field_validator("serve", mode="before")
    @classmethod
    def _unset(cls, said: Any) -> Any:
        return None if said == "" else said

    @field_validator("starters", mode="before")
    @classmethod
    def _listed(cls, listed: Any) -> Any:
        return words(listed)


class Server(Section):
    """A ChatKitServer of the host's own, in the place of an agent: `entry` is `module:attribute`.

    `context` names the function that makes what it is given as its context. `actions`: whatever
    action is sent, or only what the widget offers that it comes from. `loop`: of its `own`, in a
    thread, or `shared` with ours. `silence` is in seconds.
    """

    entry: str | None = None
    context: str | None = None
    actions: Literal["any", "offered"] = "any"
    loop: Literal["own", "shared"] = "own"
    silence: float = Field(default=300, gt=0)


class TagSettings(Section):
    """What can be named with `@`: both are functions of the host's, as `module:function`.

    `search` finds it, in place of the search among the bundled tasks; `words` says what a model is
    to know of it.
    """

    search: str | None = None
    words: str | None = None


class Auth(Section):
    """The sign-in: keys from `jwks_url`, a shared `secret` (HS256), or both.

    `claims` names those of its tokens that an agent's tools may see.
    """

    jwks_url: str | None = None
    secret: SecretStr | None = None
    issuer: str | None = None
    audience: str | None = None
    claims: Annotated[tuple[str, ...] | None, NoDecode] = None

    @field_validator("claims", mode="before")
    @classmethod
    def _listed(cls, listed: Any) -> Any:
        return words(listed)


class Dictation(Section):
    """Who writes down what is said: `model` is one of an OpenAI-compatible endpoint, and unset
    nobody does. `base_url` and `api_key` unset: those of the agent; an endpoint of its own gets no
    key but its own. `max_seconds` are for one recording.
    """

    model: str | None = None
    base_url: str | None = None
    api_key: SecretStr | None = None
    max_seconds: float = Field(default=60, ge=2)

    @field_validator("model", "base_url", mode="before")
    @classmethod
    def _unset(cls, said: Any) -> Any:
        return None if said == "" else said


class Window(Section):
    """How much of a conversation the model reads: its last `low` to `high` messages."""

    low: int = Field(default=10, ge=1)
    high: int = Field(default=15, ge=2)
    max_characters: int = Field(default=200_000, ge=1_000)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low >= self.high:
            raise ValueError("CHATBRIDGE_WINDOW__LOW must be less than CHATBRIDGE_WINDOW__HIGH")
        return self


class TurnSettings(Section):
    """How turns behave; `lease`, `patience` (with a person) and `drain` are in seconds."""

    on_disconnect: OnDisconnect = "finish"
    on_busy: OnBusy = "reject"
    lease: float = Field(default=5.0, ge=2.0)
    patience: float = Field(default=86_400.0, gt=0, le=_YEAR)
    drain: float = Field(default=5.0, ge=0.0)


class Log(Section):
    """What the log is like, and what it holds: `level` is that of chatbridge's own lines.

    With `words` it repeats what people, models, tools and errors have said.
    """

    format: Format = "text"
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    words: bool = False

    @field_validator("level", mode="before")
    @classmethod
    def _capitals(cls, level: Any) -> Any:
        return level.upper() if isinstance(level, str) else level

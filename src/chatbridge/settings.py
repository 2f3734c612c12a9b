"""Every knob, read once from the environment and `.env`.

`CHATBRIDGE_` and two underscores between sections (`CHATBRIDGE_AGENT__MODEL`); a few names that
people's environments already have (`DATABASE_URL`, `PORT`, `OPENAI_API_KEY`, `BETTER_AUTH_URL`,
`BETTER_AUTH_SECRET`) are read too, and give way to ours.
"""

from pathlib import Path
from typing import Any, Literal, Self, cast

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

MEMORY = "memory:"

INSTRUCTIONS = (
    "You are a helpful assistant. You keep the user's tasks with the tools that you are given. "
    "Never invent a task or its number: look it up. Say briefly what you did."
)


class Section(BaseModel):
    """A part of the settings; a name that is not known is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Database(Section):
    """Where conversations are kept. `url` unset: an embedded Postgres; `memory:`: nowhere."""

    url: SecretStr | None = None
    schema_name: str = Field(
        default="chatbridge", validation_alias="schema", pattern="^[a-z_][a-z0-9_]{0,62}$"
    )
    pool_size: int = Field(default=5, ge=1, le=100)


class Agent(Section):
    """Who answers. `offline` needs no key and no network."""

    model: str = "offline"
    base_url: str | None = None
    api_key: SecretStr | None = None
    api: Literal["responses", "chat_completions"] = "responses"
    instructions: str = INSTRUCTIONS
    max_steps: int = Field(default=10, ge=1)
    tracing: bool = False


class Auth(Section):
    """The sign-in: keys from `jwks_url`, or a shared `secret` (HS256), never both."""

    jwks_url: str | None = None
    secret: SecretStr | None = None
    issuer: str | None = None
    audience: str | None = None

    @model_validator(mode="after")
    def _exclusive(self) -> Self:
        if self.jwks_url and self.secret:
            raise ValueError("set CHATBRIDGE_AUTH__JWKS_URL or CHATBRIDGE_AUTH__SECRET, not both")
        return self


class McpServer(Section):
    """A further tool server: an address (streamable HTTP) or a command (stdio)."""

    url: str | None = None
    headers: dict[str, str] = {}
    command: str | None = None
    args: list[str] = []
    env: dict[str, str] = {}
    timeout: float = Field(default=30, gt=0, description="Seconds that one call may take.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.url is None) == (self.command is None):
            raise ValueError("a tool server has a `url` or a `command`, and not both")
        return self


class Mcp(Section):
    """Tool servers besides the bundled one: `{"name": {"url": ...}, ...}`.

    `tasks_url` is where the bundled one is reached, if not at the address that is served: under a
    host application's path, or as a process of its own.
    """

    servers: dict[str, McpServer] = {}
    tasks_url: str | None = None

    @field_validator("servers", mode="before")
    @classmethod
    def _named(cls, servers: Any) -> Any:
        """A list of objects that each have a `name` is read too."""
        if not isinstance(servers, list):
            return servers
        listed = [dict(server) for server in cast(list[dict[str, Any]], servers)]
        named = {str(server.pop("name", "")): server for server in listed}
        if "" in named or len(named) < len(listed):
            raise ValueError("each tool server in the list needs a `name` of its own")
        return named


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
    """How turns behave; `lease` and `drain` are in seconds."""

    on_disconnect: Literal["finish", "cancel"] = "finish"
    lease: float = Field(default=5.0, ge=2.0)
    drain: float = Field(default=5.0, ge=0.0)


class Settings(BaseSettings):
    """All of them."""

    model_config = SettingsConfigDict(
        env_prefix="CHATBRIDGE_",
        env_nested_delimiter="__",
        env_file=".env",
        extra="ignore",
        frozen=True,
    )

    environment: Literal["development", "production"] = "development"
    host: str = "127.0.0.1"
    port: int = Field(
        default=8000, ge=0, le=65535, validation_alias=AliasChoices("PORT", "CHATBRIDGE_PORT")
    )
    data_dir: Path = Path(".chatbridge")
    secret: SecretStr | None = None
    page: bool | None = None
    database: Database = Database()
    agent: Agent = Agent()
    auth: Auth = Auth()
    mcp: Mcp = Mcp()
    window: Window = Window()
    turns: TurnSettings = TurnSettings()

    database_url: SecretStr | None = Field(default=None, validation_alias="DATABASE_URL")
    openai_api_key: SecretStr | None = Field(default=None, validation_alias="OPENAI_API_KEY")
    better_auth_url: str | None = Field(default=None, validation_alias="BETTER_AUTH_URL")
    better_auth_secret: SecretStr | None = Field(
        default=None, validation_alias="BETTER_AUTH_SECRET"
    )

    @field_validator("page", mode="before")
    @classmethod
    def _unset(cls, page: Any) -> Any:
        return None if page == "" else page

    @property
    def serves_page(self) -> bool:
        """Whether the chat page is served; in development it is, unless it is turned off."""
        return self.environment == "development" if self.page is None else self.page

    @property
    def store(self) -> Literal["embedded", "memory", "postgres"]:
        """Which store was chosen."""
        match self.postgres_url:
            case None:
                return "embedded"
            case "memory:":
                return "memory"
            case _:
                return "postgres"

    @property
    def postgres_url(self) -> str | None:
        """The database's address as given."""
        url = self.database.url or self.database_url
        return (url.get_secret_value().strip() or None) if url else None

    @property
    def api_key(self) -> str | None:
        """The model's key."""
        key = self.agent.api_key or self.openai_api_key
        return key.get_secret_value() if key else None

    @property
    def jwks_url(self) -> str | None:
        """Where the sign-in's keys are, in the mode that has some."""
        if self.auth.jwks_url or self.auth.secret or not self.better_auth_url:
            return self.auth.jwks_url
        return f"{self.better_auth_url.rstrip('/')}/api/auth/jwks"

    @property
    def shared_secret(self) -> str | None:
        """The sign-in's secret, in the mode that has one."""
        if self.jwks_url:
            return None
        secret = self.auth.secret or self.better_auth_secret
        return secret.get_secret_value() if secret else None

    @property
    def issuer(self) -> str | None:
        """Whom the sign-in's tokens must name as their issuer."""
        return self.auth.issuer or (self.better_auth_url or "").rstrip("/") or None

    @property
    def audience(self) -> str | None:
        """For whom the sign-in's tokens must have been issued."""
        return self.auth.audience or (self.better_auth_url or "").rstrip("/") or None

"""Every knob, read once from the environment and `.env`.

`CHATBRIDGE_` and two underscores between sections (`CHATBRIDGE_AGENT__MODEL`); a few names that
people's environments already have (`DATABASE_URL`, `PORT`, `OPENAI_API_KEY`, `BETTER_AUTH_URL`,
`BETTER_AUTH_SECRET`) are read too, and give way to ours.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, cast

from pydantic import (
    AliasChoices,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from chatbridge.environment import PREFIX, faults, names, worded, words
from chatbridge.sections import (
    Agent,
    Auth,
    Blobs,
    Database,
    Dictation,
    Log,
    Page,
    Server,
    TagSettings,
    TurnSettings,
    Window,
)
from chatbridge.tool_servers import Mcp

_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")

Allowed = Literal["public_development", "offline_model", "made_secret"]
"""What is refused at the start unless it is asked for: development beyond this machine, and in
production the offline model and a secret of our own making."""


class Settings(BaseSettings):
    """All of them."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        env_file=".env",
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    environment: Literal["development", "production"] = "development"
    allow: Annotated[tuple[Allowed, ...] | None, NoDecode] = None
    host: str = "127.0.0.1"
    port: int = Field(
        default=8000, ge=0, le=65535, validation_alias=AliasChoices("PORT", "CHATBRIDGE_PORT")
    )
    data_dir: Path = Path(".chatbridge")
    secret: SecretStr | None = None
    docs: bool | None = None
    service_keys: Annotated[tuple[str, ...] | None, NoDecode] = Field(default=None, max_length=2)
    cors_origins: Annotated[tuple[str, ...] | None, NoDecode] = None
    allowed_image_domains: Annotated[tuple[str, ...] | None, NoDecode] = None
    database: Database = Database()
    blobs: Blobs = Blobs()
    agent: Agent = Agent()
    server: Server = Server()
    page: Page = Page()
    tags: TagSettings = TagSettings()
    auth: Auth = Auth()
    mcp: Mcp = Mcp()
    dictation: Dictation = Dictation()
    window: Window = Window()
    turns: TurnSettings = TurnSettings()
    log: Log = Log()

    database_url: SecretStr | None = Field(default=None, validation_alias="DATABASE_URL")
    openai_api_key: SecretStr | None = Field(default=None, validation_alias="OPENAI_API_KEY")
    better_auth_url: str | None = Field(default=None, validation_alias="BETTER_AUTH_URL")
    better_auth_secret: SecretStr | None = Field(
        default=None, validation_alias="BETTER_AUTH_SECRET"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """As they are, if they hold no name of ours that means nothing. Raises ValueError."""
        found: dict[str, str | None] = {}
        for source in (dotenv_settings, env_settings):
            if isinstance(source, EnvSettingsSource):
                found |= source.env_vars
        if wrong := faults(found, cls):
            raise ValueError(" ".join(wrong))
        return init_settings, env_settings, dotenv_settings, file_secret_settings

    @field_validator("host", mode="before")
    @classmethod
    def _here(cls, host: Any) -> Any:
        # empty, it would be every address of this machine; with colons it is IPv6, and is kept as
        # an address has it
        if not isinstance(host, str):
            return host
        return f"[{host.strip('[]')}]" if ":" in host else host or "127.0.0.1"

    @field_validator("docs", mode="before")
    @classmethod
    def _unset(cls, said: Any) -> Any:
        return None if said == "" else said

    @model_validator(mode="after")
    def _nobody_elses_secret(self) -> Self:
        own = (self.secret, self.auth.secret, self.better_auth_secret)
        if {secret.get_secret_value() for secret in own if secret} & set(self.mcp.token_secrets):
            raise ValueError(
                "a `send_user_token` secret must not be chatbridge's or the sign-in's: whoever "
                "has it can sign with it"
            )
        return self

    @field_validator("allow", "service_keys", "cors_origins", mode="before")
    @classmethod
    def _listed(cls, listed: Any) -> Any:
        return words(listed)

    @field_validator("allowed_image_domains", mode="before")
    @classmethod
    def _named_domains(cls, listed: Any) -> Any:
        domains = cls._listed(listed)
        for domain in domains or ():
            if not isinstance(domain, str) or not _DOMAIN.fullmatch(domain):
                raise ValueError(
                    "CHATBRIDGE_ALLOWED_IMAGE_DOMAINS holds names of hosts, such as "
                    "images.example.com: lower case, no scheme, port or path, no `*`."
                )
        return domains

    def refuses(self, what: Allowed) -> bool:
        """Whether this is refused here: it is in none but its own environment, nor asked for."""
        here = "development" if what == "public_development" else "production"
        return self.environment == here and what not in (self.allow or ())

    @property
    def allows_own_machine(self) -> bool:
        """Whether every page of this machine may call us: in development, unless some are named."""
        return self.environment == "development" and self.cors_origins is None

    @property
    def serves_page(self) -> bool:
        """Whether the chat page is served; in development it is, unless it is turned off."""
        return self.environment == "development" if self.page.serve is None else self.page.serve

    @property
    def is_offline(self) -> bool:
        """Whether the offline model answers: of a host's own agent its own model might."""
        return self.agent.model == "offline" and not self.agent.entry

    @property
    def serves_docs(self) -> bool:
        """Whether the contract is served; in development it is, unless it is turned off."""
        return self.environment == "development" if self.docs is None else self.docs

    @property
    def own_address(self) -> str:
        """Where this server is reached from its own machine."""
        host = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(self.host, self.host)  # noqa: S104
        return f"http://{host}:{self.port}"

    @property
    def store_url(self) -> str:
        """The database's address as given; empty for the embedded one."""
        url = self.database.url or self.database_url
        return url.get_secret_value().strip() if url else ""

    @property
    def store_url_name(self) -> str:
        """Which variable has set the database's address."""
        return "CHATBRIDGE_DATABASE__URL" if self.database.url else "DATABASE_URL"

    @property
    def api_key(self) -> str | None:
        """The model's key."""
        key = self.agent.api_key or self.openai_api_key
        return key.get_secret_value() if key else None

    @property
    def jwks_url(self) -> str | None:
        """Where the sign-in's keys are, if it publishes some."""
        if self.auth.jwks_url or not self.better_auth_url:
            return self.auth.jwks_url
        return f"{self.better_auth_url.rstrip('/')}/api/auth/jwks"

    @property
    def shared_secret(self) -> str | None:
        """What the sign-in signs with, if it shares that."""
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


def read_settings(given: Mapping[str, object]) -> Settings:
    """The settings, with `given` before the environment and named as there; None is not given.

    Raises ValueError with a sentence, by the names that they are set by.
    """

    class Given(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            if isinstance(env_settings, EnvSettingsSource):
                env_settings.env_vars = {**env_settings.env_vars, **_written(given)}
            return super().settings_customise_sources(
                settings_cls, init_settings, env_settings, dotenv_settings, file_secret_settings
            )

    _require_names(given)
    try:
        return Given()
    except ValidationError as error:
        raise ValueError(worded(error, Settings)) from error


def _require_names(given: object) -> None:
    wanted = "they must be a mapping of names, as the environment has them, to values"
    if not isinstance(given, Mapping):
        raise ValueError(f"`settings` are of type {type(given).__name__}; {wanted}.")
    named = cast(Mapping[object, object], given)
    if odd := [type(name).__name__ for name in named if not isinstance(name, str)]:
        raise ValueError(f"`settings` have a name of type {odd[0]}; {wanted}.")


def _written(given: Mapping[str, object]) -> dict[str, str]:
    """As an environment would have it. Raises ValueError for what is no setting."""
    known = {name for name, _ in names(Settings)}
    for name in given:
        if name.upper() not in known and not name.upper().startswith(PREFIX):
            raise ValueError(f"{name} is no setting: docs/reference.md names all settings.")
    said = {name.lower(): value for name, value in given.items() if value is not None}
    return {name: _text(name, value) for name, value in said.items()}


def _text(name: str, value: object) -> str:
    try:
        return str(value) if isinstance(value, str | Path) else json.dumps(value)
    except (TypeError, ValueError):
        raise ValueError(
            f"{name.upper()} is of type {type(value).__name__}; an environment could not say that."
        ) from None

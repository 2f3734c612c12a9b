"""Settings from the environment, and the example of them that is kept in the repository."""

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pydantic import AliasChoices, BaseModel, ValidationError
from pydantic.fields import FieldInfo

from chatbridge.container import Container
from chatbridge.environment import worded
from chatbridge.settings import Settings

EXAMPLE = Path(__file__).resolve().parents[2] / ".env.example"
NEON = "postgresql://alice:pa55word@ep-cool-1-pooler.eu-central-1.aws.neon.tech/neondb"


def setting_defaults() -> dict[str, Any]:
    """Every name that the environment may set, with its default."""
    return dict(_names(Settings, "CHATBRIDGE_"))


def _names(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _names(kind, f"{prefix}{name}__".upper())
        else:
            yield _name(name, field, prefix), field.default


def _name(name: str, field: FieldInfo, prefix: str) -> str:
    alias = field.validation_alias
    if isinstance(alias, AliasChoices):
        alias = alias.choices[0]
    if isinstance(alias, str):
        return alias if alias.isupper() else f"{prefix}{alias.upper()}"
    return f"{prefix}{name.upper()}"


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in setting_defaults():
        monkeypatch.delenv(name, raising=False)


def settings() -> Settings:
    """The settings of the environment alone, without a `.env`."""
    return Settings(_env_file=None)


def uncommented() -> str:
    """The example with every setting switched on."""
    lines = EXAMPLE.read_text().splitlines()
    return "\n".join(line[1:] for line in lines if line.startswith("#") and "=" in line.split()[0])


def test_the_example_names_every_setting_once_and_no_other() -> None:
    names = [line.partition("=")[0] for line in uncommented().splitlines()]
    assert sorted(names) == sorted(setting_defaults())


def test_the_example_holds_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "env").write_text(uncommented())
    parsed = Settings(_env_file=tmp_path / "env")
    assert _unset_where_empty(parsed.model_dump()) == settings().model_dump()


def test_the_example_explains_every_setting() -> None:
    lines = EXAMPLE.read_text().splitlines()
    for before, line in pairwise(lines):
        if line.startswith("#") and not line.startswith("# "):
            assert before.startswith("# "), line


def _unset_where_empty(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _unset_where_empty(entry) for name, entry in value.items()}
    empty = hasattr(value, "__len__") and len(value) == 0 and not isinstance(value, list)
    return None if empty else value


def test_without_a_url_the_database_is_embedded() -> None:
    assert settings().store_url == ""


@pytest.mark.parametrize("empty", ["", "  "])
def test_an_empty_url_is_no_url(monkeypatch: pytest.MonkeyPatch, empty: str) -> None:
    monkeypatch.setenv("DATABASE_URL", empty)
    assert settings().store_url == ""


def test_memory_is_a_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATBRIDGE_DATABASE__URL", "memory:")
    assert settings().store_url == "memory:"


@pytest.mark.parametrize("name", ["DATABASE_URL", "CHATBRIDGE_DATABASE__URL"])
def test_either_name_sets_the_database(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, NEON)
    assert settings().store_url == NEON


def test_our_name_of_the_database_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", NEON)
    monkeypatch.setenv("CHATBRIDGE_DATABASE__URL", "memory:")
    assert settings().store_url == "memory:"


def test_an_empty_url_of_ours_leaves_the_common_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", NEON)
    monkeypatch.setenv("CHATBRIDGE_DATABASE__URL", "")
    assert settings().store_url == NEON


def test_the_schema_is_called_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATBRIDGE_DATABASE__SCHEMA", "chat_2")
    assert settings().database.schema_name == "chat_2"


@pytest.mark.parametrize("name", ["", "Chat", "1st", 'a"b', "a" * 64])
def test_a_schema_that_would_need_quoting_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("CHATBRIDGE_DATABASE__SCHEMA", name)
    with pytest.raises(ValidationError, match="schema"):
        settings()


def test_the_endpoints_own_key_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "common")
    assert settings().api_key == "common"
    monkeypatch.setenv("CHATBRIDGE_AGENT__API_KEY", "own")
    assert settings().api_key == "own"


def test_tool_servers_as_a_mapping(monkeypatch: pytest.MonkeyPatch) -> None:
    servers = {
        "search": {"url": "https://tools.example/mcp", "headers": {"X-Key": "k"}},
        "clock": {"command": "uvx", "args": ["clock"], "env": {"TZ": "UTC"}, "timeout": 5},
    }
    monkeypatch.setenv("CHATBRIDGE_MCP__SERVERS", json.dumps(servers))
    found = settings().mcp.servers
    assert found["search"].headers == {"X-Key": "k"}
    assert found["search"].timeout == 30
    assert (found["clock"].command, found["clock"].args) == ("uvx", ["clock"])
    assert found["clock"].timeout == 5


def test_which_tools_ask_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    servers = {"a": {"command": "a", "approval": ["pay"]}, "b": {"command": "b"}}
    monkeypatch.setenv("CHATBRIDGE_MCP__SERVERS", json.dumps(servers))
    found = settings().mcp
    assert (found.servers["a"].approval, found.servers["b"].approval) == (("pay",), "never")
    assert found.tasks_approval == "auto"
    assert not found.servers["a"].approve_for_conversation
    for said, read in [("never", "never"), ("add_task, delete_task", ("add_task", "delete_task"))]:
        monkeypatch.setenv("CHATBRIDGE_MCP__TASKS_APPROVAL", said)
        assert settings().mcp.tasks_approval == read


@pytest.mark.parametrize("said", ["Always", "always, add_task", "true", "delete_tasks", '[["a"]]'])
def test_a_word_that_no_tool_is_called_lets_none_run_unasked(
    monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    monkeypatch.setenv("CHATBRIDGE_MCP__TASKS_APPROVAL", said)
    with pytest.raises(ValueError, match="there is no bundled tool"):
        settings()
    monkeypatch.delenv("CHATBRIDGE_MCP__TASKS_APPROVAL")
    servers = {"a": {"command": "a", "approval": ["pay", "Always"]}}
    monkeypatch.setenv("CHATBRIDGE_MCP__SERVERS", json.dumps(servers))
    with pytest.raises(ValueError, match="always is no name of a tool"):
        settings()


def test_tool_servers_as_a_list_of_named_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    servers = [{"name": "a", "url": "https://a.example"}, {"name": "b", "command": "b"}]
    monkeypatch.setenv("CHATBRIDGE_MCP__SERVERS", json.dumps(servers))
    assert list(settings().mcp.servers) == ["a", "b"]


@pytest.mark.parametrize("server", [{}, {"url": "https://a.example", "command": "a"}])
def test_a_tool_server_has_one_way_in(
    monkeypatch: pytest.MonkeyPatch, server: dict[str, str]
) -> None:
    monkeypatch.setenv("CHATBRIDGE_MCP__SERVERS", json.dumps({"a": server}))
    with pytest.raises(ValidationError, match="`url` or a `command`"):
        settings()


@pytest.mark.parametrize(
    "pasted",
    [
        {"mcpServers": {"a": {"url": "https://a.example"}}},
        {"servers": {"a": {"type": "http", "url": "https://a.example"}}},
        {"a": {"transport": "streamable-http", "url": "https://a.example"}},
        {"a": {"url": "https://a.example", "disabled": False}},
        {"a": {"url": "https://a.example"}, "b": {"command": "b", "disabled": True}},
    ],
)
def test_tool_servers_as_other_programs_keep_them(
    monkeypatch: pytest.MonkeyPatch, pasted: dict[str, Any]
) -> None:
    monkeypatch.setenv("CHATBRIDGE_MCP__SERVERS", json.dumps(pasted))
    servers = settings().mcp.servers
    assert {name: server.url for name, server in servers.items()} == {"a": "https://a.example"}


@pytest.mark.parametrize(
    ("server", "said"),
    [
        ({"type": "sse", "url": "https://a.example/sse"}, "streamable HTTP"),
        ({"type": "stdio", "url": "https://a.example"}, "the form is"),
        ({"type": "websocket", "command": "a"}, "the form is"),
    ],
)
def test_a_kind_of_tool_server_that_is_not_spoken_is_refused(
    monkeypatch: pytest.MonkeyPatch, server: dict[str, str], said: str
) -> None:
    refused_servers(monkeypatch, {"a": server}, said)


SHARED = "a secret that one tool server shares"


def refused_servers(monkeypatch: pytest.MonkeyPatch, servers: dict[str, Any], match: str) -> None:
    monkeypatch.setenv("CHATBRIDGE_MCP__SERVERS", json.dumps(servers))
    with pytest.raises(ValidationError, match=match) as caught:
        settings()
    assert SHARED not in str(caught.value)


def test_what_a_tool_server_is_told_and_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    servers = {
        "course": {
            "url": "https://a.example/mcp",
            "tools": ["add_task"],
            "user_argument": "user_id",
            "send_user_token": {"secret": SHARED},
        },
        "other": {"command": "other"},
    }
    monkeypatch.setenv("CHATBRIDGE_MCP__SERVERS", json.dumps(servers))
    found = settings().mcp.servers
    course, other = found["course"], found["other"]
    assert (course.tools, course.user_argument) == (["add_task"], "user_id")
    assert course.send_user_token is not None
    assert course.send_user_token.audience is None
    assert (other.tools, other.user_argument, other.send_user_token) == (None, None, None)
    assert SHARED not in repr(settings()) + settings().model_dump_json()


@pytest.mark.parametrize(
    ("server", "match"),
    [
        ({"url": "https://a.example", "send_user_token": True}, "a secret shared with that server"),
        ({"url": "https://a.example", "send_user_token": SHARED}, "shared with that server"),
        ({"url": "https://a.example", "send_user_token": {"secret": "short"}}, "32 bytes"),
        ({"command": "a", "send_user_token": {"secret": SHARED}}, "is for a `url`"),
        (
            {
                "url": "https://a.example",
                "headers": {"authorization": "Bearer a"},
                "send_user_token": {"secret": SHARED},
            },
            "exclude each other",
        ),
        ({"url": "https://a.example", "tools": []}, "at least 1 item"),
        ({"url": "https://a.example", "user_argument": ""}, "at least 1 character"),
    ],
)
def test_a_tool_server_that_can_not_be_told_so_is_refused(
    monkeypatch: pytest.MonkeyPatch, server: dict[str, Any], match: str
) -> None:
    refused_servers(monkeypatch, {"a": server}, match)


def test_no_two_tool_servers_share_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    server = {"url": "https://a.example", "send_user_token": {"secret": SHARED}}
    refused_servers(
        monkeypatch, {"a": server, "b": server}, "a `send_user_token` secret of its own"
    )


@pytest.mark.parametrize(
    "name", ["CHATBRIDGE_SECRET", "CHATBRIDGE_AUTH__SECRET", "BETTER_AUTH_SECRET"]
)
def test_no_tool_server_gets_a_secret_that_opens_more(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, SHARED)
    server = {"url": "https://a.example", "send_user_token": {"secret": SHARED}}
    refused_servers(monkeypatch, {"a": server}, "must not be chatbridge's or the sign-in's")


@pytest.mark.parametrize("url", ["https://auth.example", "https://auth.example/"])
def test_better_auths_address_says_it_all(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("BETTER_AUTH_URL", url)
    found = settings()
    assert found.jwks_url == "https://auth.example/api/auth/jwks"
    assert found.issuer == "https://auth.example"
    assert found.audience == "https://auth.example"
    assert found.shared_secret is None


def test_what_is_said_of_the_sign_in_wins_over_better_auths(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BETTER_AUTH_URL", "https://auth.example")
    monkeypatch.setenv("CHATBRIDGE_AUTH__JWKS_URL", "https://keys.example/jwks")
    monkeypatch.setenv("CHATBRIDGE_AUTH__ISSUER", "https://issuer.example")
    monkeypatch.setenv("CHATBRIDGE_AUTH__AUDIENCE", "chat")
    found = settings()
    assert found.jwks_url == "https://keys.example/jwks"
    assert (found.issuer, found.audience) == ("https://issuer.example", "chat")


def test_better_auths_secret_works_beside_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BETTER_AUTH_SECRET", "theirs")
    assert settings().jwks_url is None
    monkeypatch.setenv("BETTER_AUTH_URL", "https://auth.example")
    found = settings()
    assert found.jwks_url == "https://auth.example/api/auth/jwks"
    assert found.shared_secret == "theirs"
    assert (found.issuer, found.audience) == ("https://auth.example",) * 2


def test_a_key_set_and_a_secret_of_ours_stand_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BETTER_AUTH_SECRET", "theirs")
    monkeypatch.setenv("CHATBRIDGE_AUTH__JWKS_URL", "https://auth.example/jwks")
    monkeypatch.setenv("CHATBRIDGE_AUTH__SECRET", "ours")
    found = settings()
    assert (found.jwks_url, found.shared_secret) == ("https://auth.example/jwks", "ours")


def test_without_a_sign_in_there_is_none() -> None:
    found = settings()
    assert (found.jwks_url, found.shared_secret, found.issuer, found.audience) == (None,) * 4


@pytest.mark.parametrize("name", ["PORT", "CHATBRIDGE_PORT"])
def test_the_port_is_called_as_everywhere(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "9001")
    assert settings().port == 9001


def test_an_empty_host_is_this_machine_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATBRIDGE_HOST", "")
    assert settings().own_address == "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    ("host", "address"), [("::1", "[::1]"), ("[::1]", "[::1]"), ("::", "[::1]"), ("[::]", "[::1]")]
)
def test_a_host_may_be_of_ipv6(monkeypatch: pytest.MonkeyPatch, host: str, address: str) -> None:
    monkeypatch.setenv("CHATBRIDGE_HOST", host)
    assert settings().own_address == f"http://{address}:8000"


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_port_that_there_is_not_is_refused(monkeypatch: pytest.MonkeyPatch, port: str) -> None:
    monkeypatch.setenv("PORT", port)
    with pytest.raises(ValidationError, match="PORT"):
        settings()


@pytest.mark.parametrize(
    ("environment", "page", "served"),
    [
        ("development", "", True),
        ("development", "on", True),
        ("development", "off", False),
        ("production", "", False),
        ("production", "on", True),
        ("production", "off", False),
    ],
)
def test_the_page_and_the_docs_are_for_development_unless_they_are_asked_for(
    monkeypatch: pytest.MonkeyPatch, environment: str, page: str, served: bool
) -> None:
    monkeypatch.setenv("CHATBRIDGE_ENVIRONMENT", environment)
    monkeypatch.setenv("CHATBRIDGE_PAGE__SERVE", page)
    monkeypatch.setenv("CHATBRIDGE_DOCS", page)
    assert (settings().serves_page, settings().serves_docs) == (served, served)


def test_a_page_that_is_neither_on_nor_off_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATBRIDGE_PAGE__SERVE", "maybe")
    with pytest.raises(ValidationError, match="page"):
        settings()


@pytest.mark.parametrize(
    ("environment", "refused"),
    [("development", "public_development"), ("production", "offline_model made_secret")],
)
def test_what_is_refused_at_the_start_can_be_asked_for(
    monkeypatch: pytest.MonkeyPatch, environment: Any, refused: str
) -> None:
    everything: tuple[Any, ...] = ("public_development", "offline_model", "made_secret")
    monkeypatch.setenv("CHATBRIDGE_ENVIRONMENT", environment)
    assert [each for each in everything if settings().refuses(each)] == refused.split()
    monkeypatch.setenv("CHATBRIDGE_ALLOW", ", ".join(everything))
    assert not [each for each in everything if settings().refuses(each)]


SECRETS = [
    "CHATBRIDGE_SECRET",
    "DATABASE_URL",
    "CHATBRIDGE_DATABASE__URL",
    "OPENAI_API_KEY",
    "CHATBRIDGE_AGENT__API_KEY",
    "BETTER_AUTH_SECRET",
    "CHATBRIDGE_AUTH__SECRET",
]


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_does_not_show(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "hush-hush")
    found = settings()
    assert "hush-hush" not in repr(found) + str(found) + found.model_dump_json()


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("AGENT_MODEL", "CHATBRIDGE_AGENT__MODEL"),
        ("MODEL", "CHATBRIDGE_AGENT__MODEL"),
        ("_AGENT__MODEL", "CHATBRIDGE_AGENT__MODEL"),
        ("CORS_ORIGIN", "CHATBRIDGE_CORS_ORIGINS"),
        ("AUTH__JWKS", "CHATBRIDGE_AUTH__JWKS_URL"),
        ("OPENAI_API_KEY", "OPENAI_API_KEY"),
        ("TASKS_URL", "CHATBRIDGE_MCP__TASKS_URL"),
    ],
)
@pytest.mark.parametrize("where", ["environment", ".env"])
def test_an_unknown_name_is_refused_with_the_nearest(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, where: str, said: str, meant: str
) -> None:
    name = f"CHATBRIDGE_{said}"
    if where == ".env":
        (tmp_path / "env").write_text(f"{name}=x\n")
    else:
        monkeypatch.setenv(name, "x")
    with pytest.raises(ValueError, match=f"{name} is unknown; did you mean {meant}\\?"):
        Settings(_env_file=tmp_path / "env")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("BETTER_AUTH_ULR", "BETTER_AUTH_URL"),
        ("BETTER_AUTH_SECERT", "BETTER_AUTH_SECRET"),
        ("BETTERAUTH_URL", "BETTER_AUTH_URL"),
        ("BETER_AUTH_SECRET", "BETTER_AUTH_SECRET"),
        ("CHATBRIGDE_HOST", "CHATBRIDGE_HOST"),
        ("CHAT_BRIDGE_HOST", "CHATBRIDGE_HOST"),
        ("CHATBRIDE_AGENT_MODEL", "CHATBRIDGE_AGENT__MODEL"),
        ("chatbrige_auth__secret", "CHATBRIDGE_AUTH__SECRET"),
    ],
)
def test_a_name_whose_first_word_is_misspelt_is_refused_too(
    monkeypatch: pytest.MonkeyPatch, name: str, meant: str
) -> None:
    monkeypatch.setenv(name, "x")
    with pytest.raises(ValueError, match=f"{name.upper()} is unknown; did you mean {meant}\\?"):
        settings()


def test_all_unknown_names_are_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATBRIDGE_AGENT_MODEL", "gpt")
    monkeypatch.setenv("CHATBRIDGE_FLAVOUR", "vanilla")
    with pytest.raises(ValueError, match=r"AGENT__MODEL\? CHATBRIDGE_FLAVOUR is unknown: docs"):
        settings()


@pytest.mark.parametrize(
    "name",
    [
        *("CHATBRIDGE_TOKEN", "CHATBRIDGE_URL", "CHATBRIDGE_PG_BIN"),
        # of a service called chatbridge, or chatbridge-web, in Kubernetes
        *("CHATBRIDGE_SERVICE_HOST", "CHATBRIDGE_PORT_8000_TCP_ADDR", "CHATBRIDGE_WEB_PORT"),
        *("CHATBRIDGEWEB_PORT", "CHAT_BRIDGE_SERVICE_HOST"),
        # of Better Auth's own
        *("BETTER_AUTH_SECRETS", "BETTER_AUTH_TRUSTED_ORIGINS", "BETTER_AUTH_TELEMETRY"),
        *("BETTER_AUTH_BASE_URL", "BETTER_AUTH_KV_URL", "BETTER_AUTH_API_KEY"),
        *("BETTER_AUTH_TELEMETRY_ID", "BETTER_AUTH_VERSION"),
        *("SOMEBODY_ELSES", "BETTER_STACK_SECRET", "BETTER_UPTIME_URL", "CHATBOT_HOST"),
    ],
)
def test_a_name_that_others_use_is_none_of_ours(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "x")
    assert settings()


@pytest.mark.parametrize("where", ["environment", ".env"])
@pytest.mark.parametrize(
    "name", ["CHATBRIDGE_MCP__SERVERS", "CHATBRIDGE_AGENT", "CHATBRIDGE_AGENT__CLIENT_TOOLS"]
)
def test_what_is_no_json_is_said_to_be_none_wherever_it_stands(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, where: str, name: str
) -> None:
    if where == ".env":
        (tmp_path / "env").write_text(f"{name}={{'a': 1}}\n")
    else:
        monkeypatch.setenv(name, "{'a': 1}")
    with pytest.raises(ValueError, match=f"{name} is not JSON: .* column 2"):
        Settings(_env_file=tmp_path / "env")


def test_a_server_may_be_set_by_a_name_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATBRIDGE_MCP__SERVERS__search__url", "https://a.example")
    assert settings().mcp.servers["search"].url == "https://a.example"


def test_an_unknown_name_of_a_tool_server_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATBRIDGE_MCP__SERVERS", '{"a": {"url": "https://a", "header": {}}}')
    with pytest.raises(ValidationError, match="`header` is unknown; did you mean `headers`"):
        settings()


FORM = 'the form is {"name": {"url": "https://..."}, "other": {"command": "..."}}'
NO_ADDRESS = "this is no address; write one like https://example.com/mcp"


@pytest.mark.parametrize(
    ("servers", "said"),
    [
        ('{"a": 1}', f".a: a tool server is an object; {FORM}"),
        ("[1]", f": these are no tool servers; {FORM}"),
        ('"a"', f": these are no tool servers; {FORM}"),
        *(
            (json.dumps({"a": {"url": url}}), f".a.url: {NO_ADDRESS}")
            for url in ("nope", "", "ftp://a.example", "https://a.example:99999", "http:///mcp")
        ),
        ('{"a": {"command": " "}}', ".a.command: this is no program; write one like npx"),
        ('{"a": {}}', ".a: a tool server has a `url` or a `command`, and not both"),
        ('{"a": {"url": "https://a", "command": "b"}}', ".a: a tool server has a `url` or a"),
        ('{"a": {"command": "b", "args": "-y"}}', '.a: `args` is written like ["-y", "..."]'),
        ('{"a": {"url": "https://a", "headers": {"A B": ""}}}', ".a.headers: 'A B' can't be sent"),
        ('{"a": {"url": "https://a", "headers": {"A": "\\n"}}}', ".a.headers: 'A' can't be sent"),
    ],
)
def test_what_is_wrong_with_a_tool_server_is_said_in_words(
    monkeypatch: pytest.MonkeyPatch, servers: str, said: str
) -> None:
    monkeypatch.setenv("CHATBRIDGE_MCP__SERVERS", servers)
    with pytest.raises(ValidationError) as caught:
        settings()
    words = worded(caught.value, Settings)
    assert words.startswith(f"The settings can't be used. CHATBRIDGE_MCP__SERVERS{said}")


@pytest.mark.parametrize(
    ("server", "program"),
    [
        ({"command": "npx -y a"}, "npx -y a"),
        ({"command": "./none"}, "./none"),
        ({"command": "sh", "env": {"PATH": "/none"}}, "sh"),
    ],
)
def test_a_command_that_is_no_program_is_said_at_the_start_and_costs_only_itself(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    server: dict[str, Any],
    program: str,
) -> None:
    monkeypatch.setenv("CHATBRIDGE_MCP__SERVERS", json.dumps({"a": server}))
    assert Container(settings=settings()).tools()
    said = f"CHATBRIDGE_MCP__SERVERS.a.command: there is no program '{program}' here"
    assert said in caplog.text


@pytest.mark.parametrize("name", ["", "tasks"])
def test_a_name_that_no_tool_server_can_have_ends_the_start(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("CHATBRIDGE_MCP__SERVERS", json.dumps({name: {"command": "sh"}}))
    with pytest.raises(ValueError, match=f"'{name}' can't be a tool server's name"):
        Container(settings=settings()).tools()


def test_no_tool_servers_may_be_said_by_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATBRIDGE_MCP__SERVERS", "")
    assert settings().mcp.servers == {}


@pytest.mark.parametrize(
    ("environment", "said", "own_machine"),
    [
        ("development", "", True),
        ("development", "[]", False),
        ("development", "https://a.example", False),
        ("production", "", False),
    ],
)
def test_all_pages_of_the_own_machine_are_let_in_in_development_unless_some_are_named(
    monkeypatch: pytest.MonkeyPatch, environment: str, said: str, own_machine: bool
) -> None:
    monkeypatch.setenv("CHATBRIDGE_ENVIRONMENT", environment)
    monkeypatch.setenv("CHATBRIDGE_CORS_ORIGINS", said)
    assert settings().allows_own_machine == own_machine


@pytest.mark.parametrize(
    "said",
    [
        "https://a.example, https://b.example:8443",
        '["https://a.example", "https://b.example:8443"]',
    ],
)
def test_pages_of_other_origins_are_let_in_by_name(
    monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    monkeypatch.setenv("CHATBRIDGE_CORS_ORIGINS", said)
    assert settings().cors_origins == ("https://a.example", "https://b.example:8443")


@pytest.mark.parametrize("said", ["a.example, b.example", '["a.example", "b.example"]', ""])
def test_pictures_come_from_domains_that_are_named(
    monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    monkeypatch.setenv("CHATBRIDGE_ALLOWED_IMAGE_DOMAINS", said)
    named = ("a.example", "b.example") if said else None
    assert settings().allowed_image_domains == named


@pytest.mark.parametrize(
    "said", ["https://a.example", "*", "*.a.example", "a.example:8000", "A.example", "a b", "a;"]
)
def test_what_is_no_domain_is_refused_at_the_start(
    monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    monkeypatch.setenv("CHATBRIDGE_ALLOWED_IMAGE_DOMAINS", said)
    with pytest.raises(ValidationError, match="holds names of hosts"):
        settings()


HASHES = ("a" * 64, "b" * 64)


@pytest.mark.parametrize(
    "said", [",".join(HASHES), f" {HASHES[0]} , {HASHES[1]} ", json.dumps(HASHES)]
)
def test_service_keys_are_named_with_commas_or_as_json(
    monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    monkeypatch.setenv("CHATBRIDGE_SERVICE_KEYS", said)
    assert settings().service_keys == HASHES


@pytest.mark.parametrize("said", ["plan,roles", " plan , roles ", '["plan", "roles"]'])
def test_claims_are_named_with_commas_or_as_json(
    monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    assert settings().auth.claims is None
    monkeypatch.setenv("CHATBRIDGE_AUTH__CLAIMS", said)
    assert settings().auth.claims == ("plan", "roles")


@pytest.mark.parametrize(
    ("said", "starters"),
    [
        ("Hello, My orders", [("Hello", "Hello"), ("My orders", "My orders")]),
        ('["Hello, you", {"label": "Mine", "prompt": "my orders"}]', None),
        ('[{"label": "Mine"}]', [("Mine", "Mine")]),
    ],
)
def test_starters_are_texts_or_have_a_label_of_their_own(
    monkeypatch: pytest.MonkeyPatch, said: str, starters: list[tuple[str, str]] | None
) -> None:
    monkeypatch.setenv("CHATBRIDGE_PAGE__STARTERS", said)
    found = [(each.label, each.prompt) for each in settings().page.starters or ()]
    assert found == (starters or [("Hello, you", "Hello, you"), ("Mine", "my orders")])


@pytest.mark.parametrize(
    ("tools", "words"),
    [
        ([{"name": "a", "description": "d", "parameters": []}], "valid dictionary"),
        (
            [{"name": "a", "description": "d", "parameters": {"$ref": "#/no"}}],
            "no model can be given",
        ),
        ([{"name": "a", "description": "d", "parameters": {"type": "text"}}], "with an object"),
        ([{"name": "no blanks", "description": "d"}], "name"),
        ([{"name": "a", "description": "d"}] * 2, "the name a is taken"),
        ([{"name": "ask_person", "description": "d"}], "the name ask_person is taken"),
        ([{"name": "a"}], "description"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_tool_of_the_page_that_no_model_could_call_is_said_to_be(
    monkeypatch: pytest.MonkeyPatch, tools: object, words: str
) -> None:
    monkeypatch.setenv("CHATBRIDGE_AGENT__CLIENT_TOOLS", json.dumps(tools))
    with pytest.raises(ValueError, match=words):
        settings()


@pytest.mark.parametrize("empty", ["", "  "])
def test_without_service_keys_there_are_none(monkeypatch: pytest.MonkeyPatch, empty: str) -> None:
    assert settings().service_keys is None
    monkeypatch.setenv("CHATBRIDGE_SERVICE_KEYS", empty)
    assert settings().service_keys is None


def test_more_than_two_service_keys_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATBRIDGE_SERVICE_KEYS", ",".join([*HASHES, "c" * 64]))
    with pytest.raises(ValidationError, match="at most 2"):
        settings()


@pytest.mark.parametrize("said", ["cbk_hush-hush,b,c", '["cbk_hush-hush", 1]', '["cbk_hush-hush"'])
def test_a_service_key_in_the_wrong_place_does_not_show(
    monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    monkeypatch.setenv("CHATBRIDGE_SERVICE_KEYS", said)
    with pytest.raises(ValidationError) as caught:
        settings()
    assert "hush-hush" not in str(caught.value)


def test_settings_can_not_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        settings().port = 1


@pytest.mark.parametrize("seconds", ["0", "-1", "1e12", "inf", "nan"])
def test_nobody_is_waited_for_without_end(monkeypatch: pytest.MonkeyPatch, seconds: str) -> None:
    monkeypatch.setenv("CHATBRIDGE_TURNS__PATIENCE", seconds)
    with pytest.raises(ValueError, match="patience"):
        settings()

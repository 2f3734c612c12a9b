"""A Postgres URL as Neon, Heroku or libpq hand it out, translated for SQLAlchemy and asyncpg.

Passed on as it is, such a URL fails: SQLAlchemy hands every query parameter to asyncpg's
`connect`, which knows few of libpq's (https://www.postgresql.org/docs/current/libpq-connect.html,
"Parameter Key Words").
"""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from chatbridge.adapters.postgres.tls import (
    VERIFYING,
    TlsWish,
    lowest_protocol,
    tls_arguments,
)

CONNECT_SECONDS = 5.0
"""How long a connect may take: a Neon compute that sleeps wakes up first."""

COMMAND_SECONDS = 3.0
"""How long a statement may take; on a link where packets vanish nothing else ends the wait."""

_POOLER = "-pooler."
# libpq names several servers in the place of one, and tries them in turn
_SEVERAL = re.compile(r"^(\w+(?:\+\w+)?://(?:[^@/?]*@)?)([^@/?]+,[^@/?]+)(?=[/?]|$)(/[^?]*|)\??")
_PLACE = re.compile(r"\[?(?P<host>[^\[\]]+?)\]?:(?P<port>\d+)")
_DRIVER = "postgresql+asyncpg"
_STAY_IN_URL = {"host", "port", "prepared_statement_cache_size"}
_HARMLESS = {"sslcompression", "sslsni", "sslinline", "ssl_max_protocol_version"}
_ASKS_FOR_SAFETY = re.compile(r"^_?(ssl|tls)|auth|verif|secur|^requirepeer$|^gssencmode$", re.I)
_OUR_SETTING = {"schema", "currentschema", "search_path", "searchpath"}
_NOTHING_ASKED = {"", "disable", "prefer", "allow", "0", "false", "accept_invalid_certs"}
_POOLER_ACCEPTS = {"application_name", "client_encoding", "datestyle", "timezone"}
_TLS_MODES = {"", "disable", "allow", "prefer", "require", "verify-ca", "verify-full"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What to connect to, and how.

    `pooled`: a pooler in transaction mode is known to be in front, which refuses most settings of
    a session. `direct_url`: the same database without it, for migrations. `notes`: what of the URL
    could not be honoured, for the log.
    """

    url: URL
    connect_args: dict[str, Any]
    pooled: bool
    notes: tuple[str, ...]
    direct_url: URL


def parse(raw: str) -> Target:
    """Translate a Postgres URL; raises ValueError with a text that never holds the password.

    TLS is never weaker than the URL asks for. `channel_binding=require`, which asyncpg cannot
    do (it has SCRAM-SHA-256 only), becomes a verified certificate, and so do `require_auth` and any
    TLS to Neon. A parameter that is not known is left out with a note, but not where it asks for
    more safety.
    """
    pasted = _make_url(raw)
    query = {name: _last(value) for name, value in pasted.query.items()}
    url = _with_credentials(pasted, query)
    pooled = query.pop("pgbouncer", "").lower() in {"1", "true"}
    pooled = pooled or any(_POOLER in host for host in _hosts(url, query))
    notes: list[str] = []
    arguments = {
        **_timeouts(query),
        **tls_arguments(_tls_wish(url, query, notes)),
        **_session(query, pooled, notes),
    }
    _ignore_or_refuse(query, notes)
    url = url.set(drivername=_DRIVER, query=query)
    return Target(
        url=url,
        connect_args=arguments,
        pooled=pooled,
        notes=tuple(notes),
        direct_url=url.set(host=url.host.replace(_POOLER, ".", 1)) if url.host else url,
    )


def _make_url(raw: str) -> URL:
    # Neon's console copies a whole command: psql 'postgresql://...'
    text = raw.strip().removeprefix("psql ").strip().strip("'\"")
    try:
        url = _with_ports(make_url(_SEVERAL.sub(r"\1\3?host=\2&", text)))
    except (ArgumentError, ValueError):
        # The parser's own text may quote the URL, password and all.
        raise ValueError(
            "the database URL cannot be read: it should look like "
            "postgresql://user:password@host:5432/database, with special characters "
            "of the password percent-encoded"
        ) from None
    if url.get_backend_name() not in {"postgres", "postgresql"}:
        raise ValueError(f"not a Postgres URL: it begins with {url.drivername}://")
    if not url.host and "host" not in url.query:
        raise ValueError("the database URL names no host")
    return url


def _with_ports(url: URL) -> URL:
    """Several hosts as SQLAlchemy takes them: all in one parameter, and their ports in another."""
    named = url.query.get("host", "")
    hosts = (named if isinstance(named, str) else ",".join(named)).split(",")
    if len(hosts) < 2:
        return url
    ports = _last(url.query.get("port", "")).split(",")
    given = ports if len(ports) == len(hosts) else ports[:1] * len(hosts)
    places = [_PLACE.fullmatch(host) for host in hosts]
    names = [place["host"] if place else host for place, host in zip(places, hosts, strict=True)]
    own = [place["port"] if place else "" for place in places]
    ports = [one or other or "5432" for one, other in zip(own, given, strict=True)]
    return url.update_query_dict({"host": ",".join(names), "port": ",".join(ports)})


def _last(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else value[-1]


def _with_credentials(url: URL, query: dict[str, str]) -> URL:
    """libpq also takes these as parameters, where they would be printed with the URL."""
    return url.set(
        username=query.pop("user", None) or url.username,
        password=query.pop("password", None) or url.password,
        database=query.pop("dbname", None) or url.database,
    )


def _hosts(url: URL, query: Mapping[str, str]) -> list[str]:
    """SQLAlchemy lets the parameter win over the host in front."""
    return query["host"].split(",") if "host" in query else [url.host or ""]


def _timeouts(query: dict[str, str]) -> dict[str, float | None]:
    given = query.pop("connect_timeout", str(CONNECT_SECONDS))
    try:
        seconds = float(given)
    except ValueError:
        raise ValueError("connect_timeout in the database URL is not a number") from None
    # libpq: zero or less waits for ever.
    return {"timeout": seconds if seconds > 0 else None, "command_timeout": COMMAND_SECONDS}


def _tls_wish(url: URL, query: dict[str, str], notes: list[str]) -> TlsWish:
    hosts = _hosts(url, query)
    wish = TlsWish(
        mode=_tls_mode(query),
        local=all(map(_is_local, hosts)),
        direct=query.pop("sslnegotiation", "") == "direct",
        root=query.pop("sslrootcert", None),
        certificate=query.pop("sslcert", None),
        key=query.pop("sslkey", None),
        key_password=query.pop("sslpassword", None),
        revoked=query.pop("sslcrl", None),
        lowest=lowest_protocol(query.pop("ssl_min_protocol_version", "")),
    )
    if wish.revoked and wish.mode not in VERIFYING:
        notes.append("sslcrl is only read where sslmode verifies the certificate, as by libpq")
    binding = _binding(query, wish.mode, notes)
    neon = any(host.endswith(".neon.tech") for host in hosts)
    verified = (
        binding or (neon and wish.mode != "disable") or (wish.root and wish.mode == "require")
    )
    return replace(wish, mode="verify-full") if verified and wish.mode != "verify-ca" else wish


def _binding(query: dict[str, str], mode: str, notes: list[str]) -> bool:
    """Whether the server has to prove itself in a way that asyncpg can't ask for."""
    asked = [("channel_binding=require", query.pop("channel_binding", "") == "require")]
    asked.append(("require_auth", query.pop("require_auth", "none") not in ("", "none")))
    for name in (name for name, is_asked in asked if is_asked):
        if mode == "disable":
            raise ValueError(f"{name} needs TLS, but sslmode is disable")
        notes.append(f"{name} is replaced by a verified certificate")
    return any(is_asked for _, is_asked in asked)


def _tls_mode(query: dict[str, str]) -> str:
    given = [query.pop(name, "") for name in ("sslmode", "ssl")]
    mode = next(filter(None, given), "").lower().replace("_", "-")
    mode = {
        "no-verify": "require",
        "true": "require",
        "1": "require",
        "false": "disable",
        "0": "disable",
    }.get(mode, mode)
    if mode not in _TLS_MODES:
        raise ValueError(
            f"unknown sslmode in the database URL: one of {', '.join(sorted(_TLS_MODES))}"
        )
    return mode


def _is_local(host: str) -> bool:
    return (
        host.startswith("/")
        or host.partition(":")[0] in {"localhost", "127.0.0.1"}
        or host == "::1"
    )


def _session(query: dict[str, str], pooled: bool, notes: list[str]) -> dict[str, Any]:
    # Names of prepared statements are per process: behind a pooler, another one's would run. A URL
    # doesn't always tell that there is one.
    arguments: dict[str, Any] = {"statement_cache_size": 0}
    if attributes := query.pop("target_session_attrs", None):
        arguments["target_session_attrs"] = attributes
    settings = _options(query.pop("options", ""))
    fallback = query.pop("fallback_application_name", None)
    if name := query.pop("application_name", fallback):
        settings["application_name"] = name
    if pooled:
        settings = _accepted_by_pooler(settings, notes)
    return arguments | ({"server_settings": settings} if settings else {})


def _options(options: str) -> dict[str, str]:
    """The settings in libpq's `options`: `-c name=value`, `-cname=value`, `--name=value`."""
    try:
        words = shlex.split(options.replace("-c ", "-c"))
    except ValueError:
        raise ValueError("options in the database URL has a quotation without an end") from None
    settings: dict[str, str] = {}
    for word in words:
        name, _, value = word.removeprefix("--").removeprefix("-c").partition("=")
        if name == "endpoint":
            raise ValueError(
                "options=endpoint=... in the database URL is for clients without SNI, "
                "and asyncpg has it: remove it"
            )
        settings[name.replace("-", "_")] = value
    return settings


def _accepted_by_pooler(settings: Mapping[str, str], notes: list[str]) -> dict[str, str]:
    refused = sorted(name for name in settings if name.lower() not in _POOLER_ACCEPTS)
    if refused:
        notes.append(
            f"{', '.join(refused)} left out: a pooler refuses it at the start of a connection; "
            "use ALTER ROLE ... SET instead"
        )
    return {name: value for name, value in settings.items() if name not in refused}


def _ignore_or_refuse(query: dict[str, str], notes: list[str]) -> None:
    """Leave out what asyncpg has not, with a note; but what might ask for safety is refused."""
    unknown = sorted(query.keys() - _STAY_IN_URL)
    if unsafe := [name for name in unknown if _asks_for_safety(name, query[name])]:
        raise ValueError(
            f"unknown parameter in the database URL: {', '.join(unsafe)}; it may ask for more "
            "safety than there would be without it, so it is not left out"
        )
    for name in unknown:
        del query[name]
    if unknown:
        notes.append(f"{', '.join(unknown)} ignored: asyncpg has no such parameter")
    if _OUR_SETTING & {name.lower() for name in unknown}:
        notes.append("the schema of our tables is CHATBRIDGE_DATABASE__SCHEMA")


def _asks_for_safety(name: str, value: str) -> bool:
    if name in _HARMLESS or value.lower() in _NOTHING_ASKED:
        return False
    return bool(_ASKS_FOR_SAFETY.search(name))

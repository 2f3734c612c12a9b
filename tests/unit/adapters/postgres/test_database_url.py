"""Database URLs as people paste them."""

import ssl
from typing import Any

import pytest

from chatbridge.adapters.postgres.database_url import parse

NEON = (
    "postgresql://neondb_owner:npg_s3cret@ep-cool-sun-a1b2-pooler.eu-central-1.aws.neon.tech"
    "/neondb?sslmode=require&channel_binding=require"
)


def _tls(arguments: dict[str, Any]) -> ssl.SSLContext:
    context = arguments["ssl"]
    assert isinstance(context, ssl.SSLContext)
    return context


def test_a_neon_url_as_pasted_is_translated():
    target = parse(NEON)

    assert target.url.drivername == "postgresql+asyncpg"
    assert target.url.query == {}
    assert target.url.password == "npg_s3cret"
    assert _tls(target.connect_args).verify_mode is ssl.CERT_REQUIRED
    assert _tls(target.connect_args).check_hostname
    assert target.notes == ("channel_binding=require is replaced by a verified certificate",)


def test_a_pooler_is_known_by_its_host_and_so_is_the_database_behind_it():
    target = parse(NEON)

    assert target.pooled
    assert target.direct_url.host == "ep-cool-sun-a1b2.eu-central-1.aws.neon.tech"
    assert target.direct_url.password == "npg_s3cret"


def test_a_direct_url_is_the_databases_own():
    target = parse(NEON.replace("-pooler", ""))

    assert not target.pooled
    assert target.direct_url == target.url


@pytest.mark.parametrize(
    "url",
    [NEON, NEON.replace("-pooler", ""), "postgresql://u:p@aws-0-eu.pooler.example.com:6543/app"],
)
def test_no_statement_has_a_name_whoever_is_in_front(url: str):
    assert parse(url).connect_args["statement_cache_size"] == 0


def test_a_pooler_can_be_named_by_a_parameter():
    target = parse("postgresql://u:p@db.example.com:6543/app?pgbouncer=true")

    assert target.pooled
    assert target.url.query == {}
    assert target.direct_url == target.url


@pytest.mark.parametrize(
    "pasted",
    [
        "postgres://u:p@localhost/app",
        "postgresql://u:p@localhost/app",
        "postgresql+psycopg://u:p@localhost/app",
        "postgresql+asyncpg://u:p@localhost/app",
        "  'postgresql://u:p@localhost/app'\n",
        "psql 'postgresql://u:p@localhost/app'",
        "postgresql://localhost/?user=u&password=p&dbname=app",
    ],
)
def test_every_spelling_leads_to_asyncpg(pasted: str):
    url = parse(pasted).url

    assert url.render_as_string(hide_password=False) == "postgresql+asyncpg://u:p@localhost/app"


def test_a_connect_and_a_command_always_end():
    arguments = parse("postgresql://u:p@db.example.com/app").connect_args

    assert (arguments["timeout"], arguments["command_timeout"]) == (5.0, 3.0)


@pytest.mark.parametrize(("given", "seconds"), [("3", 3.0), ("0", None)])
def test_a_connect_timeout_in_the_url_is_kept(given: str, seconds: float | None):
    arguments = parse(f"postgresql://u:p@localhost/app?connect_timeout={given}").connect_args

    assert arguments["timeout"] == seconds


@pytest.mark.parametrize(
    ("url", "wish"),
    [
        ("postgresql://u:p@localhost/app", False),
        ("postgresql://u:p@127.0.0.1:5432/app", False),
        ("postgresql://u:p@/app?host=/run/postgresql", False),
        ("postgresql://u:p@db.example.com/app?sslmode=disable", False),
        ("postgresql://u:p@db.example.com/app?sslmode=require", "require"),
        ("postgresql://u:p@localhost/app?ssl=true", "require"),
        ("postgresql://u:p@db.example.com/app?sslmode=prefer", "prefer"),
        ("postgresql://u:p@db.example.com/app", None),
        ("postgresql://u:p@/app?host=db.example.com", None),
        ("postgresql://u:p@localhost/app?host=db.example.com", None),
    ],
)
def test_tls_is_what_the_url_asks_for(url: str, wish: object):
    assert parse(url).connect_args.get("ssl") == wish


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p@db.example.com/app?sslmode=verify-full",
        "postgresql://u:p@db.example.com/app?sslmode=verify-full&sslrootcert=system",
        "postgresql://u:p@db.example.com/app?sslmode=require&sslrootcert=system",
        "postgresql://u:p@db.example.com/app?sslmode=require&channel_binding=require",
        "postgresql://u:p@ep-x.eu.aws.neon.tech/app",
        "postgresql://u:p@/app?host=ep-x.eu.aws.neon.tech&sslmode=require",
    ],
)
def test_the_certificate_is_verified_where_it_can_be(url: str):
    context = _tls(parse(url).connect_args)

    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_verify_ca_does_not_look_at_the_host():
    context = _tls(parse("postgresql://u:p@db.example.com/app?sslmode=verify-ca").connect_args)

    assert context.verify_mode is ssl.CERT_REQUIRED
    assert not context.check_hostname


def test_direct_tls_negotiation_is_passed_on():
    url = "postgresql://u:p@db.example.com/app?sslmode=verify-full&sslnegotiation=direct"

    assert parse(url).connect_args["direct_tls"] is True


def test_settings_of_the_session_are_passed_on():
    url = (
        "postgresql://u:p@localhost/app?application_name=bridge"
        "&options=-c%20statement_timeout%3D5s%20--lock-timeout%3D2s"
    )

    assert parse(url).connect_args["server_settings"] == {
        "application_name": "bridge",
        "statement_timeout": "5s",
        "lock_timeout": "2s",
    }


def test_settings_that_a_pooler_refuses_are_left_out_and_noted():
    target = parse(
        "postgresql://u:p@x-pooler.example.com/app"
        "?application_name=bridge&options=-cstatement_timeout%3D5s"
    )

    assert target.connect_args["server_settings"] == {"application_name": "bridge"}
    assert "statement_timeout left out" in target.notes[0]


def test_parameters_without_a_meaning_here_are_noted():
    target = parse("postgresql://u:p@localhost/app?gssencmode=disable&keepalives=1")

    assert target.url.query == {}
    assert target.notes == ("gssencmode, keepalives ignored: asyncpg has no such parameter",)


@pytest.mark.parametrize(
    "query",
    [
        "workaround=supabase-pooler.vercel",
        "supa=base-pooler.x",
        "pgbouncer=true&connection_limit=1&pool_timeout=15",
        "uselibpqcompat=true&sslmode=no-verify",
        "statement_cache_size=0",
        "load_balance_hosts=random",
        "sslsni=1",
        "sslaccept=accept_invalid_certs",
        "passfile=/x&hostaddr=10.0.0.1",
    ],
)
def test_a_hosts_own_parameters_are_left_out_with_a_note(query: str):
    target = parse(f"postgresql://u:p@db.example.com/app?{query}")

    assert target.url.query == {}
    assert "ignored: asyncpg has no such parameter" in target.notes[-1]


@pytest.mark.parametrize("name", ["schema", "currentSchema", "search_path"])
def test_a_schema_in_the_url_is_told_where_it_belongs(name: str):
    target = parse(f"postgresql://u:p@localhost/app?{name}=public")

    assert target.notes[-1] == "the schema of our tables is CHATBRIDGE_DATABASE__SCHEMA"


def test_another_name_of_the_application_serves_where_there_is_none():
    settings = parse("postgresql://u:p@localhost/app?fallback_application_name=x").connect_args

    assert settings["server_settings"] == {"application_name": "x"}


def test_a_server_that_has_to_ask_for_scram_has_to_prove_itself_by_its_certificate():
    target = parse("postgresql://u:p@db.example.com/app?require_auth=scram-sha-256")

    assert _tls(target.connect_args).check_hostname
    assert target.notes == ("require_auth is replaced by a verified certificate",)


def test_the_lowest_version_of_tls_is_kept():
    target = parse("postgresql://u:p@db.example.com/app?ssl_min_protocol_version=TLSv1.3")

    assert _tls(target.connect_args).minimum_version is ssl.TLSVersion.TLSv1_3
    target = parse("postgresql://u:p@db.example.com/app?ssl_min_protocol_version=TLSv1.2")
    assert "ssl" not in target.connect_args, "it is Python's own lowest"


def test_a_list_of_revoked_certificates_is_read_where_certificates_are():
    url = "postgresql://u:p@db.example.com/app?sslcrl=/no/such"

    assert "sslcrl is only read where" in parse(url).notes[0]
    with pytest.raises(ValueError, match="certificate"):
        parse(f"{url}&sslmode=verify-full")


@pytest.mark.parametrize(
    "query",
    [
        "sslmod=verify-full",
        "sslMode=verify-full",
        "ssl_mode=REQUIRED",
        "tls=true",
        "sslaccept=strict",
        "requirepeer=postgres",
        "gssencmode=require",
        "sslcrldir=/x",
        "sslcertmode=require",
    ],
)
def test_what_may_ask_for_safety_and_is_not_known_is_refused(query: str):
    with pytest.raises(ValueError, match="may ask for more safety"):
        parse(f"postgresql://u:p@db.example.com/app?{query}")


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("mysql://u:hunter2@localhost/app", "not a Postgres URL: it begins with mysql://"),
        ("hunter2", "cannot be read"),
        ("", "cannot be read"),
        ("postgresql://u:hunter2@localhost:hunter2/app", "cannot be read"),
        ("postgresql://u:hunter2@/app", "names no host"),
        ("postgresql://u:hunter2@localhost/app?sslmode=hunter2", "unknown sslmode"),
        ("postgresql://u:hunter2@localhost/app?ssl_x=hunter2", "unknown parameter.*ssl_x"),
        ("postgresql://u:hunter2@localhost/app?ssl_min_protocol_version=hunter2", "TLSv1.3"),
        ("postgresql://u:hunter2@localhost/app?connect_timeout=hunter2", "is not a number"),
        ("postgresql://u:hunter2@localhost/app?options=-c'hunter2", "without an end"),
        ("postgresql://u:hunter2@x.neon.tech/app?options=endpoint%3Dx", "without SNI"),
        (
            "postgresql://u:hunter2@localhost/app?sslmode=verify-full&sslrootcert=/no/such",
            "certificate",
        ),
        *(
            (f"postgresql://u:hunter2@localhost/app?sslmode=disable&{asked}", "needs TLS")
            for asked in (
                "channel_binding=require",
                "require_auth=scram-sha-256",
                "ssl_min_protocol_version=TLSv1.3",
            )
        ),
    ],
)
def test_a_bad_url_is_refused_without_telling_the_password(url: str, text: str):
    with pytest.raises(ValueError, match=text) as refused:
        parse(url)

    assert "hunter2" not in str(refused.value)
    assert refused.value.__cause__ is None or "hunter2" not in str(refused.value.__cause__)


@pytest.mark.parametrize(
    ("place", "hosts", "ports"),
    [
        ("one:1,two:2/app?target_session_attrs=read-write", "one,two", "1,2"),
        ("one,two:7/app", "one,two", "5432,7"),
        ("[::1]:1,two/app", "::1,two", "1,5432"),
        ("/app?host=one:3,two", "one,two", "3,5432"),
        ("/app?host=one&host=two:9", "one,two", "5432,9"),
        ("/app?host=one,two&port=5,6", "one,two", "5,6"),
        ("/app?host=one,two&port=5", "one,two", "5,5"),
    ],
)
def test_several_servers_are_named_as_by_libpq(place: str, hosts: str, ports: str) -> None:
    url = parse(f"postgresql://u:p@{place}").url
    assert {**url.query} == {"host": hosts, "port": ports}
    assert (url.username, url.password, url.database) == ("u", "p", "app")


def test_a_comma_in_a_password_names_no_further_server() -> None:
    url = parse("postgresql://u:a,b@h/app").url
    assert (url.password, url.host, {**url.query}) == ("a,b", "h", {})

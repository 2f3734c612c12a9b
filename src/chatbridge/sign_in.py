"""Which sign-in's tokens are taken, and what chatbridge signs with itself."""

import httpx2

from chatbridge.adapters.jwt.authenticator import SignIn
from chatbridge.adapters.jwt.key_source import Jwks, SharedSecret
from chatbridge.adapters.jwt.secret_file import secret_in
from chatbridge.adapters.jwt.service_keys import ServiceKeys
from chatbridge.entrypoints.host_sign_in import HostSignIn
from chatbridge.host import Host
from chatbridge.settings import Settings


def own_secret(settings: Settings) -> bytes:
    """What our own tokens are signed with. Raises ValueError."""
    if settings.secret:
        return settings.secret.get_secret_value().encode()
    if settings.refuses("made_secret"):
        raise ValueError(
            "CHATBRIDGE_SECRET is not set, and in production all replicas need the same one "
            "(`openssl rand -base64 32`); CHATBRIDGE_ALLOW=made_secret keeps one of our making in "
            "CHATBRIDGE_DATA_DIR."
        )
    return secret_in(settings.data_dir)


def key_set(settings: Settings, http: httpx2.AsyncClient) -> Jwks | None:
    """The keys that the sign-in publishes, if it does."""
    return Jwks(settings.jwks_url, http) if settings.jwks_url else None


def sign_in(settings: Settings, host: Host, jwks: Jwks | None) -> SignIn | None:
    """Whose tokens are taken besides our own: nobody's in development alone, and where the host
    knows its users itself. Raises ValueError.
    """
    if host.signed_in:
        return None
    secret = settings.shared_secret
    shared = SharedSecret(secret.encode()) if secret else None
    keys = tuple(source for source in (jwks, shared) if source)
    if not keys and settings.environment == "development":
        return None
    if not keys:
        raise ValueError(
            "No sign-in is configured: set BETTER_AUTH_URL, CHATBRIDGE_AUTH__JWKS_URL or "
            "CHATBRIDGE_AUTH__SECRET."
        )
    if not settings.issuer or not settings.audience:
        raise ValueError(
            "The sign-in's tokens must name an issuer and an audience: set BETTER_AUTH_URL, or "
            "CHATBRIDGE_AUTH__ISSUER and CHATBRIDGE_AUTH__AUDIENCE."
        )
    return SignIn(keys, settings.issuer, settings.audience)


def gives_tokens(settings: Settings, host: Host) -> bool:
    """Whether chatbridge itself signs people in: in development, where nobody else does."""
    return settings.environment == "development" and host.signed_in is None


def chosen_claims(settings: Settings) -> tuple[str, ...]:
    """What of the sign-in's tokens is for agents and their tools."""
    return settings.auth.claims or ()


def host_sign_in(settings: Settings, host: Host) -> HostSignIn | None:
    """The host's own, if it has one."""
    if host.signed_in is None:
        return None
    return HostSignIn(host.signed_in, settings.cors_origins or ())


def service_keys(settings: Settings) -> ServiceKeys:
    """The keys of services that may act for people."""
    return ServiceKeys(settings.service_keys or ())

"""How the command signs in to a server of development: by the key that the server's user can read.

The server says in which directory it keeps its key; which file there is for the server at this port
we say ourselves, so that whoever listens at another port learns nothing that is good elsewhere.
"""

from pathlib import Path
from typing import Any

import httpx2

from chatbridge.entrypoints.page.key import file_name


def development_token(url: str, user: str) -> str:
    """A token for this user of the server at `url`. Raises ValueError with a sentence."""
    key = {"Authorization": f"Bearer {_key(url)}"}
    return _asked(url, "POST", "/development/token", headers=key, json={"user": user})["token"]


def page_address(url: str) -> str:
    """The address of its chat page, with the key. Raises ValueError with a sentence."""
    return f"{url.rstrip('/')}/#key={_key(url)}"


def nothing_at(url: str) -> str:
    """What to do where no server is."""
    return f"Nothing answers at {url}: start it with `chatbridge serve`, in a checkout `make run`."


def _key(url: str) -> str:
    found = Path(_asked(url, "GET", "/development")["directory"]) / file_name(_port(url))
    try:
        return found.read_text().strip()
    except PermissionError as error:
        raise ValueError(
            f"The key of the server at {url} is in {found}, which only the user may read who has "
            "started it: run this command as that user."
        ) from error
    except OSError as error:
        raise ValueError(
            f"The key of the server at {url} should be in {found}, and is not: run this command on "
            "the server's machine, with the address that it listens on (--url), or sign in with a "
            "token (--token)."
        ) from error


def _port(url: str) -> int:
    address = httpx2.URL(url)
    return address.port or {"https": 443}.get(address.scheme, 80)


def _asked(url: str, method: str, path: str, **more: Any) -> dict[str, str]:
    try:
        answer = httpx2.request(method, url.rstrip("/") + path, timeout=10, **more)
    except (httpx2.InvalidURL, httpx2.UnsupportedProtocol) as error:
        raise ValueError(f"{url} is no address: it begins with http:// or https://.") from error
    except httpx2.TransportError as error:
        raise ValueError(nothing_at(url)) from error
    try:
        said = answer.json()
        if answer.is_success:
            return said
        why = f"{said['detail']} ({answer.status_code} {said['code']})"
    except (KeyError, TypeError, ValueError):
        why = ""
    if why and answer.status_code != 404:
        raise ValueError(why)
    raise ValueError(
        f"What answers at {url} is no chatbridge in development ({answer.status_code}): sign in "
        f"with a token of its sign-in (--token){_or_without_a_path(url)}."
    )


def _or_without_a_path(url: str) -> str:
    address = httpx2.URL(url)
    if address.path in ("", "/"):
        return ""
    return f", or name the server's address without a path (--url {address.copy_with(path='/')})"

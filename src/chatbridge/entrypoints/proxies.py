"""The proxies that the environment names, through which every HTTP client here goes."""

from collections.abc import Mapping
from importlib.util import find_spec

_PLAIN, _SOCKS = ("http", "https"), ("socks5", "socks5h")


def require_usable(proxies: Mapping[str, str]) -> None:
    """Raises ValueError where no client can be made with them. They are by kind of address, as
    `urllib.request.getproxies` gives them.
    """
    for kind in ("http", "https", "all"):
        scheme, apart, _ = proxies.get(kind, "").partition("://")
        if not apart or scheme.lower() in _PLAIN:
            continue
        name = f"{kind.upper()}_PROXY"
        if scheme.lower() not in _SOCKS:
            raise ValueError(
                f"{name} begins with {scheme}://, and a proxy is http://, https:// or socks5://."
            )
        if find_spec("socksio") is None:
            raise ValueError(
                f"{name} is a SOCKS proxy, which needs socksio: pip install socksio, or name a "
                "proxy of http://."
            )

"""Which proxies of the environment a client can be made with."""

import pytest

from chatbridge.entrypoints.proxies import require_usable


@pytest.mark.parametrize(
    "address", ["", "127.0.0.1:9", "HTTP://me:secret@proxy:9", "https://proxy"]
)
def test_a_proxy_of_http_is_taken(address: str) -> None:
    require_usable({"all": address, "no": "socks4://this.is.no.proxy"})


@pytest.mark.parametrize(
    ("kind", "address", "said"),
    [
        ("all", "socks://proxy:9", "^ALL_PROXY begins with socks://"),
        ("https", "ftp://me:secret@proxy", "^HTTPS_PROXY begins with ftp://, and a proxy is"),
        ("http", "SOCKS5h://proxy:9", "^HTTP_PROXY is a SOCKS proxy, which needs socksio: pip"),
    ],
)
def test_another_is_told_by_its_name(kind: str, address: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        require_usable({kind: address})

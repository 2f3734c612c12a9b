"""Where a server can listen."""

import socket

import pytest

from chatbridge.entrypoints.serving import listening_on


def has_ipv6() -> bool:
    """Whether this machine has it: a container may know the family and have no address of it."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return socket.has_dualstack_ipv6()


@pytest.mark.skipif(not has_ipv6(), reason="no IPv6 here")
@pytest.mark.parametrize(
    ("host", "reached"),
    [("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("[::1]", "::1"), ("[::]", "127.0.0.1")],
)
def test_a_server_listens_where_it_is_told(host: str, reached: str) -> None:
    with listening_on(host, 0) as listening:
        port = listening.getsockname()[1]
        socket.create_connection((reached, port), timeout=5).close()


@pytest.mark.parametrize("host", ["2001:db8::1", "192.0.2.1", "no-such-host.invalid"])
def test_a_host_that_is_not_here_is_not_the_ports_fault(host: str) -> None:
    with pytest.raises(ValueError, match="set CHATBRIDGE_HOST to an address of this machine"):
        listening_on(host, 0)

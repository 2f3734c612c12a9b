"""What an error of the MCP client's stands for, by what came over HTTP."""

import re

from mcp import MCPError
from mcp_types import INVALID_PARAMS, INVALID_REQUEST

from chatbridge.adapters.mcp.exchange import NoMessage, Refused
from chatbridge.adapters.mcp.traffic import Traffic

_NOT_FOUND = 404
# how begins what the client itself says of an answer that is no message
_NO_MESSAGE = (
    "Server returned an error response",
    "Session terminated",
    "Redirect to ",
)
_NOT_OURS = "Unexpected content type: "
_OK = 200
_LOST_SESSION = re.compile(
    r"session.{0,20}(not found|expired|terminated|unknown|invalid)"
    r"|(no valid|invalid|unknown|expired) session"
    r"|server not initialized|before initialization was complete",
    re.IGNORECASE,
)
# with a status of success only these say for sure that nothing was done
_NOT_LET_IN = (INVALID_REQUEST, INVALID_PARAMS)


class SessionLost(Exception):
    """The server did not let the request in, for it does not know the session any more."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


def meant(error: Exception, traffic: Traffic) -> Exception:
    """What an error of the client's stands for."""
    if traffic.too_large is not None:
        return traffic.too_large
    if not isinstance(error, MCPError):
        return error
    words = str(error)
    # with a status of success these words are the server's own
    if words.startswith(_NOT_OURS) or (traffic.status > _OK and words.startswith(_NO_MESSAGE)):
        kind = Refused if traffic.refused else NoMessage
        refused = kind(traffic.came, traffic.said)
        lost = traffic.status == _NOT_FOUND or (
            traffic.refused and _LOST_SESSION.search(traffic.said)
        )
        return SessionLost(refused) if lost and traffic.in_a_session else refused
    not_let_in = traffic.refused or error.code in _NOT_LET_IN
    if not_let_in and traffic.in_a_session and _LOST_SESSION.search(str(error)):
        return SessionLost(error)
    return error

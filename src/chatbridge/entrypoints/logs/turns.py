"""A line for each turn that this replica has run."""

import hmac
import logging

from chatbridge.domain.model.identifiers import UserId
from chatbridge.domain.model.turn_report import TurnReport

_log = logging.getLogger("chatbridge.turns")

_DIGITS = 16


class TurnLog:
    """Writes them. The user is a hash under `secret`: the same for all of a user's turns, and
    nobody who has only the log can tell whose it is, or try names out."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def __call__(self, report: TurnReport) -> None:
        """Write one."""
        usage = report.usage
        fields = {
            "state": report.state,
            "code": report.code,
            "model": report.model,
            "milliseconds": round(report.seconds * 1000),
            "input_tokens": usage.input_tokens if usage else None,
            "output_tokens": usage.output_tokens if usage else None,
            "tools": report.tools or None,
            "user": self._hash(report.turn.conversation.user_id),
        }
        _log.info("a turn has ended", extra={"fields": fields})

    def _hash(self, user_id: UserId) -> str:
        named = hmac.digest(self._secret, b"user of a log line: " + user_id.encode(), "sha256")
        return named.hex()[:_DIGITS]

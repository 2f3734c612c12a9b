"""The lines of docs/security.md that make a token make one that is taken."""

import re
from pathlib import Path
from typing import Any

from chatbridge.adapters.jwt.authenticator import JwtAuthenticator, SignIn
from chatbridge.adapters.jwt.key_source import SharedSecret
from chatbridge.adapters.jwt.service_keys import ServiceKeys
from chatbridge.adapters.jwt.token_issuer import JwtTokenIssuer
from tests.unit.adapters.jwt.signers import AUDIENCE, ISSUER, SECRET, USER

PAGE = Path(__file__).resolve().parents[4] / "docs" / "security.md"


async def test_a_token_made_as_documented_comes_in() -> None:
    (lines,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.M | re.S)
    host: dict[str, Any] = {"SECRET": SECRET, "ISSUER": ISSUER, "AUDIENCE": AUDIENCE}
    exec(lines, host)  # noqa: S102  # lines of ours
    doorkeeper = JwtAuthenticator(
        issuer=JwtTokenIssuer(b"a secret of chatbridge's own, of more than 32 bytes"),
        sign_in=SignIn((SharedSecret(SECRET),), ISSUER, AUDIENCE),
        development=False,
        service_keys=ServiceKeys(()),
    )
    caller = await doorkeeper.authenticate(host["token_for"](USER))
    assert caller.user_id == USER

"""Tokens that nobody may come in with, made from a sign-in's own signer, by name."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from tests.unit.adapters.jwt.signers import (
    AUDIENCE,
    ISSUER,
    USER,
    Signer,
    as_json,
    assembled,
    eddsa,
    es256,
    good_claims,
    hs256,
    part,
    rs256,
)

Forgery = Callable[[Signer], str]

STRANGERS = {"EdDSA": eddsa, "ES256": es256, "RS256": rs256}


def claims(**changes: Any) -> Forgery:
    return lambda signer: signer.token(good_claims(**changes))


def times(iat: float, exp: float, **more: float) -> Forgery:
    # counted from when the token is forged: a whole run takes longer than some of them are good
    def forge(signer: Signer) -> str:
        now = time.time()
        moments = {name: now + seconds for name, seconds in more.items()}
        return signer.token(good_claims(iat=now + iat, exp=now + exp, **moments))

    return forge


def header(**changes: Any) -> Forgery:
    return lambda signer: signer.token(header=signer.header(**changes))


def stranger(signer: Signer) -> Signer:
    """The same algorithm and key id, but another key."""
    if signer.algorithm == "HS256":
        return hs256(b"another secret of more than thirty-two bytes")
    return STRANGERS[signer.algorithm](str(signer.key_id))


def raw_claim(name: str, text: str) -> Forgery:
    def forge(signer: Signer) -> str:
        found = json.dumps(good_claims(**{name: "@"})).replace('"@"', text)
        return signer.token(found.encode())

    return forge


def twice(name: str, first: str) -> Forgery:
    """The claim occurs with another value before the good one."""
    return lambda signer: signer.token(
        b'{"%s":"%s",' % (name.encode(), first.encode()) + as_json(good_claims())[1:]
    )


def altered(signer: Signer) -> str:
    head, _, signature = signer.token().split(".")
    return f"{head}.{part(as_json(good_claims(sub='somebody-else')))}.{signature}"


def stripped(signer: Signer) -> str:
    return signer.token(header=signer.header(alg="none")).rsplit(".", 1)[0] + "."


def fourth_part(signer: Signer) -> str:
    return f"{signer.token()}.{part(b'more')}"


def respelled(signer: Signer) -> str:
    """The unused bits of the last character set: other text, the same bytes."""
    head, body, _ = signer.token().split(".")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    odd = part(b"x" * 32)
    return f"{head}.{body}.{odd[:-1]}{alphabet[alphabet.index(odd[-1]) + 1]}"


def doubled_header(signer: Signer) -> str:
    return signer.token(header=b'{"alg":"none",' + as_json(signer.header())[1:])


def embedded_key(signer: Signer) -> str:
    other = stranger(signer)
    return other.token(header=signer.header(jwk=dict(other.jwk) or {"kty": "oct", "k": "AAAA"}))


def deep(opening: bytes) -> bytes:
    return b'{"x":' + opening * 3000


MALFORMED: Mapping[str, Forgery] = {
    "empty": lambda _: "",
    "no token": lambda _: "gibberish",
    "dots only": lambda _: "..",
    "no signature": stripped,
    "two parts": lambda signer: signer.token().rsplit(".", 1)[0],
    "four parts": fourth_part,
    "five parts, as encrypted": lambda signer: f"{signer.token()}.{part(b'a')}.{part(b'b')}",
    "padded": lambda signer: signer.token() + "=",
    "a line break at the end": lambda signer: signer.token() + "\n",
    "not ASCII": lambda signer: signer.token() + "é",
    "a lone surrogate": lambda signer: signer.token() + "\ud800",
    "another spelling of the same bytes": respelled,
    "oversized": lambda signer: signer.token(good_claims(more="x" * 8192)),
    "header no JSON": lambda signer: signer.token(header=b"alg"),
    "header an array": lambda signer: signer.token(header=b'["alg"]'),
    "header not UTF-8": lambda signer: signer.token(header=b"\xff\xfe"),
    "header nested too deeply": lambda signer: signer.token(header=deep(b"[")),
    "header names alg twice": doubled_header,
    "no alg": header(alg=...),
    "alg a list": lambda signer: header(alg=[signer.algorithm])(signer),
    "alg null": header(alg=None),
    "crit": header(crit=["exp"]),
    "unknown crit": header(crit=["urn:example:must-understand"], **{"urn:example": True}),
    "jku": header(jku="https://evil.example/jwks"),
    "x5u": header(x5u="https://evil.example/cert"),
    "x5c": header(x5c=["MIIB"]),
    "jwk": embedded_key,
    "kid a list": header(kid=["a"]),
    "kid a number": header(kid=1),
    "kid null": header(kid=None),
    "kid too long": header(kid="k" * 129),
    "claims no JSON": lambda signer: signer.token(b"sub"),
    "claims an array": lambda signer: signer.token(b"[1]"),
    "claims a string": lambda signer: signer.token(b'"sub"'),
    "claims nested too deeply": lambda signer: signer.token(deep(b"[")),
    "claims nested too deeply, objects": lambda signer: signer.token(deep(b'{"x":')[:6000]),
    "sub twice": twice("sub", "somebody-else"),
    "aud twice": twice("aud", "https://other.example"),
    "exp twice": twice("exp", "0"),
    "exp Infinity": raw_claim("exp", "Infinity"),
    "exp NaN": raw_claim("exp", "NaN"),
    "exp of five thousand digits": raw_claim("exp", "9" * 5000),
}

WRONG_TYPE: Mapping[str, Forgery] = {
    "session cache": header(typ="better-auth.session-cache+jwt"),
    "session cache with the right claims": lambda signer: signer.token(
        good_claims(sid="s"), signer.header(typ="better-auth.session-cache+jwt")
    ),
    "id token of logout": header(typ="logout+jwt"),
    "typ empty": header(typ=""),
    "typ null": header(typ=None),
    "typ a list": header(typ=["JWT"]),
}

WRONG_ALGORITHM: Mapping[str, Forgery] = {
    "alg none": header(alg="none"),
    "alg NONE": header(alg="NONE"),
    "alg empty": header(alg=""),
    "alg in lower case": lambda signer: header(alg=signer.algorithm.lower())(signer),
    "alg HS512": header(alg="HS512"),
    "alg ES512": header(alg="ES512"),
    "alg PS256": header(alg="PS256"),
    "alg dir": header(alg="dir"),
}

BAD_SIGNATURE: Mapping[str, Forgery] = {
    "another's key": lambda signer: stranger(signer).token(),
    "claims altered": altered,
    "signature of nothing": lambda s: assembled(s.header(), good_claims(), lambda _: s.sign(b"")),
    "signature too short": lambda s: assembled(s.header(), good_claims(), lambda _: b"x"),
    "signature of zeros": lambda s: assembled(s.header(), good_claims(), lambda _: bytes(64)),
}

CLAIM_MISSING: Mapping[str, Forgery] = {
    **{f"no {name}": claims(**{name: ...}) for name in ("iss", "aud", "sub", "iat", "exp")},
    "nothing at all": lambda signer: signer.token(b"{}"),
    "the cookie cache of Better Auth": lambda signer: signer.token(
        {"session": {"token": "t"}, "user": {"id": USER}, "updatedAt": 1, "iat": 1, "exp": 2**40}
    ),
    "the link by which Better Auth verifies an email": lambda signer: signer.token(
        {"email": "ada@example.com", "iat": int(time.time()), "exp": int(time.time()) + 3600}
    ),
}

CLAIM_INVALID: Mapping[str, Forgery] = {
    "exp 1e400": raw_claim("exp", "1e400"),
    "exp -1e400": raw_claim("exp", "-1e400"),
    "exp of a thousand digits": raw_claim("exp", "9" * 1000),
    "exp a string": claims(exp=str(int(time.time()) + 900)),
    "exp true": claims(exp=True),
    "exp null": claims(exp=None),
    "exp a list": claims(exp=[1]),
    "iat 1e400": raw_claim("iat", "1e400"),
    "iat a string": claims(iat="1"),
    "iat false": claims(iat=False),
    "iat before 1970": claims(iat=-1),
    "nbf a string": claims(nbf="1"),
    "nbf null": claims(nbf=None),
    "sub empty": claims(sub=""),
    "sub null": claims(sub=None),
    "sub a number": claims(sub=1),
    "sub a list": claims(sub=[USER]),
    "sub too long": claims(sub="u" * 129),
    "sub with a slash": claims(sub="a/b"),
    "sub one dot": claims(sub="."),
    "sub two dots": claims(sub=".."),
    "sub with a line break": claims(sub="user\n"),
    "sub with a zero": claims(sub="user\0"),
    "sub with a blank": claims(sub="a user"),
    "sub not ASCII": claims(sub="üser"),
    "sub a lone surrogate": raw_claim("sub", '"\\ud800"'),
    "iss a list": claims(iss=[ISSUER]),
    "iss null": claims(iss=None),
    "aud null": claims(aud=None),
    "aud empty list": claims(aud=[]),
    "aud a number": claims(aud=1),
    "aud an object": claims(aud={AUDIENCE: 1}),
    "aud list with a number": claims(aud=[AUDIENCE, 1]),
}

WRONG_ISSUER: Mapping[str, Forgery] = {
    "another issuer": claims(iss="https://evil.example"),
    "issuer with a slash more": claims(iss=f"{ISSUER}/"),
    "issuer empty": claims(iss=""),
}

WRONG_AUDIENCE: Mapping[str, Forgery] = {
    "another audience": claims(aud="https://other.example"),
    "session-cache audience": claims(aud="better-auth:session-cache"),
    "the beginning of the audience": claims(aud=AUDIENCE[:-1]),
    "audiences of others": claims(aud=["a", "b"]),
}

TIMES: Mapping[str, tuple[Forgery, str]] = {
    "expired": (times(-900, -31), "token_expired"),
    "expired long ago": (claims(iat=1, exp=2), "token_expired"),
    "from the future": (times(+60, +900), "token_not_yet_valid"),
    "not before a minute": (times(0, +900, nbf=60), "token_not_yet_valid"),
    "good for more than a day": (times(0, 24 * 60 * 60 + 1), "token_lifetime"),
    "good for ever": (claims(exp=2**53), "token_lifetime"),
    "over before it began": (times(+20, -20), "token_lifetime"),
}


def _coded(code: str, forgeries: Mapping[str, Forgery]) -> dict[str, tuple[Forgery, str]]:
    return {name: (forge, code) for name, forge in forgeries.items()}


FORGERIES: Mapping[str, tuple[Forgery, str]] = {
    **_coded("token_malformed", MALFORMED),
    **_coded("wrong_type", WRONG_TYPE),
    **_coded("wrong_algorithm", WRONG_ALGORITHM),
    **_coded("bad_signature", BAD_SIGNATURE),
    **_coded("claim_missing", CLAIM_MISSING),
    **_coded("claim_invalid", CLAIM_INVALID),
    **_coded("wrong_issuer", WRONG_ISSUER),
    **_coded("wrong_audience", WRONG_AUDIENCE),
    **TIMES,
}

"""Which fields of a form ask for a secret: the only place that says it.

A form's answers are kept and are shown to whoever reads the conversation, so MCP forbids to ask for
passwords, keys, tokens and the like in one: a server opens a page of its own for these.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from unicodedata import normalize

_WORDS = re.compile(r"[^\W_]+")
_APART = re.compile(r"\b(?:\w[^\S\n]){3,}\w\b")
_LOOK_ALIKE = str.maketrans(
    "\u0430\u0441\u0435\u0456\u0458\u043e\u0440\u0455\u0445\u0443\u0410\u0412\u0421"
    "\u0415\u041d\u0406\u0408\u041a\u041c\u041e\u0420\u0405\u0422\u0425\u0423\u043a",
    "aceijopsxyABCEHIJKMOPSTXYk",
)
"""Cyrillic letters that pass for Latin ones in a word."""
_HUMPS = re.compile(r"(?<=[a-z\d])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_ALWAYS = _set(
    "password passwords passwd pwd passphrase passcode secret secrets credential credentials "
    "cvv cvc otp totp jwt apikey apikeys passkey mnemonic ssn "
    "passwort passwörter kennwort geheimnis contraseña contrasena senha wachtwoord lösenord hasło "
    "heslo parola пароль adgangskode salasana şifre"
)
_WITHIN = re.compile(
    "password|passwd|passphrase|passwort|kennwort|apikey|secretkey|privatekey|accesskey|"
    "(access|auth|refresh|bearer|api|id|session)token|clientsecret|cardnumber|creditcard|"
    "密码|密碼|口令|密钥|密鑰|令牌|パスワード|暗証番号|비밀번호|암호"
)
_TOGETHER = re.compile(
    r"\b((card|kreditkarten) ?(number|no|num|nummer)|(credit|debit|payment) card|"
    r"(security|recovery|backup|verification|one time|authentication|authorization|auth|access|"
    r"login|2fa|mfa) codes?|pass (word|phrase|code|key)|bearer|"
    r"(seed|recovery|backup|secret) (phrase|words)|"
    r"(session|auth) cookie|connection string|mot de passe|social security (number|no)|"
    r"(access|auth|refresh|bearer|api|id|session) tokens)\b"
)
_KEYS = _set(
    "api access secret private encryption decryption signing license licence ssh gpg pgp auth "
    "authentication service master session account deploy recovery security shared client app "
    "application product activation developer webhook host admin root wallet"
)
_OTHER_KEYS = _set(
    "sort primary foreign partition issue project ticket answer object map cache row column lookup "
    "translation musical major minor shortcut hot arrow public group unique natural composite "
    "hash range index"
)
_COUNTED = _set("max min maximum minimum num total input output prompt completion of")
_ABOUT = _set(
    "count counts limit limits budget usage size length type kind name label symbol amount price "
    "policy expiry expiration expires lifetime ttl age strength format algorithm rotation "
    "per"
)


def asks_for_a_secret(name: str, schema: Mapping[str, Any]) -> bool:
    """Whether the field's name, title or format says that it takes a secret.

    A yes or no, and a choice among what the server itself names, can't be one.
    """
    if schema.get("type") == "boolean" or schema.get("enum") or schema.get("oneOf"):
        return False
    if schema.get("type") == "array":
        return False
    if schema.get("writeOnly") is True:
        return True
    return any(map(_says, (name, *(schema.get(each) for each in ("title", "format")))))


def _says(text: Any) -> bool:
    if not isinstance(text, str):
        return False
    plain = normalize("NFKC", text)
    # letters set apart are read together, and those of another alphabet as what they look like
    together = _APART.sub(lambda found: "".join(found[0].split()), plain)
    return any(map(_is_said, (plain, together, together.translate(_LOOK_ALIKE))))


def _is_said(text: str) -> bool:
    words = [word.lower() for word in _WORDS.findall(_HUMPS.sub(" ", text))]
    return (
        any(_is_secret(words, place) for place in range(len(words)))
        or bool(_TOGETHER.search(" ".join(words)))
        or any(_WITHIN.search(word) for word in words if not _is_about(words, words.index(word)))
    )


def _is_secret(words: Sequence[str], place: int) -> bool:
    before = words[place - 1] if place else ""
    last = place + 1 == len(words)
    if _is_about(words, place):
        return False
    match words[place].rstrip("0123456789"):
        case word if word in _ALWAYS:
            return True
        case "token":
            return before not in _COUNTED
        case "key" | "keys":
            return before in _KEYS or (last and before not in _OTHER_KEYS)
        case "pin" | "pins":
            return last or words[place + 1] in ("code", "number", "no")
        case "pass" | "pw":
            return last and before not in ("boarding", "ski", "day", "season", "mountain", "bus")
        case _:
            return False


def _is_about(words: Sequence[str], place: int) -> bool:
    """Whether it is the length, the name and the like of a secret that is asked for."""
    return place + 1 < len(words) and words[place + 1] in _ABOUT

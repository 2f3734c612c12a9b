"""Names that an endpoint gives its errors, as far as they are made of words that endpoints use."""

import re

_FORM = re.compile(r"[\w.\[\]/+:-]{1,80}(; ?charset=[\w-]{1,20})?", re.A)
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_LONGEST_NUMBER = 5

# what says something by itself, and is nobody's name
_WORDS = """
    abort aborted arrearage authentication billing blocklist canceled cancelled complete
    completed error failed forbidden incomplete input instructions internal invalid language
    length limit malformed maximum messages metadata model other output overloaded parameters
    permission prompt recitation refusal refused request requests response safety seed spii stop
    stopped store stream temperature text timeout tokens tools unauthenticated unauthorized
    unavailable unimplemented unknown unspecified unsupported user
"""
_ALONE = frozenset(_WORDS.split())
_MORE_WORDS = """
    above access account action activated activation additional agent allowed already api
    application argument arguments array audio auth authorization available backend bad balance
    base be below billing body bot budget busy call calling calls capacity channel charset chat
    choice choices client closed code completion completions concurrency condition conflict
    connection content context continue cost count credential credentials credit credits current
    daily data day deadline declaration decommissioned default deleted denied depleted
    deployment deprecated description destination detail details detected developer disabled
    down download due duplicate effort empty enabled encoding end endpoint endpoints engine
    entity enum event exceeded exception exhausted existing expired failure feature field file
    filter filtered finish form format found frequency function functions gateway generation
    grammar hard harmful high hour html http id image in inactive include info inspection
    instance insufficient interrupted invocation is items json k key lack large legacy length
    license load loaded loading location logprobs long lost low max mb media message method min
    minute missing mode moderation multi must n name ndjson network no not null number object
    octet of offline on only open operation option options order organization out overload p
    parallel param parameter parse part parts path payload payment penalty per permitted plain
    plan policy precondition presence problem processing prohibited project properties property
    protocol provider quality query queue quota range rate reached read ready reason reasoning
    region reject rejected reload remaining remote required reserved reset resource responses
    restricted result retry revoked role route rpd rpm rps rule runtime safe schema scope search
    server service session set shape short size small spend sse started state status stopping
    strategy streaming strict string structured sufficient support supported suspended system
    task template temporarily temporary than thinking thought throttled throttling time timed to
    token too tool top tpd tpm traffic transport type unexpected unprocessable unsafe up
    upstream uri url usage use utf validate validation value vector verification verify version
    video violation voice warm warming web window with write wrong x xml zero
"""
_TOGETHER = _ALONE | frozenset(_MORE_WORDS.split())


def known_name(value: object) -> str | None:
    """The name as it is, or None where anybody's words may be in it.

    A person's name, a word of what was said or a secret has the form of a name, too: so each of
    its parts has to be a word that endpoints call things by, or a short number.
    """
    name = str(value)
    parts = [part.lower() for part in _PARTS.findall(name)]
    words = _ALONE if len(parts) == 1 else _TOGETHER
    known = all(p in words or (p.isdigit() and len(p) <= _LONGEST_NUMBER) for p in parts)
    return name if parts and known and _FORM.fullmatch(name) else None

"""The phrases that the offline model knows, as patterns."""

import re


def _rules(*patterns: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern, re.I | re.S) for pattern in patterns)


def _rule(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.I | re.S)


def _talks(*rules: tuple[str, str]) -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((about, _rule(pattern)) for about, pattern in rules)


NUMBER_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
QUOTES = ('""', "''", "“”", "\u2018\u2019", "«»", "``", "„“")

_TASK = r"(?:tasks?|to-?dos?|to do|items?|reminders?|entry|entries)"
_LIST = (
    r"(?:(?:(?:my|the|our|your) )?(?:(?:task|to-?do|to do) )?lists?|(?:my|the) (?:tasks|to-?dos))"
)
_REF = r"(?P<ref>.+?)"
_TITLE = r"(?P<title>.+)"
_INTRO = r"(?:\s+(?:called|named|titled|saying|that says|with the title)\b:?|\s*:|\s+-)"
_DONE = r"(?:done|complete|completed|finished|ready|ticked off|closed)"
_N = rf"(?:\d{{1,9}}|{'|'.join(NUMBER_WORDS)})"
_RANGE = rf"#?{_N}(?:\s*(?:-|\u2013|to|through)\s*#?{_N})?"
_NTH = rf"(?:(?:the )?{_TASK}\s+)?(?:(?:numbers?|no\.?|nr\.?)\s*)?"

FILLER = _rule(
    r"(?:please|kindly|okay|ok|so|now|then|and|also|just|hey|hi|hello|well|next|finally|thanks|"
    r"thank you|great|good|(?:can|could|would|will) you|i(?: would|['\u2019]d) like (?:you )?to|"
    r"i want (?:you )?to|i wanna|i need you to|let['\u2019]?s|you (?:can|may|should))\b[\s,:!.]*"
)
JOINT = _rule(r"\s*(?:;|\n+|[.!?]\s|,?\s+(?:and then|and also|then|and|also)\s|,\s)\s*")
QUOTED = _rule(r"\"[^\"]*\"|“[^”]*”|«[^»]*»|`[^`]*`")
SURELY_NEXT = _rule(
    rf"(?:\w+ ){{1,3}}?(?:the )?(?:{_TASK}\b|#?\d+\b|number \d+)|"
    rf"(?:add|remind me|create|delete|remove|rename)\s|(?:list|show|what)\b.*\b(?:{_TASK}|list)\b"
)
MAYBE_NEXT = _rule(
    r"(?:add|create|remind|delete|remove|drop|cancel|complete|finish|mark|tick|check|close|rename|"
    r"update|change|list|show|what|i)\b"
)
TITLE_END = _rule(
    r",?\s+please[.!]?$|\s+(?:to|on|onto|in|into|from|off) "
    r"(?:my|the|our) (?:(?:task |to-?do |to do )?list|tasks|to-?dos)(?:,?\s+please)?[.!?]?$"
)

THEME = _rule(
    r"(?:(?:switch|change|go|set|turn|make|use|put|enable|activate|give|i (?:want|prefer))\b"
    r"(?: me| it)?(?: back)?(?: (?:the |my |your |this )?(?:theme|page|app|colou?rs?|screen|mode))?"
    r"(?: back)?(?: to| into| on)? )?(?:(?:the|a|your|my) )?"
    r"(?P<theme>light|dark|system)(?:['\u2019]s)?"
    r"(?: (?:mode|theme|colou?rs?))?(?: on)?(?: again| now)?(?:,? please)?[.!?]*"
)

EVERYTHING = _rule(
    rf"(?:all(?: of)?(?: the| my| them| open)*(?: {_TASK})?|everything|every {_TASK}|"
    rf"(?:my|the)(?: whole| entire)? list|(?:my|the) (?:tasks|to-?dos))"
)
NUMBERS = _rule(
    rf"{_NTH}(?P<numbers>{_RANGE}(?:(?:\s*,\s*(?:and\s+)?|\s+and\s+|\s*&\s*){_NTH}{_RANGE})*)"
)
NUMBER_OR_RANGE = _rule(rf"#?({_N})(?:\s*(?:-|\u2013|to|through)\s*#?({_N}))?")
NUMBER = _rule(r"\d{1,9}")
ORDINAL = _rule(rf"(?:the |my )?(?P<ordinal>{'|'.join(ORDINALS)}) (?:one|{_TASK})")
AROUND_WORDS = _rule(
    rf"^(?:the |my )?(?:{_TASK} (?:called |named |about |with )?)?(?:the |my )?|\s+(?:one|{_TASK})$"
)

LIST = _rules(
    rf"(?:list|show|display|view|see|print|read|get|give|tell|fetch|check)(?: me)?(?: all)?(?: of)?"
    rf"(?: the| my| our)?(?: open| current| remaining| whole| full)*"
    rf"(?: {_TASK}(?: #?\d+)?| everything)?(?: lists?)?(?: again| now| out)?",
    rf"(?:all )?(?:of )?(?:my |the )?(?:open )?(?:tasks|to-?dos|{_TASK} list|list)",
    rf"(?:tell me |show me )?what(?:['\u2019]s| is| are|s)(?: all)?(?: still)?(?: on| in)?"
    rf"(?: my| the)?(?: open)? (?:{_TASK}|(?:task |to-?do |to do )?list|left|open|pending|done|"
    r"outstanding)\b.*",
    rf"(?:what|which|what kind of) (?:open )?{_TASK}(?: (?:do|are|is|remain|have|can|must)\b.*)?",
    r"(?:tell me |show me )?what (?:do i|should i|must i|can i|i)(?: still)?"
    r" (?:have to|have left|need to|got to|do|get done)\b.*",
    r"(?:what|anything)(?: else)?(?: is| remains| do i have| have i got)?(?: still)?(?: there)?"
    r"(?: left| open)? to (?:do|be done).*",
    rf"(?:do i|have i|are there|is there)(?: still)?(?: have| got)? (?:any|more|some)"
    rf"(?: open| other)? {_TASK}.*",
    rf"how many (?:open )?{_TASK}.*",
    rf"(?:my |the )?to-?do(?:s| list)?|where is {_LIST}",
)
ADD = _rules(
    rf"(?:add|create|make|insert|enter|put|save)(?: me)?(?: (?:a|an|the|this|one))?"
    rf"(?: new| another| more)? {_TASK}(?: (?:on|to|in|for) (?:{_LIST}|me))?{_INTRO}\s*{_TITLE}",
    rf"(?:add|create|make|insert|enter|save)(?: me)?(?: (?:a|an|one))?(?: new| another)?"
    rf" (?:task|to-?do|reminder) (?:(?:to|for|about) )?{_TITLE}",
    rf"(?:(?:a )?(?:new|another) {_TASK}|{_TASK}){_INTRO}\s*{_TITLE}",
    rf"(?:a )?new (?:task|to-?do) (?:to )?{_TITLE}",
    rf"(?:add|put|place|write|note|jot|get)(?: down)? {_TITLE} (?:to|on|onto|in|into|down on)"
    rf" {_LIST}[.!]?",
    rf"add(?: to {_LIST})?(?:\s*:\s*|\s+){_TITLE}",
    rf"remind me (?:to|about|of|that) {_TITLE}",
    rf"i(?:['\u2019]ve| have|['\u2019]m| am)? (?:also |still )?"
    rf"(?:(?:need|have|got|ought|supposed|going) to|must|should) {_TITLE}",
    rf"(?:do not|don['\u2019]t|never) (?:let me )?forget (?:to |about |that )?{_TITLE}",
    rf"(?:i )?(?:must |should )?remember to {_TITLE}",
    rf"(?:note(?: down)?|jot down|write down|put down)(?: that)?(?:\s*:)? {_TITLE}",
    rf"(?:create|schedule)(?:\s*:)? {_TITLE}",
)
UPDATE = _rules(
    rf"(?:update|rename|change|edit|set|modify|reword|retitle|rephrase|correct|alter|replace|turn)"
    rf"(?: the (?:title|name|text|wording) (?:of|for))? {_REF}(?:['\u2019]s (?:title|name|text))?"
    rf"(?:\s+(?:to(?: say:?| read:?)?|into|as|with)\s+|\s*(?::|->|=>|→)\s*){_TITLE}",
    rf"make (?P<ref>(?:task |number |#)\S+) (?:say |read |into )?{_TITLE}",
    rf"(?:call|name) (?P<ref>(?:task |number |#)\S+) {_TITLE}",
    rf"give (?P<ref>(?:task |number |#)\S+) the (?:new )?(?:title|name):? {_TITLE}",
)
UPDATE_LAST = _rules(
    rf"{_REF} (?:should|must|ought to|is to|needs to) (?:now )?(?:be(?: called| named)?|say|read)"
    rf":? {_TITLE}",
)
COMPLETE = _rules(
    rf"(?:mark|set|flag|check|tick|consider|move) {_REF}(?: as| to)? {_DONE}",
    rf"(?:tick|check|cross|mark) {_REF} off",
    rf"(?:complete|finish|close|resolve|tick off|tick|check off|check|cross off|cross out|mark off|"
    rf"wrap up|accomplish) {_REF}",
    rf"(?:i am |i['\u2019]m |we are )?(?:all )?(?:done|finished|through) with {_REF}",
    rf"i(?:['\u2019]ve| have)? (?:just |already )?(?:done|did|finished|completed|closed) {_REF}",
)
COMPLETE_LAST = _rules(
    rf"{_REF} (?:is|are|has been|was)(?: now| already| all)? {_DONE}(?: now)?",
    rf"(?P<ref>{_NTH}{_RANGE}):? {_DONE}",
)
DELETE = _rules(
    rf"(?:take|strike|cross|throw|clear) {_REF} (?:off|from|out of) {_LIST}",
    rf"(?:delete|remove|drop|cancel|erase|discard|trash|scrap|scratch|bin|clear|dump|get rid of|"
    rf"throw away|throw out|forget about|forget|take away|take off) {_REF}",
    rf"throw {_REF} (?:away|out)",
)
DELETE_LAST = _rules(
    rf"i (?:do not|don['\u2019]t|no longer) (?:need|want) {_REF}(?: any ?more| any longer)?",
    rf"{_REF} (?:can go|can be (?:deleted|removed)|is (?:not|no longer) needed(?: any ?more)?)",
)
REHEARSAL = _rule(r"rehearse (?P<what>.+)")

TALK = _talks(
    ("first said", r"what (?:did|have) i (?:say|said|ask|asked|write|tell you) (?:at )?first"),
    ("first said", r"what (?:was|were) (?:my|the) (?:very )?first (?:message|question|words?|thing)"
                   r"(?: i (?:said|asked))?"),
    ("said", r"(?:what|which) (?:did|have) i (?:just |last )?(?:say|said|ask|asked|tell|told|write|"
             r"written|mention|mentioned)\b.*"),
    ("said", r"what (?:was|were) (?:my|the) (?:last|previous|earlier) (?:messages?|questions?|"
             r"words?|things?)\b.*"),
    ("said", r"(?:do|can) you (?:still )?(?:remember|recall|know) (?:what i|anything|me|us|"
             r"our)\b.*"),
    ("said", r"(?:repeat|recall|remember|tell me|say again) what i (?:just )?(?:said|asked|"
             r"wrote|told)\b.*"),
    ("said", r"what (?:have|did|were) we (?:just )?(?:talk|talked|talking|discuss|discussed)\b.*"),
    ("answered", r"what (?:did|have) you (?:just )?(?:say|said|answer|answered|reply|"
                 r"replied|tell)\b.*"),
    ("answered", r"(?:repeat|say) (?:that|your(?: last)? answer)(?: again)?"),
    ("my name", r"what(?:['\u2019]s| is) my name|do you (?:know|remember) my name|who am i"),
    ("named", r"(?:my name is|i am called|call me) [\w' -]{1,40}"),
    ("how", r"how (?:are you|is it going|do you do|are things)(?: doing)?(?: today| now)?|"
            r"how(?:['\u2019]s) (?:it going|life|everything)|are you (?:ok|okay|well|fine|there)"),
    ("who", r"(?:who|what) are you|what(?:['\u2019]s| is) (?:your name|this|chatbridge)|"
            r"are you (?:an? )?(?:real |human )?(?:ai|bot|robot|human|person|real|model|chatgpt|"
            r"gpt)|introduce yourself|what model (?:are you|is this)"),
    ("help", r"help(?: me)?|what (?:can|do) you (?:do|understand|know)\b.*|what can i (?:do|say|"
             r"ask)\b.*|how does (?:this|it) work|(?:what are the )?commands|how can you help\b.*"),
    ("thanks", r"(?:(?:many|ok|okay|great|perfect),? )?(?:thanks|thank you|thx|ty|cheers)(?: a lot|"
               r" so much| very much| again| you| for .*)?"),
    ("bye", r"(?:ok |okay )?(?:good ?bye|bye(?:[ -]?bye)?|good ?night|see you(?: later| soon)?|"
            r"so long|farewell|ciao|(?:talk to you )?later|(?:i (?:have to|must) go|that is "
            r"all).*)"),
    ("hello", r"(?:hello|hi|hey|hiya|howdy|greetings|yo|good (?:morning|afternoon|evening|day))"
              r"(?: there| again| everyone| all| bot| assistant)?"),
    ("joke", r"(?:tell me |do you know )?(?:a |another )?joke"),
    ("good", r"(?:that(?:['\u2019]s| is| was) )?(?:great|good|nice|cool|perfect|awesome|excellent|"
             r"wonderful|well done|good job|amazing|lovely|super)(?: job| work| one)?"),
    ("okay", r"ok|okay|yes|no|yeah|yep|nope|sure|alright|fine|i see|got it|hm+|never ?mind|"
             r"forget it"),
    ("sorry", r"(?:i am |i['\u2019]m )?(?:so )?sorry(?: about that)?|my mistake|oops"),
)  # fmt: skip
OPENINGS = _talks(
    ("thanks", r"(?:many )?(?:thanks|thank you|thx)\b.*"),
    ("hello", r"(?:hello|hi|hey|good (?:morning|afternoon|evening))\b.*"),
    ("how", r"how are you\b.*"),
    ("bye", r"(?:good)?bye\b.*"),
)

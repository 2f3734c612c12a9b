"""Why what was said is not written down."""

from chatbridge.domain.model.errors import AgentFailed, Conflict, Invalid
from chatbridge.domain.model.refusals.refusal import Refusal

recording_empty = Refusal(
    Invalid, "recording_empty", "There is nothing in the recording. Is the microphone on?"
)
recording_type = Refusal(
    Invalid,
    "recording_type",
    "This is no recording that can be written down: send WebM, Ogg, MP4, MP3 or WAV.",
)
nothing_heard = Refusal(
    Invalid, "nothing_heard", "Nothing was heard in the recording. Please try again."
)
enough_recordings = Refusal(
    Conflict,
    "enough_recordings",
    "Recordings of yours are still being written down; wait for one of them.",
)

# Its endpoint could not, or would not.

dictation_unauthorized = Refusal(
    AgentFailed,
    "dictation_unauthorized",
    "The endpoint for dictation refused our key. Please tell the operator.",
)
dictation_refused = Refusal(
    AgentFailed,
    "dictation_refused",
    "The endpoint for dictation did not accept the recording. Please tell the operator.",
)
dictation_too_long = Refusal(
    AgentFailed, "dictation_too_long", "The recording is too long to be written down. Say less."
)
dictation_rate_limited = Refusal(
    AgentFailed,
    "dictation_rate_limited",
    "Dictation is busy or its quota is used up. Please try again later.",
)
dictation_unavailable = Refusal(
    AgentFailed,
    "dictation_unavailable",
    "Dictation can't be reached right now. Please try again.",
)
dictation_timeout = Refusal(
    AgentFailed, "dictation_timeout", "Writing it down took too long. Try again, or say less."
)
dictation_malformed = Refusal(
    AgentFailed,
    "dictation_malformed",
    "What came of the recording could not be read. Please tell the operator.",
)

RECORDED = (recording_empty, recording_type, nothing_heard, enough_recordings)
"""What can be wrong with a recording."""

NOT_WRITTEN = (
    dictation_unauthorized,
    dictation_refused,
    dictation_too_long,
    dictation_rate_limited,
    dictation_unavailable,
    dictation_timeout,
    dictation_malformed,
)
"""What can be wrong with its endpoint."""

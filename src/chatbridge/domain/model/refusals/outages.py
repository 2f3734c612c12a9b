"""Not now: something that chatbridge needs is away or lacking."""

from chatbridge.domain.model.errors import Unavailable
from chatbridge.domain.model.refusals.refusal import Refusal

not_started = Refusal(
    Unavailable,
    "not_started",
    "chatbridge is not started: the application that it is mounted in must enter its lifespan, by "
    "`FastAPI(lifespan=bridge.lifespan)`, or by `async with bridge.lifespan(app):` in its own.",
)
stopping = Refusal(Unavailable, "stopping", "This server is stopping; ask again.")
sign_in_unavailable = Refusal(
    Unavailable,
    "sign_in_unavailable",
    "The sign-in can't be reached to check the token; try again in a moment.",
)
blobs_away = Refusal(
    Unavailable, "attachments_unavailable", "Where attachments are kept is away; try again."
)
database_unavailable = Refusal(
    Unavailable, "database_unavailable", "The database is away for a moment; try again."
)
database_refused = Refusal(
    Unavailable,
    "database_refused",
    "The database refuses chatbridge: `/readyz` and the log say what is to be done.",
)
database_slow = Refusal(Unavailable, "database_slow", "The database does not answer.")
schema_missing = Refusal(
    Unavailable,
    "schema_missing",
    "The database lacks chatbridge's schema or has an older one: run `chatbridge migrate`.",
)

# The same, as whoever runs chatbridge reads it: what is lacking, and what mends it.

database_away = Refusal(
    Unavailable,
    "database_unavailable",
    "{}",
    example=("Nobody listens at db.example:5432: start the server, or mend DATABASE_URL.",),
)
database_refuses = Refusal(
    Unavailable,
    "database_refused",
    "{}",
    example=("The role app lacks a right: `grant select on chatbridge.turns to app`.",),
)
schema_lacks = Refusal(
    Unavailable,
    "schema_missing",
    "{}",
    example=("The database shop has no schema chatbridge: run `chatbridge migrate`.",),
)

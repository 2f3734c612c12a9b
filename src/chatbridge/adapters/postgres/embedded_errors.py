"""What the embedded Postgres says when it cannot serve."""


class EmbeddedPostgresError(RuntimeError):
    """The embedded Postgres cannot start; the text says why and what to do about it."""

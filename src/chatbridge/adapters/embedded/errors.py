"""What the embedded Postgres says when it can't serve."""


class EmbeddedPostgresError(ValueError):
    """The database can't be started; `reason` says why and what to do about it."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The database can't be started: {reason}.")

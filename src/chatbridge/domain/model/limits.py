"""How large things may be: sentences, schemas, stores and the contract take it from here."""

MAX_CONTENT = 32_000
"""Characters of a message."""

MAX_TITLE = 200
"""Characters of a conversation's title."""

MAX_TASK_TITLE = 500
"""Characters of a task's title."""

MAX_LIMIT = 100
"""Entries of a page."""

MAX_BODY = 1024 * 1024
"""Bytes of a request. The web app's proxy and nginx say it too; a test compares them."""

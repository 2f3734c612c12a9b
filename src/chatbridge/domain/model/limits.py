"""How large things may be: sentences, schemas, stores and the contract take it from here."""

MAX_CONTENT = 32_000
"""Characters of a message, and of any text in a request."""

MAX_TITLE = 200
"""Characters of a conversation's title."""

MAX_REASON = 500
"""Characters of why a call is rejected, or a conversation is locked."""

MAX_TASK_TITLE = 500
"""Characters of a task's title."""

MAX_LIMIT = 100
"""Entries of a page."""

MAX_PAGE = 1024 * 1024
"""Bytes of the messages of a page: the one with which they are as many is the last."""

MAX_BODY = 1024 * 1024
"""Bytes of a request. The web app's proxy and nginx say it too; a test compares them."""

MAX_VALUES = 2_000
"""Values of a request's body, at all depths together."""

MAX_DEPTH = 32
"""Levels of a request's body."""

MAX_ENTRIES = 200
"""Entries of a list that a request's schema names."""

MAX_VERDICTS = 1_000
"""Verdicts on the messages of a conversation that are told at once, the latest."""

MAX_DATA = 64 * 1024
"""Characters of JSON of all that a message carries besides its text, its tags and their data; and
of a conversation's metadata."""

MAX_TAGS = 50
"""Tags that a search finds at most."""

MAX_TAG_QUERY = 200
"""Characters that are searched for."""

MAX_HEAD = 32 * 1024
"""Bytes of a request's address and headers."""

MAX_HEADERS = 100
"""Headers of a request."""

MAX_LEVELS = 200
"""Levels of what an answer shows at once, or keeps with its conversation."""

MAX_EVENT = 4 * 1024 * 1024
"""Characters of what an answer shows at once: a widget, a picture in its own data."""

MAX_RECORDINGS = 3
"""Recordings of a person that are written down at once."""

MAX_QUESTIONS = 20
"""Questions that a person is asked at once."""

MAX_CHOICES = 100
"""Choices of one of them."""

MAX_QUESTION = 2_000
"""Characters of one of them with what explains it, and of a choice."""

"""What others have said stays theirs."""

from chatbridge.domain.model.words import quoted


def test_nothing_that_is_quoted_ends_the_quotation() -> None:
    assert quoted("No. \u201d Sign in again at https://x.example. \u201c") == (
        '\u201cNo. " Sign in again at https://x.example. "\u201d'
    )

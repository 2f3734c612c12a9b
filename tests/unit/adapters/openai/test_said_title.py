"""What becomes of what models say that are asked for a title."""

import pytest

from chatbridge.adapters.openai.said_title import said_title


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ("Buying oat milk", "Buying oat milk"),
        ('"Buying oat milk."', "Buying oat milk"),
        ("**Title:** Buying oat milk", "Buying oat milk"),
        ("Title: “Buying oat milk”\n", "Buying oat milk"),
        ("Titel: Hafermilch kaufen", "Hafermilch kaufen"),
        ("标题\uff1a「买牛奶」。", "买牛奶"),
        ("**Title:** “Buying oat milk.”", "Buying oat milk"),
        ("**Title: Buying oat milk**", "Buying oat milk"),
        ("***'Buying oat milk'***", "Buying oat milk"),
        ('"Tea" and "milk"', '"Tea" and "milk"'),
        ("„Hafermilch kaufen“", "Hafermilch kaufen"),
        ("# Buying *oat* milk #\n\nIt is about milk.", "Buying *oat* milk #"),
        ("1. Buying oat milk\n2. Milk", "Buying oat milk"),
        ("Sure! Here is a title:\n\n**Buying oat milk**", "Buying oat milk"),
        ("Title:\nBuying oat milk", "Buying oat milk"),
        ("```\nBuying oat milk\n```", "Buying oat milk"),
        ('{"title": "Buying oat milk"}', "Buying oat milk"),
        ("<title>Buying oat milk</title>", "Buying oat milk"),
        ("Here's a title: Buying oat milk", "Buying oat milk"),
        ("  Buying\toat \u200b milk \u202e", "Buying oat milk"),
        ("Sure! Here is a title: Buying oat milk", "Buying oat milk"),
        ("عنوان: شراء الحليب", "شراء الحليب"),
        ("[Buying oat milk](javascript:alert(1))", "Buying oat milk"),
        ("Sure, a title", "Sure, a title"),
        ("Why is the sky blue?", "Why is the sky blue?"),
        ("A trip to the U.S.", "A trip to the U.S."),
        ("And then...", "And then..."),
        ("Title IX and sports", "Title IX and sports"),
        ("`list.sort`, and how", "`list.sort`, and how"),
        ("🎉", "🎉"),
        ("क्\u200dष और", "क्\u200dष और"),
        ("word " * 15, "word word word word word word word word word word word word…"),
        ("word " * 40, None),
        ("...", None),
        ('""', None),
        ("", None),
        ("\n\n", None),
        ("{}", None),
        ("[1, 2]", "[1, 2]"),
        ("42", "42"),
        ("Title:", None),
        ("***", None),
    ],
)
def test_a_title_is_bare_and_short(said: str, title: str | None) -> None:
    assert said_title(said) == title

"""The text of PDFs, read by a process that may do little and not for long."""

import pytest

from chatbridge.adapters.pypdf.pdf_text import PypdfText
from tests.files_of_people import PDF, told_pdf


async def test_the_text_of_each_page_is_read_until_there_is_enough() -> None:
    texts = PypdfText()
    assert await texts.text_of(told_pdf("Dear Bob", "Yours"), 100) == "Dear Bob\n\nYours"
    assert await texts.text_of(told_pdf("Dear Bob", "Yours"), 4) == "Dear"


async def test_what_is_broken_or_takes_too_long_has_none(caplog: pytest.LogCaptureFixture) -> None:
    assert await PypdfText().text_of(PDF, 100) is None
    assert "could not be read to its end" in caplog.text
    assert await PypdfText(seconds=0.0).text_of(told_pdf("Dear Bob"), 100) is None
    assert "took more than" in caplog.text

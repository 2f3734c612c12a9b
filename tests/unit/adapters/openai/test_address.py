"""Addresses of endpoints as people paste them."""

import pytest

from chatbridge.adapters.openai.address import endpoint_address

V1 = "https://api.example.com/v1"


@pytest.mark.parametrize("pasted", [V1, f"{V1}/", f" {V1} ", f'"{V1}"'])
def test_an_address_needs_no_note(pasted: str) -> None:
    address = endpoint_address(pasted)
    assert (address.url, address.query, address.notes) == (V1, {}, ())


@pytest.mark.parametrize("route", ["chat/completions", "responses", "models", "chat/completions/"])
def test_the_route_of_a_request_is_taken_off(route: str) -> None:
    address = endpoint_address(f"{V1}/{route}")
    assert address.url == V1
    assert "CHATBRIDGE_AGENT__BASE_URL" in address.notes[0]


def test_a_query_goes_with_each_request() -> None:
    address = endpoint_address(f"{V1}/chat/completions?api-version=2024-10-21")
    assert (address.url, address.query) == (V1, {"api-version": "2024-10-21"})
    assert "2024-10-21" not in " ".join(address.notes), "a value may be a key"


@pytest.mark.parametrize(
    "pasted", ["api.example.com/v1", "localhost:1234/v1", "ftp://x/v1", "http://"]
)
def test_what_is_no_address_is_refused_in_words(pasted: str) -> None:
    with pytest.raises(ValueError, match=r"CHATBRIDGE_AGENT__BASE_URL.*https://"):
        endpoint_address(pasted)

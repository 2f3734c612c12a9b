"""The element that ships is the one that is tested."""

from tests.browser import bundles


def test_the_bundle_that_ships_is_built_from_these_sources(bundle: str) -> None:
    assert bundles.SHIPPED.read_text() == bundle, "run `make element`"

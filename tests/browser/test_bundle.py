"""The element that ships is the one that is tested."""

from tests.browser import bundles


def test_the_bundle_that_ships_is_built_from_these_sources(
    bundle: dict[str, str],
) -> None:
    shipped = {name: (bundles.SHIPPED / name).read_text() for name in bundle}
    assert shipped == bundle, "run `make element`"

"""Which store a DATABASE_URL means: each is registered under the scheme of its URLs."""

import re
from importlib.metadata import entry_points

from chatbridge.ports.store import OpenStore, Store, StoreSettings
from chatbridge.settings import Settings

GROUP = "chatbridge.stores"
"""The group of entry points; each names an OpenStore."""

# the first word with a colon, with or without a driver: a store may take more than a bare URL
_SCHEME = re.compile(r"([a-z][a-z0-9.-]*)(\+[a-z0-9.-]+)?:")


def store_for(settings: Settings) -> Store:
    """The store that is configured; embedded, where none is. Raises ValueError."""
    database = settings.database
    return registered(settings.store_url, settings.store_url_name)(
        StoreSettings(
            url=settings.store_url,
            directory=settings.data_dir,
            lease=settings.turns.lease,
            schema=database.schema_name,
            pool_size=database.pool_size,
        )
    )


def registered(url: str, name: str = "DATABASE_URL") -> OpenStore:
    """What opens the store of such a URL; of none, the embedded one. Raises ValueError, which has
    the name of the variable that has set it."""
    scheme = _SCHEME.search(url or "embedded:")
    stores = entry_points(group=GROUP)
    if scheme and scheme[1] in stores.names:
        return stores[scheme[1]].load()
    known = ", ".join(sorted(f"{name}:" for name in stores.names - {"embedded"}))
    raise ValueError(
        f"{name} means no store that is known: it can begin with "
        f"{known or '(nothing: install chatbridge again)'}, or be unset for an embedded Postgres."
    )

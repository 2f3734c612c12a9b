"""SQL functions, one file each. A changed function gets a new version in its name: while a
deployment rolls, the old program still calls the old one.
"""

from importlib.resources import files

from alembic import op

from chatbridge.adapters.postgres.statements import in_schema


def create_function(name: str) -> None:
    """Create the function from the file of its name, in the schema that is being migrated."""
    template = files(__name__).joinpath(f"{name}.sql").read_text()
    op.get_bind().exec_driver_sql(in_schema(template, _schema()))


def drop_function(name: str) -> None:
    """Drop the function, whatever its arguments."""
    op.get_bind().exec_driver_sql(in_schema(f"drop function {{s}}.{name}", _schema()))


def _schema() -> str:
    return op.get_context().opts["version_table_schema"]

"""Views for reports, one file each."""

from importlib.resources import files

from alembic import op

from chatbridge.adapters.postgres.statements import in_schema


def create_view(name: str) -> None:
    """Create the view from the file of its name, in the schema that is being migrated."""
    template = files(__name__).joinpath(f"{name}.sql").read_text()
    op.get_bind().exec_driver_sql(in_schema(template, _schema()))


def drop_view(name: str) -> None:
    """Drop the view."""
    op.get_bind().exec_driver_sql(in_schema(f"drop view {{s}}.{name}", _schema()))


def _schema() -> str:
    return op.get_context().opts["version_table_schema"]

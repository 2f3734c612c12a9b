"""How Alembic meets the database: on the connection and in the schema that it was given."""

from alembic import context

from chatbridge.adapters.postgres.tables import SCHEMA, Row

schema: str = context.config.attributes["schema"]
connection = context.config.attributes["connection"].execution_options(
    schema_translate_map={SCHEMA: schema}
)


def _ours(name: str | None, type_: str, _parents: object) -> bool:
    return name == schema if type_ == "schema" else True


context.configure(
    connection=connection,
    target_metadata=Row.metadata,
    version_table_schema=schema,
    include_schemas=True,
    include_name=_ours,
)
with context.begin_transaction():
    context.run_migrations()

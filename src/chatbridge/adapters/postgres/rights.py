"""What a role needs to serve, right by right: the statements that grant it, and no more."""

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy.dialects.postgresql.base import PGDialect

from chatbridge.adapters.postgres.tables import Row

VERSION = "alembic_version"

REPORTS = "answers"
"""The view for reports, which serving needs no right on."""

RIGHTS = {
    VERSION: ("select",),
    "conversations": ("select", "insert", "update", "delete"),
    "messages": ("select", "insert", "update", "delete"),
    "turns": ("select", "insert", "update", "delete"),
    "turn_events": ("select", "insert", "delete"),
    "feedback": ("select", "insert", "update", "delete"),
    "attachments": ("select", "insert", "update", "delete"),
    "counterparts": ("select", "insert", "update", "delete"),
    "standing_approvals": ("select", "insert", "update", "delete"),
    "task_counters": ("select", "insert", "update"),
    "tasks": ("select", "insert", "update", "delete"),
    "task_calls": ("select", "insert", "delete"),
}
"""By table. What goes with its conversation, foreign keys delete with their owner's rights."""

FUNCTIONS = (
    "add_attachment_1",
    "begin_turn_1",
    "keep_turns_1",
    "finish_turn_1",
    "wait_turn_1",
    "answer_turn_1",
    "claim_stale_turn_1",
    "change_conversation_1",
    "stale_turns_1",
    "tell_turn_1",
)

TABLES = frozenset(table.name for table in Row.metadata.tables.values())

# of what a later version adds: a migration grants nothing, because it knows of no other role
_LATER = {
    "tables": "select, insert, update, delete",
    "sequences": "usage",
    "functions": "execute",
}

_quote = PGDialect().identifier_preparer.quote


def quoted(*names: str) -> str:
    """The name as SQL reads it, in quotation marks where it needs them; several with dots."""
    return ".".join(map(_quote, names))


def grants(schema: str, role: str, owner: str) -> str:
    """All statements that let `role` serve what `owner` has migrated; harmless to repeat."""
    at, to = quoted(schema), quoted(role)
    return "\n".join(
        [
            "begin;",
            f"grant usage on schema {at} to {to};",
            *(f"{on_table(schema, table, rights, role)};" for table, rights in RIGHTS.items()),
            *(f"{on_function(schema, function, role)};" for function in FUNCTIONS),
            *(
                f"alter default privileges for role {quoted(owner)} in schema {at}"
                f" grant {rights} on {things} to {to};"
                for things, rights in _LATER.items()
            ),
            "commit;",
        ]
    )


def lacking(
    schema: str, role: str, rights: Iterable[Sequence[str]], functions: Iterable[str]
) -> Iterator[str]:
    """The statements that grant these rights on tables, by table, and these functions."""
    by_table: dict[str, list[str]] = {}
    for table, right in rights:
        by_table.setdefault(table, []).append(right)
    for table, lacked in by_table.items():
        yield on_table(schema, table, lacked, role)
    for function in functions:
        yield on_function(schema, function, role)


def on_table(schema: str, table: str, rights: Iterable[str], role: str) -> str:
    """One statement for one table."""
    return f"grant {', '.join(rights)} on {quoted(schema, table)} to {quoted(role)}"


def on_function(schema: str, function: str, role: str) -> str:
    """One statement for one function."""
    return f"grant execute on function {quoted(schema, function)} to {quoted(role)}"

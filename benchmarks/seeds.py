"""Databases that are full already, made by SQL and kept for the next run."""

import hashlib
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.database import Database
from chatbridge.adapters.postgres import migrate

SIZES = (10, 1_000, 100_000)
COPIES = {10: 512, 1_000: 8, 100_000: 1}
LARGE_USERS, LARGE_CONVERSATIONS, LARGE_MESSAGES = 100_000, 2, 50

_MIGRATIONS = Path(migrate.__file__).parent / "migrations"
# as where a person and an assistant take turns; the answers are longer than the questions
_SEED = """
insert into chatbridge.conversations
  (user_id, id, title, last_position, counted, created_at, updated_at)
select {user}, {conversation}, 'A title of conversation ' || c, {messages}, {messages},
  now() - interval '1 day', now() - interval '1 day' + c * interval '1 millisecond'
from generate_series({first}, {last}) c;
insert into chatbridge.messages
  (user_id, conversation_id, position, id, turn_id, role, kind, content, created_at)
select {user}, {conversation}, n, 'msg_' || {number}, 'turn_' || {number},
  case n % 2 when 1 then 'user' else 'assistant' end, 'text',
  repeat('some words of it ', case n % 2 when 1 then 2 else 8 end),
  now() - interval '1 day' + n * interval '1 millisecond'
from generate_series({first}, {last}) c, generate_series(1, {messages}) n;
insert into chatbridge.turns
  (user_id, id, conversation_id, subject_position, retry, state, lease_until, watchable,
    created_at, ended_at)
select {user}, 'turn_' || {number}, {conversation}, n, false, 'completed',
  now() - interval '1 day', false, now() - interval '1 day' + n * interval '1 millisecond',
  now() - interval '1 day' + n * interval '1 millisecond'
from generate_series({first}, {last}) c, generate_series(1, {messages}, 2) n;
"""
_AFTER = tuple(
    f"vacuum analyze chatbridge.{table}" for table in ("conversations", "messages", "turns")
)
# its foreign keys hold by the way it is made
_WITHOUT_CHECKS = "set session_replication_role = replica"


@dataclass(frozen=True, slots=True)
class Crowd:
    """Conversations numbered from `first` to `last`, of so many messages each.

    `users` are so many that share them evenly, or one.
    """

    name: str
    first: int
    last: int
    messages: int
    users: int = 1

    def statement(self, first: int, last: int) -> str:
        """What makes some of them."""
        return _SEED.format(
            # in the order of the keys, which is several times as fast
            user=f"'{self.name}_' || lpad((c % {self.users})::text, 6, '0')",
            conversation=f"'{self.name}_' || lpad(c::text, 32, '0')",
            number=f"'{self.name}_' || lpad((c::bigint * 1000000 + n)::text, 26, '0')",
            first=first,
            last=last,
            messages=self.messages,
        )

    def user(self, conversation: int) -> str:
        """Whose the conversation of this number is."""
        return f"{self.name}_{conversation % self.users:06d}"

    def id(self, conversation: int) -> str:
        """Its id."""
        return f"{self.name}_{conversation:032d}"


BY_SIZE = {size: Crowd(f"of{size}", first=1, last=COPIES[size], messages=size) for size in SIZES}
OTHERS = Crowd("others", first=1, last=1_000, messages=50, users=100)
LARGE = Crowd(
    "large",
    first=1,
    last=LARGE_USERS * LARGE_CONVERSATIONS,
    messages=LARGE_MESSAGES,
    users=LARGE_USERS,
)


def history(database: Database) -> str:
    """Conversations of 10, 1,000 and 100,000 messages among others; the database's name.

    It is made anew each time: those of 10 do not stay so short.
    """
    database.drop("bench_history")
    return _seeded(database, "bench_history", [OTHERS, *BY_SIZE.values()])


def large(database: Database) -> str:
    """10 million messages in 200,000 conversations of 100,000 users: some minutes, 9 GB."""
    return _seeded(database, "bench_large", [LARGE])


def _seeded(database: Database, name: str, crowds: Iterable[Crowd]) -> str:
    wanted = _fingerprint(crowds)
    kept = "select shobj_description(oid, 'pg_database') from pg_database where datname = $1"
    if database.value(kept, name) == wanted:
        return name
    database.drop(name)
    database.create(name)
    migrate.upgrade(database.url(name), "chatbridge")
    begun = time.monotonic()
    for crowd in crowds:
        _fill(database, name, crowd)
    database.run(*_AFTER, of=name)
    size = database.value("select pg_database_size($1::name)", name)
    print(f"{name}: {size / 1e6:,.0f} MB in {time.monotonic() - begun:.0f} s", flush=True)
    database.run(f"comment on database \"{name}\" is '{wanted}'")
    return name


def _fill(database: Database, name: str, crowd: Crowd) -> None:
    step = max(1, 1_000_000 // crowd.messages)
    before = (_WITHOUT_CHECKS,) if database.postmaster else ()
    for first in range(crowd.first, crowd.last + 1, step):
        last = min(crowd.last, first + step - 1)
        faster = (*before, "set synchronous_commit = off", "set statement_timeout = 0")
        database.run(*faster, crowd.statement(first, last), of=name)
        if last < crowd.last:
            print(f"{name}: {last:,} of {crowd.last:,} conversations", flush=True)


def _fingerprint(crowds: Iterable[Crowd]) -> str:
    """What the rows are made from: with another schema they are made anew."""
    made_from = hashlib.sha256(repr((_SEED, [*crowds])).encode())
    for file in sorted(_MIGRATIONS.rglob("*")):
        if file.suffix in (".py", ".sql"):
            made_from.update(file.read_bytes())
    tables = _MIGRATIONS.parent / "tables.py"
    made_from.update(tables.read_bytes())
    return made_from.hexdigest()[:16]

"""A real Postgres as a child process, for those who have no server: no Docker, no daemon."""

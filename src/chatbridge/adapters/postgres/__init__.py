"""Neon and any other Postgres."""

"""The door to the log."""

"""The one door to the log: what a line is, what may stand in it, and what it names."""

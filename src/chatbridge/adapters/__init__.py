"""How the world answers: one folder per technology, one file per port."""

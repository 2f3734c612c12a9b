"""Who may call us, and in which language."""

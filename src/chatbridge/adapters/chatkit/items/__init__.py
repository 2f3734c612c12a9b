"""ChatKit's items, as both sides know them: who serves the protocol, and who speaks it."""

"""Everything in this process: for demos and tests, gone when it ends."""

"""What is measured: each function makes the rows that begin with its name in ROWS."""

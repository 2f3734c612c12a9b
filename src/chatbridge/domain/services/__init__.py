"""What is decided: which history is visible, and how a turn lives."""

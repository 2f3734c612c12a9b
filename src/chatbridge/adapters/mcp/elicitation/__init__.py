"""What a tool server asks of a person, in the midst of a call."""

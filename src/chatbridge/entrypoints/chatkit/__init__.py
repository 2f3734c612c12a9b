"""The ChatKit protocol: the only place that says thread and item."""

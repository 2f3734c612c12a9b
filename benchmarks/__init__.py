"""What chatbridge costs, beside what others cost that do less or the same; `make bench` runs it."""

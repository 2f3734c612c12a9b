"""Servers that do the same, or less, written as their own guides write them."""

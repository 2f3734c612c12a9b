"""Blobs in a directory of this machine."""
